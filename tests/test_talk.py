"""Talking: turn after turn, follow-ups, interruptions. On turns that do as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pytest

from assistant.broadcast import RunningTurn
from assistant.errors import AudioError, Stage
from assistant.events import (
    ConfirmationAsked,
    ReplySentence,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from assistant.own_voice import OwnVoice
from assistant.ports import AudioSource, Cue, Detection, Woken
from assistant.talk import Parts, Talk
from tests.fakes import FakeListener, FakePlayer, FakeSource

HEARD = Transcribed(text="is gitea up")
NOTHING = TurnFailed(stage=Stage.ENDPOINT, code="nothing_heard", spoken="")
GONE = TurnFailed(stage=Stage.AUDIO, code="microphone_lost", spoken="gone", detail="It was pulled out.")
NO_MORE = TurnFailed(stage=Stage.AUDIO, code="no_more", spoken="")
STOP = Woken(Detection("stop", 0.9), np.zeros(10, dtype=np.int16))
WAKE = Woken(Detection("hey_jarvis", 0.9), np.ones(10, dtype=np.int16))


def done(reply: str = "Gitea is up.") -> TurnFinished:
    return TurnFinished(reply=reply, spoken=reply, matched="sentence")


@dataclass(frozen=True)
class Started:
    wake: bool
    woken: Woken | None
    follow_up: bool


@dataclass
class Cues:
    played: list[str] = field(default_factory=list)

    async def play(self, cue: Cue) -> None:
        self.played.append(cue)


@dataclass
class Overhearing(FakeListener):
    """Gives what is overheard once ``speaking`` is set: while the reply is being said."""

    speaking: asyncio.Event = field(default_factory=asyncio.Event)
    listening: int = 0

    async def overhear(self, source: AudioSource) -> AsyncGenerator[Woken, None]:
        self.listening += 1
        try:
            await self.speaking.wait()
            for woken in self.overheard:
                yield woken
            await asyncio.Event().wait()
        finally:
            self.listening -= 1


class Room:
    """A microphone at which the scripted turns happen, one after another; then it is gone."""

    def __init__(self, *turns: Sequence[TurnEvent], overheard: Sequence[Woken] = (), interruption: bool = True) -> None:
        self.turns = [*turns, [NO_MORE]]
        self.started: list[Started] = []
        self.player, self.cues = FakePlayer(), Cues()
        self.own_voice = OwnVoice(lambda: 0.0)
        self.only_echo = False
        self.listener = Overhearing(overheard=overheard)
        self.interruption = interruption
        self.said_after_interruption = False

    def start(self, source: AudioSource, *, wake: bool, woken: Woken | None, follow_up: bool) -> RunningTurn:
        self.started.append(Started(wake, woken, follow_up))
        return RunningTurn("t", self._events(self.turns[len(self.started) - 1]))

    async def _events(self, events: Sequence[TurnEvent]) -> AsyncIterator[TurnEvent]:
        for event in events:
            yield event
            if isinstance(event, ReplySentence) and self.listener.overheard:
                self.listener.speaking.set()
                await asyncio.Event().wait()  # it speaks until it is interrupted
                self.said_after_interruption = True

    async def talk(self) -> list[TurnEvent]:
        parts = Parts(
            self.start,
            self.listener,
            self.own_voice,
            self.player,
            self.cues,
            self.interruption,
            only_echo=lambda: self.only_echo,
        )
        async with asyncio.timeout(10):
            return await until_the_end(Talk(parts, FakeSource()))


async def until_the_end(talk: Talk) -> list[TurnEvent]:
    """What happened until the microphone was gone."""
    seen: list[TurnEvent] = []
    with suppress(AudioError):
        async for event in talk.events():
            seen.append(event)  # noqa: PERF401 - a comprehension would lose them with the error
    return seen


async def test_turn_after_turn_waits_for_the_wake_word() -> None:
    room = Room([HEARD, done()], [HEARD, done()])
    await room.talk()
    assert room.started == [Started(True, None, False)] * 3


@pytest.mark.parametrize(
    "asking",
    [
        [HEARD, done("The kitchen or the bedroom?")],
        [HEARD, ConfirmationAsked(tool="service_power", arguments={}, spoken="Sure?", expires_s=30), done("Say yes.")],
    ],
)
async def test_the_answer_to_a_question_needs_no_wake_word(asking: list[TurnEvent]) -> None:
    room = Room(asking, [HEARD, done()])
    await room.talk()
    assert [started.follow_up for started in room.started] == [False, True, False]
    assert [started.wake for started in room.started] == [True, False, True]


async def test_nobody_answered_so_it_waits_for_the_wake_word_again() -> None:
    room = Room([HEARD, done("Which one?")], [NOTHING])
    await room.talk()
    assert [started.wake for started in room.started] == [True, False, True]


async def test_its_own_voice_instead_of_the_answer_is_listened_past_but_not_for_ever() -> None:
    echo = TurnFailed(stage=Stage.TRANSCRIPT, code="own_voice", spoken="")
    room = Room([HEARD, done("Which one?")], *[[echo]] * 6)
    await room.talk()
    assert [started.follow_up for started in room.started] == [False, True, True, True, True, False, False, False]


async def test_stop_silences_first_and_ends_the_turn() -> None:
    room = Room([HEARD, ReplySentence(text="A long story.", spoken="A long story."), done()], overheard=[STOP])
    seen = await room.talk()
    assert room.player.stopped == 1
    assert room.cues.played == ["stopped"]
    assert [type(event) for event in seen] == [Transcribed, ReplySentence, TurnInterrupted, TurnFailed, TurnFailed]
    assert not room.said_after_interruption
    assert room.started[1] == Started(True, None, False)
    assert room.listener.listening == 0


async def test_the_wake_word_while_it_speaks_begins_the_next_turn() -> None:
    story: list[TurnEvent] = [HEARD, ReplySentence(text="A long story.", spoken="A long story."), done()]
    room = Room(story, [HEARD, done()], overheard=[WAKE])
    await room.talk()
    assert room.player.stopped == 1
    assert room.started[1] == Started(False, WAKE, False)
    assert room.started[2] == Started(True, None, False)


async def test_its_own_name_in_its_own_mouth_does_not_interrupt_it() -> None:
    room = Room([HEARD, ReplySentence(text="I am Jarvis.", spoken="I am Jarvis."), done()], overheard=[WAKE, STOP])
    room.own_voice.saying("I am Jarvis.")
    await room.talk()
    assert room.cues.played == ["stopped"]  # the second one counted
    assert room.started[1].woken is None


async def test_a_word_of_its_own_that_sounds_like_stop_does_not_silence_it() -> None:
    room = Room([HEARD, done()], overheard=[STOP])
    room.own_voice.saying("The desktop has stopped.")
    await room.talk()
    assert room.player.stopped == 0
    assert room.cues.played == []


async def test_stop_where_nobody_spoke_but_the_loudspeaker_is_a_remnant_of_its_echo() -> None:
    story: list[TurnEvent] = [HEARD, ReplySentence(text="A long story.", spoken="A long story."), done()]
    room = Room(story, [HEARD, done()], overheard=[STOP, WAKE])
    room.only_echo = True
    await room.talk()
    assert room.cues.played == []
    assert room.started[1].woken == WAKE  # the wake word counts at any time


async def test_where_interruption_is_off_nobody_listens_meanwhile() -> None:
    room = Room([HEARD, done()], overheard=[STOP], interruption=False)
    room.listener.speaking.set()
    seen = await room.talk()
    assert room.player.stopped == 0
    assert not any(isinstance(event, TurnInterrupted) for event in seen)


async def test_a_microphone_that_is_gone_for_good_is_an_error() -> None:
    room = Room([GONE])
    parts = Parts(room.start, room.listener, room.own_voice)
    talking = Talk(parts, FakeSource()).events()
    await anext(talking)
    with pytest.raises(AudioError, match="pulled out"):
        await anext(talking)


async def test_where_many_listen_it_waits_for_the_wake_word_itself_and_then_begins_a_turn() -> None:
    room = Room([HEARD, done("Which one?")], [HEARD, done()], [HEARD, done()])
    waited = 0

    async def wait(source: AudioSource) -> Woken:
        nonlocal waited
        waited += 1
        assert len(room.started) == (0, 2, 3)[waited - 1]
        return WAKE

    async with asyncio.timeout(10):
        await until_the_end(Talk(Parts(room.start, room.listener, room.own_voice, wait=wait), FakeSource()))
    assert [(started.wake, started.woken is WAKE, started.follow_up) for started in room.started] == [
        (False, True, False),
        (False, False, True),
        (False, True, False),
        (False, True, False),
    ]
