"""★ One run of a backup, at all its destinations, from the first hook to the last look.

    before → copy, destination by destination → after, whatever came of it → verify → prune → look

``after`` comes before the checks, so that what was paused for the copy runs again as soon as it can. A check or a prune
that fails does not undo the copy; where there is no new copy, nothing is checked and nothing pruned. A command before
it that ends with NOT_NOW says that there is nothing to copy: the run is left out, and no entry says that it failed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tools.backups.kinds import Target, make, targets
from tools.backups.port import NOT_NOW, BackupError, Copy, Fault, Kind, Progress
from tools.backups.records import BackupRecords
from tools.backups.run_sayings import CHECKS_IN, PlaceSaid, said_of_elsewhere, said_of_run, said_of_skipped
from tools.contract import JsonObject
from tools.program import ProgramError, run
from tools.settings import BackupSettings

HOOK_TIMEOUT_S = 3600.0
"""What the command before and the one after may take; a dump of a large database takes its time."""

LOCK_RETRY_S = 20.0
"""Between two tries at a repository that another program has locked."""

_COPYING, _CHECKING, _PRUNING = 0.80, 0.95, 0.99
"""Shares of the progress at which each phase ends."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """``ok``: a copy at every destination, all of it read, checked and pruned as configured, or ``skipped``: none was
    wanted now; ``spoken``: one to three sentences; ``record``: with ``places``, the entry of each destination."""

    ok: bool
    spoken: str
    record: JsonObject
    skipped: bool = False


@dataclass(slots=True)
class _Place:
    """One destination, as the run goes on."""

    target: Target
    began: float
    kind: Kind | None = None
    copy: Copy | None = None
    error: BackupError | None = None
    verify: JsonObject | None = None
    prune: JsonObject = field(default_factory=lambda: {"ran": False})
    phases: dict[str, float] = field(default_factory=dict)

    @property
    def made(self) -> bool:
        return self.copy is not None and self.copy.complete and self.error is None


async def run_backup(
    job: str, settings: BackupSettings, records: BackupRecords, *, progress: Progress, lock_wait_s: float = 0.0
) -> RunReport:
    """Make it and enter what came of it, for each destination. Raises StoreError; cancelled, it enters that, and ends
    what was paused before it goes.

    ``lock_wait_s``: how long a repository that another program has locked is tried again.
    """
    if settings.kind in CHECKS_IN:  # no run of ours, so none that failed
        return RunReport(False, said_of_elsewhere(job), {"job": job, "ok": False, "places": []})
    whole = _Run(job, settings, records, progress, lock_wait_s)
    try:
        async with asyncio.timeout(settings.run_timeout_h * 3600.0):
            await whole.make()
    except TimeoutError:
        reason = f"it was not done within {settings.run_timeout_h:g} hours"
        await whole.enter(BackupError(Fault.TIMED_OUT, reason))
    except asyncio.CancelledError:
        await asyncio.shield(whole.enter(BackupError(Fault.CANCELLED, "it was cancelled")))
        raise
    else:
        if not whole.not_now:
            await whole.enter(None)
    return whole.report()


class _Run:
    def __init__(
        self, job: str, settings: BackupSettings, records: BackupRecords, progress: Progress, lock_wait_s: float
    ) -> None:
        self._job = job
        self._settings = settings
        self._records = records
        self._progress = progress
        self._lock_wait_s = lock_wait_s
        self._began = time.time()
        self._places = [_Place(target, self._began) for target in targets(settings)]
        self._hooks: dict[str, JsonObject] = {}
        self._entered: list[JsonObject] = []
        self.not_now = False

    async def make(self) -> None:
        """Every phase. What goes wrong is kept with its destination."""
        try:
            wrong = await self._hook("before", self._settings.before)
            if self.not_now:
                return
            if wrong is not None:
                for place in self._places:
                    place.error = wrong
                return
            for place in self._places:
                await self._copy(place)
        finally:
            await self._hook("after", self._settings.after)
        for place in self._places:
            if place.made:
                await self._verify(place)
                await self._prune(place)
        for place in self._places:
            await self._look(place)

    async def _copy(self, place: _Place) -> None:
        async with self._phase(place, "copy"):
            progress = self._part(place, 0.0, _COPYING)
            progress(0.0, f"copying to {place.target.name}" if place.target.name else "copying")
            place.began = time.time()
            try:
                place.kind = make(self._settings, place.target)
                place.copy = await self._copy_when_free(place.kind, progress)
                if not place.copy.complete:
                    raise BackupError(Fault.FAILED, "it broke off before all was copied")
            except BackupError as error:
                place.error = error

    async def _copy_when_free(self, kind: Kind, progress: Progress) -> Copy:
        deadline = time.monotonic() + self._lock_wait_s
        while True:
            try:
                return await kind.back_up(progress)
            except BackupError as error:
                if error.fault is not Fault.LOCKED or time.monotonic() + LOCK_RETRY_S > deadline:
                    raise
                progress(-1.0, "waiting for another program that uses the repository")
                await asyncio.sleep(LOCK_RETRY_S)

    async def _verify(self, place: _Place) -> None:
        level = self._settings.verify
        if level == "none" or place.kind is None:
            return
        async with self._phase(place, "verify"):
            progress = self._part(place, _COPYING, _CHECKING)
            progress(0.0, "checking")
            at = time.time()
            try:
                verified = await place.kind.verify(level, progress)
            except BackupError as error:
                place.verify = {"level": level, "ok": False, "at": at, **_said(error)}
            else:
                place.verify = {"level": verified.level, "share": verified.share, "ok": True, "at": at}

    async def _prune(self, place: _Place) -> None:
        if place.kind is None:
            return
        async with self._phase(place, "prune"):
            progress = self._part(place, _CHECKING, _PRUNING)
            progress(0.0, "removing old backups")
            try:
                pruned = await place.kind.prune(progress)
            except BackupError as error:
                place.prune = {"ran": True, "ok": False, **_said(error)}
            else:
                place.prune = {"ran": True, "ok": True, "removed": pruned.removed, "freed": pruned.freed}

    async def _look(self, place: _Place) -> None:
        """What stands there now, kept for the verdict; a failed run is looked at as well."""
        async with self._phase(place, "look"):
            found, wrong, at = None, None, time.time()
            try:
                found = await make(self._settings, place.target).look()
            except BackupError as error:
                wrong = error
            await asyncio.to_thread(self._records.keep_look, self._job, place.target.name, at, found, wrong)

    async def _hook(self, name: str, argv: Sequence[str]) -> BackupError | None:
        """Run a command of the configuration; None where there is none, or it went well."""
        if not argv:
            return None
        self._progress(-1.0, f"running the command {name} it")
        began, wrong = time.monotonic(), ""
        try:
            ended = await run(argv, timeout_s=HOOK_TIMEOUT_S, quiet=True)
            if name == "before" and ended.code == NOT_NOW:
                self.not_now = True
            elif ended.code:
                wrong = f"it ended with code {ended.code}"
        except ProgramError as error:
            wrong = str(error)
        self._hooks[name] = {"ok": not wrong, "reason": wrong, "duration_s": round(time.monotonic() - began, 2)}
        return BackupError(Fault.FAILED, f"the command {name} it failed: {wrong}") if wrong else None

    def _part(self, place: _Place, begin: float, end: float) -> Progress:
        """The progress of one phase at one destination, as that of the whole."""
        at, of = self._places.index(place), len(self._places)

        def told(share: float, doing: str) -> None:
            inside = begin + (end - begin) * min(share, 1.0)
            self._progress((at + inside) / of if share >= 0 else -1.0, doing)

        return told

    @asynccontextmanager
    async def _phase(self, place: _Place, name: str) -> AsyncIterator[None]:
        """Timed, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            place.phases[name] = round(time.monotonic() - began, 3)

    async def enter(self, end: BackupError | None) -> None:
        """Into the records, each destination. ``end``: what ended the run early."""
        for place in self._places:
            if place.copy is None and place.error is None:
                place.error = end or BackupError(Fault.FAILED, "nothing was made")
        await asyncio.to_thread(self._enter_all, time.time())

    def _enter_all(self, now: float) -> None:
        for place in self._places:
            record = self._record(place, now)
            self._records.add_run(
                self._job,
                place.target.name,
                self._settings.kind,
                at=place.began,
                ended=now,
                ok=place.made,
                record=record,
            )
            self._entered.append(record)

    def _record(self, place: _Place, now: float) -> JsonObject:
        """See ``records.py``; what stands beside ``copy`` is for people and programs that read artifacts."""
        copy = place.copy
        told: dict[str, Any] = {}
        if copy is not None:
            told = {
                name: getattr(copy, name)
                for name in ("id", "at", "duration_s", "size", "added", "files", "files_new", "files_changed", "unread",
                             "complete")
            }  # fmt: skip
        return {
            "job": self._job,
            "kind": self._settings.kind,
            "destination": place.target.shown,
            "at": place.began,
            "duration_s": round(now - place.began, 2),
            "copy": told or None,
            "verify": place.verify,
            "prune": place.prune,
            "phases": place.phases,
            "hooks": self._hooks,
            **(_said(place.error) if place.error is not None else {"fault": None, "reason": ""}),
        }

    def report(self) -> RunReport:
        """Of all that was entered."""
        places = [_place_said(place) for place in self._places]
        after = self._hooks.get("after", {})
        wrong_after = "" if after.get("ok", True) else str(after["reason"])
        if self.not_now:
            left_out: JsonObject = {"job": self._job, "ok": not wrong_after, "at": self._began, "places": []}
            return RunReport(not wrong_after, said_of_skipped(self._job, wrong_after), left_out, skipped=True)
        ok = all(place.well for place in places) and not wrong_after
        record: JsonObject = {"job": self._job, "ok": ok, "at": self._began, "places": self._entered}
        return RunReport(ok, said_of_run(self._job, places, wrong_after), record)


def _place_said(place: _Place) -> PlaceSaid:
    check = place.verify or {}
    return PlaceSaid(
        name=place.target.name,
        copy=place.copy if place.made else None,
        wrong=place.error.reason if place.error is not None else "",
        checked=bool(check.get("ok")),
        check="" if check.get("ok", True) else str(check["reason"]),
        prune="" if place.prune.get("ok", True) else str(place.prune["reason"]),
    )


def _said(error: BackupError) -> JsonObject:
    return {"fault": error.fault.value, "reason": error.reason}
