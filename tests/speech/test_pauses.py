"""What happens at a pause: who is asked, what may end it, and that nothing said after it is lost. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.config import EndpointSettings, WakeSettings
from assistant.errors import EndpointingError
from assistant.events import SpeechEnded, SpeechStarted, WakeDetected
from assistant.ports import (
    CHUNK_SAMPLES,
    SAMPLE_RATE_HZ,
    Detection,
    Hearing,
    Paused,
    Resumed,
    Samples,
    Utterance,
    Woken,
    Words,
)
from assistant.speech.listener import EarListener
from assistant.speech.sources import ClipSource
from tests.fakes import FakeSource, FakeWakeWord
from tests.speech.test_listener import LoudnessVad, audio, chunk_at


@dataclass
class TurnModel:
    """Says ``answer`` every time, or fails."""

    answer: float = 0.9
    error: EndpointingError | None = None
    asked: list[Samples] = field(default_factory=list)

    def probability(self, audio: Samples) -> float:
        self.asked.append(audio)
        if self.error is not None:
            raise self.error
        return self.answer


def ears(model: TurnModel | None, *wake_at: int, false: Callable[[Woken], None] | None = None) -> EarListener:
    return EarListener(
        lambda: FakeWakeWord(wake_at),
        LoudnessVad,
        WakeSettings(pre_roll_s=0.5),
        EndpointSettings(),
        (lambda: model) if model is not None else None,
        false,
    )


async def hear(
    listener: EarListener, said: Samples, words: Sequence[Words] = (), *, wake: bool = True
) -> list[Hearing]:
    """Everything heard; the words of each pause are told as a transcript would be, a moment later."""
    left = list(words)
    tellers = []
    events: list[Hearing] = []

    async def tell(pause: Paused, worth: Words) -> None:
        await asyncio.sleep(0)
        pause.tell(worth)

    source = ClipSource(said, trailing_silence_s=0.0)
    source.endless = True  # as a microphone is
    async for event in listener.hear(source, wake=wake):
        events.append(event)
        if isinstance(event, Paused) and left:
            event.words_follow()
            tellers.append(asyncio.create_task(tell(event, left.pop(0))))
    await asyncio.gather(*tellers)
    return events


def ended(events: Sequence[Hearing]) -> SpeechEnded:
    return next(event for event in events if isinstance(event, SpeechEnded))


ORDER = audio(("loud", 1.6), ("quiet", 0.8), ("loud", 1.0), ("quiet", 4))
"""The wake word at 0.6 s, a sentence with a pause of 0.8 s inside, which ends at 3.4 s."""


async def test_what_sounds_finished_and_is_a_whole_command_ends_after_a_fifth_of_a_second() -> None:
    model = TurnModel(0.9)
    said = audio(("loud", 2), ("quiet", 4))
    events = await hear(ears(model, chunk_at(0.6)), said, [Words.WHOLE])
    assert [type(event) for event in events] == [WakeDetected, SpeechStarted, Paused, SpeechEnded, Utterance]
    end = ended(events)
    assert end.audio_ms - end.speech_end_ms == pytest.approx(200, abs=81)


async def test_a_hesitation_after_words_that_break_off_is_no_end() -> None:
    events = await hear(ears(TurnModel(0.99), chunk_at(0.6)), ORDER, [Words.BROKEN_OFF, Words.WHOLE])
    assert [type(event) for event in events].count(Resumed) == 1
    assert ended(events).speech_end_ms == pytest.approx(3400, abs=40)
    utterance = events[-1]
    assert isinstance(utterance, Utterance)
    assert len(utterance.audio) / SAMPLE_RATE_HZ > 2.9


async def test_the_turn_model_hears_the_utterance_and_two_tenths_of_silence() -> None:
    model = TurnModel(0.9)
    await hear(ears(model, chunk_at(0.6)), audio(("loud", 2), ("quiet", 4)), [Words.WHOLE])
    (heard,) = model.asked
    assert np.abs(heard[-int(0.19 * SAMPLE_RATE_HZ) :]).max() == 0
    assert np.abs(heard[: -int(0.3 * SAMPLE_RATE_HZ)]).min() > 0


async def test_without_a_turn_model_silence_alone_decides() -> None:
    end = ended(await hear(ears(None, chunk_at(0.6)), audio(("loud", 2), ("quiet", 4))))
    assert end.audio_ms - end.speech_end_ms == pytest.approx(700, abs=40)


async def test_a_turn_model_that_fails_is_a_failed_hearing() -> None:
    model = TurnModel(error=EndpointingError("turn_model_failed", "broken"))
    with pytest.raises(EndpointingError, match="broken"):
        await hear(ears(model, chunk_at(0.6)), ORDER, [Words.WHOLE])


async def test_a_short_order_in_one_breath_with_the_wake_word_is_taken_without_waiting() -> None:
    """ "hey jarvis stop" is over before the wake word is recognised: its words decide."""
    events = await hear(ears(TurnModel(), chunk_at(1.0)), audio(("loud", 1.05), ("quiet", 6)), [Words.WHOLE])
    pause, end, utterance = events[1:]
    assert isinstance(pause, Paused)
    assert pause.brief
    assert isinstance(end, SpeechEnded)
    assert end.audio_ms < 1700
    assert isinstance(utterance, Utterance)


async def test_the_wake_word_alone_is_waited_after() -> None:
    said = audio(("loud", 1.05), ("quiet", 2), ("loud", 1), ("quiet", 4))
    events = await hear(ears(TurnModel(), chunk_at(1.0)), said, [Words.NONE, Words.WHOLE])
    assert ended(events).speech_end_ms == pytest.approx(4050, abs=40)


async def test_a_cough_that_has_no_words_is_waited_after() -> None:
    said = audio(("loud", 1.0), ("quiet", 0.5), ("loud", 0.3), ("quiet", 1), ("loud", 1), ("quiet", 4))
    events = await hear(ears(TurnModel(), chunk_at(0.9)), said, [Words.NONE, Words.NONE, Words.WHOLE])
    assert ended(events).speech_end_ms == pytest.approx(3800, abs=40)


async def test_a_reader_that_does_not_transcribe_ahead_is_not_waited_for() -> None:
    end = ended(await hear(ears(TurnModel(0.9), chunk_at(0.6)), audio(("loud", 2), ("quiet", 4))))
    assert end.audio_ms - end.speech_end_ms == pytest.approx(200, abs=81)


async def test_words_that_are_announced_and_never_told_do_not_hold_a_paced_source_for_ever() -> None:
    source = FakeSource(_chunks(audio(("loud", 2), ("quiet", 4))), endless=True, paced=True)
    events = []
    async for event in ears(TurnModel(0.9), chunk_at(0.6)).hear(source, wake=True):
        events.append(event)
        if isinstance(event, Paused):
            event.words_follow()
    assert isinstance(events[-1], Utterance)


async def test_what_was_overheard_begins_the_next_utterance() -> None:
    """While the assistant spoke the wake word was heard; its pre-roll and what follows are one utterance."""
    woken = Woken(Detection("hey_jarvis", 0.9), audio(("loud", 0.5)))
    source = ClipSource(audio(("loud", 1), ("quiet", 4)), trailing_silence_s=0.0)
    events = [event async for event in ears(TurnModel(0.9)).hear(source, wake=False, woken=woken)]
    assert isinstance(events[0], WakeDetected)
    assert isinstance(events[-1], Utterance)
    assert events[-1].wake_heard
    assert len(events[-1].audio) / SAMPLE_RATE_HZ == pytest.approx(0.5 + 1 + 0.2, abs=0.05)


async def test_overhearing_gives_detections_with_their_pre_roll_and_listens_for_stop() -> None:
    detector = FakeWakeWord([chunk_at(1.0)])
    listener = EarListener(lambda: detector, LoudnessVad, WakeSettings(pre_roll_s=0.5), EndpointSettings())
    source = ClipSource(audio(("loud", 2)), trailing_silence_s=0.0)
    source.endless = True
    heard = []
    async for woken in listener.overhear(source):
        heard.append(woken)
        assert detector.for_stop
    assert [len(woken.pre_roll) / SAMPLE_RATE_HZ for woken in heard] == [pytest.approx(0.58, abs=0.081)]
    assert not detector.for_stop


async def test_a_false_wake_is_handed_over_once() -> None:
    kept: list[Woken] = []
    listener = ears(TurnModel(), chunk_at(0.6), false=kept.append)
    with pytest.raises(EndpointingError):
        await hear(listener, audio(("loud", 0.7), ("quiet", 6)), [Words.NONE])
    listener.was_false()
    listener.was_false()
    assert [woken.detection.word for woken in kept] == ["hey_jarvis"]


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 4 * CHUNK_SAMPLES), min_size=1, max_size=6),
    words=st.lists(st.sampled_from([Words.WHOLE, Words.OPEN, Words.BROKEN_OFF]), min_size=2, max_size=2),
    probability=st.floats(0, 1),
)
def test_the_end_lies_where_it_lies_however_the_audio_was_cut(
    cuts: list[int], words: list[Words], probability: float
) -> None:
    async def end_of(pieces: list[Samples]) -> float:
        left = list(words)
        found = 0.0
        listener = ears(TurnModel(probability))
        async for event in listener.hear(FakeSource(pieces, endless=True), wake=False):
            if isinstance(event, Paused) and left:
                event.words_follow()
                event.tell(left.pop(0))
            if isinstance(event, SpeechEnded):
                found = event.speech_end_ms
        listener.close()
        return found

    said = audio(("quiet", 0.5), ("loud", 1), ("quiet", 0.6), ("loud", 0.8), ("quiet", 4))
    pieces: list[Samples] = []
    position = 0
    while position < len(said):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(said[position : position + size])
        position += size
    ends = (1500.0, 2900.0)
    regular = asyncio.run(end_of(_chunks(said)))
    assert any(regular == pytest.approx(end, abs=40) for end in ends)
    if max(cuts) <= CHUNK_SAMPLES:  # what the model says comes with the piece, so a longer one may hold the rest
        assert asyncio.run(end_of(pieces)) == pytest.approx(regular, abs=40)


def _chunks(said: Samples) -> list[Samples]:
    return [said[at : at + CHUNK_SAMPLES] for at in range(0, len(said), CHUNK_SAMPLES)]
