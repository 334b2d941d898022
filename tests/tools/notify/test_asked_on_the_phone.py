"""Who is asked on the phone: outside clients that cannot ask, and orders that mean something else by now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcp import Client

from tests.fakes_mcp import Person, Things, outcome_of
from tools.contract import Caller, Door, Level, PlannedCall
from tools.elicitation import NO_CHANNEL, ON_THE_PHONE
from tools.notify.port import Outgoing, PushError
from tools.server import ASKED_ANEW, ToolHouse, mcp_server
from tools.settings import ToolSettings

LAMP = {"thing": "light"}
PHONE = ToolSettings.model_validate({"ntfy": {"url": "http://127.0.0.1:9", "confirm_url": "http://jarvis.lan:8765"}})


@dataclass
class Phone:
    """A push service."""

    name: str = "ntfy"
    broken: bool = False
    got: list[Outgoing] = field(default_factory=list)

    async def push(self, message: Outgoing) -> str:
        if self.broken:
            raise PushError("ntfy cannot be reached")
        self.got.append(message)
        return "id"

    @property
    def token(self) -> str:
        return (self.got[-1].link or "").rpartition("/")[2]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ToolHouse]:
    with ToolHouse(PHONE, tmp_path) as opened:
        yield opened


@pytest.fixture
def things(house: ToolHouse, tmp_path: Path) -> Iterator[Things]:
    inside = Things.into(house, tmp_path)
    yield inside
    inside.store.close()


@pytest.fixture
def phone(house: ToolHouse, things: Things) -> Phone:
    found = Phone()
    house.questions._services = [found]
    house.questions.served = True  # as by its HTTP server
    return found


def client(house: ToolHouse, person: Person | None = None, mode: str = "auto") -> Client:
    server = mcp_server(house, trust_caller=False, who=lambda: Caller(name="webui", role="member", door=Door.MCP))
    return Client(server, elicitation_callback=person, mode=mode)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_cannot_ask_has_its_question_on_the_phone(
    house: ToolHouse, things: Things, phone: Phone, mode: str
) -> None:
    async with client(house, None, mode) as outside:
        outcome = outcome_of(await outside.call_tool("break", LAMP))
        assert (outcome.error, outcome.spoken, outcome.confirmation) == ("needs_confirmation", ON_THE_PHONE, None)
        assert things.broken == []
        assert phone.token not in outcome.model_dump_json()
        outcome_of(await outside.call_tool("look", LAMP))  # its other calls close no question

        answered = await house.questions.answer(phone.token, yes=True)
    assert answered.done
    assert things.broken == ["lamp"]


async def test_a_client_that_can_ask_its_person_rings_no_phone(house: ToolHouse, things: Things, phone: Phone) -> None:
    async with client(house, Person("decline")) as outside:
        await outside.call_tool("break", LAMP)
    assert phone.got == []


async def test_a_phone_that_cannot_be_reached_is_as_none(house: ToolHouse, things: Things, phone: Phone) -> None:
    phone.broken = True
    async with client(house) as outside:
        assert outcome_of(await outside.call_tool("break", LAMP)).spoken == NO_CHANNEL
    assert things.store.read("SELECT 1 FROM confirmations WHERE burnt = 0") == []


async def test_an_order_that_means_something_else_by_now_is_asked_about(
    house: ToolHouse, things: Things, phone: Phone
) -> None:
    agreed = house.path.plan("break", LAMP)
    assert isinstance(agreed, PlannedCall)
    caller = Caller(name="anna", role="member", door=Door.SCHEDULE)
    outcome = await house._call_scheduled(agreed.model_copy(update={"level": Level.OPERATE}), caller)
    assert outcome.spoken.endswith(ASKED_ANEW)
    assert things.broken == []
    assert (await house.questions.answer(phone.token, yes=True)).done

    assert (await house._call_scheduled(agreed, caller)).ok  # what still means the same is not asked about
    assert len(phone.got) == 1
