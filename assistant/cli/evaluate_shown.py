"""An evaluation, or two compared, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from assistant.cli.common import escape
from assistant.evaluation import Judged
from assistant.evaluation_compare import Change, Comparison, Figure
from assistant.evaluation_figures import ALL, Report, figures
from assistant.evaluation_report import said_as_call
from assistant.judging import Verdict
from tools.contract import JsonObject

HEADS = {
    Verdict.RIGHT: "right",
    Verdict.WRONG_ARGUMENT: "arg.",
    Verdict.WRONG_TOOL: "tool",
    Verdict.MISSED: "miss",
    Verdict.REFUSED: "need.",
    Verdict.ACTED: "acted",
}
"""The verdicts over columns that fit 80 characters; the lines under the table say in full what stands in them."""


def show_report(report: Report, console: Console) -> None:
    """The table by tag, the figures, the repeats, and every line that is not right."""
    if report.judged:
        console.print(_table(report))
        for line in _summary(figures(report.judged)):
            console.print(escape(line), highlight=False, soft_wrap=True)
        for decider, turns in report.by_decider():
            console.print(escape(_decided(decider, figures(turns))), highlight=False, soft_wrap=True)
    if len(report.seeds) > 1:
        _show_repeats(report, console)
    for turn in report.wrong:
        _show_failure(turn, console, repeated=len(report.seeds) > 1)
    if report.interrupted:
        console.print(f"[yellow]Stopped after {len(report.judged)} of {report.planned_turns} turns.[/]")


def _table(report: Report) -> Table:
    tokens = any(turn.tokens_in for turn in report.judged)
    table = Table(box=SIMPLE_HEAD, padding=(0, 0), pad_edge=False)
    table.add_column("tag", max_width=13, overflow="ellipsis", no_wrap=True)
    for name in ("n", *HEADS.values(), "sent.", "p50", "p95", *(["in", "out"] if tokens else [])):
        table.add_column(name, justify="right")
    for tag, turns in report.by_tag().items():
        of_it = figures(turns)
        table.add_row(
            escape(tag),
            str(of_it["turns"]),
            *(str(of_it["verdicts"][str(verdict)] or "") for verdict in HEADS),
            _percent(of_it["sentence_share"], 0),
            *(_number(of_it["decision_ms"][rank]) for rank in ("p50", "p95")),
            *(str(of_it["tokens"][way]) for way in ("in", "out") if tokens),
            style="bold" if tag == ALL else None,
        )
    return table


def _summary(of_all: JsonObject) -> Iterable[str]:
    times = ", ".join(f"{rank} {_number(value)} ms" for rank, value in of_all["decision_ms"].items())
    yield f"{of_all['right']} of {of_all['turns']} right ({_percent(of_all['right_share'])}); " + ", ".join(
        f"{verdict}: {of_all['verdicts'][str(verdict)]}" for verdict in HEADS if verdict is not Verdict.RIGHT
    )
    yield (
        f"{_percent(of_all['sentence_share'])} by sentence match, {of_all['sentence_wrong']} of them wrong"
        f"; to the decision {times}"
        f"; tokens {of_all['tokens']['in']} in, {of_all['tokens']['out']} out"
    )


def _decided(decider: str, of_it: JsonObject) -> str:
    times = ", ".join(f"{rank} {_number(value)} ms" for rank, value in of_it["decision_ms"].items())
    wrong = of_it["turns"] - of_it["right"]
    return f"decided by {decider}: {of_it['turns']}, {wrong} of them wrong; {times}"


def _show_repeats(report: Report, console: Console) -> None:
    for seed, turns in report.by_repeat():
        of_it = figures(turns)
        console.print(
            f"seed {seed}: {of_it['right']} of {of_it['turns']} right ({_percent(of_it['right_share'])}),"
            f" acted when it must not: {of_it['acted']}",
            highlight=False,
        )
    wavering = report.unstable()
    console.print(f"{len(wavering)} lines did not end the same way in every repeat.", highlight=False, soft_wrap=True)
    for turns in wavering:
        right = f"right {sum(turn.right for turn in turns)} of {len(turns)}"
        console.print(
            f"[yellow]{right}[/] {escape(turns[0].id)} “{escape(turns[0].text)}”", highlight=False, soft_wrap=True
        )


def _show_failure(turn: Judged, console: Console, *, repeated: bool) -> None:
    calls = ", ".join(map(said_as_call, turn.planned)) or turn.note or "nothing"
    name = f"{turn.id} ({turn.repeat})" if repeated else turn.id
    console.print(
        f"[red]{turn.verdict}[/] {escape(name)} “{escape(turn.text)}” → {escape(calls)}"
        f" [dim]({escape(turn.judgement.why)}; decided by {turn.decided_by})[/]",
        highlight=False,
        soft_wrap=True,
    )


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Figures of both runs, then the lines that changed."""
    table = Table("", "before", "after", "change")
    for figure in comparison.figures:
        table.add_row(figure.name, *_both(figure))
    console.print(table)
    _show_changes("became right", "green", comparison.became_right, console)
    _show_changes("became wrong", "red", comparison.became_wrong, console)
    _show_changes("wrong in another way", "yellow", comparison.wrong_otherwise, console)
    if comparison.only_before or comparison.only_after:
        console.print(
            f"[dim]Only in the first: {comparison.only_before}; only in the second: {comparison.only_after}.[/]"
        )


def _both(figure: Figure) -> Iterable[str]:
    for value in (figure.before, figure.after):
        yield "" if value is None else f"{value:g}{figure.unit}"
    if figure.before is not None and figure.after is not None:
        yield f"{figure.after - figure.before:+.4g}{figure.unit}"


def _show_changes(name: str, style: str, changes: Sequence[Change], console: Console) -> None:
    console.print(f"[bold]{name}: {len(changes)}[/]", highlight=False, soft_wrap=True)
    for change in changes:
        verdicts = f"{change.before} → {change.after}" + (f" ({change.why})" if change.why else "")
        console.print(
            f"  [{style}]{escape(change.id)}[/] “{escape(change.text)}” {escape(verdicts)}",
            highlight=False,
            soft_wrap=True,
        )


def _percent(part: float | None, digits: int = 1) -> str:
    return "" if part is None else f"{100 * part:.{digits}f} %"


def _number(value: float | None) -> str:
    """Milliseconds; tenths only where they matter."""
    return "" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"
