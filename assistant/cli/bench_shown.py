"""The voice benchmark for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from assistant.bench.speed import REFERENCE_MS
from assistant.bench.voice_report import (
    AssistTable,
    Idle,
    Load,
    Measure,
    SilenceTable,
    Spread,
    SttTable,
    Turn,
    TurnTable,
    VoiceReport,
    WakeTable,
)
from assistant.cli.common import escape

SHOWN_TURNS = 20
"""Turns that went wrong and are named; all of them stand in --json."""


def show_voice(report: VoiceReport, console: Console) -> None:
    """A table for each part, then the measures."""
    made = report.conditions
    console.print(
        escape(
            f"{made.platform}, {made.cores} cores; {made.transcriber}; {made.endpointing}; {made.synthesizer}; "
            f"{made.clips} clips, {made.voices} synthetic voices" + ("; short form" if made.short else "")
        ),
        soft_wrap=True,
        style="dim",
    )
    if report.turns is not None:
        _show_turns("Commands: seconds after the true end of speech, p50 and p95", report.turns, console)
    if report.model is not None:
        _show_turns(f"Requests that {escape(report.model.engine)} decides: the same times", report.model, console)
    if report.stt is not None:
        _show_stt(report.stt, console)
    if report.wake is not None:
        _show_wake(report.wake, console)
    if report.home_assistant is not None:
        _show_beside(report.home_assistant, console)
    if report.silence is not None:
        _show_silence(report.silence, console)
    if report.idle is not None:
        _show_idle(report.idle, console)
    if report.measures:
        _show_measures(report.measures, console)


def _table(first: str, *columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _show(title: str, table: Table, console: Console) -> None:
    console.print(title, style="bold", soft_wrap=True)
    console.print(table)


def _show_turns(title: str, found: TurnTable, console: Console) -> None:
    table = _table("", "woken", "cut", "endpoint", "text", "decision", "audio", "WER", "right")
    for row in found.rows:
        table.add_row(
            escape(row.group),
            f"{row.turns - row.not_woken}/{row.turns}",
            str(row.cut_off),
            *map(_seconds, (row.endpoint, row.transcript, row.decision, row.first_audio)),
            _percent(row.wer),
            f"{row.right}/{row.judged}",
        )
    _show(title, table, console)
    wrong = [turn for turn in found.turns if turn.ending != "answered" or turn.cut_off or turn.right is False]
    for turn in wrong[:SHOWN_TURNS]:
        console.print(escape(_went_wrong(turn)), highlight=False, soft_wrap=True, style="yellow")
    if len(wrong) > SHOWN_TURNS:
        console.print(f"… and {len(wrong) - SHOWN_TURNS} more that did not go right: --json has them.", style="yellow")
    _show_load(found.load, console)


def _went_wrong(turn: Turn) -> str:
    what = "cut off" if turn.cut_off else turn.ending if turn.ending != "answered" else "another call"
    why = f" ({turn.error})" if turn.error and turn.ending != "not woken" else ""
    calls = ", ".join(turn.called) or "no call"
    heard = f"heard “{turn.heard}” → {calls}" if turn.heard else "nothing heard"
    return f"{what}{why}: {turn.id} “{turn.said}”" + ("" if turn.ending == "not woken" else f", {heard}")


def _show_stt(found: SttTable, console: Console) -> None:
    columns = ("n", "WER", "median", "p95", "time", "fell back", "names right", "wrong")
    first = found.rows[0] if found.rows else None
    names = f"; names in {first.name_clips} of them by {first.voices} voices" if first else ""
    table = _table("", *columns)
    for row in found.rows:
        table.add_row(
            escape(row.setting),
            str(row.clips),
            _percent(row.wer),
            f"{row.median_ms / 1000:.2f} s",
            f"{row.p95_ms / 1000:.2f} s",
            f"×{row.time_ratio:.2f}",
            str(sum(row.fell_back.values())),
            _percent(row.name_accuracy),
            str(row.names_wrong),
        )
    _show(f"Speech recognition, the same clips in turn{names}", table, console)
    if first and first.groups:
        groups = [group.name for group in first.groups]
        by_voice = _table("", *map(escape, groups))
        for row in found.rows:
            rates = {group.name: group.wer for group in row.groups}
            by_voice.add_row(escape(row.setting), *(_percent(rates.get(group)) for group in groups))
        _show("Word errors by synthesizer, and of people", by_voice, console)
    _show_load(found.load, console)


def _show_wake(found: WakeTable, console: Console) -> None:
    table = _table("noise", "SNR", "n", "Jarvis", "openWakeWord at 0.5", "ms after the phrase")
    for row in found.rows:
        table.add_row(
            escape(row.noise),
            "" if row.snr_db is None else f"{row.snr_db:.0f} dB",
            str(row.clips),
            str(row.missed),
            str(row.missed_stock),
            f"{_spread(row.latency)} ({row.latency.n})" if row.latency else "",
        )
    _show("Wake word: missed", table, console)
    heard = _table(
        "audio",
        "n",
        "hours",
        "Jarvis",
        "at most",
        "openWakeWord",
        "at most",
    )
    for accepts in found.false_accepts:
        heard.add_row(
            escape(accepts.audio),
            str(accepts.clips),
            f"{accepts.hours:.3f}",
            str(accepts.accepts),
            _per_hour(accepts.at_most_per_hour),
            str(accepts.accepts_stock),
            _per_hour(accepts.at_most_per_hour_stock),
        )
    _show("Wake word: heard where nobody said it (at most: 95 % bound)", heard, console)
    _show_load(found.load, console)


def _show_beside(found: AssistTable, console: Console) -> None:
    table = _table("", "n", "endpoint", "text", "decision", "audio")
    for row in found.rows:
        times = map(_seconds, (row.endpoint, row.transcript, row.decision, row.first_audio))
        table.add_row(escape(row.who), f"{row.answered_by_both}/{row.clips}", *times)
    _show("Beside Home Assistant: the same clips, seconds after the true end of speech", table, console)
    for turn in found.turns:
        if turn.error:
            console.print(escape(f"Home Assistant: {turn.id}: {turn.error}"), soft_wrap=True, style="yellow")
    _show_load(found.load, console)


def _show_silence(found: SilenceTable, console: Console) -> None:
    table = _table("", "n", "texts", "after the wake phrase", "texts")
    for row in found.rows:
        table.add_row(escape(row.noise), str(row.clips), str(row.texts), str(row.after_wake), str(row.texts_after_wake))
    _show("Nobody speaks: utterances that ended in a text", table, console)
    for text in found.texts:
        console.print(escape(text), highlight=False, soft_wrap=True, style="yellow")
    _show_load(found.load, console)


def _show_idle(found: Idle, console: Console) -> None:
    table = _table("", "CPU", "resident", "by share", "most")
    memory = (found.rss_mb, found.pss_mb, found.peak_mb)
    table.add_row(
        f"{found.seconds:.0f} s",
        f"{found.cpu_percent:.1f} % of a core",
        *("" if value is None else f"{value:.0f} MB" for value in memory),
    )
    _show("Listening to a quiet room, no chat model", table, console)
    _show_load(found.load, console)


def _show_measures(measures: Iterable[Measure], console: Console) -> None:
    table = _table("", "is", "wanted", "")
    for measure in measures:
        table.add_row(
            escape(measure.name),
            f"{measure.value:g} {measure.unit}",
            f"{'at least' if measure.at_least else 'at most'} {measure.limit:g}",
            "[green]met[/]" if measure.met else "[red]missed[/]",
        )
    _show("Measures", table, console)


def _show_load(load: Load, console: Console) -> None:
    if load.before is not None and load.after is not None:
        late = "" if load.late_ms is None else f"; audio was fed at most {load.late_ms:.0f} ms late"
        console.print(f"load of the machine {load.before:.1f} before, {load.after:.1f} after{late}", style="dim")
    if load.full_window_ms is not None:
        speed = f"Whisper's full window took {load.full_window_ms / 1000:.2f} s just before"
        console.print(f"{speed} ({REFERENCE_MS / 1000:.2f} s where the limits were set)", style="dim")


def _spread(found: Spread | None) -> str:
    return "" if found is None else f"{found.p50:.0f} {found.p95:.0f}"


def _seconds(found: Spread | None) -> str:
    return "" if found is None else f"{found.p50 / 1000:.2f} {found.p95 / 1000:.2f}"


def _percent(part: float | None) -> str:
    return "" if part is None else f"{100 * part:.1f} %"


def _per_hour(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.2f}/h"
