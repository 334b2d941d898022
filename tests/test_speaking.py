"""What goes to the loudspeaker is remembered for as long as it is heard, with what sounds like "stop" in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from assistant.errors import WakeWordError
from assistant.own_voice import RINGING_S, OwnVoice
from assistant.ports import SpeechChunk
from assistant.speaking import say
from tests.fakes import FakePlayer, FakeSynthesizer

WORD_S = 4 / 2 / 22_050
"""The fake says a word of four letters in so many seconds."""


@dataclass
class Mouth:
    own_voice: OwnVoice
    player: FakePlayer | None = field(default_factory=FakePlayer)
    synthesizer: FakeSynthesizer = field(default_factory=FakeSynthesizer)


@dataclass
class Clock:
    now: float = 10.0

    def __call__(self) -> float:
        return self.now


def listening_for(word: bytes, asked: list[bytes]) -> Callable[[], Callable[[SpeechChunk], bool]]:
    """An ear that takes one word for "stop"."""

    def doubtful(chunk: SpeechChunk) -> bool:
        asked.append(chunk.pcm)
        return chunk.pcm == word

    return lambda: doubtful


async def test_each_piece_is_asked_about_and_counts_when_it_is_heard() -> None:
    clock, asked = Clock(), list[bytes]()
    own = OwnVoice(clock, listening_for(b"spot", asked))
    sentence = say("This spot here", Mouth(own))
    for _ in range(3):
        await anext(sentence)
    assert asked == [b"This", b"spot"], "of the third it is asked when its audio has been passed on"
    assert not own.is_saying("stop"), "it is the second word, and the first is heard now"
    clock.now += WORD_S * 1.5
    assert own.is_saying("stop")
    clock.now += WORD_S * 1.5
    assert [audio async for audio in sentence] == []
    assert asked == [b"This", b"spot", b"here"]
    assert own.is_saying("stop")
    clock.now += RINGING_S
    assert not own.is_saying("stop")


async def test_a_detector_that_breaks_ends_no_reply_and_nothing_counts() -> None:
    def broken(_: SpeechChunk) -> bool:
        raise WakeWordError("wake_model_unusable", "It does not run.")

    clock = Clock()
    own = OwnVoice(clock, lambda: broken)
    sentence = say("This spot", Mouth(own))
    assert [(await anext(sentence)).first for _ in range(2)] == [True, False]
    assert own.is_saying("stop")
    assert [audio async for audio in sentence] == []


async def test_without_a_loudspeaker_nothing_is_remembered_or_asked() -> None:
    asked: list[bytes] = []
    own = OwnVoice(Clock(), listening_for(b"stop", asked))
    heard = [audio async for audio in say("Nothing to stop.", Mouth(own, player=None))]
    assert len(heard) == 3
    assert asked == []
    assert own.since(0.0) == ""
    assert not own.is_saying("stop")
