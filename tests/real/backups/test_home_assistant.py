"""The adapter for Home Assistant's backups: made, opened, spoiled, and restored by Home Assistant's own code."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from tests.real.backups.ground_home_assistant import KEY, STATES, TheGround, configure
from tests.real.backups.servers import nothing_left
from tests.real.backups.spoiling import cut, flip
from tools.backups.kinds.dump_files import MANIFEST, STILL_WRITTEN_S
from tools.backups.kinds.home_assistant import HomeAssistantTar
from tools.backups.kinds.target import targets
from tools.backups.port import BackupError, Fault, Proof
from tools.settings import BackupSettings

pytestmark = pytest.mark.real_server

PYTHON = Path(__file__).resolve().parents[3] / ".real" / "home-assistant" / "bin" / "python"

OWN_BACKUP = """
import io, json, sys, tarfile
from pathlib import Path
import securetar
from homeassistant.components.backup.const import EXCLUDE_FROM_BACKUP
from homeassistant.backup_restore import password_to_key
config, target, password = Path(sys.argv[1]), Path(sys.argv[2]), sys.stdin.read() or None
data = {"slug": "1a2b3c4d", "name": "own", "date": "2026-11-20T03:00:00+00:00", "type": "partial", "folders": [],
        "addons": [], "repositories": [], "compressed": True, "protected": password is not None, "extra": {},
        "homeassistant": {"version": "2025.4.4", "exclude_database": False}}
outer = securetar.SecureTarFile(target, "w", gzip=False, bufsize=4194304)
with outer as tar:
    raw = json.dumps(data).encode()
    entry = tarfile.TarInfo("./backup.json")
    entry.size = len(raw)
    tar.addfile(entry, fileobj=io.BytesIO(raw))
    key = password_to_key(password) if password else None
    with outer.create_inner_tar("./homeassistant.tar.gz", gzip=True, key=key) as core:
        securetar.atomic_contents_add(
            tar_file=core, origin_path=config, arcname="data",
            file_filter=lambda path: any(path.full_match(p) if hasattr(path, "full_match") else path.match(p)
                                         for p in EXCLUDE_FROM_BACKUP))
"""
"""As ``homeassistant.components.backup`` writes one, with its own library and its own list of what is left out."""


def nobody(share: float, doing: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
async def ground(tmp_path: Path) -> TheGround:
    made = TheGround(tmp_path)
    await made.prepare()
    return made


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir(mode=0o700)
    return tmp_path / "scratch"


def adapter(settings: BackupSettings) -> HomeAssistantTar:
    return HomeAssistantTar(settings, targets(settings)[0])


async def prove(settings: BackupSettings, scratch: Path) -> Proof:
    kind = adapter(settings)
    (*_, copy) = (await kind.look()).copies
    return await kind.prove(copy, scratch, nobody)


def home_assistant(script: str, *arguments: str, password: str = "") -> None:
    """Run something with the real Home Assistant's code."""
    if not PYTHON.exists():
        pytest.fail("Home Assistant is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    argv = [str(PYTHON), "-c", script, *arguments]
    done = subprocess.run(argv, input=password, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def only(settings: BackupSettings, make: Callable[[Path], None], *, age_s: float = 2 * STILL_WRITTEN_S) -> Path:
    """A backup that ``make`` writes, without a manifest, and the only one there."""
    folder = Path(settings.repository or "")
    shutil.rmtree(folder)
    folder.mkdir()
    backup = folder / "Automatic_backup_2025.4.4.tar"
    make(backup)
    os.utime(backup, (time.time() - age_s,) * 2)
    return backup


def backup_of(
    files: dict[str, bytes], *, said: dict[str, object] | None = None, extra: tuple[tarfile.TarInfo, ...] = ()
) -> Callable[[Path], None]:
    """Writes an unencrypted backup with these files in its inner archive."""

    def write(backup: Path) -> None:
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w:gz") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            for special in extra:
                tar.addfile(special)
        meta = {"slug": "x", "date": "2026-11-20", "homeassistant": {"version": "2025.4.4"}, **(said or {})}
        with tarfile.open(backup, "w") as outer:
            for name, content in (
                ("./backup.json", json.dumps(meta).encode()),
                ("homeassistant.tar.gz", inner.getvalue()),
            ):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                outer.addfile(entry, io.BytesIO(content))

    return write


GOOD = {"data/configuration.yaml": b"default_config:\n"}


async def test_a_backup_is_made_and_opened_to_its_last_state(ground: TheGround, scratch: Path) -> None:
    proof = await prove(ground.settings, scratch)
    assert proof.mismatches == ()
    assert proof.said == f"Home Assistant 2025.4.4, 7 files, a sound database with {STATES:,} states"
    assert proof.evidence["encrypted"] is True
    assert await adapter(ground.settings).verify("data", nobody)
    assert nothing_left(scratch)
    assert not [path for path in ground.place.iterdir() if KEY.encode() in path.read_bytes()]


async def test_home_assistant_restores_what_is_made_here(ground: TheGround, tmp_path: Path) -> None:
    """By its own code, with what it writes to its configuration folder when somebody asks for it."""
    config = tmp_path / "new"
    config.mkdir()
    order = {
        "path": str(ground.newest()),
        "password": KEY,
        "remove_after_restore": False,
        "restore_database": True,
        "restore_homeassistant": True,
    }
    (config / ".HA_RESTORE").write_text(json.dumps(order))
    restore = "import sys; from homeassistant.backup_restore import restore_backup; restore_backup(sys.argv[1])"
    home_assistant(restore, str(config))
    assert json.loads((config / ".HA_RESTORE_RESULT").read_text())["success"] is True
    for name in ("configuration.yaml", ".storage/core.entity_registry", "www/plan für oben.svg"):
        assert (config / name).read_bytes() == (ground.source / name).read_bytes()
    with closing(sqlite3.connect(config / "home-assistant_v2.db")) as database:
        assert database.execute("SELECT count(*) FROM states").fetchone() == (STATES,)
    assert not (config / "home-assistant.log").exists()


@pytest.mark.parametrize("password", ["", KEY])
async def test_what_home_assistant_makes_is_opened_here(password: str, ground: TheGround, scratch: Path) -> None:
    only(ground.settings, lambda backup: home_assistant(OWN_BACKUP, str(ground.source), str(backup), password=password))
    proof = await prove(ground.settings, scratch)
    assert proof.mismatches == ()
    assert proof.evidence["encrypted"] is bool(password)
    assert proof.evidence["states"] == STATES
    assert await adapter(ground.settings).verify("data", nobody)


async def test_a_wrong_or_missing_key_is_told_apart(ground: TheGround, scratch: Path, tmp_path: Path) -> None:
    (copy,) = (await adapter(ground.settings).look()).copies
    await ground.seeds["wrong_password"]()
    cases: tuple[tuple[dict[str, object], Fault], ...] = (
        ({}, Fault.WRONG_PASSWORD),
        ({"password_file": None}, Fault.NOT_CONFIGURED),
        ({"password_file": tmp_path / "nothing"}, Fault.PASSWORD_UNREADABLE),
    )
    for change, fault in cases:
        with pytest.raises(BackupError) as raised:
            await adapter(ground.settings.model_copy(update=change)).prove(copy, scratch, nobody)
        assert raised.value.fault is fault
        assert nothing_left(scratch)


async def test_a_key_that_was_changed_shows_at_once_and_encrypts_nothing(ground: TheGround) -> None:
    await ground.seeds["wrong_password"]()
    for act in (adapter(ground.settings).look(), adapter(ground.settings).back_up(nobody)):
        with pytest.raises(BackupError) as raised:
            await act
        assert raised.value.fault is Fault.WRONG_PASSWORD
    (warning,) = (await adapter(ground.settings.model_copy(update={"password_file": None})).look()).warnings
    assert "no key" in warning


async def test_flipped_bytes_are_found_with_a_manifest_and_without(ground: TheGround, scratch: Path) -> None:
    flip(ground.newest(), ground.newest().stat().st_size // 2)
    with pytest.raises(BackupError) as raised:
        await adapter(ground.settings).verify("data", nobody)
    assert raised.value.fault is Fault.DAMAGED
    ground.newest().with_name(ground.newest().name + MANIFEST).unlink()
    with pytest.raises(BackupError) as raised:
        await prove(ground.settings, scratch)
    assert raised.value.fault.refutes
    assert nothing_left(scratch)


@pytest.mark.parametrize("manifest", [True, False])
async def test_a_backup_that_was_cut_off_is_no_backup(manifest: bool, ground: TheGround) -> None:
    cut(ground.newest())
    if not manifest:
        ground.newest().with_name(ground.newest().name + MANIFEST).unlink()
        os.utime(ground.newest(), (time.time() - 2 * STILL_WRITTEN_S,) * 2)
    levels: tuple[Literal["metadata", "data"], ...] = ("metadata", "data")
    for level in levels:
        with pytest.raises(BackupError) as raised:
            await adapter(ground.settings).verify(level, nobody)
        assert raised.value.fault is Fault.TRUNCATED
    with pytest.raises(BackupError) as raised:
        await adapter(ground.settings).look()
    assert raised.value.fault is Fault.TRUNCATED


async def test_an_archive_that_leads_out_of_its_folder_is_refused(ground: TheGround, scratch: Path) -> None:
    for name in ("../../outside", "data/../../../outside"):
        only(ground.settings, backup_of(GOOD | {name: b"touched"}))
        with pytest.raises(BackupError) as raised:
            await prove(ground.settings, scratch)
        assert raised.value.fault is Fault.NONSENSE
        assert not list(ground.folder.rglob("outside"))
    link = tarfile.TarInfo("data/link")
    link.type, link.linkname = tarfile.SYMTYPE, str(ground.folder)
    only(ground.settings, backup_of(GOOD, extra=(link,)))
    assert (await prove(ground.settings, scratch)).mismatches == ()


async def test_an_archive_that_unpacks_to_far_more_than_it_is_is_given_up(ground: TheGround, scratch: Path) -> None:
    only(ground.settings, backup_of(GOOD | {"data/bomb": bytes(50_000_000)}))
    with pytest.raises(BackupError) as raised:
        await prove(ground.settings, scratch)
    assert raised.value.fault is Fault.NONSENSE
    assert nothing_left(scratch)


async def test_what_is_wrong_inside_is_named(ground: TheGround, scratch: Path) -> None:
    database = (ground.source / "home-assistant_v2.db").read_bytes()
    cases: tuple[tuple[dict[str, bytes], dict[str, object], str], ...] = (
        ({"data/automations.yaml": b"[]"}, {}, "configuration.yaml is not in it"),
        (GOOD | {"data/.storage/auth": b"{"}, {}, ".storage/auth is no JSON"),
        (GOOD | {"data/home-assistant_v2.db": b"x" * 5000}, {}, "its database cannot be read: file is not a database"),
        (GOOD | {"data/home-assistant_v2.db": database[:8192]}, {}, "its database"),
        (GOOD, {"addons": [{"slug": "core_mosquitto"}]}, "the archive core_mosquitto is missing"),
    )
    for files, said, expected in cases:
        only(ground.settings, backup_of(files, said=said))
        (mismatch, *_) = (await prove(ground.settings, scratch)).mismatches
        assert mismatch.startswith(expected)


async def test_a_tar_of_something_else_is_no_backup(ground: TheGround, scratch: Path) -> None:
    def write(backup: Path) -> None:
        with tarfile.open(backup, "w") as tar:
            tar.add(ground.source / "configuration.yaml", "configuration.yaml")

    only(ground.settings, write)
    with pytest.raises(BackupError) as raised:
        await prove(ground.settings, scratch)
    assert raised.value.fault is Fault.DAMAGED


async def test_without_paths_home_assistant_makes_its_own(ground: TheGround) -> None:
    with pytest.raises(BackupError) as raised:
        await adapter(ground.settings.model_copy(update={"paths": ()})).back_up(nobody)
    assert raised.value.fault is Fault.NOT_CONFIGURED


async def test_a_database_that_cannot_be_read_is_left_out_and_counted(ground: TheGround, scratch: Path) -> None:
    await ground.seeds["sources_unread"]()
    copy = await adapter(ground.settings).back_up(nobody)
    assert copy.unread == 1
    proof = await adapter(ground.settings).prove(copy, scratch, nobody)
    assert proof.evidence["states"] is None


async def test_a_database_is_copied_whole_while_it_is_written_to(tmp_path: Path, scratch: Path) -> None:
    """What is committed stands in the log, which is not in the backup: the copy has to have it."""
    ground = TheGround(tmp_path)
    ground.place.mkdir()
    ground.key.write_text(KEY)
    configure(ground.source)
    with closing(sqlite3.connect(ground.source / "home-assistant_v2.db", isolation_level=None)) as database:
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("INSERT INTO states (state) VALUES ('committed')")
        database.execute("BEGIN")
        database.execute("INSERT INTO states (state) VALUES ('not committed')")
        await ground.back_up()
        database.execute("ROLLBACK")
    assert (await prove(ground.settings, scratch)).evidence["states"] == STATES + 1
