"""What a stage says while its breaker is open: the last failure's own sentence, at once and without asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import EgressError, JarvisError, SynthesisError, TranscriptionError
from assistant.phrases import spoken_for
from assistant.ports import Samples, SpeechChunk, Transcript
from assistant.speech.resting import RestingSynthesizer, RestingTranscriber
from tools.alerts.port import Alert, SourceError
from tools.alerts.resting import RestingSource
from tools.breaker import FAILURES, REST_S
from tools.resting import NOT_IN_TIME
from tools.server import ToolHouse
from tools.services.port import Observation, WatcherError
from tools.services.resting import RestingWatcher
from tools.settings import ToolSettings

SOUND = np.zeros(16_000, dtype=np.int16)


@dataclass
class Server:
    """Ears and mouth elsewhere; counts who asked."""

    error: JarvisError | None
    asked: int = 0

    async def load(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Transcript("yes", "en", "server")

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        yield SpeechChunk(b"\0\0", 16_000)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_speech_recognition_says_its_failure_at_once_and_comes_back_by_itself() -> None:
    server, clock = Server(TranscriptionError("server_slow", "No answer.", mend="Look at it.")), Clock()
    ears = RestingTranscriber(server, clock)
    for _ in range(FAILURES + 3):
        with pytest.raises(TranscriptionError) as failed:
            await ears.transcribe(SOUND)
        assert spoken_for(failed.value) == spoken_for(TranscriptionError("server_slow", ""))
        assert failed.value.mend == "Look at it."
    assert (server.asked, ears.breaker.state, ears.breaker.opened) == (FAILURES, "open", 1)
    clock.now, server.error = REST_S, None
    assert (await ears.transcribe(SOUND)).text == "yes"
    assert ears.breaker.state == "closed"


async def test_the_voice_says_its_failure_at_once_and_comes_back_by_itself() -> None:
    server, clock = Server(SynthesisError("server_down", "Nobody there.")), Clock()
    voice = RestingSynthesizer(server, clock)
    for _ in range(FAILURES + 3):
        with pytest.raises(SynthesisError, match="Nobody there"):
            [chunk async for chunk in voice.synthesize("Yes.")]
    assert server.asked == FAILURES
    clock.now, server.error = REST_S, None
    assert len([chunk async for chunk in voice.synthesize("Yes.")]) == 1
    assert voice.breaker.state == "closed"


async def test_servers_outside_the_house_are_failures_of_their_stage() -> None:
    server = Server(EgressError("egress_refused", "speech.example is outside.", mend="Add it to `allow_hosts`."))
    with pytest.raises(TranscriptionError) as unheard:
        await RestingTranscriber(server, Clock()).transcribe(SOUND)
    with pytest.raises(SynthesisError) as unsaid:
        [chunk async for chunk in RestingSynthesizer(server, Clock()).synthesize("Yes.")]
    for failed in (unheard.value, unsaid.value):
        assert failed.mend == "Add it to `allow_hosts`."
        assert "outside the house" in spoken_for(failed)


@dataclass
class Watching:
    """A watcher that hangs, fails or knows nothing of any service, and of any alert."""

    does: str
    name: str = "gatus"
    asked: int = 0

    async def look(self) -> Sequence[Observation]:
        return await self._answer(WatcherError)

    async def alerts(self) -> Sequence[Alert]:
        return await self._answer(SourceError)

    async def _answer(self, failure: type[Exception]) -> tuple[()]:
        self.asked += 1
        if self.does == "hangs":
            await asyncio.Event().wait()
        if self.does == "fails":
            raise failure("it refuses the credentials")
        if self.does == "breaks":
            raise ZeroDivisionError
        return ()


@pytest.mark.parametrize(("does", "reason"), [("hangs", NOT_IN_TIME), ("fails", "it refuses the credentials")])
async def test_a_watcher_that_fails_or_hangs_is_not_waited_for_at_every_question(does: str, reason: str) -> None:
    watching, clock = Watching(does), Clock()
    watcher = RestingWatcher(watching, 0.01, clock)
    for _ in range(FAILURES + 3):
        with pytest.raises(WatcherError) as failed:
            await watcher.look()
        assert failed.value.reason == reason
    assert watching.asked == FAILURES
    clock.now, watching.does = REST_S, "looks"
    assert await watcher.look() == ()
    assert watcher.breaker.state == "closed"


@pytest.mark.parametrize(("does", "reason"), [("hangs", NOT_IN_TIME), ("fails", "it refuses the credentials")])
async def test_a_source_of_alerts_is_not_waited_for_at_every_question_either(does: str, reason: str) -> None:
    watching, clock = Watching(does), Clock()
    source = RestingSource(watching, 0.01, clock)
    for _ in range(FAILURES + 3):
        with pytest.raises(SourceError) as failed:
            await source.alerts()
        assert failed.value.reason == reason
    assert (watching.asked, source.breaker.opened) == (FAILURES, 1)
    clock.now, watching.does = REST_S, "looks"
    assert await source.alerts() == ()
    assert source.breaker.state == "closed"


async def test_a_fault_of_ours_in_reading_says_nothing_of_the_server() -> None:
    watching = Watching("breaks")
    watcher = RestingWatcher(watching, 0.01, Clock())
    for _ in range(FAILURES + 3):
        with pytest.raises(ZeroDivisionError):
            await watcher.look()
    assert (watching.asked, watcher.breaker.state) == (FAILURES + 3, "closed")


def test_the_house_lists_the_breakers_of_all_that_it_asks(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    settings = ToolSettings.model_validate(
        {
            "watchers": {
                "gatus": {"kind": "gatus", "url": "http://127.0.0.1:9"},
                "bell": {"kind": "alertmanager", "url": "http://127.0.0.1:9"},
            },
            "mcp_servers": {"weather": {"url": "http://127.0.0.1:9/mcp"}},
            "home_assistant": {"url": "http://127.0.0.1:9", "token_file": tmp_path / "token"},
        }
    )
    with ToolHouse(settings, tmp_path) as house:
        told = [(breaker.name, breaker.state, breaker.opened) for breaker in house.breakers()]
    assert told == [
        ("watcher gatus", "closed", 0),
        ("alerts of bell", "closed", 0),
        ("MCP server weather", "closed", 0),
        ("Home Assistant", "closed", 0),
    ]
