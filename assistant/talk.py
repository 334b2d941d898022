"""Talking with it: turn after turn at one microphone, follow-ups and interruptions included.

After a question no wake word is needed. While it speaks, the wake word or "stop" silences it: what was said so far
stays said, a tool that already runs ends unheard, and what follows the wake word is the next utterance.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Protocol

from assistant.broadcast import RunningTurn
from assistant.errors import AudioError, Stage
from assistant.events import ConfirmationAsked, Transcribed, TurnEvent, TurnFailed, TurnFinished
from assistant.own_voice import OwnVoice
from assistant.ports import AudioSource, Cues, Listener, Player, Woken

STOP = "stop"
"""The word that only silences."""

ECHOES = 3
"""Its own voice, heard so often instead of an answer: then it is loud enough to be heard for ever."""


class TurnStarter(Protocol):
    """Starts a turn on a source: by wake word, after one, or as the answer to a question."""

    def __call__(self, source: AudioSource, *, wake: bool, woken: Woken | None, follow_up: bool) -> RunningTurn: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What talking needs of the app. ``interruption``: whether it can be silenced by voice; ``wait``: waits for the
    wake word before there is a turn, where many listen and only one may answer (None: the turn waits). ``only_echo``:
    whether nobody spoke just now but the loudspeaker."""

    start: TurnStarter
    listener: Listener
    own_voice: OwnVoice
    player: Player | None = None
    cues: Cues | None = None
    interruption: bool = True
    wait: Callable[[AudioSource], Awaitable[Woken]] | None = None
    only_echo: Callable[[], bool] = lambda: False


class Talk:
    """One microphone and what is said at it."""

    def __init__(
        self, parts: Parts, source: AudioSource, *, on_listening: Callable[[bool], None] | None = None
    ) -> None:
        """``on_listening``: called when it listens again; True: for an answer, False: for the wake word."""
        self._parts = parts
        self._source = source
        self._on_listening = on_listening or (lambda _: None)
        self._woken: Woken | None = None

    async def events(self) -> AsyncGenerator[TurnEvent, None]:
        """The events of all turns, for ever. Raises AudioError when the microphone is gone for good."""
        follow_up, echoes = False, 0
        while True:
            self._on_listening(follow_up)
            last: TurnFinished | TurnFailed | None = None
            asked = False
            async with aclosing(self._one_turn(follow_up)) as turn:
                async for event in turn:
                    yield event
                    asked = asked or isinstance(event, ConfirmationAsked)
                    if isinstance(event, TurnFinished | TurnFailed):
                        last = event
            if isinstance(last, TurnFailed) and last.stage is Stage.AUDIO:
                raise AudioError(last.code, last.detail, mend=last.mend)
            if isinstance(last, TurnFailed) and last.code == "own_voice" and echoes < ECHOES:
                echoes += 1
                continue
            echoes = 0
            follow_up = isinstance(last, TurnFinished) and (asked or last.reply.rstrip().endswith("?"))

    async def _one_turn(self, follow_up: bool) -> AsyncGenerator[TurnEvent, None]:
        woken, self._woken = self._woken, None
        wake = woken is None and not follow_up
        if wake and self._parts.wait is not None:
            wake, woken = False, await self._parts.wait(self._source)
        turn = self._parts.start(self._source, wake=wake, woken=woken, follow_up=follow_up and woken is None)
        watching: asyncio.Task[None] | None = None
        try:
            async with aclosing(turn.events()) as events:
                async for event in events:
                    yield event
                    if isinstance(event, Transcribed) and self._parts.interruption:  # from here on nobody else listens
                        watching = asyncio.create_task(self._watch(turn))
        finally:
            if watching is not None:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def _watch(self, turn: RunningTurn) -> None:
        """Silence first, then end the turn."""
        async with aclosing(self._parts.listener.overhear(self._source)) as overheard:
            async for woken in overheard:
                word = woken.detection.word
                if self._parts.own_voice.is_saying(word.rsplit("_", 1)[-1]):
                    continue
                if word == STOP and self._parts.only_echo():
                    continue
                if self._parts.player is not None:
                    self._parts.player.stop()
                if word != STOP:
                    self._woken = woken
                elif self._parts.cues is not None:
                    await self._parts.cues.play("stopped")
                await turn.interrupt(f"“{word.replace('_', ' ')}”")
                return
