"""A spoken turn as the benchmark sees it: times from the true end of speech, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import numpy as np
import pytest

from assistant.app import App
from assistant.bench.clips import Clip
from assistant.bench.turns import Reference, TurnBench
from assistant.bench.voice_report import Turn
from assistant.broadcast import RunningTurn
from assistant.errors import Stage
from assistant.events import (
    AudioReady,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    WakeDetected,
)
from assistant.ports import SAMPLE_RATE_HZ, AudioSource, SentenceMatch
from tests.fakes import FakeMatcher
from tests.fakes_bench import CLIP
from tests.fakes_time import virtual_time
from tools.contract import JsonObject

MATCH = SentenceMatch("backups", "check_backups", {"job": "the photos"})

Step = tuple[float, TurnEvent]
"""Seconds after the clip began, and what happens then."""

WOKEN: Step = (1.0, WakeDetected(word="hey_jarvis", score=0.9, audio_ms=960.0))
STARTED: Step = (1.2, SpeechStarted(audio_ms=1000.0))
ENDED: Step = (2.3, SpeechEnded(audio_ms=2240.0, speech_end_ms=2020.0, reason="silence"))
HEARD: Step = (2.4, Transcribed(text="is the backup ok", engine="whisper"))
MATCHED: Step = (2.41, SentenceMatched(template="backups", tool="check_backups"))
CALLED: Step = (2.42, ToolCalled(tool="check_backups", arguments={"job": "photos"}, source="sentence"))
SAID: Step = (2.5, ReplySentence(text="Yes.", spoken="Yes."))
AUDIO: Step = (2.6, AudioReady(pcm=b"\0\0", sample_rate_hz=22_050, first=True))
DONE: Step = (2.7, TurnFinished(reply="Yes.", spoken="Yes.", matched="sentence"))
ANSWERED = (WOKEN, STARTED, ENDED, HEARD, MATCHED, CALLED, SAID, AUDIO, DONE)


def canonical(tool: str, arguments: JsonObject) -> JsonObject | None:
    """The house knows one job."""
    job = str(arguments.get("job", "")).removeprefix("the ")
    return {"job": job} if tool == "check_backups" and job == "photos" else None


class ScriptedApp:
    """Turns that hear the clip to a moment and then say what the script has."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.asked: list[dict[str, Any]] = []

    def start_turn(self, source: AudioSource, **how: Any) -> RunningTurn:
        self.asked.append(how)
        return RunningTurn("turn", self._run(source))

    async def _run(self, source: AudioSource) -> AsyncIterator[TurnEvent]:
        loop = asyncio.get_running_loop()
        hearing = asyncio.create_task(self._hear(source))
        await asyncio.sleep(0)
        began = loop.time()
        for when, event in self._steps:
            await asyncio.sleep(began + when - loop.time())
            yield event
        hearing.cancel()

    async def _hear(self, source: AudioSource) -> None:
        async for _ in source.chunks():
            pass


def spoken(*steps: Step, clip: Clip = CLIP, matcher: FakeMatcher | None = None) -> Turn:
    """What the benchmark makes of such a turn, in virtual time."""

    async def work() -> Turn:
        reference = Reference(matcher or FakeMatcher({"is the backup ok?": MATCH}), canonical)
        bench = TurnBench(cast(App, ScriptedApp(*steps)), cast(Any, None), reference)
        return await bench.speak_audio(clip, np.zeros(int(clip.duration_s * SAMPLE_RATE_HZ), dtype=np.int16))

    return virtual_time(work())


def test_times_count_from_the_true_end_of_speech_not_from_where_it_was_heard_to_end() -> None:
    turn = spoken(*ANSWERED)
    times = (turn.endpoint_ms, turn.transcript_ms, turn.decision_ms, turn.first_audio_ms)
    assert times == pytest.approx((300.0, 400.0, 420.0, 600.0), abs=1.0)  # speech ends at 2.0 s in truth
    assert (turn.ending, turn.decided_by, turn.cut_off) == ("answered", "sentence", False)


def test_the_turn_is_asked_for_as_a_person_at_the_microphone_would() -> None:
    app = ScriptedApp(*ANSWERED)

    async def work() -> None:
        bench = TurnBench(cast(App, app), cast(Any, None), Reference(FakeMatcher({}), canonical), "model")
        for _ in range(2):
            await bench.speak_audio(CLIP, np.zeros(100, dtype=np.int16))

    virtual_time(work())
    first, second = app.asked
    assert (first["wake"], first["speak"], first["engine"]) == (True, True, "model")
    assert "play" not in first
    assert first["conversation_id"] != second["conversation_id"]


def test_words_and_calls_are_held_against_what_was_said() -> None:
    turn = spoken(*ANSWERED)
    assert (turn.said, turn.heard, turn.words, turn.word_errors) == ("is the backup ok?", "is the backup ok", 4, 0)
    assert turn.expected == turn.called == ('check_backups {"job": "photos"}',)
    assert turn.right is True


def test_another_call_is_not_right() -> None:
    other = ToolCalled(tool="check_backups", arguments={}, source="sentence")
    turn = spoken(*ANSWERED[:5], (2.42, other), *ANSWERED[6:])
    assert turn.called == ("check_backups {}",)
    assert turn.right is False


def test_words_that_no_template_reads_have_no_right_call() -> None:
    turn = spoken(*ANSWERED, matcher=FakeMatcher({}))
    assert turn.expected is None
    assert turn.right is None


@pytest.mark.parametrize(("at_ms", "cut"), [(1900.0, True), (1921.0, False), (2000.0, False), (2240.0, False)])
def test_a_decision_more_than_a_chunk_before_the_end_has_cut_the_speaker_off(at_ms: float, cut: bool) -> None:
    early = SpeechEnded(audio_ms=at_ms, speech_end_ms=at_ms - 200, reason="silence")
    turn = spoken(WOKEN, STARTED, (at_ms / 1000 + 0.05, early), *ANSWERED[3:])
    assert turn.cut_off is cut
    assert turn.ended_at_ms == at_ms


def test_of_two_transcripts_the_last_counts() -> None:
    thrown_away = Transcribed(text="is the", engine="whisper")
    turn = spoken(WOKEN, STARTED, (1.7, thrown_away), *ANSWERED[2:])
    assert turn.heard == "is the backup ok"
    assert turn.transcript_ms == pytest.approx(400.0, abs=1.0)


def test_a_failure_that_is_spoken_is_no_reply() -> None:
    failed = TurnFailed(stage=Stage.TOOLS, code="tool_server_down", spoken="Sorry.")
    turn = spoken(WOKEN, STARTED, ENDED, HEARD, AUDIO, (2.7, failed))
    assert (turn.ending, turn.error, turn.first_audio_ms, turn.right) == ("failed", "tool_server_down", None, False)
    assert turn.endpoint_ms == pytest.approx(300.0, abs=1.0)


@pytest.mark.parametrize(
    ("stage", "steps", "ending"),
    [(Stage.WAKE, (), "not woken"), (Stage.ENDPOINT, (WOKEN,), "nothing heard")],
)
def test_deafness_is_told_by_its_kind(stage: Stage, steps: tuple[Step, ...], ending: str) -> None:
    turn = spoken(*steps, (7.0, TurnFailed(stage=stage, code="nothing", spoken="")))
    assert turn.ending == ending
    assert turn.endpoint_ms is None


def test_a_turn_that_never_ends_is_given_up_and_counted() -> None:
    turn = spoken(WOKEN, STARTED, ENDED, (9999.0, DONE[1]))
    assert turn.ending == "timed out"
    assert turn.right is False
