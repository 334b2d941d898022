"""The contract of a backup command: the example of the documentation, real scripts for the rest, and every fault."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.backups.asking import Asked, ask, fault_of, silent
from tests.real.backups.ground import Seed
from tests.real.backups.ground_command import TheGround, example
from tests.real.backups.spoiling import fill
from tools.backups.kinds import make
from tools.backups.kinds.command import Command
from tools.backups.port import Entry, Fault, Pruned, Verified

pytestmark = pytest.mark.real_server


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[TheGround]:
    made = TheGround(tmp_path / "ground")
    made.folder.mkdir()
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()


def adapter(ground: TheGround) -> Command:
    made = make(ground.settings)
    assert isinstance(made, Command)
    return made


def scripted(ground: TheGround, *lines: str, **changes: object) -> Command:
    """A job of a shell script with these lines."""
    ground.program.write_text("\n".join(lines) + "\n")
    ground.change(command=("sh", str(ground.program)), **changes)
    return adapter(ground)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_example_stays_short() -> None:
    assert len(example().splitlines()) <= 70


async def test_the_example_backs_up_and_restores(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    copy = (await kind.look()).copies[-1]
    assert (copy.id, copy.size) == (ground.newest.name, ground.newest.stat().st_size)
    assert abs(copy.at - time.time()) < 60
    entries = await kind.entries(copy)
    assert {entry.path for entry in entries} == set(contents(ground.source))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    await kind.restore(copy, entries[1:], scratch, silent)
    restored = {path.removeprefix(str(scratch)): content for path, content in contents(scratch).items()}
    left_out = entries[0].path
    assert restored == {path: content for path, content in contents(ground.source).items() if path != left_out}
    assert kind.source(entries[0]) == Path(left_out)
    assert kind.source(Entry("/elsewhere", 1)) is None
    assert await kind.verify("data", silent) == Verified(level="data", share=1.0)


async def test_the_example_prunes_what_is_not_kept(ground: TheGround) -> None:
    newest = ground.newest
    for age in (3600, 7200):
        (ground.place / f"{float(newest.name.removesuffix('.tar.gz')) - age:.3f}.tar.gz").write_bytes(
            newest.read_bytes()
        )
    assert len((await adapter(ground).look()).copies) == 3
    assert await adapter(ground).prune(silent) == Pruned(removed=2)
    assert list(ground.place.glob("*.tar.gz")) == [newest]


SPOILED: list[tuple[Seed, Asked, Fault]] = [
    ("no_repository", "look", Fault.NO_REPOSITORY),
    ("not_mounted", "look", Fault.NOT_MOUNTED),
    ("not_mounted", "back_up", Fault.NOT_MOUNTED),
    ("locked", "back_up", Fault.LOCKED),
    ("damaged", "verify data", Fault.DAMAGED),
    ("truncated", "verify data", Fault.TRUNCATED),
    ("source_missing", "back_up", Fault.SOURCE_MISSING),
    ("prune_failed", "prune", Fault.FAILED),
    ("disk_full", "back_up", Fault.DISK_FULL),
]


@pytest.mark.parametrize("seed, asked, fault", SPOILED)
async def test_each_fault_is_named(ground: TheGround, seed: Seed, asked: Asked, fault: Fault) -> None:
    await ground.seeds[seed]()
    assert (await fault_of(ask(adapter(ground), asked))).fault is fault


async def test_the_example_gives_nothing_back_from_a_damaged_archive(ground: TheGround, tmp_path: Path) -> None:
    kind = adapter(ground)
    copy = (await kind.look()).copies[-1]
    entries = await kind.entries(copy)
    await ground.seeds["damaged"]()
    assert (await fault_of(kind.restore(copy, entries, tmp_path, silent))).fault is Fault.DAMAGED


async def test_a_scratch_folder_that_is_full_is_told(ground: TheGround) -> None:
    scratch = ground.folder / "small"
    ground.spoiling.small_disk(scratch, 1)
    fill(scratch)
    kind = adapter(ground)
    copy = (await kind.look()).copies[-1]
    assert (await fault_of(kind.restore(copy, await kind.entries(copy), scratch, silent))).fault is Fault.DISK_FULL


CODES = [(1, "failed"), (10, "no_repository"), (12, "wrong_password"), (20, "damaged"), (21, "truncated")]
CODES += [(28, "disk_full"), (64, "not_configured"), (66, "source_missing"), (69, "unreachable"), (75, "locked")]
CODES += [(77, "denied"), (78, "not_configured"), (127, "not_installed"), (3, "failed"), (42, "failed")]


@pytest.mark.parametrize("code, fault", CODES)
async def test_an_exit_code_has_its_meaning(ground: TheGround, code: int, fault: str) -> None:
    assert (await fault_of(scripted(ground, f"exit {code}").look())).fault == Fault(fault)


async def test_what_it_says_of_its_failure_wins_and_no_secret_is_in_it(ground: TheGround) -> None:
    key = ground.folder / "key"
    key.write_text("hunter2-83514\n")
    kind = scripted(
        ground,
        'echo "for people"',
        'printf \'{"error": {"fault": "unreachable", "reason": "no answer to %s."}}\\n\' "$KEY"',
        "exit 1",
        credentials={"KEY": key},
    )
    error = await fault_of(kind.look())
    assert (error.fault, error.reason) == (Fault.UNREACHABLE, "no answer to …")


async def test_a_program_that_knows_only_exit_codes_is_kept_book_of(ground: TheGround) -> None:
    report = ground.folder / "report.json"
    kind = scripted(ground, 'case $1 in back-up) test ! -e "$JARVIS_PATHS/broken";; *) exit 64;; esac', report=report)
    assert (await kind.look()).copies == ()
    made = await kind.back_up(silent)
    assert (made.complete, made.unread) == (True, 0)
    found = await kind.look()
    assert [round(copy.at) for copy in found.copies] == [round(made.at)]
    (ground.source / "broken").touch()
    assert (await fault_of(kind.back_up(silent))).fault is Fault.FAILED
    assert (await fault_of(kind.look())).fault is Fault.SAID_FAILED
    assert (await fault_of(kind.entries(made))).fault is Fault.NOT_CONFIGURED


async def test_a_run_that_missed_parts_made_a_backup_all_the_same(ground: TheGround) -> None:
    kind = scripted(ground, 'echo \'{"copy": {"id": "a", "at": 1795230000}}\'', "exit 3")
    made = await kind.back_up(silent)
    assert (made.id, made.unread, made.complete) == ("a", 1, True)


async def test_progress_room_and_warnings_are_heard(ground: TheGround) -> None:
    kind = scripted(
        ground,
        'echo \'{"progress": {"share": 0.5, "doing": "copying"}}\'',
        'echo \'{"progress": {"doing": "waiting"}}\'',
        'echo \'{"room": {"free": 10, "total": 100}}\'',
        'echo \'{"warning": "the tape is nearly worn out"}\'',
        'echo \'{"copy": {"id": "b", "at": 20.5, "unread": 2}}\'',
        'echo \'{"copy": {"id": "a", "at": 10, "complete": false, "size": 5}}\'',
    )
    heard: list[tuple[float, str]] = []
    await kind.back_up(lambda share, doing: heard.append((share, doing)))
    assert heard == [(0.5, "copying"), (-1.0, "waiting")]
    found = await kind.look()
    assert (found.free, found.total, found.warnings) == (10, 100, ("the tape is nearly worn out",))
    assert [(copy.id, copy.complete, copy.unread) for copy in found.copies] == [("a", False, 0), ("b", True, 2)]


NO_ANSWERS = ['{"copy": {"id": "a"}}', '{"copy": 1}', '{"copy": {"id": 5, "at": 1}}', '{"room": {}}', '{"copy']


@pytest.mark.parametrize("line", NO_ANSWERS)
async def test_an_answer_that_is_none_is_not_taken_for_one(ground: TheGround, line: str) -> None:
    assert (await fault_of(scripted(ground, f"echo '{line}'").look())).fault is Fault.NONSENSE


async def test_a_program_that_is_not_there_is_not_installed(ground: TheGround) -> None:
    ground.change(command=(str(ground.folder / "nothing"),))
    assert (await fault_of(adapter(ground).look())).fault is Fault.NOT_INSTALLED


async def test_a_program_that_does_not_end_is_ended(ground: TheGround) -> None:
    kind = scripted(ground, "sleep 600", timeout_s=0.3)
    assert (await fault_of(kind.look())).fault is Fault.TIMED_OUT


async def test_a_cancelled_run_of_the_example_leaves_no_archive(ground: TheGround) -> None:
    (ground.source / "large").write_bytes(os.urandom(60_000_000))
    run = asyncio.create_task(adapter(ground).back_up(silent))
    part = ground.place / ".part"
    async with asyncio.timeout(30):
        while not (part.exists() and part.stat().st_size > 100_000):  # noqa: ASYNC110 - another program writes
            await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len((await adapter(ground).look()).copies) == 1


def test_the_example_says_that_it_does_not_know_a_word(tmp_path: Path) -> None:
    program = tmp_path / "example"
    program.write_text(example())
    environment = {"JARVIS_REPOSITORY": str(tmp_path), "PATH": os.environ["PATH"]}
    ended = subprocess.run([sys.executable, str(program), "dance"], env=environment, check=False)
    assert ended.returncode == 64
