"""The live line of ``jarvis listen``: what it is doing, how loud it hears, and what it has understood so far.

One line at the bottom, six times a second, of characters that every terminal has over ssh; where the output is no
terminal there is none, and the timeline alone is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from assistant.cli.render import printable
from assistant.events import (
    AudioReady,
    PartialTranscript,
    SpeechEnded,
    SpeechStarted,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    WakeDetected,
)

REFRESH_HZ = 6
METER_CELLS = 10
FLOOR_DBFS = -60.0
"""A quiet room at a usual microphone; the meter's left end."""


class Level(Protocol):
    """The microphone, as far as the meter needs it."""

    @property
    def level_dbfs(self) -> float: ...

    @property
    def clipping(self) -> bool: ...


def meter(level_dbfs: float, cells: int = METER_CELLS) -> str:
    """``####......``: from FLOOR_DBFS to full scale."""
    share = min(max((level_dbfs - FLOOR_DBFS) / -FLOOR_DBFS, 0.0), 1.0)
    full = round(share * cells)
    return "#" * full + "." * (cells - full)


class ListenLine:
    """State, level and partial text of one microphone."""

    def __init__(self, console: Console, wake_words: Sequence[str]) -> None:
        self.wake_phrase = " or ".join(word.replace("_", " ").title() for word in wake_words)
        self._console = console
        self._microphone: Level | None = None
        self._state = "starting"
        self._said = ""
        self._trouble = ""

    def listening(self, for_an_answer: bool) -> None:
        """It listens again: for an answer, or for the wake word."""
        self._state = "your answer?" if for_an_answer else f"waiting for “{self.wake_phrase}”"
        self._said = ""

    def show(self, event: TurnEvent) -> None:
        """What this event changes."""
        match event:
            case WakeDetected():
                self._state = "listening"
            case SpeechStarted():
                self._state, self._said = "hearing you", ""
            case PartialTranscript(text=text):
                self._said = text
            case SpeechEnded():
                self._state = "understanding"
            case Transcribed(text=text):
                self._state, self._said = "thinking", text
            case AudioReady(first=True):
                self._state = "speaking"
            case TurnFinished() | TurnFailed() | TurnInterrupted():
                self._said = ""
            case _:
                pass

    def microphone_is(self, state: object) -> None:
        """Lost, mute, or back again: said once as a line of its own, and shown as long as it lasts."""
        detail = str(getattr(state, "detail", ""))
        self._trouble = detail
        device = str(getattr(state, "device", "the microphone"))
        mend = str(getattr(state, "mend", ""))
        words = f"{detail} {mend}".strip() if detail else f"{device} is back."
        self._console.print(Text(printable(words, self._console.encoding), style="yellow" if detail else "green"))

    def __rich__(self) -> Text:
        state = self._trouble or self._state
        level = self._microphone.level_dbfs if self._microphone is not None else FLOOR_DBFS
        loud = " too loud" if self._microphone is not None and self._microphone.clipping else ""
        text = f"{state}  [{meter(level)}]{loud}  {self._said}"
        line = Text(printable(text, self._console.encoding), style="dim")
        line.truncate(self._console.width, overflow="ellipsis")
        return line

    @contextmanager
    def shown(self, microphone: Level) -> Iterator[None]:
        """Keep the line at the bottom of the terminal meanwhile."""
        self._microphone = microphone
        if not self._console.is_terminal:
            yield
            return
        with Live(self, console=self._console, refresh_per_second=REFRESH_HZ, transient=True):
            yield
