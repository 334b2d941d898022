"""Clips in which nobody speaks: none of them may become a turn with a text."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.bench import clips as corpus
from assistant.bench.clips import Clip
from assistant.bench.feeding import AFTER_S, FedClip
from assistant.bench.voice_report import SilenceRow
from assistant.events import Transcribed, WakeDetected
from assistant.ports import SAMPLE_RATE_HZ, Samples
from tools.contract import Caller, Door

if TYPE_CHECKING:
    from assistant.app import App

GAP_S = 0.2
"""Of silence between the wake phrase and what nobody says."""


@dataclass(frozen=True, slots=True)
class Hush:
    """What became of a clip in which nobody speaks. ``text`` is None where there was no turn with words."""

    clip: Clip
    text: str | None
    woken: bool
    """The wake phrase before it was heard; else ``text_after_wake`` says nothing."""
    text_after_wake: str | None

    @property
    def texts(self) -> tuple[str, ...]:
        """What was heard where nothing was said, with the clip's id."""
        heard = ((self.clip.id, self.text), (f"{self.clip.id} after the wake phrase", self.text_after_wake))
        return tuple(f"{where}: {text}" for where, text in heard if text)


class SilenceBench:
    """Gives clips to an app with ears, as fast as they are read. ``wake_phrase``: audio that ends with it."""

    def __init__(self, app: App, folder: Path, wake_phrase: Samples) -> None:
        self._app = app
        self._folder = folder
        self._wake_phrase = wake_phrase
        self._turns = 0

    async def listen(self, clip: Clip) -> Hush:
        """The clip as an utterance, and right after the wake phrase. Raises AudioError."""
        audio = await asyncio.to_thread(corpus.samples, self._folder, clip)
        after = np.zeros(int(AFTER_S * SAMPLE_RATE_HZ), dtype=np.int16)
        _, text = await self._turn(audio, wake=False)
        gap = np.zeros(int(GAP_S * SAMPLE_RATE_HZ), dtype=np.int16)
        woken, text_after = await self._turn(np.concatenate([self._wake_phrase, gap, audio, after]), wake=True)
        return Hush(clip, text, woken, text_after)

    async def _turn(self, audio: Samples, *, wake: bool) -> tuple[bool, str | None]:
        self._turns += 1
        turn = self._app.start_turn(
            FedClip(audio, paced=False),
            caller=Caller(door=Door.MICROPHONE),
            conversation_id=f"bench-silence-{self._turns}",
            wake=wake,
            engine="sentences",
        )
        woken, text = False, None
        async with aclosing(turn.events()) as events:
            async for event in events:
                woken = woken or isinstance(event, WakeDetected)
                if isinstance(event, Transcribed) and event.text:
                    text = event.text
        return woken, text


def rows(hushes: Sequence[Hush]) -> tuple[SilenceRow, ...]:
    """A row for each class of noise, in order of appearance."""
    classes: dict[str, list[Hush]] = {}
    for hush in hushes:
        classes.setdefault(hush.clip.noise or "unknown", []).append(hush)
    return tuple(
        SilenceRow(
            noise=noise,
            clips=len(members),
            texts=sum(bool(hush.text) for hush in members),
            after_wake=sum(hush.woken for hush in members),
            texts_after_wake=sum(bool(hush.text_after_wake) for hush in members),
        )
        for noise, members in classes.items()
    )
