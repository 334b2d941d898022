"""What is remembered of backups, in the tools' database: runs, looks, copies, restore tests, and restored files.

A job's ``destination`` is the name of the place (``Target.name``; empty for the main one), so that its history goes on
when the path of the place changes. Times are Unix seconds, and what is the "last" of something is what was entered
last: a clock that was wrong once cannot hide what came later. Every method is short and blocks: call it through
``asyncio.to_thread`` from a loop. Everything raises StoreError, and nothing else.

The record of a run (``add_run``) is a JSON object with these keys, of which any may be missing::

    copy    {id, at, duration_s, size, added, files, files_new, files_changed, unread, complete}
    fault   what made it fail, of Fault; reason: the same in words, without a secret
    prune   {ran, ok, removed, freed, fault, reason}
    verify  {level, share, ok, fault, reason}   level: that of Verified; share: of the data that was read, 0–1

That of a restore test (``add_restore_test``)::

    level       restored or app, none where nothing could be restored
    sample_n, coverage_pct, mismatches, first_error, duration_s
    fault       of Fault, where it ended in one
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, Literal

from tools.backups.port import BackupError, Copy, Fault, Found
from tools.contract import JsonObject
from tools.store import Store

KEPT_COPIES = 5000
"""Of each destination, in the history: more than thirteen years of daily backups."""

COPIES_OF_A_LOOK = 10
"""The newest ones, that a kept look still knows; the rest is in the history."""

_PAGE = 50
_DEFAULTS = {one.name: one.default for one in fields(Copy) if one.name not in ("id", "at")}
_ALWAYS_TOLD = ("complete", "here")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLook:
    """The newest look at a destination: ``at``, and why it failed, if it did (``fault``, with its words in ``reason``).

    ``found``: what the last look gave that succeeded, with its newest copies only, and ``found_at`` when that was; the
    same as ``at`` where the newest one did. ``count``: how many copies there were then.
    """

    at: float
    fault: Fault | None = None
    reason: str = ""
    found: Found | None = None
    found_at: float | None = None
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that was made from here: began ``at``, and whether it came to a good end; ``record`` as in the module."""

    id: int
    kind: str
    at: float
    ended: float
    ok: bool
    record: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedTest:
    """A restore test that passed. ``app``: the application checked it; ``whole``: all of the copy came back;
    ``offsite``: from a place that is not in the house."""

    job: str
    at: float
    app: bool = False
    whole: bool = False
    offsite: bool = False


class BackupRecords:
    """All of it, over the tools' database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_run(
        self, job: str, destination: str, kind: str, *, at: float, ended: float, ok: bool, record: JsonObject
    ) -> None:
        """Enter a run that ended, well or not."""
        self._store.write(
            "INSERT INTO backup_runs (job, destination, kind, at, ended, ok, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(job, destination, kind, at, ended, int(ok), json.dumps(record))],
        )
        if (copy := copy_of_run(record)) is not None:
            self._keep_copies(job, destination, [copy])

    def last_run(self, job: str, destination: str = "") -> Run | None:
        """The run that was entered last, whatever came of it."""
        return self._run("id = (SELECT MAX(id) FROM backup_runs WHERE job = ? AND destination = ?)", (job, destination))

    def last_run_with(
        self, part: Literal["verify", "prune"], job: str, destination: str = "", *, before: float
    ) -> Run | None:
        """The newest run that began before that time and in which something was checked ("verify") or pruned
        ("prune")."""
        return self._run(
            "job = ? AND destination = ? AND at < ? AND json_valid(record) "
            "AND COALESCE(json_extract(record, ?), 0) NOT IN (0, 'none') ORDER BY at DESC, id DESC LIMIT 1",
            (job, destination, before, {"verify": "$.verify.level", "prune": "$.prune.ran"}[part]),
        )

    def last_damage(self, job: str, destination: str = "") -> Run | None:
        """The last run whose check found damage."""
        return self._run(
            "id = (SELECT MAX(id) FROM backup_runs WHERE job = ? AND destination = ? AND json_valid(record) "
            "AND json_extract(record, '$.verify.ok') = 0 "
            "AND COALESCE(json_extract(record, '$.verify.fault'), 'damaged') IN (SELECT value FROM json_each(?)))",
            (job, destination, json.dumps([fault for fault in Fault if fault.broken])),
        )

    def checks_after(self, run: Run, job: str, destination: str = "") -> list[tuple[str, float]]:
        """Level and share of the checks that passed in later runs."""
        return self._store.read(
            "SELECT json_extract(record, '$.verify.level'), COALESCE(json_extract(record, '$.verify.share'), 0.0) "
            "FROM backup_runs WHERE job = ? AND destination = ? AND id > ? AND json_valid(record) "
            "AND json_extract(record, '$.verify.level') IS NOT NULL "
            "AND COALESCE(json_extract(record, '$.verify.ok'), 1) = 1",
            (job, destination, run.id),
        )

    def runs(self, job: str, destination: str = "", limit: int = 400) -> list[Run]:
        """The newest runs, oldest first."""
        rows = self._store.read(
            "SELECT id, kind, at, ended, ok, record FROM backup_runs WHERE job = ? AND destination = ? "
            "ORDER BY at DESC, id DESC LIMIT ?",
            (job, destination, limit),
        )
        return [_run(row) for row in reversed(rows)]

    def _run(self, where: str, values: tuple[Any, ...]) -> Run | None:
        query = f"SELECT id, kind, at, ended, ok, record FROM backup_runs WHERE {where}"  # noqa: S608 - constants
        rows = self._store.read(query, values)
        return _run(rows[0]) if rows else None

    def keep_look(self, job: str, destination: str, at: float, found: Found | None, error: BackupError | None) -> None:
        """Keep a look, and the copies that it saw. One that failed leaves what the last good one found."""
        record: JsonObject = {}
        if found is not None:
            record = {"found": _found_to_json(found), "found_at": at, "count": len(found.copies)}
            self._keep_copies(job, destination, found.copies)
        elif (last := self.look(job, destination)) is not None and last.found is not None:
            record = {"found": _found_to_json(last.found), "found_at": last.found_at, "count": last.count}
        if error is not None:
            record |= {"fault": error.fault.value, "reason": error.reason}
        self._store.write(
            "INSERT OR REPLACE INTO backup_looks (job, destination, at, record) VALUES (?, ?, ?, ?)",
            [(job, destination, at, json.dumps(record))],
        )

    def look(self, job: str, destination: str = "") -> KeptLook | None:
        """The newest look; None where nobody ever looked."""
        rows = self._store.read(
            "SELECT at, record FROM backup_looks WHERE job = ? AND destination = ?", (job, destination)
        )
        if not rows:
            return None
        return _look(*rows[0])

    def fresh_since(self, job: str, destination: str = "") -> tuple[float, bool] | None:
        """When the newest look was and whether it succeeded; None where there is none, or something was run since."""
        rows = self._store.read(
            "SELECT at, json_type(record, '$.found') = 'object' AND json_type(record, '$.fault') IS NULL "
            "FROM backup_looks WHERE job = ?1 AND destination = ?2 AND json_valid(record) AND at > COALESCE((SELECT "
            "ended FROM backup_runs WHERE id = (SELECT MAX(id) FROM backup_runs WHERE job = ?1 AND destination = ?2)), "
            "-1e99)",
            (job, destination),
        )
        return (rows[0][0], bool(rows[0][1])) if rows else None

    def history(self, job: str, destination: str = "", limit: int = 400) -> list[Copy]:
        """The newest copies that were ever seen there, oldest first; some may have been pruned since."""
        return list(reversed(self._page(job, destination, limit, 0)))

    def backwards(self, job: str, destination: str = "") -> Iterator[Copy]:
        """The copies that were ever seen there, newest first, read as they are asked for."""
        offset = 0
        while page := self._page(job, destination, _PAGE, offset):
            yield from page
            offset += _PAGE

    def _page(self, job: str, destination: str, limit: int, offset: int) -> list[Copy]:
        rows = self._store.read(
            "SELECT copy, at, record FROM backup_copies WHERE job = ? AND destination = ? "
            "ORDER BY at DESC, copy DESC LIMIT ? OFFSET ?",
            (job, destination, limit, offset),
        )
        return [_kept_copy(*row) for row in rows]

    def _keep_copies(self, job: str, destination: str, copies: Iterable[Copy]) -> None:
        """What is known of a copy from its run stays known when a look tells less."""
        rows = [(job, destination, copy.id, copy.at, json.dumps(_copy_to_json(copy))) for copy in copies]
        if not rows:
            return
        self._store.write(
            "INSERT INTO backup_copies (job, destination, copy, at, record) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (job, destination, copy) DO UPDATE SET at = excluded.at, record = "
            "CASE WHEN json_valid(record) THEN json_patch(record, excluded.record) ELSE excluded.record END "
            "WHERE at IS NOT excluded.at OR NOT json_valid(record) "
            "OR json_patch(record, excluded.record) IS NOT json(record)",
            rows,
        )
        self._store.write(
            "DELETE FROM backup_copies WHERE rowid IN (SELECT rowid FROM backup_copies "
            "WHERE job = ? AND destination = ? ORDER BY at DESC, copy DESC LIMIT -1 OFFSET ?)",
            [(job, destination, KEPT_COPIES)],
        )

    def add_restore_test(self, job: str, kind: str, at: float, *, ok: bool, ran: bool, record: JsonObject) -> None:
        """Enter a restore test into the ledger. ``ran``: False where it could not be made, which proves nothing."""
        self._store.write(
            "INSERT INTO restore_tests (job, kind, at, ok, ran, record) VALUES (?, ?, ?, ?, ?, ?)",
            [(job, kind, at, int(ok and ran), int(ran), json.dumps(record))],
        )

    def last_restore_test(self, job: str) -> JsonObject | None:
        """The last one that ran, with ``at``, ``ok`` and ``ran``."""
        return self._restore_test("SELECT MAX(id) FROM restore_tests WHERE job = ? AND ran = 1", job)

    def last_attempt(self, job: str) -> JsonObject | None:
        """The last one, whether it ran or could not be made, with ``at``, ``ok`` and ``ran``."""
        return self._restore_test("SELECT MAX(id) FROM restore_tests WHERE job = ?", job)

    def last_restore_tests(self, job: str) -> list[JsonObject]:
        """The last one that ran of each ``destination`` in the records, with ``at``, ``ok`` and ``ran``."""
        rows = self._store.read(
            "SELECT at, ok, ran, record FROM restore_tests WHERE id IN (SELECT MAX(id) FROM restore_tests "
            "WHERE job = ? AND ran = 1 GROUP BY CASE WHEN json_valid(record) "
            "THEN COALESCE(json_extract(record, '$.destination'), '') ELSE '' END) ORDER BY id",
            (job,),
        )
        return [_restore_test(row) for row in rows]

    def passed_restore_tests(self) -> list[PassedTest]:
        """Of the tests that passed, of all jobs, the first and the last of each sort: by the application, of the whole
        copy, from outside the house."""
        rows = self._store.read(
            "SELECT job, MIN(at), MAX(at), COALESCE(json_extract(record, '$.level'), '') = 'app' AS app, "
            "COALESCE(json_extract(record, '$.whole'), 0) AS whole, "
            "COALESCE(json_extract(record, '$.offsite'), 0) AS offsite "
            "FROM restore_tests WHERE ok = 1 AND ran = 1 AND json_valid(record) GROUP BY job, app, whole, offsite"
        )
        return [
            PassedTest(job=job, at=at, app=bool(app), whole=bool(whole), offsite=bool(offsite))
            for job, first, last, app, whole, offsite in rows
            for at in sorted({first, last})
        ]

    def restore_tests(self, job: str, limit: int = 400) -> list[JsonObject]:
        """The last ones in the order they were entered, each with ``at``, ``ok`` and ``ran``."""
        rows = self._store.read(
            "SELECT at, ok, ran, record FROM restore_tests WHERE job = ? ORDER BY id DESC LIMIT ?", (job, limit)
        )
        return [_restore_test(row) for row in reversed(rows)]

    def _restore_test(self, which: str, job: str) -> JsonObject | None:
        query = f"SELECT at, ok, ran, record FROM restore_tests WHERE id = ({which})"  # noqa: S608 - constants
        rows = self._store.read(query, (job,))
        return _restore_test(rows[0]) if rows else None

    def restored_at(self, job: str) -> dict[str, float]:
        """When each file was last restored by a test, by its path in the copy."""
        return dict(self._store.read("SELECT path, at FROM restored_files WHERE job = ?", (job,)))

    def add_restored(self, job: str, at: float, files: Iterable[tuple[str, bool]]) -> None:
        """Files that a test restored: path in the copy, and whether each came back as it was."""
        rows = [(job, path, at, int(ok)) for path, ok in files]
        if rows:
            self._store.write("INSERT OR REPLACE INTO restored_files (job, path, at, ok) VALUES (?, ?, ?, ?)", rows)


def _object(text: str) -> JsonObject:
    """What stands there; nothing where it is no object: a damaged record is one that is missing."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _run(row: tuple[Any, ...]) -> Run:
    id, kind, at, ended, ok, record = row
    return Run(id=id, kind=kind, at=at, ended=ended, ok=bool(ok), record=_object(record))


def _restore_test(row: tuple[Any, ...]) -> JsonObject:
    at, ok, ran, record = row
    return {**_object(record), "at": at, "ok": bool(ok), "ran": bool(ran)}


def _fault(text: object) -> Fault | None:
    try:
        return Fault(str(text)) if text else None
    except ValueError:
        return Fault.FAILED


def copy_of_run(record: JsonObject) -> Copy | None:
    """The copy that a run made, of its record; None where it made none."""
    made = record.get("copy")
    if not isinstance(made, dict) or not isinstance(made.get("at"), int | float) or not made.get("id"):
        return None
    return _copy(str(made["id"]), float(made["at"]), made)


def _copy_to_json(copy: Copy) -> JsonObject:
    """Without id and time, which have columns, and without what nobody told."""
    values = asdict(copy)
    told = {name: values[name] for name, usual in _DEFAULTS.items() if values[name] != usual}
    return told | {name: values[name] for name in _ALWAYS_TOLD}


@lru_cache(maxsize=4096)
def _kept_copy(id: str, at: float, record: str) -> Copy:
    """Copies never change, and the same ones are read each time that somebody asks."""
    return _copy(id, at, _object(record))


def _copy(id: str, at: float, told: JsonObject) -> Copy:
    return Copy(
        id=id,
        at=at,
        duration_s=told.get("duration_s"),
        size=told.get("size"),
        added=told.get("added"),
        files=told.get("files"),
        files_new=told.get("files_new"),
        files_changed=told.get("files_changed"),
        unread=told.get("unread") or 0,
        complete=bool(told.get("complete", True)),
        here=bool(told.get("here", True)),
        paths=tuple(told.get("paths") or ()),
    )


@lru_cache(maxsize=512)
def _look(at: float, text: str) -> KeptLook:
    record = _object(text)
    found = record.get("found")
    return KeptLook(
        at=at,
        fault=_fault(record.get("fault")),
        reason=str(record.get("reason") or ""),
        found=_found(found) if isinstance(found, dict) else None,
        found_at=record.get("found_at"),
        count=int(record.get("count") or 0),
    )


def _found_to_json(found: Found) -> JsonObject:
    by_age = sorted(found.copies, key=lambda copy: copy.at)
    kept = by_age[-COPIES_OF_A_LOOK:]
    whole = [copy for copy in by_age if copy.complete]
    if whole and whole[-1] not in kept:
        kept.insert(0, whole[-1])
    copies = [{"id": copy.id, "at": copy.at, **_copy_to_json(copy)} for copy in kept]
    return {"copies": copies, "free": found.free, "total": found.total, "warnings": list(found.warnings)}


def _found(record: JsonObject) -> Found:
    return Found(
        copies=tuple(_copy(str(one["id"]), float(one["at"]), one) for one in record.get("copies") or ()),
        free=record.get("free"),
        total=record.get("total"),
        warnings=tuple(record.get("warnings") or ()),
    )
