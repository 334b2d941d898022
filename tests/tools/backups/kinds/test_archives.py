"""Archives of somebody else: unpacked where they belong, or refused."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds.archives import Unpacking, clean, names_in, read_through, unpack
from tools.backups.port import BackupError, Fault

LIMIT = 1_000_000
KINDS = pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2"])


def archive(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in files.items():
                packed.writestr(name, content)
        return path
    with tarfile.open(path, f"w:{path.suffix[1:] if path.suffix != '.tar' else ''}") as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def never() -> bool:
    return False


READERS: tuple[Callable[[Path, Path], list[str]], ...] = (
    lambda packed, out: unpack(packed, out, Unpacking(LIMIT)),
    lambda packed, out: read_through(packed, Unpacking(LIMIT), never),
)


@KINDS
def test_files_come_out_as_they_went_in_and_only_those_wanted(suffix: str, tmp_path: Path) -> None:
    packed = archive(tmp_path / f"a{suffix}", {"./one/x": b"1", "two/y": b"2" * 5000, "three": b""})
    assert sorted(names_in(packed)) == sorted(read_through(packed, Unpacking(LIMIT), never))
    assert unpack(packed, tmp_path / "out", Unpacking(LIMIT), lambda name: name != "three") == ["one/x", "two/y"]
    assert (tmp_path / "out" / "two" / "y").read_bytes() == b"2" * 5000
    assert not (tmp_path / "out" / "three").exists()


@KINDS
@pytest.mark.parametrize("name", ["../outside", "x/../../outside", "/../outside"])
def test_what_leads_out_of_the_folder_is_refused(suffix: str, name: str, tmp_path: Path) -> None:
    packed = archive(tmp_path / f"a{suffix}", {name: b"1"})
    with pytest.raises(BackupError) as raised:
        unpack(packed, tmp_path / "folder" / "out", Unpacking(LIMIT))
    assert raised.value.fault is Fault.NONSENSE
    assert not list(tmp_path.rglob("outside"))


@KINDS
def test_more_than_was_agreed_on_is_given_up(suffix: str, tmp_path: Path) -> None:
    packed = archive(tmp_path / f"a{suffix}", {"bomb": bytes(LIMIT + 1)})
    for reads in READERS:
        with pytest.raises(BackupError) as raised:
            reads(packed, tmp_path / "out")
        assert raised.value.fault is Fault.NONSENSE


@KINDS
def test_no_part_of_an_archive_passes_for_all_of_it(suffix: str, tmp_path: Path) -> None:
    whole = archive(tmp_path / f"a{suffix}", {"x": bytes(range(256)) * 20, "y": b"2"}).read_bytes()
    end = len(whole) if suffix != ".tar" else len(whole.rstrip(b"\0"))  # zeroes pad a tar
    for size in range(0, end, max(end // 40, 1)):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(whole[:size])
        with pytest.raises(BackupError) as raised:
            read_through(cut, Unpacking(LIMIT), never)
        assert raised.value.fault in {Fault.TRUNCATED, Fault.DAMAGED}


def test_a_flipped_byte_behind_the_last_file_of_a_packed_tar_is_found(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a.tar.gz", {"x": b"1"})
    content = bytearray(packed.read_bytes())
    content[-6] ^= 0xFF  # of gzip's own checksum
    packed.write_bytes(content)
    for reads in READERS:
        with pytest.raises(BackupError) as raised:
            reads(packed, tmp_path / "out")
        assert raised.value.fault is Fault.DAMAGED


def test_links_and_devices_are_left_out_and_hard_links_are_files(tmp_path: Path) -> None:
    entries = {
        "away": (tarfile.SYMTYPE, "/etc/passwd"),
        "again": (tarfile.LNKTYPE, "x"),
        "pipe": (tarfile.FIFOTYPE, ""),
    }
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        first = tarfile.TarInfo("x")
        first.size = 4
        tar.addfile(first, io.BytesIO(b"milk"))
        for name, (kind, target) in entries.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            tar.addfile(entry)
    assert unpack(tmp_path / "a.tar", tmp_path / "out", Unpacking(LIMIT)) == ["x", "again"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["again", "x"]
    assert (tmp_path / "out" / "again").read_bytes() == b"milk"


def test_a_file_behind_a_link_lands_in_the_folder_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("inner")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "elsewhere")
        tar.addfile(link)
        behind = tarfile.TarInfo("inner/x")
        behind.size = 1
        tar.addfile(behind, io.BytesIO(b"1"))
    assert unpack(tmp_path / "a.tar", tmp_path / "out", Unpacking(LIMIT)) == ["inner/x"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_packing_that_python_does_not_know_says_nothing_against_the_archive(tmp_path: Path) -> None:
    (tmp_path / "a.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    with pytest.raises(BackupError) as raised:
        names_in(tmp_path / "a.tar.zst")
    assert raised.value.fault is Fault.NOT_INSTALLED


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {"x": b"1"}).read_bytes()
    assert names_in(archive(tmp_path / "a.tar", {"gitea-repo.zip": inner})) == ["gitea-repo.zip"]


@given(st.text())
def test_no_name_leads_out(name: str) -> None:
    found = clean(name)
    assert found is None or (not found.startswith("/") and ".." not in found.split("/"))
