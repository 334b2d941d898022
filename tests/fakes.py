"""One small fake for each port, scripted by the test that uses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assistant.conversation import Conversation
from assistant.errors import JarvisError
from assistant.events import ModelDelta
from assistant.narrowing.narrower import Narrower
from assistant.ports import (
    AudioSource,
    Detection,
    Engine,
    Foresight,
    Hearing,
    ModelReply,
    Names,
    ReplyEvent,
    Samples,
    SentenceMatch,
    SentenceMatcher,
    SpeechChunk,
    ToolDescription,
    Transcript,
    Utterance,
    WantedCall,
    Woken,
    Words,
)
from assistant.understanding import Understanding, Understood
from tools.contract import Caller, CallOutcome, JsonObject


class FakeClock:
    """A clock that ticks by ``step_s`` each time it is read."""

    def __init__(self, step_s: float = 0.001) -> None:
        self.now = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


@dataclass
class FakeSource:
    """Audio that is there at once."""

    pieces: Sequence[Samples] = ()
    endless: bool = False
    paced: bool = False

    async def chunks(self) -> AsyncIterator[Samples]:
        for piece in self.pieces:
            yield piece


@dataclass
class FakeListener:
    """Hears the script, then an utterance; or fails with ``error``."""

    script: Sequence[Hearing] = ()
    error: JarvisError | None = None
    overheard: Sequence[Woken] = ()
    false_wakes: int = 0

    async def hear(
        self,
        source: AudioSource,
        *,
        wake: bool,
        woken: Woken | None = None,
        start_within_s: float | None = None,
    ) -> AsyncGenerator[Hearing, None]:
        for event in self.script:
            yield event
        if self.error:
            raise self.error
        audio = np.zeros(1600, dtype=np.int16)
        yield Utterance(audio=audio, wake_heard=wake, audio_end_ms=100.0)

    async def overhear(self, source: AudioSource) -> AsyncGenerator[Woken, None]:
        for woken in self.overheard:
            yield woken

    def was_false(self) -> None:
        self.false_wakes += 1


@dataclass
class FakeTranscriber:
    text: str = ""
    error: JarvisError | None = None

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        if self.error:
            raise self.error
        return Transcript(text=self.text, language="en", engine="fake")


@dataclass
class FakeReplier:
    """Yields the script; an exception in it is raised in its place."""

    script: Sequence[ReplyEvent | Exception] = ()
    asked: list[tuple[str, Caller, Engine]] = field(default_factory=list)
    foreseen: list[str] = field(default_factory=list)
    words: Words = Words.OPEN

    async def foresee(self, text: str, conversation: Conversation, caller: Caller, engine: Engine) -> Foresight:
        self.foreseen.append(text)
        return Foresight(text, self.words)

    async def reply(
        self,
        text: str,
        conversation: Conversation,
        caller: Caller,
        engine: Engine,
        foresight: Foresight | None = None,
    ) -> AsyncGenerator[ReplyEvent, None]:
        self.asked.append((text, caller, engine))
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            yield step


@dataclass
class FakeSynthesizer:
    """One chunk for each word of the sentence."""

    error: JarvisError | None = None
    said: list[str] = field(default_factory=list)

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        if self.error:
            raise self.error
        self.said.append(text)
        for word in text.split():
            yield SpeechChunk(pcm=word.encode(), sample_rate_hz=22_050)


@dataclass
class FakePlayer:
    played: list[bytes] = field(default_factory=list)
    drained: int = 0
    stopped: int = 0

    async def play(self, chunk: SpeechChunk) -> None:
        self.played.append(chunk.pcm)

    async def drain(self) -> None:
        self.drained += 1

    def stop(self) -> None:
        self.stopped += 1


@dataclass
class FakeChatModel:
    """Gives the scripted answers one after another; an exception among them is raised."""

    answers: Sequence[ModelReply | JarvisError] = ()
    name: str = "fake"
    asked: list[list[Mapping[str, Any]]] = field(default_factory=list)
    warmed: int = 0

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        answer = self.answers[len(self.asked)]
        self.asked.append(list(messages))
        if isinstance(answer, JarvisError):
            raise answer
        for word in answer.text.split(" ") if answer.text else ():
            yield ModelDelta(text=word)
        yield answer

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        self.warmed += 1


@dataclass
class FakeToolbox:
    """Answers calls from a table of tool name → outcome."""

    outcomes: Mapping[str, CallOutcome] = field(default_factory=dict)
    descriptions: Sequence[ToolDescription] = ()
    known: Names = field(default_factory=Names)
    calls: list[tuple[str, JsonObject, Caller]] = field(default_factory=list)

    async def tools(self) -> tuple[ToolDescription, ...]:
        return tuple(self.descriptions)

    async def names(self) -> Names:
        return self.known

    async def call(self, name: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        self.calls.append((name, arguments, caller))
        return self.outcomes[name]


@dataclass
class FakeMatcher:
    """Matches exactly the sentences in its table."""

    table: Mapping[str, SentenceMatch] = field(default_factory=dict)

    def match(self, text: str, last: WantedCall | None = None) -> SentenceMatch | None:
        return self.table.get(text)


def understanding(matcher: SentenceMatcher | None = None, narrower: Narrower | None = None) -> Understanding:
    """Always the same, whatever the names."""
    return Understanding(lambda _: Understood(matcher or FakeMatcher(), narrower))


@dataclass
class FakeWakeWord:
    """Detects at the given chunk numbers (from 0)."""

    at_chunks: Iterable[int] = ()
    seen: int = -1
    for_stop: bool = False

    def process(self, chunk: Samples) -> Detection | None:
        self.seen += 1
        return Detection(word="hey_jarvis", score=0.9) if self.seen in set(self.at_chunks) else None

    def listen_for_stop(self, listen: bool) -> None:
        self.for_stop = listen
