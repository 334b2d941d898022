"""What each suite of `make trust` counted: a row says what, how many, the limit, and how it was counted.

A suite ends with ``record("faults", [Row(…), …])``, which writes ``build/trust/faults.json``; ``python -m tests.trust``
runs the suites and prints all rows as one table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(os.environ.get("JARVIS_TRUST_RESULTS", Path(__file__).parents[2] / "build" / "trust"))
"""Where the rows go; the variable is for the tests of the table itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    measure: str
    """What was counted: ``"acts without consent"``."""

    counted: str
    """The figure as it is shown: ``"0 of 2,240"``."""

    limit: str
    """What it has to be: ``"0"``, ``"≥ 85 %"``; empty where there is none."""

    passed: bool
    how: str
    """One sentence: what ran, and the command that counts it again."""


def record(suite: str, rows: Sequence[Row]) -> None:
    """Keep a suite's rows for the table, in place of those of its last run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False)
    (FOLDER / f"{suite}.json").write_text(f"{text}\n", encoding="utf-8")


def recorded(suite: str) -> tuple[Row, ...]:
    """The rows of a suite's last run, none when it did not run. Raises ValueError: a damaged file."""
    try:
        text = (FOLDER / f"{suite}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    return tuple(Row(**row) for row in json.loads(text))
