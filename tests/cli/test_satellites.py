"""``jarvis satellites`` and the doctor's line, at a server that says what the test wants."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from assistant.cli import doctor_state
from assistant.cli.common import House
from assistant.config import SatelliteSettings, Settings
from assistant.state import RunningServer
from tests.cli.conftest import Jarvis

KITCHEN = {
    "name": "kitchen",
    "url": "tcp://kitchen.lan:10700",
    "room": "kitchen",
    "wake": "here",
    "state": "connected",
    "since": "2026-11-22T04:00:00+00:00",
    "last_heard": "2026-11-22T05:00:00+00:00",
    "software": "a Pi",
    "version": "1.0",
    "found": False,
    "problem": "",
}
HALL = KITCHEN | {
    "name": "hall",
    "state": "connecting",
    "since": None,
    "last_heard": None,
    "found": True,
    "problem": "It cannot be reached [at all].",
}


class Server:
    """Answers ``GET /api/satellites`` with this JSON."""

    answer: object = None

    def get(self, url: str, *, headers: dict[str, str], timeout: float, trust_env: bool) -> httpx.Response:
        assert url == "http://127.0.0.1:1/api/satellites"
        assert headers == {"Authorization": "Bearer secret"}
        assert timeout > 0
        assert not trust_env
        return httpx.Response(200, json=self.answer, request=httpx.Request("GET", url))


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(httpx, "get", server.get)
    announced = RunningServer(pid=1, url="http://127.0.0.1:1", token="secret", version="1", started=0)
    monkeypatch.setattr(House, "running_server", lambda _: announced)
    return server


def says(running: Server, *there: object) -> None:
    running.answer = {"satellites": list(there)}


def test_satellites_are_shown_with_what_is_wrong_with_them(jarvis: Jarvis, running: Server) -> None:
    says(running, HALL, KITCHEN)
    shown = jarvis("satellites").stdout
    assert "connected" in shown
    assert "a Pi 1.0" in " ".join(shown.split())
    assert "hall: It cannot be reached [at all]." in shown


def test_as_json_they_are_what_the_server_says(jarvis: Jarvis, running: Server) -> None:
    says(running, HALL, KITCHEN)
    assert json.loads(jarvis("satellites", "--json").stdout) == {"satellites": [HALL, KITCHEN]}


def test_none_is_said_with_where_to_read(jarvis: Jarvis, running: Server) -> None:
    says(running)
    assert "docs/satellites.md" in jarvis("satellites").stdout


def test_without_a_running_server_nobody_knows(jarvis: Jarvis) -> None:
    refused = jarvis("satellites", "--json")
    assert refused.exit_code == 5
    assert json.loads(refused.stdout)["error"]["code"] == "server_not_running"


def test_a_server_that_says_something_else_is_an_error(jarvis: Jarvis, running: Server) -> None:
    running.answer = ["what"]
    assert json.loads(jarvis("satellites", "--json").stdout)["error"]["code"] == "server_gone"


def test_the_doctor_counts_them_and_names_those_that_are_gone(running: Server, tmp_path: Path) -> None:
    says(running, HALL, KITCHEN)
    configured = {"kitchen": SatelliteSettings(url="tcp://kitchen.lan:10700")}
    check = doctor_state.satellites(House(Settings(satellites=configured, state_dir=tmp_path), demo=False))
    assert (check.name, check.status) == ("satellites", "warning")
    assert check.detail == "1 of 2 connected; hall: It cannot be reached [at all]."
