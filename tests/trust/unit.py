"""How exposed the unit is, as systemd reckons it, from the file alone: ``systemd-analyze security --offline``.

``python -m tests.trust.unit``. No manager is asked and nothing is installed. ``tests/real/trust/test_service.py`` asks
the same of a unit that a booted systemd runs. Where there is no systemd of version 250 or newer, the row does not pass.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.service.examples import examples
from tests.trust.report import Row, record

LIMIT = 3.0
"""Of 10, that the project holds itself to."""

UNITS = {"the system's": "deploy/systemd/jarvis.service", "a user's": "deploy/systemd/user/jarvis.service"}
JUDGED = "the system's"
"""A user's manager can build fewer walls; its figure is told and has no limit."""

_EXPOSURE = re.compile(r"exposure level for \S+: ([\d.]+)")


def exposure(text: str) -> float | None:
    """Of a unit's text, 0 to 10; None where systemd-analyze is not here, is too old, or says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jarvis.service"
        file.write_text(text, encoding="utf-8")
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(file)]
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = _EXPOSURE.search(said)
    return float(found[1]) if found else None


def rows() -> list[Row]:
    """One for each unit."""
    how = "systemd-analyze security --offline of the unit that `jarvis service install` writes: "
    texts, counted = examples(), []
    for whose, path in UNITS.items():
        score = exposure(texts[path])
        shown = "systemd-analyze says nothing here" if score is None else f"{score:.1f} of 10"
        judged = whose == JUDGED
        passed = score is not None and (score <= LIMIT or not judged)
        limit = f"≤ {LIMIT:.1f}" if judged else ""
        counted.append(Row(f"exposure of {whose} unit", shown, limit, passed, f"{how}python -m tests.trust.unit"))
    return counted


def main() -> int:
    """1 where the limit is not met, or nobody could tell."""
    counted = rows()
    record("unit", counted)
    for row in counted:
        sys.stdout.write(f"{row.measure}: {row.counted} {row.limit}\n")
    return 0 if all(row.passed for row in counted) else 1


if __name__ == "__main__":
    sys.exit(main())
