"""The answers of Gatus, Uptime Kuma, Prometheus and Beszel in their documented forms, for services of a test.

None of this comes from the real programs: Prometheus is tested for real in ``tests/real/services``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.tools.services.http_server import Answer, Handler, Request

MINUTE = 60.0


@dataclass(frozen=True)
class Watched:
    """One thing that is watched. ``looks``: "u" and "d", a minute apart, the newest last and ``age_s`` old."""

    name: str
    looks: str = "uuuuu"
    address: str = ""
    age_s: float = 20.0

    @property
    def up(self) -> bool:
        """By the newest look."""
        return self.looks[-1] == "u"

    def times(self) -> list[tuple[float, bool]]:
        """Oldest first."""
        newest = time.time() - self.age_s
        return [(newest - MINUTE * (len(self.looks) - 1 - n), look == "u") for n, look in enumerate(self.looks)]


def iso_z(at: float) -> str:
    """As Go writes times, with nanoseconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


def gatus(things: Sequence[Watched]) -> list[dict[str, Any]]:
    """``GET /api/v1/endpoints/statuses``"""
    return [
        {
            "name": thing.name,
            "group": "core",
            "key": f"core_{thing.name}",
            "results": [
                {
                    "status": 200 if up else 502,
                    "hostname": thing.address,
                    "duration": 12_345_678,
                    "conditionResults": [{"condition": "[STATUS] == 200" if up else "[STATUS] (502) == 200",
                                          "success": up}],
                    "success": up,
                    "timestamp": iso_z(at),
                }
                for at, up in thing.times()
            ],
        }
        for thing in things
    ]  # fmt: skip


def kuma_metrics(things: Sequence[Watched], statuses: Mapping[str, int] | None = None) -> bytes:
    """``GET /metrics``; ``statuses``: where it is neither up nor down."""
    lines = ["# HELP monitor_status Monitor Status (1 = UP, 0= DOWN, 2= PENDING, 3= MAINTENANCE)",
             "# TYPE monitor_status gauge"]  # fmt: skip
    for number, thing in enumerate(things):
        name = thing.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        labels = (
            f'monitor_id="{number}",monitor_name="{name}",monitor_type="http",monitor_url="{thing.address}",'
            'monitor_hostname="null",monitor_port="null"'
        )
        status = (statuses or {}).get(thing.name, int(thing.up))
        lines += [f"monitor_status{{{labels}}} {status}", f"monitor_response_time{{{labels}}} 42"]
    return "\n".join(lines).encode() + b"\n"


def kuma_page(things: Sequence[Watched], statuses: Mapping[str, int] | None = None) -> dict[str, Any]:
    """``/api/status-page/{slug}`` under "page", and ``/api/status-page/heartbeat/{slug}`` under "beats"."""
    monitors = [{"id": n, "name": thing.name, "sendUrl": 0, "type": "http"} for n, thing in enumerate(things)]
    beats = {
        str(n): [
            {
                "status": (statuses or {}).get(thing.name, int(up)),
                "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
                "msg": "",
                "ping": 12,
            }
            for at, up in thing.times()
        ]
        for n, thing in enumerate(things)
    }
    page = {"config": {"slug": "house"}, "publicGroupList": [{"id": 1, "name": "All", "monitorList": monitors}]}
    return {"page": page, "beats": {"heartbeatList": beats, "uptimeList": {}}}


def prometheus(things: Sequence[Watched], metric: str = "up") -> Callable[[Request], dict[str, Any]]:
    """``/api/v1/query`` and ``/api/v1/query_range`` for the questions that Jarvis asks."""

    def metric_of(thing: Watched) -> dict[str, str]:
        return {"__name__": metric, "job": thing.name, "instance": thing.address}

    def answer(request: Request) -> dict[str, Any]:
        query = request.query["query"]
        if "group by" in query:
            return _series("vector", [])
        if request.path.endswith("query_range"):
            downs = [(thing, [at for at, up in thing.times() if not up]) for thing in things]
            return _series(
                "matrix", [{"metric": metric_of(t), "values": [[at, "0"] for at in ats]} for t, ats in downs if ats]
            )
        if query.endswith("s]"):
            return _series(
                "matrix",
                [
                    {"metric": metric_of(thing), "values": [[at, str(int(up))] for at, up in thing.times()]}
                    for thing in things
                ],
            )
        now = time.time()
        return _series("vector", [{"metric": metric_of(t), "value": [now, str(int(t.up))]} for t in things])

    return answer


def _series(kind: str, result: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def beszel(things: Sequence[Watched], statuses: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``GET /api/collections/systems/records``"""
    items = [
        {
            "id": f"{n:015}",
            "name": thing.name,
            "status": (statuses or {}).get(thing.name, "up" if thing.up else "down"),
            "host": thing.address or "192.168.1.5",
            "port": "45876",
            "info": {"cpu": 3.1, "mp": 41.0, "dp": 60.2, "u": 86400, "v": "0.12.3"},
            "updated": datetime.fromtimestamp(thing.times()[-1][0], UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z",
        }
        for n, thing in enumerate(things)
    ]
    return {"page": 1, "perPage": 500, "totalItems": len(items), "totalPages": 1, "items": items}


def page_server(shape: Mapping[str, Any]) -> Handler:
    """A status page."""

    async def answer(request: Request) -> Answer:
        return Answer(shape["beats" if "/heartbeat/" in request.path else "page"])

    return answer


def prometheus_server(things: Sequence[Watched], metric: str = "up") -> Handler:
    """A Prometheus."""
    query = prometheus(things, metric)

    async def answer(request: Request) -> Answer:
        return Answer(query(request))

    return answer


@dataclass
class BeszelServer:
    """A hub: a token runs out when ``forget`` is called, and is answered with an empty list then, as PocketBase does.

    ``refuses``: with 403 instead.
    """

    shape: dict[str, Any]
    password: str = "letmein"
    refuses: bool = False
    logins: int = 0
    _token: str = ""

    def forget(self) -> None:
        """The token is none any more."""
        self._token = ""

    async def __call__(self, request: Request) -> Answer:
        """One request."""
        if request.path.endswith("/auth-with-password"):
            given = json.loads(request.body)
            if given != {"identity": "me@house.lan", "password": self.password}:
                return Answer({"message": "Failed to authenticate.", "data": {}, "status": 400}, 400)
            self.logins += 1
            self._token = f"token-{self.logins}"
            return Answer({"token": self._token, "record": {"id": "x"}})
        if self._token and request.headers.get("authorization") == self._token:
            return Answer(self.shape)
        return Answer({"message": "no"}, 403) if self.refuses else Answer({**self.shape, "totalItems": 0, "items": []})
