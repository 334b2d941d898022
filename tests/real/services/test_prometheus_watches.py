"""``check_services`` with a real Prometheus and its blackbox exporter, which look at real servers once a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.real.daemons import free_port
from tests.real.prometheus import blackbox_exporter, probing, prometheus, scraping, until, value
from tools.contract import PlannedCall, ToolResult
from tools.names import NameIndex
from tools.services.prometheus import LOOKS
from tools.services.tool import CheckServices
from tools.settings import ToolSettings
from tools.store import Store

pytestmark = pytest.mark.real_server


class App(ThreadingHTTPServer):
    """Answers everything with ``status``, and tells one metric."""

    daemon_threads = True
    status = 200

    @property
    def address(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        assert isinstance(self.server, App)
        body = b"app_requests 1\n"
        self.send_response(self.server.status)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def app(status: int = 200) -> Iterator[App]:
    server = App(("127.0.0.1", 0), Handler)
    server.status = status
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class House:
    """Prometheus scrapes gitea, and has gitea, immich and a port with nobody asked by its blackbox exporter."""

    url: str
    gitea: App
    immich: App
    nobody: str
    exporter: ExitStack
    stack: ExitStack
    folder: Path
    services: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def check(self, service: str | None = None, **services: dict[str, Any]) -> ToolResult:
        settings = ToolSettings.model_validate(
            {
                "services": services or self.services,
                "watchers": {"prometheus": {"kind": "prometheus", "url": self.url}},
                "flapping_window_s": 120,
            }
        )
        with Store(self.folder / "jarvis.db") as store:
            tool = CheckServices(settings, NameIndex.from_settings(settings), store)
            arguments = {"service": service} if service else {}
            try:
                return await tool.execute(PlannedCall(tool=tool.name, arguments=arguments))
            finally:
                await tool.aclose()


def values(url: str, metric: str) -> dict[str, str]:
    """By instance."""
    return {row["metric"]["instance"]: row["value"][1] for row in value(url, metric)}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        exporter = stack.enter_context(ExitStack())
        gitea, immich = stack.enter_context(app()), stack.enter_context(app(503))
        nobody = f"127.0.0.1:{free_port()}"
        prober = exporter.enter_context(blackbox_exporter(tmp_path / "blackbox"))
        targets = [f"http://{address}/" for address in (gitea.address, immich.address, nobody)]
        scrapes = [scraping("gitea", gitea.address), probing("web", prober, "http_2xx", *targets)]
        url = stack.enter_context(prometheus(tmp_path / "prometheus", scrapes=scrapes))
        until(lambda: len(values(url, "probe_success")) == 3 and len(values(url, "up")) == 4, "it has not looked")
        services = {
            "gitea": {"url": f"http://{gitea.address}/"},
            "immich": {"url": f"http://{immich.address}/"},
            "nobody": {"tcp": nobody},
        }
        yield House(url, gitea, immich, nobody, exporter, stack, tmp_path, services)


def looks(result: ToolResult, service: str) -> list[tuple[str, bool | None, str]]:
    (found,) = (one for one in result.data["services"] if one["name"] == service)
    return [(look["watcher"], look["up"], look["reason"]) for look in found["seen_by"]]


async def test_what_it_scrapes_and_what_it_probes_are_joined_by_address_and_agree(house: House) -> None:
    result = await house.check("gitea")
    assert result.spoken == "Gitea is up."
    assert sorted(looks(result, "gitea")) == [
        ("jarvis", True, ""), ("prometheus", True, ""), ("prometheus", True, "its metrics can be read"),
    ]  # fmt: skip
    everything = await house.check()
    assert everything.spoken == "Immich and nobody are down. The other one is up."
    assert looks(everything, "immich")[1] == ("prometheus", False, "it answers with HTTP status 503")
    (watcher,) = everything.data["watchers"]
    assert (watcher["believed"], watcher["services"], watcher["unknown_to_catalogue"]) == (True, 3, 0)


async def test_a_service_that_only_prometheus_sees_is_down_with_its_name_and_since_when(house: House) -> None:
    called = {"prometheus": f"http://{house.immich.address}/"}
    services: dict[str, dict[str, Any]] = {"photos": {"watched_as": called}, "unseen": {}}
    result = await house.check("photos", **services)
    assert result.spoken == "Photos is down: prometheus says that it answers with HTTP status 503."
    photos = result.data["services"][0]
    assert photos["since"] is not None
    assert result.data["unknown_to_catalogue"] == 3
    downs = value(house.url, f"{LOOKS} == 0")  # how older outages are dated
    assert {(row["metric"]["__name__"], row["metric"]["instance"]) for row in downs} == {
        ("probe_success", f"http://{address}/") for address in (house.immich.address, house.nobody)
    }
    unseen = await house.check("unseen", **services)
    assert unseen.spoken == "I can't tell whether unseen is up: nothing that I can ask watches it."


async def test_changes_that_it_saw_are_flapping_although_it_answers_now(house: House) -> None:
    target = f"http://{house.gitea.address}/"
    up, down = (lambda seen=seen: values(house.url, "probe_success")[target] == seen for seen in ("1", "0"))
    for status, is_seen in ((500, down), (200, up), (500, down), (200, up)):
        house.gitea.status = status
        until(is_seen, f"it has not seen {status}")
    result = await house.check("gitea")
    assert result.spoken == "Gitea is flapping: prometheus saw it change four times within two minutes."


async def test_an_outage_is_dated_by_its_samples_and_came_after_the_looks_that_were_good(house: House) -> None:
    began = time.time()
    house.gitea.status = 503
    target = f"http://{house.gitea.address}/"
    until(lambda: values(house.url, "probe_success")[target] == "0", "it has not seen the outage")
    until(lambda: values(house.url, "up")[house.gitea.address] == "0", "it has not seen the outage")
    result = await house.check("gitea", gitea={"watched_as": {"prometheus": target}})
    assert result.spoken.startswith("Gitea is down")
    since = result.data["services"][0]["seen_by"][0]["since"]
    assert since is not None
    assert abs(time.mktime(time.strptime(since[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - began) < 10


async def test_when_the_exporter_that_probes_is_down_no_service_is_called_down_for_it(house: House) -> None:
    house.exporter.close()
    until(lambda: not values(house.url, "probe_success"), "the probes are still there")
    assert "0" in values(house.url, "up").values()
    target = {"prometheus": f"http://{house.gitea.address}/"}
    result = await house.check("mail", mail={"watched_as": target})
    assert result.spoken == "I can't tell whether mail is up: prometheus says that its prober does not answer."
    assert (await house.check("gitea")).spoken == "Gitea is up."


async def test_a_prometheus_that_is_gone_is_said_and_what_is_known_without_it_too(house: House) -> None:
    house.url = f"http://127.0.0.1:{free_port()}"
    result = await house.check()
    assert result.spoken == "Immich and nobody are down. The other one is up. Prometheus does not answer."
