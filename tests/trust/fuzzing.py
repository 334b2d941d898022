"""Inputs tried: ``python -m tests.trust.fuzzing [SECONDS]`` fuzzes every target and drops every bomb.

SECONDS for each target (20), so about ten minutes; the corpus of earlier runs is gone on from.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.fuzz.__main__ import fuzz, guided_python
from tests.fuzz.targets import NAMES
from tests.trust.bombs import LIMIT_MB, bombard
from tests.trust.report import Row, record

SECONDS = 20.0


def main() -> int:
    """Exit code 1 where a promise was broken."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    python = guided_python()
    inputs, broken = 0, 0
    for name in NAMES:
        found = fuzz(name, seconds, python)
        inputs, broken = inputs + found.inputs, broken + len(found.cases)
        sys.stdout.write(f"{name:18} {found.inputs:>10,} inputs  {len(found.cases)} broken\n")
        sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="jarvis-bombs-") as folder:
        outcome = bombard(Path(folder))
    late = [one for one in outcome.fired if not one.in_time]
    for one in outcome.fired:
        sys.stdout.write(f"{one.name:34} {one.seconds:6.1f} s  {one.status}\n")
    ways = f"{len(NAMES)} targets for {seconds:g} s each under atheris, each with a promise that no input may break"
    bombs = f"{len(outcome.fired)} bombs against the real server, its peak of memory read from /proc; it answers after"
    bounded = not late and outcome.grown_mb <= LIMIT_MB and outcome.well
    rows = [
        Row("inputs that broke a promise", f"{broken} of {inputs:,}", "0", broken == 0, f"{ways}"),
        Row("bombs answered or closed in time", f"{len(outcome.fired) - len(late)} of {len(outcome.fired)}", "all",
            not late and outcome.well, f"{bombs}: python -m tests.trust.fuzzing"),
        Row("memory that the bombs took", f"{outcome.grown_mb:.0f} MB", f"≤ {LIMIT_MB:.0f} MB",
            outcome.grown_mb <= LIMIT_MB, "VmHWM before and after"),
    ]  # fmt: skip
    record("fuzzing", rows)
    for row in rows:
        sys.stdout.write(f"{row.measure}: {row.counted} (limit {row.limit})\n")
    return 0 if broken == 0 and bounded else 1


if __name__ == "__main__":
    sys.exit(main())
