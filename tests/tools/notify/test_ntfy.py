"""Push messages: what is posted, what is kept while ntfy is down, and where nothing is ever sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import HttpUrl

from tests.tools.notify.fakes import Clock
from tools.calling import called_by
from tools.contract import Caller, Door, JsonObject
from tools.notify.messages import HIGH, LONGEST_WAIT_S, Messages
from tools.notify.ntfy import Ntfy
from tools.notify.port import Outgoing, PushError
from tools.notify.services import deliver
from tools.notify.tool import Notify
from tools.settings import NtfySettings
from tools.store import Store
from tools.tool import UnavailableError

CALLER = Caller(name="owner", door=Door.REPL, conversation="c1")
HELLO = Outgoing(title="Jarvis", text="Hello.")


class Server:
    """Enough of its server: takes JSON posts, keeps them, and answers with what it is told to."""

    def __init__(self) -> None:
        self.taken: list[JsonObject] = []
        self.headers: list[str] = []
        self.status = 200
        self.port = 0

    @property
    def settings(self) -> NtfySettings:
        return NtfySettings(url=HttpUrl(f"http://127.0.0.1:{self.port}"), topic="house")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.headers.append(head)
        if self.status == 200:
            self.taken.append(body)
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def ntfy() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


async def test_a_message_is_posted_once_with_topic_title_priority_and_tags(messages: Messages) -> None:
    async with ntfy() as server:
        messages.add("It failed.", CALLER, title="Photos backup", priority=HIGH, tags=("rotating_light",), push=True)
        assert await deliver([Ntfy(server.settings)], messages) == 1
        assert await deliver([Ntfy(server.settings)], messages) == 0

    assert server.taken == [
        {"topic": "house", "title": "Photos backup", "message": "It failed.", "priority": 5, "tags": ["rotating_light"]}
    ]
    assert "POST / HTTP/1.1" in server.headers[0]


async def test_the_token_is_read_from_its_file(messages: Messages, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("tk_83514\n")
    async with ntfy() as server:
        messages.add("Hello.", CALLER, push=True)
        await deliver([Ntfy(server.settings.model_copy(update={"token_file": token}))], messages)

    assert "authorization: bearer tk_83514" in server.headers[0].lower()


async def test_while_ntfy_is_down_nothing_is_lost_and_it_is_asked_less_and_less_often(
    messages: Messages, clock: Clock
) -> None:
    async with ntfy() as server:
        server.status = 503
        key = messages.add("Hello.", CALLER, push=True)
        waits = []
        for _ in range(14):
            assert await deliver([Ntfy(server.settings)], messages) == 0
            began = clock.now
            while not messages.due("ntfy"):
                clock.now += 5.0
            waits.append(clock.now - began)
        assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
        assert waits[-1] == LONGEST_WAIT_S
        assert not messages.was_pushed(key)

        server.status = 200
        assert await deliver([Ntfy(server.settings)], messages) == 1
        assert messages.was_pushed(key)
    assert [one["message"] for one in server.taken] == ["Hello."]


async def test_a_message_that_ntfy_will_never_take_is_not_offered_again(messages: Messages, clock: Clock) -> None:
    async with ntfy() as server:
        server.status = 413
        messages.add("Long.", CALLER, push=True)
        messages.add("Short.", CALLER, push=True)
        await deliver([Ntfy(server.settings)], messages)
        clock.now += 86400.0

        assert len(server.headers) == 2  # the one behind it had its turn
        assert messages.due("ntfy") == []


async def test_of_two_processes_that_push_one_takes_a_message(messages: Messages) -> None:
    messages.add("Hello.", CALLER, push=True)
    (message,) = messages.due("ntfy")

    assert messages.take(message, "ntfy")
    assert not messages.take(message, "ntfy")


@pytest.mark.parametrize("host", ["203.0.113.7", "8.8.8.8", "[2001:db8::1]", "[::ffff:8.8.8.8]", "134744072"])
async def test_nothing_is_sent_out_of_the_house(host: str) -> None:
    with pytest.raises(PushError, match=r"outside the private network|not known"):
        await Ntfy(NtfySettings(url=HttpUrl(f"http://{host}:9"))).push(HELLO)


async def test_a_name_of_the_house_is_resolved_and_kept_for_the_server() -> None:
    async with ntfy() as server:
        await Ntfy(NtfySettings(url=HttpUrl(f"http://localhost:{server.port}"))).push(HELLO)

    assert f"host: localhost:{server.port}" in server.headers[0].lower()


async def test_a_server_that_is_not_there_is_told_without_its_address() -> None:
    async with ntfy() as server:
        settings = server.settings
    with pytest.raises(PushError, match=r"^ntfy cannot be reached$"):
        await Ntfy(settings).push(HELLO)


def test_a_message_with_the_same_key_is_kept_once(messages: Messages) -> None:
    messages.add("One.", CALLER, key="job:1")
    messages.add("Two.", CALLER, key="job:1")

    assert [message.text for message in messages.unannounced()] == ["One."]


def test_what_is_to_be_said_is_said_once_where_it_was_asked_for_and_not_after_a_day(
    messages: Messages, clock: Clock
) -> None:
    messages.add("Here.", CALLER)
    messages.add("There.", CALLER.model_copy(update={"conversation": "c2"}))
    messages.add("Phone only.", CALLER, say=False, push=True)

    (here,) = messages.unannounced("c1")
    assert (here.text, here.door) == ("Here.", "repl")
    assert messages.announce(here.id)
    assert not messages.announce(here.id)
    assert [message.text for message in messages.unannounced()] == ["There."]
    clock.now += 2 * 86400.0
    assert messages.unannounced() == []


def test_old_messages_are_forgotten_but_for_those_that_ntfy_has_still_to_take(messages: Messages, clock: Clock) -> None:
    said, waiting = messages.add("Said.", CALLER), messages.add("Waiting.", CALLER, push=True)
    clock.now += 40 * 86400.0
    messages.forget_old()

    assert messages.get(said) is None
    assert messages.get(waiting) is not None


async def test_notify_sends_at_once_and_says_so(store: Store) -> None:
    async with ntfy() as server:
        tool = Notify([Ntfy(server.settings)], store)
        call = tool.plan(tool.arguments.model_validate({"message": "dinner  is ready", "urgent": True}))
        with called_by(CALLER):
            result = await tool.execute(call)

    assert result.spoken == "The message is sent."
    assert [(one["message"], one["priority"]) for one in server.taken] == [("dinner is ready", 5)]
    assert Messages(store).unannounced() == []


async def test_notify_keeps_what_cannot_be_sent_now(store: Store) -> None:
    async with ntfy() as server:
        settings = server.settings
    tool = Notify([Ntfy(settings)], store)
    result = await tool.execute(tool.plan(tool.arguments.model_validate({"message": "dinner is ready"})))

    assert result.spoken == "The message is not sent yet: ntfy cannot be reached. I'll keep trying."
    assert len(store.read("SELECT 1 FROM messages WHERE push = 1 AND next_at IS NOT NULL")) == 1


async def test_without_a_push_service_notify_says_so(store: Store) -> None:
    tool = Notify([], store)
    with pytest.raises(UnavailableError, match="no push service"):
        await tool.execute(tool.plan(tool.arguments.model_validate({"message": "hello"})))
