"""Data files out of registry wheels.

A wheel is downloaded by name, version and hash with ``pip download`` and only ever opened as a zip archive: it is not
installed, nothing in it is imported, and only the members that the manifest names are read.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from assistant.models.children import SourceError, run_watched
from assistant.models.manifest import Part, Wheel
from assistant.models.store import sha256_of

_BLOCK = 1 << 20
_PIP = (
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--require-hashes",
    "--no-cache-dir",  # gigabytes that nobody would read again
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--quiet",
    "--retries=2",
)


class WheelHouse:
    """The wheels of one pull, in a folder of their own; each is fetched once and dropped after its last use."""

    def __init__(self, folder: Path, pinned: Mapping[str, Wheel], uses: Counter[str]) -> None:
        self._folder = folder
        self._pinned = pinned
        self._uses = uses

    def fetch(self, name: str, on_bytes: Callable[[int], None]) -> Path:
        """The wheel's path, its hash checked; ``on_bytes`` is told its bytes. Raises SourceError."""
        wheel = self._pinned[name]
        kept = self._folder / f"{name}-{wheel.version}.whl"
        if kept.exists():
            if sha256_of(kept) == wheel.sha256:
                return kept
            kept.unlink()
        downloaded = self._download(name, wheel, on_bytes)
        digest = sha256_of(downloaded)
        if digest != wheel.sha256:
            downloaded.unlink()
            raise SourceError(f"the wheel {name} {wheel.version} has SHA-256 {digest}, expected {wheel.sha256}")
        downloaded.replace(kept)
        return kept

    def used(self, name: str) -> None:
        """One part has been taken out of it."""
        self._uses[name] -= 1
        if self._uses[name] <= 0:
            (self._folder / f"{name}-{self._pinned[name].version}.whl").unlink(missing_ok=True)

    def clear(self) -> None:
        """Drop all; nothing is wanted any more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _download(self, name: str, wheel: Wheel, on_bytes: Callable[[int], None]) -> Path:
        work = self._folder / "incoming"
        shutil.rmtree(work, ignore_errors=True)
        temporary = work / "tmp"  # pip downloads into its TMPDIR first: there its progress can be seen
        temporary.mkdir(parents=True)
        requirement = work / "requirement.txt"
        requirement.write_text(f"{name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="ascii")
        ended = run_watched(
            [sys.executable, "-P", "-m", "pip", *_PIP, "--dest", str(work / "dest"), "-r", str(requirement)],
            {**os.environ, "TMPDIR": str(temporary)},
            temporary,
            lambda done: on_bytes(min(done, wheel.size)),
        )
        wheels = list((work / "dest").glob("*.whl"))
        if ended.code != 0 or len(wheels) != 1:
            raise SourceError(_why(f"{name} {wheel.version}", ended.output))
        return wheels[0]


def _why(what: str, output: str) -> str:
    """The one thing a person wants to know of pip's output."""
    if "DO NOT MATCH THE HASHES" in output:
        words = ("Expected sha256", "Got")
        expected, got = (re.search(rf"{word}\s+([0-9a-f]{{64}})", output) for word in words)
        facts = f": expected {expected[1]}, got {got[1]}" if expected and got else ""
        return f"the wheel {what} has the wrong SHA-256{facts}"
    if "Retrying (" in output:
        return "it cannot be reached"
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1] if errors else (output.strip().splitlines() or ["no reason given"])[-1]
    return f"pip could not get {what}: {last}"


def extract(wheel: Path, part: Part, out: BinaryIO) -> None:
    """Append one member to ``out``, never more than ``part.size`` bytes; on failure ``out`` is as it was.

    Raises SourceError when the member is missing, is not what the manifest says, or the archive is broken.
    """
    start = out.tell()
    try:
        _copy_member(wheel, part, out)
    except SourceError:
        out.seek(start)
        out.truncate()
        raise


def _copy_member(wheel: Path, part: Part, out: BinaryIO) -> None:
    digest = hashlib.sha256()
    done = 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            while block := member.read(_BLOCK):
                done += len(block)
                if done > part.size:
                    raise SourceError(f"{part.member} in {part.wheel} is larger than {part.size} bytes")
                digest.update(block)
                out.write(block)
    except KeyError:
        raise SourceError(f"there is no {part.member} in the wheel {part.wheel}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"the wheel {part.wheel} cannot be read: {error}") from error
    if done != part.size or digest.hexdigest() != part.sha256:
        raise SourceError(
            f"{part.member} in {part.wheel}: SHA-256 expected {part.sha256}, got {digest.hexdigest()} ({done} bytes)"
        )
