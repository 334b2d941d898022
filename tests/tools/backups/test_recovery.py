"""Recovery notes: what stands in them, what must not, and where they are not written."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.recovery import ExportError, export_notes, markdown
from tools.settings import BackupKind, BackupSettings, DatabaseSettings, DestinationSettings

KINDS = get_args(BackupKind)
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=30)


def blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_that_says_where_and_with_which_secret(kind: BackupKind) -> None:
    settings = BackupSettings(
        kind=kind,
        repository="/mnt/nas/it",
        password_file=Path("/etc/it.password"),
        paths=("/srv/it",),
        database=DatabaseSettings(name="shop", password_file=Path("/etc/db.password")),
        medium="nas",
    )
    page = markdown("it", settings)
    assert page.startswith("# Recovery: it\n")
    assert "`/mnt/nas/it`, on the NAS" in page
    assert "`/etc/it.password`" in page
    assert "`/etc/db.password`" in page
    assert "**After a dead NAS.** None of these backups is left. The original is not on the NAS, and stays." in page
    assert bool(blocks(page)) == (kind not in ("report", "command"))


@given(st.sampled_from(KINDS), TEXTS, TEXTS, st.lists(TEXTS, max_size=2), st.booleans())
def test_whatever_the_configuration_holds_the_commands_are_whole_words_of_sh(
    kind: BackupKind, job: str, path: str, tags: list[str], remote: bool
) -> None:
    settings = BackupSettings(
        kind=kind,
        repository=f"me@nas:/{path}" if remote else f"/mnt/{path}",
        password_file=Path("/etc") / path.replace("/", "-"),
        paths=(f"/srv/{path}",),
        tags=tuple(tags),
        database=DatabaseSettings(name=path),
    )
    for block in blocks(markdown(job, settings)):
        checked = subprocess.run(["sh", "-n"], input=block.encode(), capture_output=True, check=False)
        assert checked.returncode == 0, f"{block}\n{checked.stderr.decode()}"


def test_nothing_in_a_name_is_run_when_the_notes_are_followed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for evil in (
        f"$(touch {trap})",
        f"`touch {trap}`",
        f"'; touch {trap}; '",
        f'"; touch {trap}; "',
        f"}}; touch {trap} #",
    ):
        for kind in KINDS:
            settings = BackupSettings(
                kind=kind,
                repository=f"{tmp_path}/{evil}",
                paths=(f"/srv/{evil}",),
                tags=(evil,),
                host=evil,
                database=DatabaseSettings(name=evil, user=evil, host=evil),
            )
            for block in blocks(markdown("it", settings)):
                names_only = {"PATH": str(tmp_path / "nothing"), "TARGET": str(tmp_path / "target")}
                subprocess.run(
                    [shutil.which("sh") or "sh", "-c", block], env=names_only, capture_output=True, check=False
                )
    assert not trap.exists()


def test_a_password_in_the_address_is_not_printed_and_that_is_said() -> None:
    page = markdown("it", BackupSettings(kind="restic", repository="rest:http://me:hunter2@nas/it"))
    assert "hunter2" not in page
    assert "stands in jarvis.toml" in page


def test_each_destination_has_its_commands_and_what_survives_names_it() -> None:
    also = DestinationSettings(name="the stick", repository="/media/stick/it", medium="usb", offline=True, offsite=True)
    page = markdown("it", BackupSettings(kind="borg", repository="/mnt/nas/it", medium="nas", also=(also,)))
    assert "## Get it back\n" in page
    assert "## Get it back from the stick\n" in page
    assert "export BORG_REPO=/media/stick/it" in page
    assert "**After a fire.** What is left of the backups: it on the stick." in page


def jobs(place: Path, mount: Path | None = None) -> dict[str, BackupSettings]:
    return {"it": BackupSettings(kind="restic", repository=str(place), mount=mount)}


def test_notes_are_written_whole_and_again(tmp_path: Path) -> None:
    folder = tmp_path / "a stick" / "notes"
    (made,) = export_notes({"home assistant": "one"}, jobs(tmp_path / "nas"), folder)
    assert made.name == "recovery-home-assistant.md"
    export_notes({"home assistant": "two"}, jobs(tmp_path / "nas"), folder)
    assert made.read_text() == "two"
    assert list(folder.iterdir()) == [made]


def test_a_folder_where_a_backup_goes_is_refused_also_through_a_link(tmp_path: Path) -> None:
    place = tmp_path / "nas" / "restic"
    place.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "nas")
    for folder in (place, place / "notes", tmp_path / "link" / "restic" / "notes"):
        with pytest.raises(ExportError, match="would be gone with it"):
            export_notes({"it": "text"}, jobs(place), folder)
    with pytest.raises(ExportError, match="would be gone with it"):
        export_notes({"it": "text"}, jobs(place, mount=tmp_path / "nas"), tmp_path / "nas" / "other")
    assert not list(tmp_path.rglob("recovery-*"))
    assert list(place.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        export_notes({"it": "text"}, jobs(tmp_path / "nas"), tmp_path / "file" / "notes")
