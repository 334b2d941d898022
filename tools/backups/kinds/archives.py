"""Archives of somebody else, unpacked without trusting them: nothing outside of the folder, no links out of it, no
devices, and no more bytes or files than were agreed on, whatever the archive says of itself."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from tools.backups.kinds.dump_files import os_fault
from tools.backups.port import BackupError, Fault

FILES_LIMIT = 2_000_000
"""More than any Gitea of a household has; each is an inode of the scratch folder."""

BLOCK_BYTES = 1 << 20

FOREIGN = (".zst", ".lz4", ".sz", ".br")
"""Packings of tars that Python's library does not read."""

Wanted = Callable[[str], bool]
"""Of a name in the archive, with slashes: whether to unpack it."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """What reading an archive raises, as faults of the archive ``name``."""
    try:
        yield
    except (EOFError, tarfile.ReadError) as error:
        text = str(error).casefold()
        cut_off = isinstance(error, EOFError) or "unexpected end" in text or "empty" in text or "end-of-stream" in text
        if cut_off:
            raise BackupError(Fault.TRUNCATED, f"{name} is cut off") from error
        raise BackupError(Fault.DAMAGED, f"{name} is damaged") from error
    except tarfile.FilterError as error:
        raise BackupError(Fault.NONSENSE, f"{name} holds a file that would land outside of it") from error
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise BackupError(Fault.DAMAGED, f"{name} is damaged") from error
    except (NotImplementedError, RuntimeError) as error:  # zipfile: a method it has not, or a password
        raise BackupError(Fault.NOT_INSTALLED, f"{name} is packed in a way that cannot be read here") from error
    except ValueError as error:  # a header field that is no number, a name that is none
        raise BackupError(Fault.DAMAGED, f"{name} is damaged") from error
    except OSError as error:
        raise os_fault(error, f"{name} cannot be read") from error


class Unpacking:
    """How much may still be written, over all archives of one proof. Raises BackupError nonsense beyond it."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.files = 0

    def entry(self) -> None:
        self.files += 1
        if self.files > FILES_LIMIT:
            raise BackupError(Fault.NONSENSE, "it holds more files than can be")

    def count(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise BackupError(Fault.NONSENSE, "it unpacks to more than it may take")

    def write(self, source: IO[bytes], target: Path) -> int:
        """A file of the archive, counted as it is unpacked: what the archive says of its size is not believed."""
        written = 0
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:  # no link lies there, since none is unpacked
            while block := source.read(BLOCK_BYTES):
                written += len(block)
                self.count(len(block))
                file.write(block)
        return written


def unpack(archive: Path, folder: Path, unpacking: Unpacking, wanted: Wanted = lambda name: True) -> list[str]:
    """A zip or tar, packed or not, into ``folder``; the names of its regular files that were wanted.

    Raises BackupError: damaged, truncated, nonsense (out of the folder, or too much), denied, disk_full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with reading(archive.name):
        if is_zip(archive):
            return _unzip(archive, folder, unpacking, wanted)
        with open_tar(archive) as tar:
            return untar(tar, folder, unpacking, wanted)


def open_tar(archive: Path) -> tarfile.TarFile:
    """Packed or not. Raises BackupError not_installed for a packing that Python does not know."""
    if archive.suffix in FOREIGN:
        raise BackupError(Fault.NOT_INSTALLED, f"{archive.name} is packed in a way that cannot be read here")
    return tarfile.open(archive, "r:*")


def is_zip(archive: Path) -> bool:
    """By its beginning: a tar may well end in a zip. Raises BackupError for a zip without its end, OSError."""
    with archive.open("rb") as file:
        start = file.read(4)
    if start not in {b"PK\x03\x04", b"PK\x05\x06"}:
        if archive.suffix == ".zip":
            raise BackupError(Fault.DAMAGED if start else Fault.TRUNCATED, f"{archive.name} is no zip archive")
        return False
    if not zipfile.is_zipfile(archive):  # its list stands at its end
        raise BackupError(Fault.TRUNCATED, f"{archive.name} is cut off")
    return True


def read_through(archive: Path, unpacking: Unpacking, stopped: Callable[[], bool]) -> list[str]:
    """Every file to its end and against its checksum, where the format has one; the names of all. Writes nothing."""
    names: list[str] = []
    with reading(archive.name):
        for name, source in _contents(archive, unpacking):
            unpacking.entry()
            names.append(name)
            while block := source.read(BLOCK_BYTES):
                unpacking.count(len(block))
                if stopped():
                    raise BackupError(Fault.CANCELLED, "it was cancelled")
    return names


def names_in(archive: Path) -> list[str]:
    """What its list says it holds; of a packed tar, all of it is read for that."""
    with reading(archive.name):
        if is_zip(archive):
            with zipfile.ZipFile(archive) as packed:
                return [clean(name) or "" for name in packed.namelist()]
        with open_tar(archive) as tar:
            names = [clean(member.name) or "" for member in tar]
            to_the_end(tar, Unpacking(tarfile.RECORDSIZE))
            return names


def _contents(archive: Path, unpacking: Unpacking) -> Iterator[tuple[str, IO[bytes]]]:
    if is_zip(archive):
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                if not entry.is_dir():
                    with packed.open(entry) as source:
                        yield clean(entry.filename) or "", source
        return
    with open_tar(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                with content:
                    yield clean(member.name) or "", content
        to_the_end(tar, unpacking)


def untar(tar: tarfile.TarFile, folder: Path, unpacking: Unpacking, wanted: Wanted = lambda name: True) -> list[str]:
    """The files and folders of an open tar; of two with the same name, the later. Symbolic links and devices are left
    out, wherever they lead: a proof reads files. Raises BackupError nonsense, and what ``reading`` knows."""
    names: dict[str, None] = {}
    for member in tar:
        unpacking.entry()
        if not (member.isreg() or member.isdir() or member.islnk()):
            continue
        checked = tarfile.data_filter(member, str(folder))
        name = clean(checked.name)
        if name is None:
            raise BackupError(Fault.NONSENSE, "it holds a file that would land outside of it")
        if not name or not wanted(name):
            continue
        target = folder / name
        if checked.isdir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            _untar_file(tar, member, target, unpacking)
            names[name] = None
    to_the_end(tar, unpacking)
    return list(names)


def to_the_end(tar: tarfile.TarFile, unpacking: Unpacking) -> None:
    """Read on behind the last file of a tar that was gone through: what packs it has its checksum at its end, and one
    that is not packed ends in a block of zeroes. tarfile asks for neither. Raises BackupError truncated, and what
    ``reading`` knows."""
    rest = tar.fileobj
    if not isinstance(rest, gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile):
        rest.seek(tar.offset)
        if rest.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise BackupError(Fault.TRUNCATED, "an archive is cut off")
    while block := rest.read(BLOCK_BYTES):
        unpacking.count(len(block))


def _untar_file(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, unpacking: Unpacking) -> None:
    try:
        source = tar.extractfile(member)  # of a hard link: what it links to, in the archive
    except KeyError as error:
        raise BackupError(Fault.DAMAGED, f"{member.name} in it has no contents") from error
    assert source is not None  # noqa: S101 - a regular file has contents
    with source:
        written = unpacking.write(source, target)
    if member.isreg() and written != member.size:
        raise BackupError(Fault.TRUNCATED, f"{member.name} in it is cut off")


def _unzip(archive: Path, folder: Path, unpacking: Unpacking, wanted: Wanted) -> list[str]:
    names: list[str] = []
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            unpacking.entry()
            name = clean(entry.filename)
            if name is None:
                raise BackupError(Fault.NONSENSE, f"{archive.name} holds a file that would land outside of it")
            if not name or not wanted(name):
                continue
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir():
                (folder / name).mkdir(parents=True, exist_ok=True)
            elif kind in {0, stat.S_IFREG}:
                with packed.open(entry) as source:
                    unpacking.write(source, folder / name)
                names.append(name)
    return names


def clean(name: str) -> str | None:
    """A name of an archive without "./" and slashes around it; None where it leads out."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        return None
    return str(path) if path.parts else ""
