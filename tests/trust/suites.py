"""The suites of ``make trust``: what each counts, the module that runs it, and with what, short and in full."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from tests.trust import report
from tests.trust.report import Row, recorded

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Suite:
    """``python -m MODULE`` with these arguments ends with ``record(name, rows)``. ``short`` None: it has no short form,
    and what was counted last is shown."""

    name: str
    counts: str
    module: str
    short: tuple[str, ...] | None = ()
    full: tuple[str, ...] = ()

    @property
    def there(self) -> bool:
        """Whether its module is in this tree."""
        return find_spec(self.module) is not None


SUITES = (
    Suite("faults", "faults survived", "tests.trust.faults"),
    Suite("egress", "connections off-box", "tests.trust.offbox"),
    Suite("fuzzing", "hostile inputs", "tests.trust.fuzzing", ("5",), ("60",)),
    Suite("injection", "acts without consent", "tests.trust.injection", (), ("--full",)),
    Suite("secrets", "secrets found", "tests.trust.secrets"),
    Suite("soak", "the long run", "tests.trust.soaking", (), ("--turns", "10000")),
    Suite("unit", "hardening of the unit", "tests.trust.unit"),
    Suite("coverage", "coverage by the tests", "tests.trust.covering", None),
    Suite("mutation", "changes that the tests notice", "tests.trust.mutation", ("--short",), ()),
)
BY_NAME: Mapping[str, Suite] = {suite.name: suite for suite in SUITES}


@dataclass(frozen=True, slots=True)
class Result:
    """What one suite came to. ``state``: "ran", "not run" (its rows, if any, are of an earlier run), "broke" (it ended
    without rows, or badly: ``why``), "missing" (no such module)."""

    suite: Suite
    state: str
    rows: tuple[Row, ...] = ()
    why: str = ""
    at: float | None = field(default=None)
    """When its rows were counted, seconds since 1970."""

    @property
    def passed(self) -> bool:
        """Rows there are, and all of them passed. What has not run has not passed."""
        return self.state not in ("broke", "missing") and bool(self.rows) and all(row.passed for row in self.rows)

    @property
    def open(self) -> bool:
        """Whether the short form could say nothing of it, and nobody has counted it: neither passed nor failed."""
        return self.suite.short is None and self.state == "not run" and not self.rows


def run(suite: Suite, *, full: bool) -> Result:
    """Run one suite in a process of its own; what it prints goes to ``build/trust/NAME.log``. Rows of an earlier run
    are dropped first, so that a suite that breaks shows none."""
    if not suite.there:
        return Result(suite, "missing", why=f"there is no {suite.module}")
    arguments = suite.full if full else suite.short
    if arguments is None:
        return replace(kept(suite), why=f"has no short form: python -m {suite.module}")
    report.FOLDER.mkdir(parents=True, exist_ok=True)
    rows = report.FOLDER / f"{suite.name}.json"
    rows.unlink(missing_ok=True)
    log = report.FOLDER / f"{suite.name}.log"
    command = [sys.executable, "-m", suite.module, *arguments]
    with log.open("wb") as output:
        code = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT).returncode
    found = kept(suite)
    if not found.rows:
        return Result(suite, "broke", why=f"{' '.join(command[1:])} ended with {code} and no rows; see {log}")
    if code and found.passed:
        return Result(suite, "broke", found.rows, f"its rows passed, and it ended with {code}; see {log}", found.at)
    return Result(suite, "ran", found.rows, at=found.at)


def kept(suite: Suite) -> Result:
    """The rows of a suite's last run."""
    try:
        rows = recorded(suite.name)
    except (ValueError, TypeError) as error:
        return Result(suite, "broke", why=f"its rows can't be read: {error}")
    if not rows:
        return Result(suite, "missing" if not suite.there else "not run", why="" if suite.there else "no such suite")
    return Result(suite, "not run", rows, at=(report.FOLDER / f"{suite.name}.json").stat().st_mtime)


def chosen(names: Iterable[str]) -> tuple[Suite, ...]:
    """Those named, in the order of the table; all where none is. Raises KeyError."""
    wanted = {BY_NAME[name].name for name in names}
    return tuple(suite for suite in SUITES if not wanted or suite.name in wanted)
