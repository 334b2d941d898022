"""``jarvis status`` asks the running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from assistant.cli.common import House
from assistant.state import RunningServer
from tests.cli.conftest import Jarvis

DOWN = {
    "status": "down",
    "version": "9",
    "parts": {
        "tools": {"state": "down", "place": "", "reason": "It did not answer within 0.8 s."},
        "ears": {"state": "ok", "place": "ears.lan:8765", "reason": ""},
    },
    "sick": ["notes"],
}


@contextmanager
def answering(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
    """A server that is found as the house's, and says this of itself; what came as authorization."""
    came: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.headers.get("Authorization"))
            self.send_response(503)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        running = RunningServer(
            url=f"http://127.0.0.1:{server.server_port}", pid=1, token="local", version="9", started=0
        )
        monkeypatch.setattr(House, "running_server", lambda _: running)
        yield came


def test_each_part_is_shown_and_a_house_that_cannot_serve_is_a_failure(
    jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(json.dumps(DOWN).encode(), monkeypatch) as came:
        shown = jarvis("status")

    assert came == ["Bearer local"]
    assert shown.exit_code == 1
    said = " ".join(shown.stdout.split())
    assert "down tools It did not answer within 0.8 s." in said
    assert "ok ears ears.lan:8765" in said
    assert "down MCP server notes" in said


def test_for_programs_it_is_what_the_server_said(jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(json.dumps(DOWN).encode(), monkeypatch):
        shown = jarvis("status", "--json")

    assert json.loads(shown.stdout) == DOWN


def test_nonsense_and_no_server_at_all_are_errors_with_a_mend(jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"<html>", monkeypatch):
        odd = jarvis("status")
    monkeypatch.setattr(House, "running_server", lambda _: None)
    nobody = jarvis("status", "--json")

    assert odd.exit_code != 0
    assert nobody.exit_code != 0
    assert "not_running" in nobody.stdout + nobody.stderr
