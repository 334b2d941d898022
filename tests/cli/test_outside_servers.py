"""What the command line shows of outside MCP servers: tools and what these cost, who is sick, what is left out."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assistant.outside_servers import OutsideHealth, OutsideTool, ServerHealth
from tests.cli.conftest import Jarvis

NOTES = Path(__file__).parents[1] / "tools" / "outside" / "notes_server.py"


def configured(folder: Path, budget: int) -> None:
    """A house with one service, so that it is no demo, an outside server that is well and one that is not."""
    (folder / "pages").write_text("buy milk\n")
    notes, ghost = [sys.executable, str(NOTES), str(folder / "pages")], [sys.executable, "-c", "raise SystemExit(3)"]
    (folder / "jarvis.toml").write_text(
        f"outside_tokens = {budget}\n[services.git]\ntcp = '127.0.0.1:9'\n"
        f"[mcp_servers.notes]\ncommand = {json.dumps(notes)}\nlevels = {{search = 'read'}}\n"
        f"[mcp_servers.ghost]\ncommand = {json.dumps(ghost)}\n"
    )


def test_the_list_of_tools_shows_what_outside_ones_cost_and_what_is_left_out(
    jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.outside.servers.CONNECT_TIMEOUT_S", 60.0)
    configured(Path.cwd(), budget=60)
    shown = " ".join(jarvis("tools", "list").stdout.split())
    assert "notes_add_page: destructive, about " in shown
    assert "left out of notes: search: its " in shown
    assert "ghost: The MCP server 'ghost' cannot be used: the process ended with status 3." in shown
    assert "of 60 tokens (outside_tokens)." in shown


def well(tokens: int = 70, *left_out: str) -> ServerHealth:
    return ServerHealth("notes", True, tools=(OutsideTool("notes_search", "read", tokens),), left_out=left_out)


@pytest.mark.parametrize(
    "servers, status, said",
    [
        ((well(),), "ok", "1 of 1 answer, with 1 tool, about 70 of 2000 tokens"),
        ((well(70, "add: its 90 tokens do not fit"),), "warning", "left out: add: its 90 tokens do not fit"),
        ((well(1_300),), "warning", "small models choose badly among so much"),
        ((well(), ServerHealth("ghost", False, "it ended")), "broken", "ghost: it ended"),
        ((ServerHealth("ghost", False),), "broken", "ghost: no answer yet"),
    ],
)
def test_the_doctor_asks_the_servers(
    jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch, servers: tuple[ServerHealth, ...], status: str, said: str
) -> None:
    class Session:
        async def outside(self) -> OutsideHealth:
            return OutsideHealth(servers, 2_000)

    @asynccontextmanager
    async def session(*_: object) -> AsyncIterator[Session]:
        yield Session()

    monkeypatch.setattr("assistant.cli.session.open_session", session)
    configured(Path.cwd(), budget=2_000)
    checks = {check["name"]: check for check in json.loads(jarvis("doctor", "--json").stdout)}
    found = checks["outside MCP servers"]
    assert found["status"] == status
    assert said in found["detail"]
    assert bool(found["mend"]) == (status != "ok")
