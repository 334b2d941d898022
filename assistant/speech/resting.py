"""Ears and mouths on other machines behind a circuit breaker: while the server rests, its failure is said at once.

A turn whose server hangs costs its time-out; without this every turn would.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from assistant.breaker import Attempt, Breaker, said_again
from assistant.errors import EgressError, StageError, SynthesisError, TranscriptionError
from assistant.ports import Samples, SpeechChunk, Transcript
from assistant.speech.elsewhere import Loadable, LoadableSynthesizer, LoadableTranscriber


class Resting:
    """What both have in common."""

    def __init__(self, engine: Loadable, breaker: Breaker) -> None:
        self._engine = engine
        self.breaker = breaker
        self._failure: StageError | None = None

    async def load(self) -> None:
        """See that the server is there. Raises StageError, EgressError."""
        await self._engine.load()

    def close(self) -> None:
        """Let go of connections."""
        self._engine.close()

    def _admitted(self) -> Attempt:
        """Raises the StageError of the last failure while the server rests."""
        attempt = self.breaker.attempt()
        if attempt is None:
            assert self._failure is not None, "a breaker opens with a failure"  # noqa: S101
            raise said_again(self._failure)
        return attempt

    def _failed(self, attempt: Attempt, error: StageError) -> None:
        if attempt.counts:
            self._failure = error
        attempt.failed()


class RestingTranscriber(Resting):
    """Implements Transcriber around one."""

    def __init__(self, engine: LoadableTranscriber, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(engine, Breaker("speech recognition server", clock))
        self._transcriber = engine

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        """See the port. Raises TranscriptionError."""
        with self._admitted() as attempt:
            try:
                heard = await self._transcriber.transcribe(audio, woken=woken)
            except EgressError as error:
                raise TranscriptionError("egress_refused", error.detail, mend=error.mend) from error
            except StageError as error:
                self._failed(attempt, error)
                raise
            attempt.succeeded()
            return heard


class RestingSynthesizer(Resting):
    """Implements Synthesizer around one."""

    def __init__(self, engine: LoadableSynthesizer, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(engine, Breaker("speech server", clock))
        self._synthesizer = engine

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """See the port. Raises SynthesisError."""
        with self._admitted() as attempt:
            try:
                spoke = False
                async with aclosing(self._synthesizer.synthesize(text)) as chunks:
                    async for chunk in chunks:
                        spoke = True
                        yield chunk
            except EgressError as error:
                raise SynthesisError("egress_refused", error.detail, mend=error.mend) from error
            except StageError as error:
                self._failed(attempt, error)
                raise
            if spoke:  # a text without words was not sent to it
                attempt.succeeded()
