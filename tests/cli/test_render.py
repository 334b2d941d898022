"""The timeline fits 80 columns, needs no colours, and shows what every event has to say."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from assistant.cli.render import Timeline, describe, printable
from assistant.errors import Stage
from assistant.events import AudioReady, ReplySentence, ToolReturned, TurnEvent, TurnFailed, TurnInterrupted
from tests.test_events import every_event


def shown(*events: TurnEvent, columns: int = 80, encoding: str = "utf-8") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    timeline = Timeline(Console(file=file, width=columns, color_system=None))
    for event in events:
        timeline.show(event)
    file.seek(0)
    return file.read()


@given(every_event)
def test_whatever_happens_no_line_is_wider_than_the_terminal(event: TurnEvent) -> None:
    assert all(cell_len(line) <= 80 for line in shown(event).splitlines())


@given(every_event)
def test_a_terminal_that_knows_only_ascii_is_no_reason_to_fail(event: TurnEvent) -> None:
    assert shown(event, encoding="ascii").isascii()


@given(st.text())
def test_no_text_can_send_control_characters_to_the_terminal(text: str) -> None:
    assert all(character.isprintable() for character in printable(text, "utf-8"))


def test_a_long_reply_goes_on_below_itself() -> None:
    long = "Immich and minecraft are down and nextcloud is flapping. The other ten are up."
    first, second, *_ = shown(ReplySentence(text=long, spoken=long, at_ms=419)).splitlines()
    assert first.startswith("    419 ms  reply      Immich")
    assert second.startswith(" " * 23 + "The other ten")


def test_markup_in_what_was_said_is_text() -> None:
    assert "[bold]gitea[/]" in shown(ReplySentence(text="[bold]gitea[/]", spoken=""))


def test_only_the_first_sound_is_a_line() -> None:
    assert describe(AudioReady(pcm=b"", sample_rate_hz=1, first=True)) is not None
    assert describe(AudioReady(pcm=b"", sample_rate_hz=1)) is None


def test_a_failure_says_where_why_and_what_to_do() -> None:
    line = shown(
        TurnFailed(stage=Stage.MODEL, code="timeout", spoken="Too slow.", detail="120 s passed.", mend="Use --small."),
        columns=200,
    )
    assert "model (timeout): Too slow. 120 s passed. Use --small." in line


def test_a_call_that_was_refused_is_not_ok() -> None:
    refused = ToolReturned(tool="x", arguments={}, ok=False, level=None, spoken="No.", result={}, took_ms=3)
    assert "not ok after 3 ms" in shown(refused)


def test_an_interruption_is_told_once() -> None:
    told = [
        describe(TurnInterrupted(reason="“stop”")),
        describe(TurnFailed(stage=Stage.DECISION, code="interrupted", spoken="I was interrupted.")),
    ]
    assert told == [("failed", "interrupted: “stop”"), None]
