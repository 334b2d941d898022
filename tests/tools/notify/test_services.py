"""Several push services: each takes a message for itself, and is tried for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.tools.notify.fakes import Clock, FakeGotify, fake_gotify
from tools.calling import called_by
from tools.contract import Caller, Door, PlannedCall, ToolResult
from tools.notify.gotify import TO_GOTIFY, Gotify, from_gotify
from tools.notify.messages import HIGH, Messages
from tools.notify.port import Outgoing, PushError
from tools.notify.services import can_push, deliver, push_services
from tools.notify.tool import Notify
from tools.settings import ToolSettings
from tools.store import Store

CALLER = Caller(name="owner", door=Door.REPL)


@dataclass
class Service:
    """Takes what it is given, or says why not."""

    name: str
    broken: PushError | None = None
    taken: list[str] = field(default_factory=list)

    async def push(self, message: Outgoing) -> str:
        if self.broken is not None:
            raise self.broken
        self.taken.append(message.text)
        return f"{self.name}{len(self.taken)}"


@pytest.fixture
def ntfy() -> Service:
    return Service("ntfy")


@pytest.fixture
def other() -> Service:
    return Service("Gotify")


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("AQJ-token\n")
    return file


@pytest.fixture
async def gotify() -> AsyncIterator[FakeGotify]:
    async with fake_gotify() as server:
        yield server


async def test_each_service_gets_each_message_once(messages: Messages, ntfy: Service, other: Service) -> None:
    for text in ("One.", "Two."):
        messages.add(text, CALLER, push=True)

    assert await deliver([ntfy, other], messages) == 4
    assert await deliver([ntfy, other], messages) == 0
    assert ntfy.taken == other.taken == ["One.", "Two."]


async def test_a_service_that_is_down_is_tried_for_itself(
    messages: Messages, clock: Clock, ntfy: Service, other: Service
) -> None:
    other.broken = PushError("Gotify cannot be reached")
    key = messages.add("Hello.", CALLER, push=True)
    await deliver([ntfy, other], messages)
    assert messages.was_pushed(key)

    other.broken = None
    assert await deliver([ntfy, other], messages) == 0  # not so soon
    clock.now += 10
    assert await deliver([ntfy, other], messages) == 1
    assert (ntfy.taken, other.taken) == (["Hello."], ["Hello."])


async def test_a_service_that_is_added_later_gets_no_old_messages(
    messages: Messages, ntfy: Service, other: Service
) -> None:
    messages.add("Old.", CALLER, push=True)
    await deliver([ntfy], messages)
    messages.add("New.", CALLER, push=True)
    await deliver([ntfy, other], messages)

    assert other.taken == ["New."]


async def test_what_one_service_will_never_take_is_over_when_the_other_has_it(
    messages: Messages, clock: Clock, ntfy: Service, other: Service, store: Store
) -> None:
    other.broken = PushError("Gotify answered with status 413", again=False)
    messages.add("Long.", CALLER, push=True)
    await deliver([ntfy, other], messages)
    clock.now += 40 * 86400.0
    messages.forget_old()

    assert store.read("SELECT 1 FROM messages") == []
    assert store.read("SELECT 1 FROM pushes") == []


async def said(services: list[Service], store: Store) -> ToolResult:
    tool = Notify(services, store)
    call = tool.plan(tool.arguments.model_validate({"message": "dinner"}))
    assert isinstance(call, PlannedCall)
    with called_by(CALLER):
        return await tool.execute(call)


async def test_notify_says_which_service_got_it(store: Store, ntfy: Service, other: Service) -> None:
    assert (await said([ntfy, other], store)).spoken == "The message is sent by ntfy and Gotify."
    other.broken = PushError("Gotify cannot be reached")
    result = await said([ntfy, other], store)
    assert result.spoken == "Ntfy has the message; Gotify cannot be reached, I'll keep trying there."
    assert result.data["services"] == {"ntfy": "sent", "Gotify": "Gotify cannot be reached"}
    ntfy.broken = PushError("ntfy does not answer")
    result = await said([ntfy, other], store)
    assert result.spoken == (
        "The message is not sent yet: ntfy does not answer and Gotify cannot be reached. I'll keep trying."
    )
    assert result.data["delivered"] is False


async def test_gotify_gets_its_own_priorities_and_the_token_of_its_file(gotify: FakeGotify, token: Path) -> None:
    service = Gotify(gotify.settings(token_file=token))
    assert await service.push(Outgoing(title="Photos backup", text="It is done.")) == "1"
    await service.push(Outgoing(title="Photos backup", text="It failed.", priority=HIGH))

    assert gotify.bodies == [
        {"title": "Photos backup", "message": "It is done.", "priority": 5},
        {"title": "Photos backup", "message": "It failed.", "priority": 8},
    ]
    assert gotify.keys == ["AQJ-token", "AQJ-token"]


async def test_gotify_opens_a_questions_page(gotify: FakeGotify, token: Path) -> None:
    question = Outgoing(title="Jarvis asks", text="Shall I?", link="http://jarvis.lan:8765/confirm/abc")
    await Gotify(gotify.settings(token_file=token)).push(question)

    assert gotify.bodies[0]["extras"] == {
        "client::notification": {"click": {"url": "http://jarvis.lan:8765/confirm/abc"}}
    }


@pytest.mark.parametrize(
    "status, why, again",
    [
        (401, "Gotify does not accept the access token", True),
        (400, "Gotify answered with status 400", False),
        (502, "Gotify answered with status 502", True),
    ],
)
async def test_gotifys_refusals_are_clauses(
    gotify: FakeGotify, token: Path, status: int, why: str, again: bool
) -> None:
    gotify.status = status
    with pytest.raises(PushError, match=f"^{why}$") as raised:
        await Gotify(gotify.settings(token_file=token)).push(Outgoing(title="A", text="B"))
    assert raised.value.again is again


async def test_a_missing_token_is_said_without_its_path(gotify: FakeGotify, tmp_path: Path) -> None:
    service = Gotify(gotify.settings(token_file=tmp_path / "gone"))
    with pytest.raises(PushError, match=r"^the file with Gotify's access token cannot be read$"):
        await service.push(Outgoing(title="A", text="B"))


def test_every_priority_comes_back_as_it_went() -> None:
    assert [from_gotify(TO_GOTIFY[ours]) for ours in (1, 2, 3, 4, 5)] == [1, 2, 3, 4, 5]
    assert [from_gotify(0), from_gotify(4), from_gotify(10)] == [1, 3, 5]


def test_what_is_configured_is_used(tmp_path: Path) -> None:
    both = ToolSettings.model_validate(
        {"ntfy": {"url": "http://ntfy.lan"}, "gotify": {"url": "http://gotify.lan", "token_file": tmp_path / "t"}}
    )
    assert [service.name for service in push_services(both)] == ["ntfy", "Gotify"]
    assert can_push(both)
    assert not can_push(ToolSettings())
    assert push_services(ToolSettings()) == ()
