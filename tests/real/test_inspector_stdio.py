"""The outside Inspector against the tools' own stdio server."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from tests.real.inspector import Inspector

pytestmark = pytest.mark.real_server


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A server that knows one service, which is down: its port was free a moment ago and nothing listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"services": {"gitea": {"url": f"http://127.0.0.1:{port}/"}}}))
    return [sys.executable, "-m", "tools", "--settings", str(settings), "--state", str(tmp_path / "state")]


def test_it_lists_the_tools_as_read_only(inspector: Inspector, command: list[str]) -> None:
    tools = inspector.over_stdio(command, "tools/list")["tools"]
    assert {"check_services", "check_backups"} <= {tool["name"] for tool in tools}
    by_name = {tool["name"]: tool for tool in tools}
    assert by_name["check_services"]["annotations"]["readOnlyHint"] is True


def test_it_calls_a_tool_and_gets_the_sentence_and_the_evidence(inspector: Inspector, command: list[str]) -> None:
    options = ("--tool-name", "check_services", "--tool-arg", "service=gitea")
    answer = inspector.over_stdio(command, "tools/call", *options)
    assert answer["structuredContent"]["ok"] is True
    assert answer["structuredContent"]["result"]["data"]["services"][0]["state"] == "down"
    assert answer["content"][0]["text"] == answer["structuredContent"]["spoken"]
    assert "Gitea is down" in answer["content"][0]["text"]


def test_it_reads_the_live_names(inspector: Inspector, command: list[str]) -> None:
    answer = inspector.over_stdio(command, "resources/read", "--uri", "jarvis://names")
    assert "gitea" in answer["contents"][0]["text"]
