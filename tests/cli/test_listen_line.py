"""The live line of ``jarvis listen``."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from assistant.cli.listen_line import METER_CELLS, ListenLine, meter
from assistant.events import (
    AudioReady,
    PartialTranscript,
    SpeechEnded,
    SpeechStarted,
    Transcribed,
    TurnEvent,
    WakeDetected,
)
from assistant.speech.microphone import Back, Lost


@dataclass
class Microphone:
    level_dbfs: float = -30.0
    clipping: bool = False


def console(width: int = 80, *, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False)


def shown(line: ListenLine, to: Console) -> str:
    with to.capture() as captured:
        to.print(line.__rich__())
    return captured.get().strip()


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (WakeDetected(word="hey_jarvis", score=0.9, audio_ms=1), "listening"),
        (SpeechStarted(audio_ms=1), "hearing you"),
        (SpeechEnded(audio_ms=2, speech_end_ms=1, reason="silence"), "understanding"),
        (Transcribed(text="is gitea up"), "thinking"),
        (AudioReady(pcm=b"", sample_rate_hz=1, first=True), "speaking"),
    ],
)
def test_each_stage_has_its_word(event: TurnEvent, state: str) -> None:
    line = ListenLine(console(), ["hey_jarvis"])
    line.show(event)
    assert shown(line, console()).startswith(f"{state}  [")


def test_it_says_what_it_waits_for() -> None:
    line = ListenLine(console(), ["hey_jarvis", "computer"])
    line.listening(False)
    assert shown(line, console()).startswith("waiting for “Hey Jarvis or Computer”")
    line.listening(True)
    assert shown(line, console()).startswith("your answer?")


def test_what_was_understood_so_far_stands_at_the_end_and_never_breaks_the_line() -> None:
    line = ListenLine(console(), ["hey_jarvis"])
    line.show(SpeechStarted(audio_ms=1))
    line.show(PartialTranscript(text="turn off the " * 20 + "\x1b[2J"))
    text = shown(line, console())
    assert "turn off the" in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 1
    assert len(text) <= 80


def test_a_lost_microphone_is_said_once_and_shown_until_it_is_back() -> None:
    to = console()
    line = ListenLine(to, ["hey_jarvis"])
    with to.capture() as said:
        line.microphone_is(Lost("USB Audio", "USB Audio is gone."))
    assert "USB Audio is gone." in said.get()
    assert shown(line, console()).startswith("USB Audio is gone.")
    with to.capture() as said:
        line.microphone_is(Back("USB Audio"))
    assert "USB Audio is back." in said.get()
    assert "gone" not in shown(line, console())


def test_without_a_terminal_there_is_no_live_line() -> None:
    to = console()
    with ListenLine(to, ["hey_jarvis"]).shown(Microphone()):
        pass
    assert isinstance(to.file, io.StringIO)
    assert to.file.getvalue() == ""


def test_on_a_terminal_the_line_is_drawn_and_taken_away() -> None:
    to = console(terminal=True)
    line = ListenLine(to, ["hey_jarvis"])
    line.listening(False)
    with line.shown(Microphone(clipping=True)):
        pass
    assert isinstance(to.file, io.StringIO)
    drawn = to.file.getvalue()
    assert "waiting for" in drawn
    assert "too loud" in drawn
    assert drawn.endswith("\x1b[2K") or "\x1b[2K" in drawn.rsplit("waiting", 1)[-1]


@given(st.floats(-200, 20))
def test_the_meter_has_always_the_same_width(level: float) -> None:
    assert len(meter(level)) == METER_CELLS


@given(st.floats(-96, 0), st.floats(-96, 0))
def test_louder_is_never_shorter(one: float, other: float) -> None:
    quiet, loud = sorted((one, other))
    assert meter(quiet).count("#") <= meter(loud).count("#")
