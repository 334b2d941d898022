"""Prove a job from the command line: ``python -m tools.restore_tests --settings FILE.json --state DIR JOB``.

Prints the ledger entry as JSON. Exit code 0 when the backup was restored and compared, 1 when not, 3 when the
settings or the state folder cannot be used.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from pydantic import ValidationError

from tools.restore_tests.restic import restore_test
from tools.restore_tests.scratch import clean_left_overs
from tools.settings import ToolSettings
from tools.store import Store, StoreError


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tools.restore_tests", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="ToolSettings as JSON")
    parser.add_argument("--state", type=Path, required=True, help="state folder")
    parser.add_argument("job", help="name of the job, as configured")
    options = parser.parse_args()
    try:
        settings = ToolSettings.model_validate_json(options.settings.read_bytes())
        job = settings.backups.get(options.job)
        if job is None or job.kind != "restic":
            sys.stderr.write(f"{options.job!r} is no restic job of {', '.join(settings.backups) or 'nobody'}\n")
            return 3
        clean_left_overs(options.state)
        with Store(options.state / "jarvis.db") as store:
            record = asyncio.run(restore_test(options.job, job, options.state, store))
    except (OSError, ValidationError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    sys.stdout.write(json.dumps(record) + "\n")
    return 0 if record["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
