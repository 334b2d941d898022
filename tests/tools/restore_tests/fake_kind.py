"""A kind of backup that stands in memory, and does what a test wants of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from tools.backups.kinds import ADAPTERS, Target
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Proof, Pruned, Verified
from tools.backups.records import BackupRecords
from tools.restore_tests import testing
from tools.settings import BackupSettings
from tools.store import Store


@dataclass
class World:
    """Sources below ``source``, and copies of them. ``faults``: by method; ``came``: what a restore gives instead of
    the content, by name, or does instead of writing the file; ``proof``: makes it a kind that proves itself."""

    folder: Path
    copies: list[Copy] = field(default_factory=list)
    content: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: dict[str, BackupError | OSError] = field(default_factory=dict)
    came: dict[str, bytes | Callable[[Path], None]] = field(default_factory=dict)
    restored: list[list[str]] = field(default_factory=list)
    scratches: list[Path] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event | None = None
    listing: asyncio.Event | None = None
    proof: Proof | None = None
    takes: int = 1000
    most_at_once: int = 0
    looks: int = 0

    @property
    def source(self) -> Path:
        return self.folder / "source"

    def back_up(self, *, later_s: float = 60.0, **fields: object) -> Copy:
        """As if begun a minute from now: so that what a test writes meanwhile is older than the copy."""
        files = {str(path): path.read_bytes() for path in sorted(self.source.rglob("*")) if path.is_file()}
        copy = Copy(id=f"copy-{len(self.copies)}", at=time.time() + later_s, paths=(str(self.source),), **fields)  # type: ignore[arg-type]
        self.copies.append(copy)
        self.content[copy.id] = files
        return copy

    def raise_in(self, method: str) -> None:
        if method in self.faults:
            raise self.faults[method]


class FakeKind:
    kind: ClassVar[str] = "command"
    worlds: ClassVar[dict[str, World]] = {}

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown
        self.world = self.worlds[target.repository]

    async def look(self) -> Found:
        self.world.looks += 1
        self.world.raise_in("look")
        return Found(copies=tuple(self.world.copies))

    async def back_up(self, progress: Progress) -> Copy:
        return self.world.back_up()

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        return Verified(level=level)

    async def prune(self, progress: Progress) -> Pruned:
        return Pruned()


class FakeFiles(FakeKind):
    async def entries(self, copy: Copy) -> Sequence[Entry]:
        self.world.raise_in("entries")
        if copy.id not in self.world.content:
            raise BackupError(Fault.DAMAGED, "there is no such copy")
        return [Entry(path, len(content)) for path, content in self.world.content[copy.id].items()]

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        self.world.restored.append([entry.path for entry in entries])
        self.world.scratches.append(scratch)
        for number, entry in enumerate(entries):
            progress(number / len(entries), "restoring")
            content = self.world.came.get(Path(entry.path).name, self.world.content[copy.id][entry.path])
            path = scratch / entry.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content(path)
        there = sum(path.stat().st_size for path in scratch.parents[1].rglob("*") if path.is_file())
        self.world.most_at_once = max(self.world.most_at_once, there)
        self.world.reached.set()
        if self.world.held is not None:
            await self.world.held.wait()
        self.world.raise_in("restore")

    def source(self, entry: Entry) -> Path | None:
        return Path(entry.path)


class FakeFilesAhead(FakeFiles):
    """Restores all of a copy without being told what is in it; waits for ``listing`` where it is given."""

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        if self.world.listing is not None:
            await self.world.listing.wait()
        return await super().entries(copy)

    async def restore_unverified(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        await self.restore(copy, entries, scratch, progress)

    async def restore_all(self, copy: Copy, scratch: Path, progress: Progress) -> None:
        await self.restore(copy, await super().entries(copy), scratch, progress)
        if self.world.listing is not None:
            self.world.listing.set()


class FakeApplication(FakeKind):
    async def size(self, copy: Copy) -> int:
        return self.world.takes

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        self.world.scratches.append(scratch)
        self.world.raise_in("prove")
        progress(-1.0, "loading")
        assert self.world.proof is not None
        return self.world.proof


@dataclass
class House:
    """One job, "photos", over its world; its records, and a scratch folder of a hundred megabytes."""

    folder: Path
    records: BackupRecords
    world: World
    monkeypatch: pytest.MonkeyPatch
    progress: list[tuple[float, str]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def settings(self, **more: object) -> BackupSettings:
        return BackupSettings.model_validate(
            {"kind": "command", "repository": str(self.world.folder), "paths": [str(self.world.source)], **more}
        )

    async def test(self, *, seed: int = 1, max_bytes: int = 100_000_000, whole: bool = False) -> testing.TestReport:
        if self.world.proof is not None or "prove" in self.world.faults:
            self.use("FakeApplication")
        return await testing.test_restore(
            "photos",
            self.settings(),
            self.records,
            self.state,
            seed=seed,
            max_bytes=max_bytes,
            progress=lambda share, doing: self.progress.append((share, doing)),
            whole=whole,
        )

    def use(self, name: str) -> None:
        self.monkeypatch.setitem(ADAPTERS, "command", f"{__name__}:{name}")

    def write(self, **files: bytes) -> None:
        for name, content in files.items():
            (self.world.source / name).write_bytes(content)

    def left_behind(self) -> list[Path]:
        scratch = self.state / "scratch"
        return list(scratch.iterdir()) if scratch.exists() else []


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    world = World(tmp_path / "world")
    world.source.mkdir(parents=True)
    (tmp_path / "state").mkdir()
    monkeypatch.setitem(FakeKind.worlds, str(world.folder), world)
    with Store(tmp_path / "jarvis.db") as store:
        made = House(tmp_path, BackupRecords(store), world, monkeypatch)
        made.use("FakeFiles")
        yield made
