"""Streams that break off, repeat themselves, and send nonsense: every message is kept, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.tools.notify.fakes import NOW, Clock, FakeGotify, FakeNtfy, fake_gotify, fake_ntfy
from tools.contract import Caller
from tools.notify.gotify import Gotify
from tools.notify.listening import stream
from tools.notify.listening.gotify_stream import GotifyStream
from tools.notify.listening.inbox import MOST_KEPT, Inbox, Received
from tools.notify.listening.ntfy_stream import NtfyStream
from tools.notify.listening.stream import Listening
from tools.notify.messages import Messages
from tools.notify.ntfy import Ntfy
from tools.notify.services import deliver
from tools.settings import NtfySettings
from tools.settings_house import GotifySettings
from tools.store import Store


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between two connections, a hundredth of what they are."""
    monkeypatch.setattr(stream, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(stream, "LONGEST_WAIT_S", 0.05)


@pytest.fixture
async def ntfy() -> AsyncIterator[FakeNtfy]:
    async with fake_ntfy() as server:
        yield server


@pytest.fixture
async def gotify() -> AsyncIterator[FakeGotify]:
    async with fake_gotify() as server:
        yield server


def texts(store: Store) -> list[str]:
    return [str(text) for (text,) in store.read("SELECT text FROM incoming ORDER BY id")]


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - threads write
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(to: NtfyStream | GotifyStream, server: FakeNtfy | FakeGotify) -> AsyncIterator[None]:
    task = asyncio.create_task(Listening(to, jitter=lambda: 1.0).run())
    try:
        async with asyncio.timeout(10):
            await server.connected.wait()
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def topic(server: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, **more: object) -> NtfyStream:
    settings = NtfySettings.model_validate({**server.settings.model_dump(), **more})
    return NtfyStream(settings, "alerts", inbox, messages.published, clock)


async def test_what_comes_is_kept_with_title_priority_and_time(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, store: Store
) -> None:
    ntfy.publish("long ago", "alerts", time=int(NOW) - 50)
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        ntfy.publish("It failed. Look!", "alerts", title="Photos", priority=5)
        await until(lambda: len(texts(store)) == 1)

    rows = store.read("SELECT key, source, at, priority, text FROM incoming")
    assert rows == [("ntfy:alerts:m00000000001", "ntfy:alerts", NOW, 5, "Photos: It failed")]
    assert ntfy.asked_since == [str(int(NOW))]  # the first time, nothing from before is asked for


async def test_after_every_break_it_goes_on_where_it_was_and_nothing_is_lost_or_kept_twice(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, store: Store
) -> None:
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        for number in range(6):
            ntfy.publish(f"message {number}", "alerts")
            if number % 2:
                await until(lambda number=number: len(texts(store)) > number)  # type: ignore[misc]
            ntfy.send(b'{"id": "half a li')
            ntfy.break_streams()
            ntfy.publish(f"while away {number}", "alerts")
            await asyncio.wait_for(ntfy.connected.wait(), 10)
        await until(lambda: len(texts(store)) == 12)

    assert texts(store) == [text for n in range(6) for text in (f"message {n}", f"while away {n}")]


async def test_after_a_restart_it_goes_on_where_it_was(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, store: Store
) -> None:
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        ntfy.publish("before", "alerts")
        await until(lambda: len(texts(store)) == 1)
    ntfy.connected.clear()
    ntfy.publish("meanwhile", "alerts")
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        await until(lambda: len(texts(store)) == 2)
    assert ntfy.asked_since[-1] == "m00000000000"


async def test_a_server_that_forgot_the_last_id_sends_all_again_and_nothing_is_kept_twice(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, store: Store
) -> None:
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        for text in ("one", "two"):
            ntfy.publish(text, "alerts")
        await until(lambda: len(texts(store)) == 2)
        inbox.read_up_to("ntfy:alerts", "forgotten123")
        ntfy.break_streams()
        await asyncio.wait_for(ntfy.connected.wait(), 10)
        ntfy.publish("three", "alerts")
        await until(lambda: len(texts(store)) == 3)

    assert texts(store) == ["one", "two", "three"]


async def test_nonsense_on_the_line_is_passed_over(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, store: Store
) -> None:
    ntfy.garbage = b"\n".join(
        (
            b"<html>", b"\xff\xfe\x00", b"[]", b"null", b"{" * 3000, b"x" * 200_000,
            b'{"event": "keepalive", "id": "k"}',
            b'{"event": "message"}', b'{"event": "message", "id": 5, "message": "number"}',
            b'{"event": "message", "id": "../../etc", "message": "path"}',
            json.dumps({"event": "message", "id": "a" * 65, "message": "long id"}).encode(),
            json.dumps({"event": "message", "id": "ok1", "message": ["no"], "priority": "9", "time": "x"}).encode(),
            json.dumps({"event": "message", "id": "ok2", "message": "loud", "priority": 99, "time": 9**30}).encode(),
            b"",
        )
    )  # fmt: skip
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        ntfy.publish("sense", "alerts")
        await until(lambda: "sense" in texts(store))

    assert store.read("SELECT text, priority, at FROM incoming ORDER BY id") == [
        ("a message without words", 3, NOW), ("loud", 5, NOW), ("sense", 3, NOW),
    ]  # fmt: skip


async def test_a_server_that_refuses_is_tried_again_and_complained_of_once(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    ntfy.refused = [403, 403, 403, 500]
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        await until(lambda: any("again" in line for line in caplog.messages))

    assert caplog.messages == [
        "ntfy:alerts is not listened to: ntfy does not accept the access token",
        "ntfy:alerts is not listened to: ntfy answered with status 500",
        "ntfy:alerts is listened to again",
    ]


async def test_a_server_that_falls_silent_is_left_and_found_again(
    ntfy: FakeNtfy,
    inbox: Inbox,
    messages: Messages,
    clock: Clock,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tools.notify.listening.ntfy_stream.SILENCE_S", 0.1)
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        await until(lambda: len(ntfy.asked_since) > 2)
        ntfy.publish("after the silence", "alerts")
        await until(lambda: texts(store) == ["after the silence"])


@pytest.mark.parametrize("lost", [False, True])
async def test_what_we_sent_ourselves_is_not_news_and_the_same_words_of_others_are(
    ntfy: FakeNtfy, inbox: Inbox, messages: Messages, clock: Clock, store: Store, lost: bool
) -> None:
    """``lost``: the answer to our post never came, so that only the words are known."""
    ntfy.lose_answers = lost
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        service = Ntfy(NtfySettings.model_validate({**ntfy.settings.model_dump(), "topic": "alerts"}))
        messages.add("It is done.", Caller(), title="Photos", push=True)
        await deliver([service], messages)
        ntfy.publish("It is done.", "alerts", title="Music")
        await until(lambda: "Music: It is done" in texts(store))
        assert texts(store) == ["Music: It is done"]
        if not lost:
            ntfy.publish("It is done.", "alerts", title="Photos")
            await until(lambda: texts(store) == ["Music: It is done", "Photos: It is done"])


async def test_ten_thousand_messages_are_read_in_few_writes_and_the_newest_kept(
    ntfy: FakeNtfy,
    inbox: Inbox,
    messages: Messages,
    clock: Clock,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[int] = []
    keep = inbox.keep

    def counted(received: Sequence[Received]) -> int:
        batches.append(len(received))
        return keep(received)

    monkeypatch.setattr(inbox, "keep", counted)
    inbox.read_up_to("ntfy:alerts", "start")
    for number in range(10_000):
        ntfy.publish(f"message {number}", "alerts")
    async with listening(topic(ntfy, inbox, messages, clock), ntfy):
        await until(lambda: inbox.last("ntfy:alerts") == "m00000009999", 20)

    assert sum(batches) == 10_000
    assert max(batches) < 2_000
    assert len(batches) < 1_000
    assert len(texts(store)) == MOST_KEPT
    assert texts(store)[-1] == "message 9999"


def gotify_settings(server: FakeGotify, folder: Path) -> GotifySettings:
    for name in ("app", "client"):
        (folder / name).write_text(f"{name}-token\n")
    return server.settings(token_file=folder / "app", client_token_file=folder / "client")


async def test_gotifys_messages_are_kept_and_what_was_missed_is_fetched(
    gotify: FakeGotify, inbox: Inbox, messages: Messages, clock: Clock, store: Store, tmp_path: Path
) -> None:
    settings = gotify_settings(gotify, tmp_path)
    for number in range(3):
        await gotify.publish(f"old {number}")
    async with listening(GotifyStream(settings, inbox, messages.published, clock), gotify):
        await until(lambda: inbox.last("gotify") == "3")
        await gotify.publish("new", title="NAS", priority=8)
        await until(lambda: len(texts(store)) == 1)
        await gotify.break_streams()
        for number in range(250):
            await gotify.publish(f"missed {number}")
        await asyncio.wait_for(gotify.connected.wait(), 10)
        await until(lambda: len(texts(store)) == 251)

    assert texts(store) == ["NAS: new", *(f"missed {number}" for number in range(250))]
    assert store.read("SELECT key, priority FROM incoming LIMIT 1") == [("gotify:4", 5)]
    assert set(gotify.keys) == {"client-token"}


async def test_gotifys_nonsense_is_passed_over_and_our_own_is_no_news(
    gotify: FakeGotify, inbox: Inbox, messages: Messages, clock: Clock, store: Store, tmp_path: Path
) -> None:
    settings = gotify_settings(gotify, tmp_path)
    async with listening(GotifyStream(settings, inbox, messages.published, clock), gotify):
        await until(lambda: inbox.last("gotify") is not None)
        for raw in ("", "{", "[]", "null", '{"id": true, "message": "x"}', '{"id": -1, "message": "x"}', '{"id": 1}'):
            await gotify.send(raw)
        messages.add("It is done.", Caller(), title="Photos", push=True)
        await deliver([Gotify(settings)], messages)
        await gotify.publish("x" * 100_000, priority="9", date="yesterday")
        await until(lambda: len(texts(store)) == 1)

    ((text, priority, at),) = store.read("SELECT text, priority, at FROM incoming")
    assert (len(text), priority, at) == (200, 1, NOW)


async def test_a_client_token_that_gotify_refuses_is_said_once(
    inbox: Inbox, messages: Messages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with fake_ntfy() as refusing:  # any server that answers 401 to the handshake
        refusing.refused = [401] * 100
        settings = gotify_settings(FakeGotify(), tmp_path).model_copy(update={"url": refusing.settings.url})
        task = asyncio.create_task(Listening(GotifyStream(settings, inbox, messages.published)).run())
        await until(lambda: len(refusing.refused) < 97)
        task.cancel()
        await asyncio.wait([task])
    assert caplog.messages == ["gotify is not listened to: Gotify does not accept the access token"]


async def test_without_a_client_token_gotify_is_not_listened_to_and_that_is_said(
    inbox: Inbox, messages: Messages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = GotifySettings.model_validate({"url": "http://127.0.0.1:9", "token_file": tmp_path / "t"})
    task = asyncio.create_task(Listening(GotifyStream(settings, inbox, messages.published)).run())
    await until(lambda: bool(caplog.messages))
    task.cancel()
    await asyncio.wait([task])
    assert caplog.messages == ["gotify is not listened to: Gotify's client_token_file is not set"]


async def test_a_stream_outside_the_house_is_never_opened(
    inbox: Inbox, messages: Messages, caplog: pytest.LogCaptureFixture
) -> None:
    settings = NtfySettings.model_validate({"url": "http://203.0.113.7"})
    task = asyncio.create_task(Listening(NtfyStream(settings, "alerts", inbox, messages.published)).run())
    await until(lambda: any("outside the private network" in message for message in caplog.messages))
    task.cancel()
    await asyncio.wait([task])
