"""The dead man's switch: in its rhythm, only while all is well, and never in anybody's way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.cli.common import House
from assistant.cli.doctor_observing import heartbeats
from assistant.config import Settings
from assistant.errors import EgressError, StateError
from assistant.observing.heartbeat import Heartbeat, HeartbeatError, beating
from assistant.observing.push import push
from assistant.observing.settings import HeartbeatSettings
from assistant.observing.wellness import Wellness, schedule_kept, state_writable
from tests.fakes_time import virtual_time

URL = "http://kuma.lan/api/push/s3cr3t-token"


def settings(every_s: float = 60.0, **more: object) -> HeartbeatSettings:
    return HeartbeatSettings.model_validate({"kind": "uptime-kuma", "url": URL, "every_s": every_s, **more})


class Receiver:
    """Takes signs of life; ``takes_s``: how long each takes; ``fails``: numbers of those that do not arrive."""

    def __init__(self, takes_s: Sequence[float] = (), fails: Sequence[int] = ()) -> None:
        self.takes_s, self.fails = takes_s, fails
        self.tried_at: list[float] = []

    async def __call__(self, name: str, settings: HeartbeatSettings) -> None:
        number = len(self.tried_at)
        self.tried_at.append(asyncio.get_running_loop().time())
        if number < len(self.takes_s):
            await asyncio.sleep(self.takes_s[number])
        if number in self.fails:
            raise HeartbeatError("refused_404")


def run_for(seconds: float, receiver: Receiver, wellness: Wellness, wanted: HeartbeatSettings) -> Heartbeat:
    async def work() -> Heartbeat:
        async with beating({"kuma": wanted}, wellness, receiver) as beats:
            await asyncio.sleep(seconds)
            return beats[0]

    return virtual_time(work())


@examples(max_examples=40)
@given(
    every_s=st.floats(10, 3_600),
    takes_s=st.lists(st.floats(0, 40), max_size=12),
    fails=st.sets(st.integers(0, 12)),
    rounds=st.integers(1, 12),
)
def test_signs_come_in_one_rhythm_however_long_they_take_and_whatever_becomes_of_them(
    every_s: float, takes_s: list[float], fails: set[int], rounds: int
) -> None:
    receiver = Receiver(takes_s, sorted(fails))
    wanted = settings(every_s, timeout_s=30)
    beat = run_for(every_s * rounds + 1, receiver, Wellness([]), wanted)
    for at in receiver.tried_at:
        assert at / every_s == pytest.approx(round(at / every_s), abs=1e-6)
    gaps = [later - earlier for earlier, later in zip(receiver.tried_at, receiver.tried_at[1:], strict=False)]
    assert all(every_s * 0.999 <= gap <= max(every_s, 30 + every_s) * 1.001 for gap in gaps)
    waiting = len(receiver.tried_at) - beat.sent - beat.failed
    assert waiting in (0, 1)
    assert beat.withheld == 0


async def unwell() -> str:
    return "the state folder cannot be written"


async def breaks() -> str:
    raise StateError("database_unusable", "the words of an error")


async def hangs() -> str:
    await asyncio.sleep(3_600)
    return ""


@pytest.mark.parametrize("look", [unwell, breaks, hangs])
def test_nothing_is_sent_while_anything_is_not_well(look: object, caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver()
    beat = run_for(600, receiver, Wellness([look], within_s=5), settings(60))  # type: ignore[list-item]
    assert receiver.tried_at == []
    assert (beat.sent, beat.age_s) == (0, None)
    assert beat.withheld >= 9
    (said,) = caplog.messages
    assert "kuma withheld: " in said
    assert "words of an error" not in said


def test_a_loop_that_stood_still_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver()

    async def work() -> Heartbeat:
        beat = Heartbeat("kuma", settings(60))
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(beat.run(Wellness([]), receiver))
        await asyncio.sleep(61)
        real, stood_still = loop.time, 45.0
        loop.call_at(119.9, lambda: monkeypatch.setattr(loop, "time", lambda: real() + stood_still))
        await asyncio.sleep(300)
        running.cancel()
        return beat

    beat = virtual_time(work())
    assert beat.withheld == 1
    assert any("stood still" in message for message in caplog.messages)
    assert beat.sent >= 3


def test_one_that_does_not_arrive_is_counted_and_said_once_and_again_when_it_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    beat = run_for(301, Receiver(fails=(1, 2, 3)), Wellness([]), settings(60))
    assert (beat.sent, beat.failed) == (3, 3)
    assert caplog.messages == ["the heartbeat kuma did not arrive: refused_404", "the heartbeat kuma arrives again"]
    assert URL not in caplog.text


async def test_a_folder_that_cannot_be_written_is_not_well(tmp_path: Path) -> None:
    assert await state_writable(tmp_path)() == ""
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    said = await state_writable(tmp_path / "gone")()
    assert said.startswith("the state folder cannot be written: ")


@pytest.mark.parametrize(("late_s", "well"), [(0.0, True), (20.0, True), (4_000.0, False)])
async def test_a_round_of_checks_that_is_overdue_is_not_well(late_s: float, well: bool) -> None:
    class House:
        async def overdue_s(self) -> float:
            return late_s

    assert (await schedule_kept(House())() == "") is well


# ── what is sent ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Sink:
    """A server that keeps what it was asked, and answers with ``status``."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.status = "200 OK"
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sink]:
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length")), 0
            )
            self.requests.append(head + (await reader.readexactly(length)).decode())
            writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self


async def test_each_kind_is_asked_in_its_own_way(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tk_abc\n")
    async with Sink().open() as sink:
        await push("hc", settings(kind="healthchecks", url=f"{sink.url}/ping/u-u-i-d"))
        await push("kuma", settings(url=f"{sink.url}/api/push/T0k3n?status=down&msg=&ping="))
        late = {"kind": "ntfy", "url": f"{sink.url}/alerts/", "late_s": 600, "token_file": tmp_path / "token"}
        await push("phone", settings(**late))  # type: ignore[arg-type]
    hc, kuma, ntfy = sink.requests
    assert hc.startswith("POST /ping/u-u-i-d HTTP/1.1")
    assert kuma.startswith("GET /api/push/T0k3n?status=up&msg=OK HTTP/1.1")
    assert ntfy.startswith("POST /alerts/jarvis-phone HTTP/1.1")
    assert "in: 600s\r\n" in ntfy.lower()
    assert "authorization: bearer tk_abc\r\n" in ntfy.lower()
    assert ntfy.endswith("Jarvis has not been heard from for 10 minutes. Is its machine up?")


async def test_its_address_may_stand_in_a_file(tmp_path: Path) -> None:
    async with Sink().open() as sink:
        (tmp_path / "url").write_text(f"{sink.url}/ping/secret\n")
        await push("hc", HeartbeatSettings(kind="healthchecks", url_file=tmp_path / "url"))
    assert sink.requests[0].startswith("POST /ping/secret ")


@pytest.mark.parametrize("content", [b"", b"not a url", b"http://a\nhttp://b", b"\xff\xfe", b"ftp://a/b"])
async def test_a_file_that_holds_no_address_is_an_error_that_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "url").write_bytes(content)
    with pytest.raises(HeartbeatError, match="unreadable"):
        await push("hc", HeartbeatSettings(kind="healthchecks", url_file=tmp_path / "url"))


async def test_what_is_refused_or_not_there_has_a_code_and_no_address() -> None:
    async with Sink().open() as sink:
        sink.status = "404 Not Found"
        with pytest.raises(HeartbeatError) as refused:
            await push("hc", settings(kind="healthchecks", url=f"{sink.url}/ping/secret"))
        sink.status = "302 Found\r\nLocation: http://127.0.0.1:1/"
        with pytest.raises(HeartbeatError, match="refused_302"):
            await push("hc", settings(kind="healthchecks", url=f"{sink.url}/ping/secret"))
    assert refused.value.code == "refused_404"
    with pytest.raises(HeartbeatError, match="unreachable"):
        await push("hc", settings(kind="healthchecks", url="http://127.0.0.1:1/ping/secret"))


async def test_the_egress_guard_holds_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise EgressError("egress_refused", "hc-ping.com is outside the private network.")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse)
    with pytest.raises(HeartbeatError, match="egress_refused"):
        await push("hc", settings(kind="healthchecks", url="https://hc-ping.com/uuid"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "healthchecks"},
        {"kind": "ntfy", "url": "http://ntfy.lan/a", "every_s": 60, "late_s": 100},
        {"kind": "healthchecks", "url": "ftp://a"},
        {"kind": "healthchecks", "url": URL, "every_s": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HeartbeatSettings.model_validate(wrong)


def test_the_doctor_says_which_does_not_arrive_and_how_to_mend_it() -> None:
    assert heartbeats(House(Settings(), demo=False)).status == "ok"
    wanted = {"kuma": settings(url="http://127.0.0.1:1/api/push/s3cr3t")}
    found = heartbeats(House(Settings(heartbeat=wanted), demo=False))
    assert (found.status, found.detail) == ("broken", "kuma: unreachable")
    assert "allow_hosts" in found.mend
