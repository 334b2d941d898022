"""Endpointing right at its limits: what belongs to which side, frame by frame."""

from __future__ import annotations

import pytest

from assistant.ports import Words
from assistant.speech.endpointing import (
    AskAgain,
    Decision,
    Ended,
    Endpointer,
    NothingSaid,
    Patience,
    PauseBegan,
    Started,
    WentOn,
)

LOUD, QUIET = 0.9, 0.0
WAITS = Patience(fixed_s=9.0, judged=False)
"""Nothing ends by silence within these tests."""


def made(patience: Patience = WAITS, **options: float | None) -> Endpointer:
    chosen = {"speech_probability": 0.5, "max_utterance_s": 100.0, "start_timeout_s": 4.0, **options}
    return Endpointer(patience, **chosen)  # type: ignore[arg-type]


def frames(
    endpointer: Endpointer, probability: float, from_ms: float, count: int, each: float = 30.0
) -> list[Decision]:
    """Feed ``count`` frames; what was decided."""
    found = [endpointer.frame(from_ms + n * each, from_ms + (n + 1) * each, probability) for n in range(count)]
    return [decision for decision in found if decision is not None]


def speaking(patience: Patience = WAITS, **options: float | None) -> Endpointer:
    """Three frames of 30 ms: it has begun at 0, and the last speech was at 90."""
    endpointer = made(patience, **options)
    assert frames(endpointer, LOUD, 0.0, 3) == [Started(0.0)]
    return endpointer


def paused(patience: Patience = WAITS, **options: float | None) -> Endpointer:
    """And silent since: one frame of 32 ms."""
    endpointer = speaking(patience, **options)
    assert endpointer.frame(90.0, 122.0, QUIET) == PauseBegan(122.0, 90.0)
    return endpointer


def test_speech_has_begun_after_exactly_so_much_of_it() -> None:
    endpointer = made()
    assert endpointer.frame(10.0, 99.9, LOUD) is None
    assert endpointer.frame(99.9, 100.0, LOUD) == Started(10.0)


def test_the_threshold_itself_is_speech() -> None:
    assert frames(made(), 0.5, 0.0, 3) == [Started(0.0)]
    assert frames(made(), 0.499, 0.0, 9) == []


def test_a_gap_begins_the_run_anew() -> None:
    endpointer = made()
    assert frames(endpointer, LOUD, 0.0, 2) + frames(endpointer, QUIET, 60.0, 1) == []
    assert frames(endpointer, LOUD, 90.0, 3) == [Started(90.0)]


def test_nobody_speaks_within_exactly_the_time() -> None:
    endpointer = made(start_timeout_s=0.06, from_ms=100.0)
    assert endpointer.frame(100.0, 159.9, QUIET) is None
    assert endpointer.frame(159.9, 160.0, QUIET) == NothingSaid(160.0)
    assert endpointer.over


def test_who_has_begun_when_the_time_is_over_is_heard() -> None:
    endpointer = made(start_timeout_s=0.06)
    assert frames(endpointer, LOUD, 0.0, 3) == [Started(0.0)]


def test_speech_goes_on_down_to_the_lower_threshold() -> None:
    endpointer = speaking()
    assert frames(endpointer, 0.35, 90.0, 5) == []
    assert endpointer.frame(240.0, 272.0, 0.349) == PauseBegan(272.0, 240.0)


def test_a_pause_begins_after_exactly_a_frame_of_silence() -> None:
    endpointer = speaking()
    assert endpointer.frame(90.0, 121.9, QUIET) is None
    assert endpointer.frame(121.9, 122.0, QUIET) == PauseBegan(122.0, 90.0)


def test_who_speaks_again_is_heard_after_exactly_two_frames() -> None:
    endpointer = paused()
    assert endpointer.frame(122.0, 181.9, 0.5) is None
    assert endpointer.frame(181.9, 182.0, 0.5) == WentOn(122.0)
    assert frames(endpointer, LOUD, 182.0, 2) == []
    assert endpointer.frame(242.0, 274.0, QUIET) == PauseBegan(274.0, 242.0)


def test_a_click_in_a_pause_does_not_add_up() -> None:
    endpointer = paused()
    for n in range(5):
        assert endpointer.frame(122.0 + 60 * n, 152.0 + 60 * n, LOUD) is None
        assert endpointer.frame(152.0 + 60 * n, 182.0 + 60 * n, 0.499) is None


def test_the_turn_model_is_asked_again_at_each_of_its_times_once() -> None:
    endpointer = paused()
    assert endpointer.frame(122.0, 989.9, QUIET) is None
    assert endpointer.frame(989.9, 990.0, QUIET) == AskAgain(990.0, 90.0)
    assert endpointer.frame(990.0, 1789.0, QUIET) is None
    assert endpointer.frame(1789.0, 1790.0, QUIET) == AskAgain(1790.0, 90.0)
    assert endpointer.frame(1790.0, 5000.0, QUIET) is None


def test_in_the_next_pause_it_is_asked_anew() -> None:
    endpointer = paused()
    assert frames(endpointer, QUIET, 122.0, 60) == [AskAgain(992.0, 90.0), AskAgain(1802.0, 90.0)]
    assert frames(endpointer, LOUD, 1922.0, 2) == [WentOn(1922.0)]
    assert endpointer.frame(1982.0, 2014.0, QUIET) == PauseBegan(2014.0, 1982.0)
    assert endpointer.frame(2014.0, 2882.0, QUIET) == AskAgain(2882.0, 1982.0)


def test_silence_ends_it_at_exactly_its_time() -> None:
    endpointer = paused(Patience(fixed_s=0.5, judged=False))
    assert endpointer.due(589.9) is None
    assert endpointer.due(590.0) == Ended(590.0, 90.0, "silence")
    assert endpointer.over
    assert endpointer.due(9000.0) is None
    assert endpointer.frame(590.0, 620.0, LOUD) is None


def test_a_frame_of_silence_ends_it_too() -> None:
    endpointer = paused(Patience(fixed_s=0.5, judged=False))
    assert endpointer.frame(122.0, 600.0, QUIET) == Ended(600.0, 90.0, "silence")


def test_only_a_pause_is_due() -> None:
    assert made(Patience(fixed_s=0.0, judged=False)).due(9000.0) is None
    assert speaking(Patience(fixed_s=0.0, judged=False)).due(9000.0) is None


def test_the_longest_utterance_ends_at_exactly_its_length() -> None:
    endpointer = speaking(max_utterance_s=0.2)
    assert endpointer.frame(90.0, 199.9, LOUD) is None
    assert endpointer.frame(199.9, 200.0, LOUD) == Ended(200.0, 199.9, "max_length")


@pytest.mark.parametrize("wrong_ms", [89.0, 91.0])
def test_a_judgement_of_another_pause_counts_for_nothing(wrong_ms: float) -> None:
    patience = Patience(finished_s=0.2)
    endpointer = paused(patience)
    endpointer.judged(wrong_ms, 0.99)
    endpointer.told(wrong_ms, Words.WHOLE)
    assert endpointer.due(90.0 + 2999.0) is None
    endpointer.judged(90.0, 0.99)
    endpointer.told(90.0, Words.WHOLE)
    assert endpointer.due(290.0) == Ended(290.0, 90.0, "silence")


def test_what_is_judged_while_somebody_speaks_counts_for_nothing() -> None:
    endpointer = speaking(Patience(finished_s=0.2))
    endpointer.judged(90.0, 0.99)
    endpointer.told(90.0, Words.NONE)
    endpointer.words_follow(90.0)
    assert endpointer.frame(90.0, 122.0, QUIET) == PauseBegan(122.0, 90.0)
    assert endpointer.due(3089.0) is None
    assert endpointer.due(3090.0) == Ended(3090.0, 90.0, "silence")


def test_a_new_pause_forgets_what_was_said_about_the_last() -> None:
    endpointer = paused(Patience(finished_s=0.2))
    endpointer.words_follow(90.0)
    endpointer.judged(90.0, 0.99)
    endpointer.told(90.0, Words.WHOLE)
    assert frames(endpointer, LOUD, 122.0, 2) == [WentOn(122.0)]
    assert endpointer.frame(182.0, 214.0, QUIET) == PauseBegan(214.0, 182.0)
    assert endpointer.due(3181.0) is None
    endpointer.judged(182.0, 0.99)
    assert endpointer.due(1182.0) == Ended(1182.0, 182.0, "silence")


def test_words_that_follow_are_waited_for_only_when_they_were_announced_for_this_pause() -> None:
    sure = Patience(fixed_s=0.5, judged=False)
    other, this = paused(sure), paused(sure)
    other.words_follow(91.0)
    assert other.due(590.0) is not None or other.due(1090.0) is not None
    this.words_follow(90.0)
    assert this.due(1089.0) is None
    assert this.due(1590.0) == Ended(1590.0, 90.0, "silence")


def test_no_words_at_all_give_the_whole_wait_again() -> None:
    endpointer = paused(start_timeout_s=1.0)
    endpointer.told(90.0, Words.NONE)
    assert endpointer.frame(122.0, 1089.9, QUIET) is None
    assert endpointer.frame(1089.9, 1090.0, QUIET) == NothingSaid(1090.0)


def test_no_words_never_shorten_the_wait() -> None:
    endpointer = made(start_timeout_s=1.0, from_ms=5000.0)
    endpointer.pause_at(90.0)
    endpointer.told(90.0, Words.NONE)
    assert endpointer.frame(5000.0, 5999.9, QUIET) is None
    assert endpointer.frame(5999.9, 6000.0, QUIET) == NothingSaid(6000.0)


def test_without_a_bound_no_words_are_waited_after_for_ever() -> None:
    endpointer = paused(start_timeout_s=None)
    endpointer.told(90.0, Words.NONE)
    assert endpointer.frame(122.0, 9e6, QUIET) is None
    assert frames(endpointer, LOUD, 9e6, 3) == [Started(9e6)]


def test_a_pause_can_only_be_set_before_anything_was_heard() -> None:
    endpointer = speaking(Patience(fixed_s=0.5, judged=False))
    endpointer.pause_at(10.0)
    assert endpointer.due(9000.0) is None
    fresh = made(Patience(fixed_s=0.5, judged=False), max_utterance_s=1.0)
    fresh.pause_at(1000.0)
    assert fresh.due(1499.0) is None
    assert fresh.frame(1400.0, 1430.0, QUIET) is None
    assert fresh.due(1500.0) == Ended(1500.0, 1000.0, "silence")


def test_the_end_of_the_audio_says_what_there_was() -> None:
    waiting, begun, still, over = made(), speaking(), paused(), made()
    assert waiting.finish(70.0) == NothingSaid(70.0)
    assert waiting.over
    assert waiting.finish(80.0) is None
    assert begun.finish(95.0) == Ended(95.0, 90.0, "end_of_audio")
    assert still.finish(130.0) == Ended(130.0, 90.0, "end_of_audio")
    assert not over.over
