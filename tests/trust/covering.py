"""Coverage of ``assistant/`` and ``tools/`` by the tests, lines and branches, with their child processes.

``make coverage``: the suite of ``make test``, and the tests of backups, engines and machines against the programs
themselves, which ``make test-real`` installs; both at the same time. The page of it is
``build/coverage/html/index.html``. What failed runs once more by itself, as in CI, and is counted; tests that fail
twice make no coverage: the rows do not pass then.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.trust.report import Row, record

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "coverage"
LIMIT = 90.0
"""Per cent of lines and branches, that the project holds itself to."""

PARTS = ("assistant", "tools")

REAL = ("tests/real/backups", "tests/real/engines", "tests/real/vms")
"""What has a program on the other side that no fake stands in for."""

PROGRAMS = ROOT / ".real" / "borgmatic" / "bin"

AGAIN = ("--last-failed", "--last-failed-no-failures", "none")

OPTIONS = f"""
[run]
source = {ROOT / "assistant"}, {ROOT / "tools"}
branch = true
parallel = true
patch = subprocess
data_file = {WORK / "data"}
[report]
exclude_also =
    if TYPE_CHECKING:
    \\.\\.\\.$
[html]
directory = {WORK / "html"}
"""
"""Children are measured too: ``patch = subprocess`` has every Python that is started report what it ran."""


def shares(found: Mapping[str, Any]) -> dict[str, float]:
    """Per cent of lines and branches of each part, out of coverage's JSON."""
    done = dict.fromkeys(PARTS, 0)
    whole = dict.fromkeys(PARTS, 0)
    for name, file in found["files"].items():
        part = Path(name).parts[0] if not Path(name).is_absolute() else Path(name).relative_to(ROOT).parts[0]
        if part in done:
            summary = file["summary"]
            done[part] += summary["covered_lines"] + summary["covered_branches"]
            whole[part] += summary["num_statements"] + summary["num_branches"]
    return {part: 100.0 * done[part] / whole[part] if whole[part] else 0.0 for part in PARTS}


def rows(found: Mapping[str, Any], *, tests_passed: bool, second_time: bool = False) -> list[Row]:
    """One for each part. ``second_time``: some of the tests passed only when they ran once more."""
    suite = "the suite of make test and the tests against backup programs"
    failed = "; TESTS FAILED" if not tests_passed else "; some tests passed the second time" if second_time else ""
    return [
        Row(
            f"coverage: {part}/",
            f"{share:.1f} %{failed}",
            f"≥ {LIMIT:.0f} %",
            share >= LIMIT and tests_passed,
            f"Lines and branches that {suite} runs, child processes too: make coverage",
        )
        for part, share in shares(found).items()
    ]


@dataclass(frozen=True, slots=True)
class _Tests:
    """Tests that one pytest runs under coverage; what failed is remembered in a folder of their own."""

    name: str
    environment: Mapping[str, str]
    arguments: tuple[str, ...]

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        cache = f"cache_dir={WORK / self.name}"
        command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "-o", cache, *self.arguments, *more]
        return subprocess.Popen(command, cwd=ROOT, env=dict(self.environment))


def main() -> int:
    """Run the suite, record the rows, print them. 1 where one does not pass."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    options = WORK / "rc"
    options.write_text(OPTIONS, encoding="utf-8")
    environment = {**os.environ, "COVERAGE_RCFILE": str(options)}
    beside_programs = {**environment, "PATH": f"{PROGRAMS}{os.pathsep}{environment['PATH']}"}
    suite = _Tests("suite", environment, ("-m", "not real_server and not long"))
    real = _Tests("real", beside_programs, ("-m", "real_server and not long", *REAL))
    running = [(tests, tests.start()) for tests in (suite, real)]
    failed = [tests for tests, process in running if process.wait() != 0]
    again = [tests.start(*AGAIN).wait() for tests in failed]
    passed = not any(again)
    _coverage(environment, "combine", "--quiet")
    _coverage(environment, "html", "--quiet")
    _coverage(environment, "json", "--quiet", "-o", str(WORK / "coverage.json"))
    found = json.loads((WORK / "coverage.json").read_text("utf-8"))
    counted = rows(found, tests_passed=passed, second_time=bool(failed))
    record("coverage", counted)
    for row in counted:
        sys.stdout.write(f"{row.measure}: {row.counted} ({row.limit})\n")
    return 0 if all(row.passed for row in counted) else 1


def _coverage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, env=dict(environment))


if __name__ == "__main__":
    sys.exit(main())
