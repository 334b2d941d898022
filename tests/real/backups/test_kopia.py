"""The adapter for kopia against a stand-in that speaks as its source has it (argv, JSON, errors), not kopia itself."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.backups.argvs import seen_argvs
from tests.real.backups.ground import Seed
from tests.real.backups.ground_kopia import PASSWORD, TheGround
from tests.real.backups.spoiling import Heard, fill
from tools.backups.kinds import make
from tools.backups.kinds.kopia import Kopia
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


def adapter(ground: TheGround) -> Kopia:
    made = make(ground.settings)
    assert isinstance(made, Kopia)
    return made


async def test_a_backup_is_found_by_a_look_as_the_run_told_it(ground: TheGround) -> None:
    (ground.source / "new.jpg").write_bytes(os.urandom(2_000_000))
    (ground.source / "left out.tmp").write_bytes(b"x")
    heard = Heard()
    with seen_argvs() as seen:
        made = await adapter(ground).back_up(heard)
    assert any("kopia" in argv for argv in seen)
    assert [argv for argv in seen if PASSWORD in argv] == []
    assert (made.files, made.unread, made.complete, made.here) == (7, 0, True, True)
    assert 0.5 in heard.shares
    found = await adapter(ground).look()
    assert found.copies[-1] == made
    assert len(found.copies) == 2


@pytest.mark.parametrize("all_of_it", [False, True])
async def test_what_is_restored_is_as_it_was(ground: TheGround, tmp_path: Path, all_of_it: bool) -> None:
    kopia = adapter(ground)
    newest = (await kopia.look()).copies[-1]
    entries = await kopia.entries(newest)
    assert len(entries) == 6
    chosen = entries if all_of_it else [entry for entry in entries if "whatever" not in entry.path]
    scratch = tmp_path / "scratch"
    await kopia.restore(newest, chosen, scratch, Heard())
    assert len([path for path in scratch.rglob("*") if path.is_file()]) == len(chosen)
    for entry in chosen:
        source = kopia.source(entry)
        assert source is not None
        assert source.stat().st_size == entry.size
        assert (scratch / entry.path.lstrip("/")).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("level", ["metadata", "data"])
async def test_a_good_repository_is_verified(ground: TheGround, level: str) -> None:
    verified = await adapter(ground).verify(level, Heard())  # type: ignore[arg-type]
    assert (verified.level, verified.share) == (level, 1.0 if level == "data" else 0.0)


async def test_pruning_leaves_what_the_job_keeps(ground: TheGround) -> None:
    for _ in range(3):
        await ground.back_up()
    before = (await adapter(ground).look()).copies
    assert (await adapter(ground).prune(Heard())).removed == 2
    assert (await adapter(ground).look()).copies == before[-2:]


async def test_only_snapshots_of_the_jobs_path_and_tags_count(ground: TheGround) -> None:
    settings = ground.settings.model_copy(update={"tags": ("job:photos",)})
    made = await make(settings).back_up(Heard())
    assert [copy.id for copy in (await make(settings).look()).copies] == [made.id]
    other = ground.settings.model_copy(update={"paths": ("/somewhere/else",)})
    assert (await make(other).look()).copies == ()


LOOKS: dict[Seed, Fault] = {
    "wrong_password": Fault.WRONG_PASSWORD,
    "no_repository": Fault.NO_REPOSITORY,
    "not_mounted": Fault.NOT_MOUNTED,
}
RUNS: dict[Seed, Fault] = {**LOOKS, "source_missing": Fault.SOURCE_MISSING, "disk_full": Fault.DISK_FULL}


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
async def test_a_content_that_is_not_what_it_was_is_found_by_verify_and_by_restore(
    ground: TheGround, seed: Seed, tmp_path: Path
) -> None:
    kopia = adapter(ground)
    newest = (await kopia.look()).copies[-1]
    await ground.seeds[seed]()
    with pytest.raises(BackupError) as checked:
        await kopia.verify("data", Heard())
    assert checked.value.fault is Fault.DAMAGED
    with pytest.raises(BackupError) as restored:
        await kopia.restore(newest, await kopia.entries(newest), tmp_path / "scratch", Heard())
    assert restored.value.fault is Fault.DAMAGED


async def test_a_source_that_cannot_be_read_is_missing_from_a_copy_that_was_made(ground: TheGround) -> None:
    await ground.seeds["sources_unread"]()
    made = await adapter(ground).back_up(Heard())
    assert (made.unread, made.files) == (1, 5)


async def test_pruning_that_removes_nothing_is_an_error(ground: TheGround) -> None:
    await ground.seeds["prune_failed"]()
    with pytest.raises(BackupError):
        await adapter(ground).prune(Heard())


async def test_a_scratch_that_is_full_is_no_damage(ground: TheGround, tmp_path: Path) -> None:
    kopia = adapter(ground)
    newest = (await kopia.look()).copies[-1]
    scratch = tmp_path / "scratch"
    ground.spoiling.small_disk(scratch, 1)
    fill(scratch)
    with pytest.raises(BackupError) as raised:
        await kopia.restore(newest, await kopia.entries(newest), scratch, Heard())
    assert raised.value.fault is Fault.DISK_FULL


async def test_kopia_that_is_not_connected_is_not_configured(ground: TheGround) -> None:
    ground.config.unlink()
    with pytest.raises(BackupError) as raised:
        await adapter(ground).look()
    assert raised.value.fault is Fault.NOT_CONFIGURED


async def test_more_than_one_path_is_refused_in_words(ground: TheGround) -> None:
    settings = ground.settings.model_copy(update={"paths": ("/a", "/b")})
    with pytest.raises(BackupError) as raised:
        await make(settings).back_up(Heard())
    assert raised.value.reason == "a kopia job backs up one path: make a job of each"
