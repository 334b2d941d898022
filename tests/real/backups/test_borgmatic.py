"""The adapter for borgmatic with the real program over a real borg."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.ground import Seed
from tests.real.backups.ground_borgmatic import PASSWORD, TheGround
from tests.real.backups.spoiling import Heard
from tools.backups.kinds import make
from tools.backups.kinds.borgmatic import Borgmatic
from tools.backups.port import BackupError, Fault

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


def adapter(ground: TheGround) -> Borgmatic:
    made = make(ground.settings)
    assert isinstance(made, Borgmatic)
    return made


async def test_a_backup_is_found_and_a_sample_of_it_comes_back(ground: TheGround, tmp_path: Path) -> None:
    (ground.source / "new.jpg").write_bytes(os.urandom(2_000_000))
    (ground.source / "left out.tmp").write_bytes(b"x")
    borgmatic = adapter(ground)
    with seen_argvs() as seen:
        made = await borgmatic.back_up(Heard())
    assert any("borgmatic" in argv for argv in seen)
    assert [argv for argv in seen if PASSWORD in argv] == []
    assert made.unread == 0
    found = await borgmatic.look()
    assert len(found.copies) == 2
    assert (found.copies[-1].id, found.copies[-1].at, found.copies[-1].here) == (made.id, made.at, True)
    entries = await borgmatic.entries(made)
    ours = {entry.path for entry in entries if borgmatic.source(entry) is not None}
    assert len(ours) == 7
    sample = [entry for entry in entries if entry.path in ours and not entry.path.endswith(("ever.txt", ".jpg"))]
    scratch = tmp_path / "scratch"
    await borgmatic.restore(made, sample, scratch, Heard())
    assert len([path for path in scratch.rglob("*") if path.is_file()]) == len(sample) == 4
    for entry in sample:
        source = borgmatic.source(entry)
        assert source is not None
        assert (scratch / entry.path.lstrip("/")).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("level", ["metadata", "data"])
async def test_a_good_repository_is_verified(ground: TheGround, level: str) -> None:
    verified = await adapter(ground).verify(level, Heard())  # type: ignore[arg-type]
    assert (verified.level, verified.share) == (level, 1.0 if level == "data" else 0.0)


async def test_pruning_leaves_what_its_configuration_keeps(ground: TheGround) -> None:
    for _ in range(3):
        await ground.back_up()
    before = (await adapter(ground).look()).copies
    assert (await adapter(ground).prune(Heard())).removed == 2
    after = (await adapter(ground).look()).copies
    assert [copy.id for copy in after] == [before[0].id, before[-1].id]  # of one day: borg leaves the oldest as well


LOOKS: dict[Seed, Fault] = {
    "wrong_password": Fault.WRONG_PASSWORD,
    "no_repository": Fault.NO_REPOSITORY,
    "not_mounted": Fault.NOT_MOUNTED,
}
RUNS: dict[Seed, Fault] = {
    "locked": Fault.LOCKED,
    "source_missing": Fault.SOURCE_MISSING,
    "disk_full": Fault.DISK_FULL,
}


@pytest.mark.parametrize(("seed", "fault"), LOOKS.items())
async def test_a_look_says_what_is_wrong(ground: TheGround, seed: Seed, fault: Fault) -> None:
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as raised:
        await adapter(ground).look()
    assert raised.value.fault is fault
    assert PASSWORD not in raised.value.reason


@pytest.mark.parametrize(("seed", "fault"), RUNS.items())
async def test_a_run_says_what_is_wrong(ground: TheGround, seed: Seed, fault: Fault) -> None:
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as raised:
        await adapter(ground).back_up(Heard())
    assert raised.value.fault is fault


@pytest.mark.parametrize("seed", ["damaged", "truncated"])
async def test_a_segment_that_is_not_what_it_was_is_found_by_check_and_by_restore(
    ground: TheGround, seed: Seed, tmp_path: Path
) -> None:
    borgmatic = adapter(ground)
    newest = (await borgmatic.look()).copies[-1]
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as checked:
        await borgmatic.verify("data", Heard())
    assert checked.value.fault is Fault.DAMAGED
    with pytest.raises(BackupError) as restored:
        await borgmatic.restore(newest, await borgmatic.entries(newest), tmp_path / "scratch", Heard())
    assert restored.value.fault is Fault.DAMAGED


async def test_a_source_that_cannot_be_read_is_missing_from_a_copy_that_was_made(ground: TheGround) -> None:
    await ground.seeds["sources_unread"]()
    made = await adapter(ground).back_up(Heard())
    assert made.unread == 1


async def test_pruning_that_frees_nothing_is_an_error(ground: TheGround) -> None:
    await ground.seeds["prune_failed"]()
    with pytest.raises(BackupError):
        await adapter(ground).prune(Heard())


@pytest.mark.parametrize("content", [None, "source_directories: [", "nonsense: 1\n"])
async def test_a_configuration_that_cannot_be_used_is_said_to_be_so(ground: TheGround, content: str | None) -> None:
    ground.config.unlink()
    if content is not None:
        ground.config.write_text(content)
    with pytest.raises(BackupError) as raised:
        await adapter(ground).look()
    assert raised.value.fault is Fault.NOT_CONFIGURED
