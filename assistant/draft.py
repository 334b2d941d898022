"""What is made of a pause before it is certain to be the end: a transcript, and what can be found out for it.

Nothing of it shows anywhere until the turn takes it; when the person goes on speaking it is dropped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from assistant.errors import TranscriptionError
from assistant.events import Transcribed
from assistant.ports import Foresight, Paused, Transcriber, Utterance, Words
from assistant.text.transcript import clean_transcript
from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS


@dataclass(frozen=True, slots=True)
class Drafted:
    """A transcript, and what is known ahead about it; ``heard`` is empty when nothing was said."""

    heard: Transcribed
    foresight: Foresight | None = None


class Draft:
    """Under way from the moment it is made. Inside a running event loop."""

    def __init__(
        self,
        utterance: Utterance,
        transcriber: Transcriber,
        foresee: Callable[[str], Awaitable[Foresight]] | None = None,
        pause: Paused | None = None,
        wake_words: Sequence[str] = DEFAULT_WAKE_WORDS,
    ) -> None:
        """``foresee``: look ahead for this text; ``pause``: is told what the words are worth; ``wake_words``: are taken
        off."""
        self._utterance = utterance
        self._wake_words = wake_words
        self._task = asyncio.create_task(self._make(transcriber, foresee, pause))
        if pause is not None:
            pause.words_follow()
            self._task.add_done_callback(lambda task: _tell_if_failed(task, pause))

    def is_of(self, utterance: Utterance) -> bool:
        """Whether this is the utterance that was drafted: nothing was said after it."""
        return utterance.audio_end_ms == self._utterance.audio_end_ms

    def so_far(self) -> str:
        """The transcript, where it is there already."""
        if not self._task.done() or self._task.cancelled() or self._task.exception() is not None:
            return ""
        return self._task.result().heard.text

    def drop(self) -> None:
        """It was not the end. Whisper's run, which cannot be broken off, ends unheard."""
        self._task.cancel()
        self._task.add_done_callback(_drop_foresight)

    async def made(self) -> Drafted:
        """The whole draft. Raises TranscriptionError, ToolboxError; nothing_heard when there were no words."""
        drafted = await self._task
        if not drafted.heard.text:
            raise TranscriptionError("nothing_heard", "There was sound, but no words in it.")
        return drafted

    async def _make(
        self,
        transcriber: Transcriber,
        foresee: Callable[[str], Awaitable[Foresight]] | None,
        pause: Paused | None,
    ) -> Drafted:
        started = time.perf_counter()
        transcript = await transcriber.transcribe(self._utterance.audio, woken=self._utterance.wake_heard)
        heard = Transcribed(
            text=clean_transcript(transcript.text, self._wake_words, woken=self._utterance.wake_heard),
            engine=transcript.engine,
            language=transcript.language,
            took_ms=(time.perf_counter() - started) * 1000,
        )
        foresight = await foresee(heard.text) if foresee is not None and heard.text else None
        if pause is not None:
            pause.tell(Words.NONE if not heard.text else foresight.words if foresight else Words.OPEN)
        return Drafted(heard, foresight)


def _drop_foresight(task: asyncio.Task[Drafted]) -> None:
    if not task.cancelled() and task.exception() is None and (foresight := task.result().foresight) is not None:
        foresight.drop()


def _tell_if_failed(task: asyncio.Task[Drafted], pause: Paused) -> None:
    """Nobody is to wait for words that never come."""
    if not task.cancelled() and task.exception() is not None:
        pause.tell(Words.OPEN)
