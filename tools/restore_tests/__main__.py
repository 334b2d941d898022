"""Prove jobs from the command line: ``python -m tools.restore_tests --settings FILE.json --state DIR JOB``.

Prints each entry of the ledger as a line of JSON. Exit code 0: restored, and as it should be; 1: it cannot be restored;
2: the test could not be made, or the restore tester itself is broken; 3: the settings or the state folder cannot be
used. Of several jobs the worst counts, in the order 3, 1, 2, 0.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tools.backups import port
from tools.backups.kinds import Target, targets
from tools.backups.records import BackupRecords
from tools.restore_tests.canary import prove_tester
from tools.restore_tests.scratch import clean_left_overs
from tools.restore_tests.testing import TestReport, test_restore
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store, StoreError

PASSED, FAILED, NOT_MADE, UNUSABLE = 0, 1, 2, 3
SEED_BITS = 32


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """argparse's own exit code for this is 2, which says something else here."""
        self.exit(UNUSABLE, f"{self.prog}: {message}\n")


class _UsageError(Exception):
    """What was asked for is not there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module. ``arguments``: None for those of the process."""
    options = _parser().parse_args(arguments)
    try:
        settings = ToolSettings.model_validate_json(options.settings.read_bytes())
        chosen = _chosen(settings, options.job, everything=options.all)
        places = {job: _place(job, settings.backups[job], options.destination) for job in chosen}
        scratch_parent = settings.restore_scratch or options.state
        clean_left_overs(scratch_parent)
        with Store(options.state / "jarvis.db") as store:
            return asyncio.run(_run(settings, places, BackupRecords(store), scratch_parent, options))
    except _UsageError as error:
        sys.stderr.write(f"{error}\n")
    except (OSError, ValidationError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
    return UNUSABLE


async def _run(
    settings: ToolSettings,
    places: dict[str, Target],
    records: BackupRecords,
    scratch_parent: Path,
    options: argparse.Namespace,
) -> int:
    """The canaries that are due, where that is asked for or every job is tested; then each job in turn."""
    codes = []
    kinds = {settings.backups[job].kind for job in places}
    reports = []
    if options.all or options.canary:
        with _shown("canary") as progress:
            reports = await prove_tester(records, kinds, scratch_parent, progress=progress, again=options.canary)
    for report in reports:
        if report.broken:
            sys.stderr.write(f"{report.spoken}\n")
            codes.append(NOT_MADE)
    for job, place in places.items():
        seed = options.seed if options.seed is not None else secrets.randbits(SEED_BITS)
        with _shown(job) as progress:
            made = await test_restore(
                job,
                settings.backups[job],
                records,
                scratch_parent,
                seed=seed,
                max_bytes=int(settings.restore_scratch_max_gb * 1e9),
                progress=progress,
                whole=options.whole,
                target=place,
            )
        sys.stdout.write(json.dumps(made.record) + "\n")
        sys.stdout.flush()
        codes.append(_code(made))
    return next((code for code in (FAILED, NOT_MADE) if code in codes), PASSED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tools.restore_tests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--settings", type=Path, required=True, help="ToolSettings as JSON")
    parser.add_argument("--state", type=Path, required=True, help="state folder")
    parser.add_argument("--seed", type=int, help="of the sample; the ledger names it, to draw the same one again")
    parser.add_argument("--all", action="store_true", help="every job, one after another")
    parser.add_argument("--whole", action="store_true", help="all files that fit the scratch folder, not a sample")
    parser.add_argument("--destination", default="", help="name of another destination of the job")
    parser.add_argument("--canary", action="store_true", help="test the tester first, also when that is not due")
    parser.add_argument("job", nargs="?", help="name of the job, as configured")
    return parser


def _chosen(settings: ToolSettings, job: str | None, *, everything: bool) -> list[str]:
    if everything == (job is not None):
        raise _UsageError("Name a job, or say --all.")
    if job is None:
        return list(settings.backups)
    if job not in settings.backups:
        raise _UsageError(f"{job!r} is no backup job; there is {', '.join(settings.backups) or 'none'}.")
    return [job]


def _place(job: str, settings: BackupSettings, name: str) -> Target:
    found = next((one for one in targets(settings) if one.name == name), None)
    if found is None:
        raise _UsageError(f"{job!r} has no destination {name!r}.")
    return found


def _code(made: TestReport) -> int:
    if not made.ran:
        return NOT_MADE
    return PASSED if made.ok else FAILED


@contextmanager
def _shown(job: str) -> Iterator[port.Progress]:
    """A bar where a person looks on; nothing where standard error goes to a file."""
    if not sys.stderr.isatty():
        yield lambda _share, _doing: None
        return
    columns = (TextColumn("{task.fields[job]}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
               TextColumn("{task.description}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("", total=None, job=job)

        def progress(share: float, doing: str) -> None:
            known = share >= 0
            bars.update(bar, description=doing, total=1.0 if known else None, completed=share if known else 0.0)

        yield progress


if __name__ == "__main__":
    sys.exit(main())
