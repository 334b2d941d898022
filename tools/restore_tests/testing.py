"""A restore test of one job: its newest complete copy into scratch, compared or proven, and entered into the ledger.

    look → choose → room? → restore into scratch → compare byte by byte, or have the application check it → enter

What says that the backup cannot be restored is entered as failed. What kept the test from being made (a lock, a disk
that is not plugged in, a program that is missing, no room in scratch) is entered as not made: it proves nothing, and is
no failure of the backup.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tools.backups.kinds import Target, make, targets
from tools.backups.kinds.target import room
from tools.backups.port import (
    BackupError,
    Copy,
    Entry,
    Fault,
    Found,
    Kind,
    Level,
    Progress,
    ProvesItself,
    RestoresAll,
    RestoresFiles,
)
from tools.backups.records import BackupRecords
from tools.contract import JsonObject
from tools.restore_tests.comparing import Comparison
from tools.restore_tests.restoring import Ahead, restore_and_compare, restored_ahead
from tools.restore_tests.sampling import (
    FILE_OVERHEAD_BYTES,
    WHOLE_BYTES,
    WHOLE_FILES,
    Sample,
    batches,
    choose,
    coverage,
)
from tools.restore_tests.scratch import ScratchError, in_loop, named_folder, scratch_folder
from tools.settings import BackupSettings
from tools.wording import counted, number, sentence

YEAR_S = 365.25 * 86400
"""A file that was restored longer ago counts as never restored."""

MARGIN_SHARE, MARGIN_BYTES = 0.05, 2**30
"""Left free on the file system of the scratch folder: that share of it, at most so many bytes."""

LOOK_AGE_S = 900.0
"""A look that is younger is believed, as for the verdict; where the restore then goes wrong, another one is made."""

NO_MATTER_WHICH_COPY = frozenset({Fault.NOT_INSTALLED, Fault.DISK_FULL, Fault.TIMED_OUT, Fault.CANCELLED})
"""Faults that another look does not mend."""

MAX_BATCHES = 200
"""Each starts the backup's program anew."""

EXAMPLES = 5
"""Mismatches that the record names."""


@dataclass(frozen=True, slots=True)
class TestReport:
    """``ran``: False where the test could not be made; ``spoken``: one or two sentences; ``record``: the entry."""

    __test__ = False  # no test of pytest's

    ok: bool
    ran: bool
    spoken: str
    record: JsonObject


@dataclass(slots=True)
class _Outcome:
    """What the ledger will say, as it becomes known."""

    level: Level = "none"
    of: str = ""
    restored: int = 0
    compared: int = 0
    coverage: float = 0.0
    mismatches: list[str] = field(default_factory=list)
    more: JsonObject = field(default_factory=dict)


class _NotMadeError(Exception):
    """The test could not be made; the text says why, a clause for people."""


class _FailedError(Exception):
    """The backup cannot be restored; the text says why, a clause for people."""


async def test_restore(
    job: str,
    settings: BackupSettings,
    records: BackupRecords,
    scratch_parent: Path,
    *,
    seed: int,
    max_bytes: int,
    progress: Progress,
    whole: bool = False,  # noqa: PT028 - no test of pytest's
    target: Target | None = None,  # noqa: PT028 - no test of pytest's
    exercise: str = "",  # noqa: PT028 - no test of pytest's
) -> TestReport:
    """Make the test and enter what came of it. Raises StoreError; cancelled, it enters nothing and cleans up.

    ``scratch_parent``: existing folder that may take ``max_bytes``; ``seed``: of the sample; ``whole``: all files, not
    a sample; ``target``: another destination than the main one; ``exercise``: of the calendar, for the record; the
    tester's own test, if it is due, comes before it.
    """
    if exercise:
        from tools.restore_tests.canary import prove_tester  # which makes restore tests itself

        await prove_tester(records, [settings.kind], scratch_parent, progress=lambda _share, _doing: None)
    place = target if target is not None else targets(settings)[0]
    test = _Test(job, settings, records, scratch_parent, place, seed, max_bytes, whole, progress)
    at, began = time.time(), time.monotonic()
    wrong, fault, ran = "", None, True
    try:
        await test.make()
        wrong = test.outcome.mismatches[0] if test.outcome.mismatches else ""
    except _FailedError as error:
        wrong = str(error)
    except BackupError as error:
        wrong, fault, ran = error.reason, error.fault, error.fault.refutes
    except _NotMadeError as error:
        wrong, ran = str(error), False
    except ScratchError as error:
        wrong, ran = str(error), False
    except OSError as error:  # of the scratch folder: the backup itself is read by its program
        wrong, ran = f"the scratch folder cannot be used: {error.strerror or type(error).__name__}", False
    ok = ran and not wrong
    record = test.record() | {
        "exercise": exercise or None,
        "first_error": wrong or None,
        "fault": fault.value if fault else None,
        "duration_s": round(time.monotonic() - began, 2),
    }
    await asyncio.to_thread(records.add_restore_test, job, settings.kind, at, ok=ok, ran=ran, record=record)
    spoken = _say(job, test.outcome, wrong, ran=ran)
    return TestReport(ok, ran, spoken, {**record, "at": at, "ok": ok, "ran": ran})


test_restore.__test__ = False  # type: ignore[attr-defined]


@dataclass(slots=True)
class _Test:
    """One test while it is made."""

    job: str
    settings: BackupSettings
    records: BackupRecords
    scratch_parent: Path
    target: Target
    seed: int
    max_bytes: int
    whole: bool
    progress: Progress
    copy: Copy | None = None
    sample: Sample | None = None
    outcome: _Outcome = field(default_factory=_Outcome)

    async def make(self) -> None:
        """Raises BackupError, ScratchError, OSError, _NotMadeError, _FailedError."""
        kind = make(self.settings, self.target)
        if not isinstance(kind, ProvesItself | RestoresFiles):
            raise _NotMadeError("nothing of its kind can be restored from here")
        self.progress(0.0, "looking for the newest backup")
        known = await asyncio.to_thread(self._known)
        if known is not None:
            try:
                await self._make_of(kind, known)
            except BackupError as error:  # perhaps it is no longer as it was when somebody last looked
                if error.fault in NO_MATTER_WHICH_COPY:
                    raise
                self.sample, self.outcome = None, _Outcome()
            else:
                return
        await self._make_of(kind, await self._newest(kind))

    async def _make_of(self, kind: Kind, copy: Copy) -> None:
        self.copy = copy
        sources = [*self.settings.paths, *copy.paths, str(self.target.folder or "")]
        folder = scratch_folder(self.scratch_parent, filter(None, sources), self.settings.exclude)
        async with in_loop(folder) as scratch:
            limit = await self._limit(scratch)
            if isinstance(kind, ProvesItself):
                await self._prove(kind, copy, scratch, limit)
            elif isinstance(kind, RestoresFiles):
                await self._restore(kind, copy, scratch, limit)
            self.progress(1.0, "cleaning up")

    def _known(self) -> Copy | None:
        """The newest complete copy that a look of the last minutes found; None where there was none, it found nothing,
        or a backup was run since. Blocks."""
        look = self.records.look(self.job, self.target.name)
        if look is None or look.found is None or look.fault is not None or not 0 <= time.time() - look.at < LOOK_AGE_S:
            return None
        run = self.records.last_run(self.job, self.target.name)
        if run is not None and run.ended >= look.at:
            return None
        return _newest_of(look.found)

    async def _newest(self, kind: Kind) -> Copy:
        at = time.time()
        try:
            found = await kind.look()
        except BackupError as error:
            await asyncio.to_thread(self.records.keep_look, self.job, self.target.name, at, None, error)
            raise
        await asyncio.to_thread(self.records.keep_look, self.job, self.target.name, at, found, None)
        newest = _newest_of(found)
        if newest is None:
            raise _FailedError("there is no complete backup to restore" if found.copies else "there is no backup")
        return newest

    async def _limit(self, scratch: Path) -> int:
        """Bytes that the test may write."""
        free, total = await room(scratch)
        if free is None or total is None:
            raise _NotMadeError("nobody can tell how much room the scratch folder has")
        return min(self.max_bytes, free - int(min(total * MARGIN_SHARE, MARGIN_BYTES)))

    async def _prove(self, kind: ProvesItself, copy: Copy, scratch: Path, limit: int) -> None:
        needed = await kind.size(copy)
        if needed > limit:
            raise _NotMadeError(f"it takes {_size(needed)}, and the scratch folder has {_size(max(limit, 0))} for it")
        proof = await kind.prove(copy, scratch, lambda share, doing: self.progress(_part(share, 0.05, 0.95), doing))
        if not proof.checked and not proof.mismatches:
            raise _FailedError("nothing of it could be checked")
        self.outcome = _Outcome(
            proof.level,
            proof.said,
            restored=proof.checked,
            coverage=min(proof.checked / proof.of, 1.0) if proof.of else 1.0,
            mismatches=list(proof.mismatches),
            more={"checked": proof.checked, "of": proof.of, "said": proof.said, "evidence": proof.evidence},
        )

    async def _restore(self, kind: RestoresFiles, copy: Copy, scratch: Path, limit: int) -> None:
        async with AsyncExitStack() as stack:
            ahead = None
            if isinstance(kind, RestoresAll) and self._fits(copy, limit):
                ahead = await stack.enter_async_context(
                    restored_ahead(kind, copy, scratch, self._progress_of(0.0, 1.0))
                )
            entries = await kind.entries(copy)
            if not entries:
                raise _FailedError("the backup holds no file")
            before = await asyncio.to_thread(self.records.restored_at, self.job)
            sample = await asyncio.to_thread(
                choose, entries, before, seed=self.seed, max_bytes=max(limit, 0), whole=self.whole
            )
            if not sample.entries:
                raise _NotMadeError(f"its smallest file does not fit the {_size(max(limit, 0))} of the scratch folder")
            self.sample = sample
            if ahead and len(sample.entries) < len({entry.path for entry in entries}):
                await stack.aclose()  # the list says otherwise than the copy's size did
                ahead = None
            comparison = await self._in_batches(kind, copy, sample, scratch, limit, ahead)
            await self._enter(entries, before, sample, comparison)

    def _fits(self, copy: Copy, limit: int) -> bool:
        """Whether all of it will be restored and compared, as far as can be told before its files are listed."""
        if copy.size is None or not copy.here:
            return False
        files = copy.files if copy.files is not None else WHOLE_FILES
        small = copy.size <= WHOLE_BYTES and files <= WHOLE_FILES
        return small and copy.size + files * FILE_OVERHEAD_BYTES <= limit

    async def _enter(
        self, entries: Sequence[Entry], before: Mapping[str, float], sample: Sample, comparison: Comparison
    ) -> None:
        """What came back goes into the ledger of files, and all that was seen into the outcome."""
        at = time.time()
        good = [entry.path for entry in sample.entries if entry.path not in comparison.mismatches]
        # What came back wrong is not entered, so that the next sample has it again.
        await asyncio.to_thread(self.records.add_restored, self.job, at, [(path, True) for path in good])
        known = {**before} | dict.fromkeys(good, at)
        self.outcome = _Outcome(
            "restored" if comparison.restored else "none",
            counted(comparison.restored, "file"),
            restored=comparison.restored,
            compared=comparison.compared,
            coverage=await asyncio.to_thread(coverage, entries, known, since=at - YEAR_S),
            mismatches=list(comparison.mismatches.values()),
        )

    async def _in_batches(
        self, kind: RestoresFiles, copy: Copy, sample: Sample, scratch: Path, limit: int, ahead: Ahead | None
    ) -> Comparison:
        """One after another, each gone before the next one comes: all of a copy is larger than most scratch folders."""
        parts = batches(sample.entries, limit)
        if len(parts) > MAX_BATCHES:
            raise _NotMadeError(f"the {_size(limit)} of the scratch folder are too little for it")
        found = Comparison()
        done = 0
        for count, batch in enumerate(parts):
            progress = self._progress_of(done / len(sample.entries), (done + len(batch)) / len(sample.entries))
            async with in_loop(named_folder(scratch, f"batch-{count}")) as folder:
                part = await restore_and_compare(
                    kind, copy, batch, folder, progress, ahead if len(parts) == 1 else None
                )
            found.restored += part.restored
            found.compared += part.compared
            found.mismatches |= part.mismatches
            done += len(batch)
        return found

    def _progress_of(self, begin: float, end: float) -> Progress:
        """Of a stretch of the restoring, each 0–1."""
        return lambda share, doing: self.progress(_part(share, 0.05 + 0.9 * begin, 0.05 + 0.9 * end), doing)

    def record(self) -> JsonObject:
        """The entry of the ledger, without what came of it."""
        sample, outcome = self.sample, self.outcome
        return {
            "job": self.job,
            "kind": self.settings.kind,
            "destination": self.target.name,
            "offsite": self.target.offsite,
            "copy": self.copy.id if self.copy else None,
            "copy_at": self.copy.at if self.copy else None,
            "seed": self.seed,
            "level": outcome.level,
            "sample_n": outcome.restored,
            "sample_bytes": sample.size if sample else None,
            "whole": sample.whole if sample else outcome.level == "app",
            "too_large": sample.too_large if sample else 0,
            "compared": outcome.compared,
            "compared_pct": _percent(outcome.compared, outcome.restored),
            "coverage_pct": round(100 * outcome.coverage, 1),
            "mismatches": len(outcome.mismatches),
            "mismatched": outcome.mismatches[:EXAMPLES],
            **outcome.more,
        }


def _newest_of(found: Found) -> Copy | None:
    complete = [copy for copy in reversed(found.copies) if copy.complete]
    return max(complete, key=lambda copy: copy.at, default=None)  # of several of one second the one that is listed last


def _say(job: str, outcome: _Outcome, wrong: str, *, ran: bool) -> str:
    if not ran:
        return f"I could not test the {job} backup: {wrong}."
    if wrong:
        more = len(outcome.mismatches) - 1
        others = f" And so with {counted(more, 'other')}." if more > 0 else ""
        return f"The {job} backup can't be restored: {wrong}.{others}"
    if outcome.level == "app":
        return f"The {job} backup was restored and checked: {sentence(outcome.of or 'all is there')}"
    can = f"The {job} backup can be restored: {outcome.of} came back"
    if outcome.compared == outcome.restored:
        return f"{can}, the same as the original."
    if not outcome.compared:
        return f"{can}. The originals could not be compared."
    same = "is the same as the original" if outcome.compared == 1 else "are the same as the originals"
    return f"{can}, and {number(outcome.compared)} of them {same}; the others could not be compared."


def _part(share: float, begin: float, end: float) -> float:
    return begin + min(share, 1.0) * (end - begin) if share >= 0 else -1.0


def _percent(part: int, of: int) -> float:
    return round(100 * part / of, 1) if of else 0.0


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
