"""The assistant does not answer itself, and people may use its words."""

from __future__ import annotations

import pytest

from assistant.own_voice import REMEMBERED_S, RINGING_S, OwnVoice

QUESTION = "Do you mean the kitchen or the bedroom?"
REPLY = "One of two backups is proven. Gitea was never restored."


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def spoken(clock: Clock, *sentences: str, for_s: float = 3.0) -> OwnVoice:
    voice = OwnVoice(clock)
    for sentence in sentences:
        voice.saying(sentence)
        clock.now += for_s
    voice.quiet()
    return voice


@pytest.mark.parametrize(
    "heard", ["the kitchen or the bedroom", "the bedroom", "do you mean the kitchen or the bathroom"]
)
def test_what_the_loudspeaker_was_saying_is_its_own(clock: Clock, heard: str) -> None:
    voice = spoken(clock, QUESTION)
    assert voice.said(heard, began_at=clock.now - 1.0)


def test_an_answer_in_the_questions_words_is_the_persons(clock: Clock) -> None:
    voice = spoken(clock, QUESTION)
    clock.now += 2.0
    assert not voice.said("the bedroom", began_at=clock.now - 0.8)


def test_speech_that_begins_while_the_room_still_rings_is_compared(clock: Clock) -> None:
    voice = spoken(clock, QUESTION)
    ends = clock.now
    clock.now += 1.5
    assert voice.said("the bedroom", began_at=ends + RINGING_S / 2)
    assert not voice.said("the bedroom", began_at=ends + RINGING_S * 2)


def test_a_whole_sentence_of_it_is_an_echo_a_while_later_too(clock: Clock) -> None:
    voice = spoken(clock, REPLY)
    clock.now += 5.0
    assert voice.said("One of two backups is proven.", began_at=clock.now - 1)
    clock.now += REMEMBERED_S
    assert not voice.said("One of two backups is proven.", began_at=clock.now - 1)


def test_another_sentence_is_never_its_own(clock: Clock) -> None:
    voice = OwnVoice(clock)
    voice.saying(REPLY)
    assert not voice.said("turn off the lights in the kitchen", began_at=clock.now)
    assert not voice.said("", began_at=clock.now)


def test_nothing_was_said_nothing_is_its_own(clock: Clock) -> None:
    assert not OwnVoice(clock).said("is gitea up", began_at=clock.now)


def test_it_knows_the_words_that_are_being_played(clock: Clock) -> None:
    voice = OwnVoice(clock)
    voice.saying("I am Jarvis, the assistant of this home server.")
    assert voice.is_saying("jarvis")
    clock.now += 3.0
    voice.saying("All is well.")
    clock.now += RINGING_S + 0.1
    assert not voice.is_saying("jarvis")
    assert voice.is_saying("well")
    voice.quiet()
    clock.now += RINGING_S + 0.1
    assert not voice.is_saying("well")


def test_a_word_is_its_own_while_the_room_rings_with_it(clock: Clock) -> None:
    """A word is detected up to 0.3 s after it was said, and the next sentence may have begun by then."""
    voice = OwnVoice(clock)
    assert not voice.is_saying("stop")
    voice.saying("Say yes to make it stop.")
    clock.now += 2.0
    voice.saying("All is well.")
    clock.now += 0.3
    assert voice.is_saying("stop")
    clock.now += RINGING_S
    assert not voice.is_saying("stop")
    voice.saying("It cannot stop.")
    voice.quiet()
    clock.now += 0.3
    assert voice.is_saying("stop")


@pytest.mark.parametrize(
    "text, sounds",
    [
        ("Stop.", True), ("It was stopped at noon.", True), ("The top floor", True), ("Take the next step.", True),
        ("Your desktop is asleep.", True), ("It stays on.", False), ("All services are up.", False), ("", False),
        ("Start the pump at the shop.", False), ("STOPPING now", True), ("A stamp", True),
    ],
)  # fmt: skip
def test_sentences_that_a_microphone_could_take_for_stop(clock: Clock, text: str, sounds: bool) -> None:
    voice = OwnVoice(clock)
    voice.saying(text)
    assert voice.is_saying("stop") is sounds
    voice.quiet()
    clock.now += RINGING_S + 0.1
    assert not voice.is_saying("stop")


def test_a_sentence_that_is_queued_is_not_yet_heard(clock: Clock) -> None:
    """The queue takes eight seconds of speech at once."""
    voice = OwnVoice(clock)
    voice.saying("Shall I stop the windows machine?")
    assert voice.queued(2.0) == (100.0, 102.0)
    voice.saying("Say yes, Jarvis, to go on.")
    assert voice.queued(1.0) == (102.0, 103.0)
    assert voice.queued(1.0) == (103.0, 104.0)
    assert (voice.is_saying("stop"), voice.is_saying("jarvis")) == (True, False)
    assert voice.since(100.0) == "shall i stop the windows machine"
    clock.now += 2.0 + RINGING_S + 0.1
    assert (voice.is_saying("stop"), voice.is_saying("jarvis")) == (False, True)
    clock.now += 2.0
    assert not voice.is_saying("jarvis")


def test_what_was_queued_and_cut_off_was_never_said(clock: Clock) -> None:
    voice = OwnVoice(clock)
    voice.saying("All services are up.")
    voice.queued(2.0)
    voice.saying("Shall I stop one of them?")
    voice.queued(2.0)
    clock.now += 1.0
    voice.quiet()
    assert voice.since(100.0) == "all services are up"
    voice.saying("Gitea is fine.")
    assert voice.queued(3.0) == (101.0, 104.0)
    clock.now += 1.5  # when the question would have been heard
    assert not voice.is_saying("stop")
    assert not voice.said("shall i stop one of them", began_at=clock.now)
    assert voice.since(101.0) == "gitea is fine"


def test_what_the_detector_takes_for_stop_is_its_own_while_it_is_heard(clock: Clock) -> None:
    voice = OwnVoice(clock)
    voice.saying("The storage box is down. It has been for a while.")
    doubtful = voice.queued(1.0)
    voice.queued(3.0)
    voice.like_stop(doubtful)
    assert voice.is_saying("stop")
    clock.now += 1.0 + RINGING_S + 0.1
    assert not voice.is_saying("stop")
    assert voice.is_saying("while")


def test_what_was_begun_since_a_moment_is_what_was_heard(clock: Clock) -> None:
    voice = spoken(clock, "One.", "Two.")
    assert voice.since(101.0) == "two"
    assert voice.since(0.0) == "one two"
