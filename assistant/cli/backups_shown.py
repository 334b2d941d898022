"""Backups on the terminal: verdicts, histories, the scorecard. Ages as people say them, colours only beside words."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

from assistant.cli.common import escape, out
from tools.wording import ago

if TYPE_CHECKING:
    from tools.backups.calendar import Due
    from tools.backups.desk import History
    from tools.backups.scorecard import Score

STYLES = {"ok": "green", "unverified": "cyan", "stale": "yellow", "unknown": "magenta", "failed": "bold red"}
RULE = (3, 2, 1, 1, 0)
SHOWN_COPIES = 20


def show_verdicts(records: Sequence[Mapping[str, Any]], troubles: Mapping[str, str]) -> None:
    """A line for each job; ``troubles``: what is wrong with it, in words."""
    table = Table("verdict", "job", "kind", "last backup", "restored", "what is wrong", box=None, padding=(0, 2, 0, 0))
    for record in records:
        verdict, job = str(record.get("verdict")), str(record.get("job"))
        table.add_row(
            f"[{STYLES.get(verdict, '')}]{escape(verdict)}[/]" if verdict in STYLES else escape(verdict),
            escape(job),
            escape(str(record.get("kind") or "")),
            said_age(record.get("last_success")),
            said_proof(record.get("verify")),
            escape(troubles.get(job, "")),
        )
    out.print(table)


def said_age(at: object) -> str:
    """An ISO 8601 time as "two days ago"; a dash where there is none."""
    moment = _time(at)
    return ago(max(time.time() - moment, 0.0)) if moment is not None else "–"


def said_proof(verify: object) -> str:
    """When it was last restored, and by what."""
    if not isinstance(verify, Mapping):
        return "–"
    level, at = verify.get("level"), verify.get("restored_at") or verify.get("at")
    if level not in ("restored", "app"):
        return "failed" if verify.get("first_error") else "never"
    return said_age(at) + (" (application)" if level == "app" else "")


def _time(at: object) -> float | None:
    try:
        return datetime.fromisoformat(at).timestamp() if isinstance(at, str) else None
    except ValueError:
        return None


def show_history(history: History) -> None:
    """The newest copies and restore tests of one destination, newest last."""
    place = f", on {history.destination}" if history.destination else ""
    out.print(f"[bold]{escape(history.job)}[/] ({history.kind}{escape(place)})")
    if history.last_look:
        out.print(f"[yellow]The last look failed:[/] {escape(history.last_look)}.")
    if not history.copies:
        out.print("No backup was ever seen there.")
    else:
        table = Table("backup", "age", "size", "added", "took", "files", box=None, padding=(0, 2, 0, 0))
        for copy in history.copies[-SHOWN_COPIES:]:
            table.add_row(
                stamp(copy.at),
                ago(max(time.time() - copy.at, 0.0)),
                in_bytes(copy.size),
                in_bytes(copy.added),
                "–" if copy.duration_s is None else f"{copy.duration_s:.0f} s",
                "–" if copy.files is None else str(copy.files),
            )
        out.print(table)
    for test in history.tests[-SHOWN_COPIES:]:
        came = "passed" if test.ok else "failed" if test.ran else "could not be made"
        why = f": {escape(test.first_error)}" if test.first_error else ""
        out.print(f"  restore test {stamp(test.at)} {came}{why}")


def stamp(at: float) -> str:
    """Local time to the minute."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")


def in_bytes(size: int | None) -> str:
    """ "340 kB": decimal units, as disks are sold."""
    if size is None:
        return "–"
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"


def show_calendar(due: Sequence[Due]) -> None:
    """What is to be restored next, the first first."""
    if not due:
        out.print("Nothing is to be restored: no backup is configured, or [restore_calendar] is all 0.", markup=False)
        return
    table = Table("due", "job", "exercise", "from", "last done", box=None, padding=(0, 2, 0, 0))
    now = time.time()
    for one in due:
        when = "[bold red]overdue[/]" if one.overdue else "now" if one.at <= now else stamp(one.at)[:10]
        last = "never" if one.last is None else ago(max(now - one.last, 0.0))
        table.add_row(when, escape(one.job), one.words, escape(one.place), last)
    out.print(table)


def show_scores(cards: Sequence[Score]) -> None:
    """The figures, what each failure leaves, and a sentence for each class."""
    from tools.backups.scorecard import NAMED, Failure, say

    figures = Table(
        "data",
        "copies (3)",
        "media (2)",
        "off-site (1)",
        "offline (1)",
        "not proven (0)",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for card in cards:
        cells = (_figure(value, met) for value, met in zip(card.figures, card.met, strict=True))
        figures.add_row(escape(card.data_class), *cells)
    out.print(figures)
    out.print("\n[bold]What survives[/]")
    matrix = Table("", *(escape(card.data_class) for card in cards), box=None, padding=(0, 2, 0, 0))
    for failure in Failure:
        matrix.add_row(NAMED[failure], *(survivors(card.survivors[failure], card.keys) for card in cards))
    out.print(matrix)
    if any(card.keys for card in cards):
        out.print("[dim]* only with its password: keep that in another building, too.[/]")
    out.print()
    for card in cards:
        out.print(escape(say(card)))


def _figure(value: int, met: bool) -> str:
    return f"[green]{value}[/]" if met else f"[bold red]{value}[/] ✗"


def survivors(names: Iterable[str], keys: frozenset[str]) -> str:
    """ "the original, photos *"; "nothing" stands out."""
    said = ", ".join(escape(name) + (" *" if name in keys else "") for name in names)
    return said or "[bold red]nothing[/]"
