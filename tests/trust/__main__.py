"""``make trust``: one table of what was counted, each figure with its limit and with how it was counted.

``python -m tests.trust [SUITE…] [--full] [--only-print]`` runs the suites named, or all, in short (minutes) or in full
(hours), each in a process of its own, and prints the table; ``--only-print`` runs none and shows what was counted last.
``build/trust/trust.json`` and ``trust.svg`` hold the same. A suite that has not run is shown as that; what has no short
form (coverage) shows in short what was counted last. The exit code is 0 only when everything that was asked for ran and
passed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.trust import report
from tests.trust.suites import BY_NAME, Result, chosen, kept, run

WIDTH = 150
"""Columns of the picture, and of a table that is not printed to a terminal."""


def table(results: Sequence[Result]) -> Table:
    """All rows; a suite without any says why."""
    shown = Table(title="Trust", show_lines=False, header_style="bold", expand=True)
    for heading, ratio in (("suite", 2), ("measure", 5), ("counted", 5), ("limit", 3), ("", 2), ("how", 9)):
        shown.add_column(heading, ratio=ratio, overflow="fold")
    for result in results:
        if not result.rows:
            shown.add_row(
                result.suite.name, result.suite.counts, "–", "", state(result), escape(result.why), end_section=True
            )
        for number, row in enumerate(result.rows):
            last = number == len(result.rows) - 1
            passed = "[green]passed[/]" if row.passed else "[bold red]FAILED[/]"
            name = result.suite.name if number == 0 else ""
            texts = [escape(text) for text in (row.measure, row.counted, row.limit)]
            shown.add_row(name, *texts, passed, escape(row.how), end_section=last)
        if result.rows and result.why:
            shown.add_row("", result.suite.counts, "–", "", state(result), escape(result.why), end_section=True)
    return shown


def state(result: Result) -> str:
    """Of a suite as a whole."""
    return "[yellow]not run[/]" if result.state in ("not run", "missing") else "[bold red]BROKE[/]"


def as_json(results: Sequence[Result], *, full: bool) -> str:
    """The table for a program: ``passed`` is true when every suite of it ran once and passed."""
    suites = [
        {
            "suite": result.suite.name,
            "counts": result.suite.counts,
            "state": "counted" if result.rows and result.state != "broke" else result.state,
            "passed": result.passed,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(result.at)) if result.at else None,
            "why": result.why,
            "rows": [asdict(row) for row in result.rows],
        }
        for result in results
    ]
    whole = {"passed": _all_passed(results, full=full), "full": full, "suites": suites}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def closing(results: Sequence[Result]) -> str:
    """One line: how many passed, and which did not."""
    others = [result for result in results if not result.passed]
    if not others:
        return f"All {len(results)} suites passed."
    names = ", ".join(
        f"{one.suite.name} ({'not run' if not one.rows and one.state != 'broke' else 'failed'})" for one in others
    )
    return f"{len(results) - len(others)} of {len(results)} suites passed; not: {names}."


def main(arguments: Sequence[str]) -> int:
    """0: all that was asked for passed; 1: something failed, broke or has not run."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(BY_NAME))
    parser.add_argument("--full", action="store_true", help="in full, as in make trust-full (hours)")
    parser.add_argument("--only-print", action="store_true", help="run nothing, show what was counted last")
    wanted = parser.parse_args(arguments)
    if unknown := sorted(set(wanted.suites) - set(BY_NAME)):
        parser.error(f"there is no suite {', '.join(unknown)}; the suites are {', '.join(BY_NAME)}")
    console, results = Console(record=True), []
    if not console.is_terminal:
        console.width = WIDTH
    for suite in chosen(wanted.suites):
        began = time.monotonic()
        result = kept(suite) if wanted.only_print else run(suite, full=wanted.full)
        results.append(result)
        if not wanted.only_print:
            console.out(f"{suite.name}: {result.state} in {time.monotonic() - began:.0f} s")
    console.print(table(results))
    console.out(closing(results))
    report.FOLDER.mkdir(parents=True, exist_ok=True)
    (report.FOLDER / "trust.json").write_text(as_json(results, full=wanted.full), encoding="utf-8")
    console.save_svg(str(report.FOLDER / "trust.svg"), title="make trust")
    return 0 if _all_passed(results, full=wanted.full) else 1


def _all_passed(results: Sequence[Result], *, full: bool) -> bool:
    """In full nothing may be open."""
    return all(result.passed or (result.open and not full) for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
