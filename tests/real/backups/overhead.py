"""What a restore test costs beyond the restore: ``python -m tests.real.backups.overhead --mb 500``.

A source of that size is backed up with restic; then the bare ``restic restore`` and the whole restore test (list,
restore, compare byte by byte, ledger, cleaning up) take turns, and the medians are compared. As in a house where the
backups are looked at every ten minutes, the look is there already. The bare restore's removal of what it restored is
not counted, the test's is. Exit code 1 when the test costs more than ``--at-most``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.backups.kinds import make
from tools.backups.records import BackupRecords
from tools.program import Ended, run
from tools.restore_tests import testing
from tools.settings import BackupSettings
from tools.store import Store

FILE_MB = 5
TIMEOUT_S = 1_800.0
PASSWORD = "restic for an hour"


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds of each round."""

    bare_s: tuple[float, ...]
    test_s: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Of the medians: 1.25 is a quarter more."""
        return statistics.median(self.test_s) / statistics.median(self.bare_s)

    def __str__(self) -> str:
        rounds = "\n".join(f"{bare:8.2f} s {test:8.2f} s" for bare, test in zip(self.bare_s, self.test_s, strict=True))
        medians = f"{statistics.median(self.bare_s):8.2f} s {statistics.median(self.test_s):8.2f} s"
        fastest = f"{min(self.bare_s):8.2f} s {min(self.test_s):8.2f} s"
        least = 100 * (min(self.test_s) / min(self.bare_s) - 1)
        return (
            f"  restic      test\n{rounds}\n{medians}  (medians): {100 * (self.ratio - 1):+.1f} %\n"
            f"{fastest}  (fastest): {least:+.1f} %"
        )


async def measure(folder: Path, megabytes: int, rounds: int) -> Overhead:
    """In an empty folder. The first round of each warms up and is not counted."""
    source, repository, password = folder / "source", folder / "repository", folder / "password"
    (folder / "state").mkdir()
    password.write_text(PASSWORD)
    await asyncio.to_thread(_fill, source, megabytes)
    settings = BackupSettings(
        kind="restic", repository=str(repository), password_file=password, paths=(str(source),), run_timeout_h=1.0
    )
    environment = {"RESTIC_REPOSITORY": str(repository), "RESTIC_PASSWORD_FILE": str(password)}
    await _restic(["init", "--quiet"], environment)
    await make(settings).back_up(lambda _share, _doing: None)
    bare, test = [], []
    with Store(folder / "state" / "jarvis.db") as store:
        for number in range(rounds + 1):
            began = time.perf_counter()
            await _restic(["--no-cache", "restore", "latest", "--target", str(folder / "bare")], environment)
            bare.append(time.perf_counter() - began)
            await asyncio.to_thread(shutil.rmtree, folder / "bare")
            began = time.perf_counter()
            report = await testing.test_restore(
                "overhead",
                settings,
                BackupRecords(store),
                folder / "state",
                seed=number,
                max_bytes=3 * megabytes * 10**6,
                progress=lambda _share, _doing: None,
                whole=True,
            )
            test.append(time.perf_counter() - began)
            if not report.ok or report.record["compared"] != report.record["sample_n"]:
                raise SystemExit(f"The restore test compared {report.record['compared']} files: {report.spoken}")
    return Overhead(tuple(bare[1:]), tuple(test[1:]))


def _fill(source: Path, megabytes: int) -> None:
    """Noise, as photos are to a backup program."""
    source.mkdir()
    chance = random.Random(megabytes)  # noqa: S311 - content
    for number in range(0, megabytes, FILE_MB):
        size = min(FILE_MB, megabytes - number) * 10**6
        (source / f"{number:06}.bin").write_bytes(chance.randbytes(size))


async def _restic(arguments: list[str], environment: dict[str, str]) -> Ended:
    ended = await run(["restic", *arguments], timeout_s=TIMEOUT_S, environment=environment, quiet=True)
    if ended.code:
        raise SystemExit(f"restic ended with {ended.code}: {ended.complaints}")
    return ended


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.real.backups.overhead", description=__doc__)
    parser.add_argument("--mb", type=int, default=500, help="megabytes to restore")
    parser.add_argument("--rounds", type=int, default=7, help="of each, after one to warm up")
    parser.add_argument("--at-most", type=float, default=1.25, help="ratio above which the exit code is 1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jarvis-overhead-") as folder:
        found = asyncio.run(measure(Path(folder), options.mb, options.rounds))
    sys.stdout.write(f"{options.mb} MB in files of {FILE_MB} MB, {options.rounds} rounds\n{found}\n")
    return 0 if found.ratio <= options.at_most else 1


if __name__ == "__main__":
    sys.exit(main())
