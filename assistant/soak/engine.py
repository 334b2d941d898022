"""A container engine that counts: it speaks as much of Docker's API as is asked of it, over a Unix socket.

What Jarvis was told to do is held against what arrives here: an act that is not in the list was not done, one that is
in it twice was done twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tools.contract import JsonObject

VERBS = ("start", "stop", "restart")


class CountingEngine:
    """Containers, one for each name, all of them running. ``orders``: what was done, by verb and name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.orders: Counter[tuple[str, str]] = Counter()
        self._running = dict.fromkeys(names, True)
        self._since = dict.fromkeys(names, _now())

    @property
    def names(self) -> tuple[str, ...]:
        """Of the containers."""
        return tuple(self._running)

    @property
    def app(self) -> Starlette:
        """The API, for a server on a socket."""
        return Starlette(
            routes=[
                Route("/containers/json", self._list),
                Route("/containers/{name}/json", self._inspect),
                Route("/containers/{name}/{verb}", self._order, methods=["POST"]),
            ]
        )

    async def _list(self, _: Request) -> Response:
        return JSONResponse(
            [
                {
                    "Id": name,
                    "Names": [f"/{name}"],
                    "State": "running" if runs else "exited",
                    "Status": "Up 2 hours" if runs else "Exited (0) 2 hours ago",
                    "Image": f"{name}:1",
                }
                for name, runs in self._running.items()
            ]
        )

    async def _inspect(self, request: Request) -> Response:
        name = request.path_params["name"]
        return JSONResponse(self._inspected(name)) if name in self._running else _unknown(name)

    async def _order(self, request: Request) -> Response:
        name, verb = request.path_params["name"], request.path_params["verb"]
        if name not in self._running or verb not in VERBS:
            return _unknown(name)
        self.orders[verb, name] += 1
        self._running[name] = verb != "stop"
        self._since[name] = _now()
        return Response(status_code=204)

    def _inspected(self, name: str) -> JsonObject:
        runs, since = self._running[name], self._since[name]
        state = {
            "Status": "running" if runs else "exited",
            "Running": runs,
            "StartedAt": since,
            "FinishedAt": since,
            "ExitCode": 0,
        }
        return {"Id": name, "Name": f"/{name}", "State": state, "Config": {"Image": f"{name}:1"}, "RestartCount": 0}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _unknown(name: str) -> Response:
    return JSONResponse({"message": f"No such container: {name}"}, status_code=404)
