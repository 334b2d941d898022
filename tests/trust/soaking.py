"""The long run. ``python -m tests.trust.soaking`` has 300 turns, ``--turns 10000`` the whole; ``--read FILE`` takes
what ``jarvis soak --json FILE`` found before.

A real ``jarvis serve`` on the demo homelab, every door, recordings and a satellite's microphone included
(``docs/soak.md``). Of the short form failures and acts are judged, of the whole also memory, handles, threads, times.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from assistant.soak.report import Measure, SoakReport
from tests.trust.report import Row, record

SHORT, WHOLE = 300, 10_000


def had(turns: int, *options: str) -> SoakReport:
    """The report of a soak. Raises SystemExit where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "soak.json"
        command = [sys.executable, "-m", "assistant", "soak", "--turns", str(turns), "--json", str(file), *options]
        ended = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
        if not file.exists():
            raise SystemExit(f"jarvis soak ended with {ended.returncode} and no report")
        return SoakReport.model_validate_json(file.read_text(encoding="utf-8"))


def rows(report: SoakReport) -> list[Row]:
    """Those that were judged, for the table."""
    acts = f"; {report.acts} acts were agreed to, and each was done once" if not report.failed else ""
    early = f", ended after {report.turns:,}" if report.turns < report.wanted else ""
    how = (
        f"{report.turns:,} turns through every door of a real server, each answer held against the truth{acts}: "
        f"`jarvis soak --turns {report.wanted}`{early}"
    )
    judged = [measure for measure in report.measures if measure.verdict != "not judged"]
    return [Row(f"soak: {one.name}", one.value, one.limit, one.verdict == "met", _how(one, how)) for one in judged]


def _how(measure: Measure, how: str) -> str:
    return how if measure.name == "failures" else f"the same run; {measure.name} as docs/soak.md has it"


def main() -> None:
    """Exit code 1 where a measure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=SHORT)
    parser.add_argument("--read", type=Path)
    wanted = parser.parse_args()
    if wanted.read is not None:
        report = SoakReport.model_validate_json(wanted.read.read_text(encoding="utf-8"))
    else:
        report = had(wanted.turns)
    record("soak", rows(report))
    if not report.passed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
