"""Turn events for people: the timeline, one line an event."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assistant.events import (
    Announcement,
    AudioReady,
    ConfirmationAsked,
    FellBack,
    Narrowed,
    Phrased,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    ToolReturned,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    WakeDetected,
)
from tools.contract import JsonObject

TIME_COLUMNS = 12
STAGE_COLUMNS = 11

_STYLES = {
    "wake": "magenta",
    "endpoint": "blue",
    "transcript": "cyan",
    "decision": "yellow",
    "tools": "green",
    "reply": "bold",
    "speech": "blue",
    "done": "dim",
    "failed": "bold red",
}


class Timeline:
    """Prints a turn's events as they come; fits 80 columns and needs no colours."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: TurnEvent) -> None:
        """One line, or none for events that say nothing to a person."""
        row = describe(event)
        if row is None:
            return
        stage, what = row
        line = Table.grid(padding=0)
        line.add_column(width=TIME_COLUMNS, no_wrap=True)
        line.add_column(width=STAGE_COLUMNS, no_wrap=True)
        line.add_column(overflow="fold")  # what is long goes on below itself, not below the time
        line.add_row(
            f"{event.at_ms:>7.0f} ms",
            Text(stage, _STYLES.get(stage, "")),
            Text(printable(what, self._console.encoding), "bold" if stage in ("reply", "transcript") else ""),
        )
        self._console.print(line)


def describe(event: TurnEvent) -> tuple[str, str] | None:
    """(stage, what happened) of an event, None when it is not shown."""
    match event:
        case WakeDetected():
            return (
                "wake",
                f"{event.word.replace('_', ' ')} heard at {event.audio_ms / 1000:.2f} s (score {event.score:.2f})",
            )
        case SpeechStarted():
            return "endpoint", f"speech from {event.audio_ms / 1000:.2f} s"
        case SpeechEnded():
            end = f"speech to {event.speech_end_ms / 1000:.2f} s"
            return "endpoint", f"{end}, over by {event.reason.replace('_', ' ')} at {event.audio_ms / 1000:.2f} s"
        case Transcribed():
            took = f"  ({event.took_ms:.0f} ms)" if event.engine != "typed" else ""
            return "transcript", f"“{event.text}”{took}"
        case SentenceMatched():
            return "decision", f"a sentence template fits ({event.took_ms:.1f} ms)"
        case Narrowed(decided=True):
            return "decision", f"the signals leave no doubt ({event.took_ms:.1f} ms)"
        case Narrowed():
            left = ", ".join(dict.fromkeys(str(one.get("tool", "")) for one in event.candidates)) or "no tool"
            return "decision", f"the signals leave {left} ({event.took_ms:.1f} ms)"
        case FellBack():
            instead = f"{event.model} answers in its place" if event.model else "no model answers"
            return "decision", f"{event.instead_of} failed ({event.code}); {instead}"
        case ToolCalled():
            by = {"model": "  (the model's choice)", "confirmation": "  (confirmed)"}.get(event.source, "")
            return "tools", f"{event.tool}({arguments(event.arguments)}){by}"
        case ToolReturned():
            state = "ok" if event.ok else "not ok"
            return "tools", f"{state} after {event.took_ms:.0f} ms"
        case Phrased(spoken=True):
            return "decision", f"put into words by the model; all of it is in the results ({event.took_ms:.0f} ms)"
        case Phrased():
            return (
                "decision",
                f"the tools' own sentences instead of the model's: {event.reason} ({event.took_ms:.0f} ms)",
            )
        case ReplySentence():
            return "reply", event.text
        case AudioReady(first=True):
            return "speech", "the first sound of the reply is ready"
        case ConfirmationAsked():
            return "tools", f"waits {event.expires_s:.0f} s for a yes: {event.tool}({arguments(event.arguments)})"
        case Announcement():
            return "reply", event.text
        case TurnInterrupted():
            return "failed", f"interrupted: {event.reason}"
        case TurnFinished():
            return "done", f"answered by {_who(event.matched)}"
        case TurnFailed(code="interrupted"):
            return None  # TurnInterrupted said so
        case TurnFailed():
            why = " ".join(part for part in (event.spoken, event.detail, event.mend) if part)
            return "failed", f"{event.stage.value} ({event.code}): {why}"
        case _:
            return None


def printable(text: str, encoding: str) -> str:
    """Text that is data, without control characters, in what the terminal can show."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    try:
        shown.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        plain = shown.translate({ord("“"): '"', ord("”"): '"', ord("’"): "'", ord("…"): "..."})
        return plain.encode("ascii", "replace").decode("ascii")
    return shown


def arguments(values: JsonObject) -> str:
    """``key=value, …`` as a person would type them."""
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _who(matched: str) -> str:
    by = {
        "sentence": "a sentence template, no model asked",
        "signals": "clear signals, no model asked",
        "model": "the model",
        "confirmation": "your answer",
    }
    return by.get(matched, "nobody")
