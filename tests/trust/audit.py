"""Known vulnerabilities of what is locked, by pip-audit: ``make audit``.

``python -m tests.trust.audit [LOCK…] [--unreachable-passes]``. Every package of the locks is asked for by its very
version. pip-audit by itself says "No known vulnerabilities found" and ends with 0 where the service knew none of the
packages; here that is no result, and not a good one:

* 0: every package was asked about, and none is known to be vulnerable;
* 1: some are, and no reason to live with it stands in ``LIVED_WITH``;
* 3: the service could not be asked, about all of them or about some. With ``--unreachable-passes`` (CI, which runs
  where only the package index answers) this is 0, and said as loudly.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements/dev.txt",)
"""Holds all of ``run.txt``, too."""

LIVED_WITH: Mapping[str, str] = {}
"""Id of a vulnerability → why it does not matter here, and until when."""

TIMEOUT_S = 300.0
"""For all of it: a service that swallows packets holds nobody up for longer."""


@dataclass(frozen=True, slots=True)
class Audited:
    """``vulnerable``: package, version, ids; ``skipped``: nobody could say."""

    asked: int
    vulnerable: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    why: str = ""


def audited(lock: Path) -> Audited:
    """Ask about every package of a lock. Raises nothing but OSError."""
    try:
        script = str(ROOT / "deploy" / "tool.sh")
        tool = subprocess.run([script, "pip-audit"], check=True, stdout=subprocess.PIPE, text=True)
        command = [
            tool.stdout.strip(),
            "-m",
            "pip_audit",
            "--requirement",
            str(lock),
            "--require-hashes",
            "--disable-pip",
        ]
        options = ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=TIMEOUT_S, cwd=ROOT)
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.SubprocessError, ValueError, KeyError) as error:
        return Audited(0, why=f"{type(error).__name__}: {str(error)[:200]}")
    return read(found)


def read(found: Sequence[Mapping[str, Any]]) -> Audited:
    """pip-audit's JSON."""
    vulnerable, skipped = [], []
    for one in found:
        if "skip_reason" in one:
            skipped.append(str(one["name"]))
            continue
        ids = [vulnerability["id"] for vulnerability in one.get("vulns", []) if not _is_lived_with(vulnerability)]
        if ids:
            vulnerable.append(f"{one['name']} {one['version']}: {', '.join(ids)}")
    return Audited(len(found), tuple(vulnerable), tuple(skipped))


def _is_lived_with(vulnerability: Mapping[str, Any]) -> bool:
    return any(id_ in LIVED_WITH for id_ in (vulnerability["id"], *vulnerability.get("aliases", [])))


def told(lock: str, result: Audited) -> tuple[int, str]:
    """The exit code, and what is said."""
    if result.vulnerable:
        lines = "\n".join(f"  {line}" for line in result.vulnerable)
        mend = "Lock a version without it (make lock), or say in tests/trust/audit.py why it does not matter here."
        return 1, f"{lock}: known vulnerabilities in {len(result.vulnerable)} packages:\n{lines}\n{mend}"
    if result.asked == 0 or result.skipped:
        what = "NOTHING" if len(result.skipped) == result.asked else f"NOT ALL: {', '.join(result.skipped)}"
        known = result.asked - len(result.skipped)
        why = result.why or "the index that answers here knows packages, and not their vulnerabilities"
        mend = "Run make audit where the package index answers such questions."
        return 3, f"{lock}: {what} WAS AUDITED ({known} of {result.asked} packages): {why}. {mend}"
    return 0, f"{lock}: {result.asked} packages, no known vulnerabilities."


def main(arguments: Sequence[str]) -> int:
    """The worst exit code of the locks."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust.audit", description=__doc__)
    parser.add_argument("locks", nargs="*", default=list(LOCKS))
    parser.add_argument("--unreachable-passes", action="store_true", help="for CI, where only the index answers")
    wanted = parser.parse_args(arguments)
    codes = []
    for lock in wanted.locks:
        code, said = told(lock, audited(ROOT / lock))
        sys.stdout.write(f"{said}\n")
        if code == 3 and wanted.unreachable_passes:
            sys.stdout.write("This passes only because --unreachable-passes says so.\n")
            code = 0
        codes.append(code)
    return max(codes, key=(0, 3, 1).index, default=3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
