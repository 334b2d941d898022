"""What others wrote reaches a terminal without anything that steers it: tables, timelines, the REPL, JSON."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable

import pytest
from rich.console import Console

from assistant.cli import audit, common, render, repl, turns
from assistant.cli.common import escape
from assistant.errors import Stage
from assistant.events import ReplySentence, ToolCalled, Transcribed, TurnEvent, TurnFailed

HOSTILE = (
    "a\x1b[2J\x1b]0;owned\x07b\r\x08c\x9b31md\u202ee\u2066f\u2028g\x00h\u200f[red]i[/red]\x7f"
    "\nINFO assistant.app: all is well"
)
LINE = {
    "id": 1, "at": 1_900_000_000.0, "who": HOSTILE, "role": "guest", "door": "http", "room": HOSTILE, "turn_id": "t",
    "tool": "check_services", "arguments": json.dumps({"service": HOSTILE}), "level": "read", "decision": "allowed",
    "outcome": HOSTILE, "result_sha256": "", "chain": "",
}  # fmt: skip
EVENTS: tuple[TurnEvent, ...] = (
    Transcribed(text=HOSTILE, engine="whisper", took_ms=1.0),
    ToolCalled(tool="check_services", arguments={"service": HOSTILE}, source="model"),
    ReplySentence(text=HOSTILE, spoken=HOSTILE),
    TurnFailed(stage=Stage.MODEL, code="model_error", spoken=HOSTILE, detail=HOSTILE, mend=HOSTILE),
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """All that the commands printed, as a terminal that knows colours would get it, without Rich's own colours."""
    written = io.StringIO()
    console = Console(file=written, width=200, force_terminal=False, highlight=False)
    for module in (audit, common, repl, turns):
        monkeypatch.setattr(module, "out", console)
        if hasattr(module, "err"):
            monkeypatch.setattr(module, "err", console)
    return written.getvalue


def steers(text: str) -> list[str]:
    """Characters that a terminal acts on; line breaks are Rich's own."""
    return [hex(ord(c)) for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")]


def test_the_table_of_the_audit(shown: Callable[[], str]) -> None:
    audit._show([LINE], as_json=False, empty=False)
    assert "owned" in shown()
    assert steers(shown()) == []


def test_the_lines_of_the_audit_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    audit._show([LINE], as_json=True, empty=False)
    told = capsys.readouterr().out
    assert json.loads(told)["who"] == HOSTILE
    assert steers(told) == []


def test_the_table_of_the_turns(shown: Callable[[], str]) -> None:
    row = {
        "at": 1_900_000_000.0, "door": "http", "matched": "model", "tools": [{"name": "check_services", "ok": True}],
        "timings_ms": {}, "error": None, "transcript": HOSTILE,
    }  # fmt: skip
    common.out.print(turns._table([row]))
    assert steers(shown()) == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_in_the_repl_and_in_the_timeline(shown: Callable[[], str], event: TurnEvent) -> None:
    repl._show(event, streamed=False)
    render.Timeline(common.out).show(event)
    assert steers(shown()) == []


def test_json_at_a_terminal_is_the_same_json_without_what_steers_it(capsys: pytest.CaptureFixture[str]) -> None:
    console = type(common.out)(highlight=False, width=200)
    console.print_json(data={"said": HOSTILE})
    console.print_json(json.dumps({"said": HOSTILE}))
    console.print_json(data={"said": "Café “nas”"})
    told = capsys.readouterr().out
    assert steers(told) == []
    assert "Café “nas”" in told


def test_text_is_shown_as_text_and_not_as_markup() -> None:
    assert steers(escape(HOSTILE)) == []
    assert "[red]" not in escape(HOSTILE).replace("\\[", "")
