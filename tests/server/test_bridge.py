"""The stdio server beside a running ``jarvis serve``: its client's person is asked, as if the client were connected."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client

from assistant.app import App
from assistant.server.bridge import bridge
from assistant.state import RunningServer
from tests.fakes_mcp import Person, Things, outcome_of
from tools.elicitation import NO_CHANNEL

MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def things(app: App, tmp_path: Path) -> Iterator[Things]:
    inside = Things.into(app.house, tmp_path)
    yield inside
    inside.store.close()


@asynccontextmanager
async def bridged(url: str, mode: str, person: Person | None = None) -> AsyncIterator[Client]:
    """A client of the bridge in that generation of the protocol."""
    running = RunningServer(pid=1, url=url, token="", version="1", started=0.0)
    async with Client(await bridge(running, "1"), mode=mode, elicitation_callback=person) as client:
        yield client


@MODES
@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_the_persons_answer_comes_through(url: str, things: Things, mode: str, action: str) -> None:
    person = Person(action)  # type: ignore[arg-type]
    async with bridged(url, mode, person) as client:
        outcome = outcome_of(await client.call_tool("break", {"thing": "lamp"}))
    assert person.asked == ["Shall I break lamp?"]
    assert outcome.ok == (action == "accept")
    assert things.broken == (["lamp"] if action == "accept" else [])


@MODES
async def test_a_client_without_a_way_to_ask_is_told_so(url: str, things: Things, mode: str) -> None:
    async with bridged(url, mode) as client:
        outcome = outcome_of(await client.call_tool("break", {"thing": "lamp"}))
    assert (outcome.error, outcome.spoken) == ("needs_confirmation", NO_CHANNEL)
    assert things.broken == []


@MODES
async def test_what_only_looks_asks_nobody(url: str, things: Things, mode: str) -> None:
    person = Person()
    async with bridged(url, mode, person) as client:
        assert outcome_of(await client.call_tool("look", {"thing": "lamp"})).ok
        assert len((await client.list_tools()).tools) == 3
    assert person.asked == []


async def test_an_answer_that_is_given_twice_acts_once(url: str, things: Things) -> None:
    async with bridged(url, "auto", Person()) as client:
        first = await client.session.call_tool("break", {"thing": "lamp"}, allow_input_required=True)
        state, yes = getattr(first, "request_state", None), {"confirmation": {"action": "accept", "content": {}}}
        outcomes = [
            outcome_of(await client.call_tool("break", {"thing": "lamp"}, input_responses=yes, request_state=state))  # type: ignore[arg-type]
            for _ in range(2)
        ]
    assert [outcome.error for outcome in outcomes] == [None, "confirmation_void"]
    assert things.broken == ["lamp"]
