"""Spoken turns through the whole assistant, in real time, timed from the true end of speech."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.bench import clips as corpus
from assistant.bench.clips import Clip
from assistant.bench.feeding import FedClip, with_background
from assistant.bench.figures import share
from assistant.bench.voice_report import Ending, Spread, Turn, TurnRow
from assistant.bench.word_errors import word_errors
from assistant.errors import Stage
from assistant.events import (
    AudioReady,
    ReplySentence,
    SpeechEnded,
    ToolCalled,
    Transcribed,
    TurnEvent,
    TurnFailed,
    WakeDetected,
)
from assistant.outcome import matched_by
from assistant.ports import Engine, Samples, SentenceMatcher, WantedCall
from assistant.text.transcript import clean_transcript
from tools.contract import Caller, Door, JsonObject

if TYPE_CHECKING:
    from assistant.app import App

CUT_TOLERANCE_MS = 80.0
"""One chunk: a decision that much before the true end has cut nothing off that could have been heard later."""

PATIENCE_S = 60.0
"""Longest wait for a turn after its clip, on any machine; after that it counts as timed out."""

ALL = "all"
BY_TEMPLATE = "sentence match"
"""The turns that a sentence template decided: what the first promise is about."""

BY_MODEL = "model and tool"
"""Those in which the chat model decided on a call."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What words mean: the calls of the sentence template that reads them, with canonical arguments.

    ``canonical``: a call's arguments after resolution, None when they cannot be planned.
    """

    matcher: SentenceMatcher
    canonical: Callable[[str, JsonObject], JsonObject | None]

    def calls(self, words: str) -> tuple[str, ...] | None:
        """None where no template reads the words; empty where the answer needs no tool."""
        match = self.matcher.match(words)
        return None if match is None else self.named(match.calls)

    def named(self, calls: Sequence[WantedCall]) -> tuple[str, ...]:
        """``home_control {"action": "on", "target": "desk lamp"}``, the same for calls that mean the same."""
        return tuple(f"{call.tool} {self._arguments(call)}" for call in calls)

    def _arguments(self, call: WantedCall) -> str:
        known = self.canonical(call.tool, call.arguments)
        return json.dumps(call.arguments if known is None else known, sort_keys=True, ensure_ascii=False, default=str)


@dataclass(slots=True)
class Watch:
    """When which event of a turn came, on the event loop's clock."""

    clock: Callable[[], float]
    log: list[TurnEvent] = field(default_factory=list)
    at: dict[str, float] = field(default_factory=dict)

    def see(self, event: TurnEvent) -> None:
        """The first of each kind counts, but the last transcript: an earlier one was thrown away."""
        self.log.append(event)
        now = self.clock()
        match event:
            case SpeechEnded():
                self.at.setdefault("endpoint", now)
            case Transcribed():
                self.at["transcript"] = now
            case ToolCalled() | ReplySentence():
                self.at.setdefault("decision", now)
            case AudioReady(first=True):
                self.at.setdefault("first_audio", now)
            case _:
                pass

    def since(self, end: float) -> dict[str, float]:
        """Milliseconds from ``end``, by the name of the report's field."""
        return {f"{what}_ms": round((when - end) * 1000, 1) for what, when in self.at.items()}


class TurnBench:
    """Speaks clips to an app that has ears and mouth; each turn is a conversation of its own."""

    def __init__(self, app: App, folder: Path, reference: Reference, engine: Engine = "both") -> None:
        self._app = app
        self._folder = folder
        self._reference = reference
        self._engine = engine
        self._spoken = 0

    async def speak(self, clip: Clip) -> Turn:
        """One turn, from the first sample to the last audio of the reply. Raises AudioError."""
        return await self.speak_audio(clip, await asyncio.to_thread(corpus.samples, self._folder, clip))

    async def speak_audio(self, clip: Clip, audio: Samples) -> Turn:
        """A clip whose audio is in no folder, shape (n,), int16, 16 kHz."""
        source = FedClip(with_background(audio, clip))
        watch = Watch(asyncio.get_running_loop().time)
        self._spoken += 1
        turn = self._app.start_turn(
            source,
            caller=Caller(door=Door.MICROPHONE),
            conversation_id=f"bench-{self._engine}-{self._spoken}",
            wake=True,
            speak=True,
            engine=self._engine,
        )
        timed_out = False
        try:
            async with asyncio.timeout(clip.duration_s + PATIENCE_S), aclosing(turn.events()) as events:
                async for event in events:
                    watch.see(event)
        except TimeoutError:
            timed_out = True
            await turn.interrupt("the benchmark waits no longer")
        return judged(clip, watch, source, self._reference, timed_out=timed_out)


def judged(clip: Clip, watch: Watch, source: FedClip, reference: Reference, *, timed_out: bool = False) -> Turn:
    """What a turn's events say about it."""
    said = clean_transcript(clip.said)
    log = watch.log
    ended = next((event for event in log if isinstance(event, SpeechEnded)), None)
    heard = next((event.text for event in reversed(log) if isinstance(event, Transcribed)), "")
    failed = next((event for event in log if isinstance(event, TurnFailed)), None)
    calls = [WantedCall(event.tool, event.arguments) for event in log if isinstance(event, ToolCalled)]
    expected, called = reference.calls(said), reference.named(calls)
    ending = _ending(log, failed, timed_out=timed_out)
    errors, words = word_errors(said, heard)
    return Turn(
        id=clip.id,
        kind=clip.kind,
        synthesizer=clip.engine,
        voice=clip.voice,
        said=said,
        heard=heard,
        ending=ending,
        error=failed.code if failed and not timed_out else "",
        decided_by=matched_by(log),
        cut_off=ended is not None and ended.audio_ms < clip.speech_end_s * 1000 - CUT_TOLERANCE_MS,
        speech_end_ms=round(clip.speech_end_s * 1000, 1),
        ended_at_ms=round(ended.audio_ms, 1) if ended else None,
        words=words,
        word_errors=errors,
        expected=expected,
        called=called,
        right=None if expected is None else ending == "answered" and called == expected,
        late_ms=round(source.late_s * 1000, 1),
        **_times(clip, watch, source, ending),
    )


def _times(clip: Clip, watch: Watch, source: FedClip, ending: Ending) -> dict[str, float]:
    """A failure is spoken, too; that is no reply, and only its endpoint is one."""
    if not watch.at:
        return {}
    times = watch.since(source.spoken_at(clip.speech_end_s))
    return times if ending == "answered" else {what: ms for what, ms in times.items() if what == "endpoint_ms"}


def _ending(log: Sequence[TurnEvent], failed: TurnFailed | None, *, timed_out: bool) -> Ending:
    if timed_out:
        return "timed out"
    if not any(isinstance(event, WakeDetected) for event in log):
        return "not woken"
    if failed is None:
        return "answered"
    return "nothing heard" if failed.stage in (Stage.ENDPOINT, Stage.TRANSCRIPT) else "failed"


def rows(turns: Sequence[Turn]) -> tuple[TurnRow, ...]:
    """All turns, those that a template or the model decided, each kind of clip, each synthesizer."""
    groups: dict[str, list[Turn]] = {ALL: list(turns)}
    groups[BY_TEMPLATE] = [turn for turn in turns if turn.decided_by == "sentence"]
    groups[BY_MODEL] = [turn for turn in turns if turn.decided_by == "model" and turn.called]
    for turn in turns:
        groups.setdefault(turn.kind, []).append(turn)
    for turn in turns:
        groups.setdefault(turn.synthesizer, []).append(turn)
    return tuple(row(name, members) for name, members in groups.items() if members)


def row(name: str, turns: Sequence[Turn]) -> TurnRow:
    """The figures of a group."""
    ends = [turn.ending for turn in turns]
    heard = [turn for turn in turns if turn.endpoint_ms is not None]
    whole = [turn for turn in heard if not turn.cut_off]
    wer = share(sum(turn.word_errors for turn in heard), sum(turn.words for turn in heard))
    cut = sum(turn.cut_off for turn in heard)
    return TurnRow(
        group=name,
        turns=len(turns),
        not_woken=ends.count("not woken"),
        heard=len(heard),
        cut_off=cut,
        cut_off_share=share(cut, len(heard)),
        failed=ends.count("failed") + ends.count("nothing heard"),
        timed_out=ends.count("timed out"),
        endpoint=Spread.of(turn.endpoint_ms for turn in whole),
        transcript=Spread.of(turn.transcript_ms for turn in whole),
        decision=Spread.of(turn.decision_ms for turn in whole),
        first_audio=Spread.of(turn.first_audio_ms for turn in whole),
        wer=None if wer is None else round(wer, 4),
        right=sum(turn.right is True for turn in turns),
        judged=sum(turn.right is not None for turn in turns),
    )
