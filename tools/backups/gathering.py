"""The evidence of a job, out of what is remembered of it. Reads the database and nothing else; blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from tools.backups.evidence import Attempt, Check, Evidence, Place, Prune, RestoreTest, RunSeen
from tools.backups.history import COMPARED_WITH, LEVELS, outdone, unchanged_since
from tools.backups.kinds import Target, make, targets
from tools.backups.port import Copy, Fault, Found, Level, ProvesItself, RestoresFiles
from tools.backups.records import BackupRecords, KeptLook, Run
from tools.backups.verdict import CLOCK_TOLERANCE_S
from tools.contract import JsonObject
from tools.settings import BackupSettings

WORDS_LIMIT = 200
"""Characters of a reason that somebody else's program gave, or of a file's name in it."""

_EARLIER = COMPARED_WITH + 5
"""Copies that are read for the usual size: some of them may have broken off."""


def gather_evidence(
    job: str,
    settings: BackupSettings,
    records: BackupRecords,
    now: float,
    overdue: tuple[str, ...] = (),
    distrust: str = "",
) -> Evidence:
    """All that is known of a job. Raises StoreError."""
    places = targets(settings)
    known = {target.name for target in places}
    tests = [_test(entry) for entry in records.last_restore_tests(job) if _place_of(entry) in known]
    attempt = records.last_attempt(job)
    return Evidence(
        places=tuple(_place(job, settings, target, records, now) for target in places),
        tests=tuple(tests),
        attempt=Attempt(float(attempt["at"]), _words(attempt.get("first_error")))
        if attempt is not None and not attempt["ran"]
        else None,
        restorable=isinstance(make(settings), RestoresFiles | ProvesItself) and not _refused(settings, attempt),
        overdue=overdue,
        distrust=distrust,
    )


def _refused(settings: BackupSettings, attempt: JsonObject | None) -> bool:
    """Whether a command has said that it does not know how to restore."""
    refused = attempt is not None and not attempt["ran"] and attempt.get("fault") == Fault.NOT_CONFIGURED
    return settings.kind == "command" and refused


def _place_of(entry: JsonObject) -> str:
    """A test that does not say where it restored from restored from the main destination."""
    return str(entry.get("destination") or "")


def _test(entry: JsonObject) -> RestoreTest:
    level = _level(entry.get("level"))
    compared = entry.get("compared", entry.get("coverage_pct"))
    return RestoreTest(
        at=float(entry["at"]),
        ok=bool(entry["ok"]),
        first_error=_words(entry.get("first_error")),
        compared=level == "app" or bool(compared),
        place=_place_of(entry),
        level=level if level in ("restored", "app") else "restored" if entry["ok"] else "none",
        sample_n=int(entry.get("sample_n") or 0),
        coverage_pct=float(entry.get("coverage_pct") or 0.0),
        mismatches=int(entry.get("mismatches") or 0),
    )


def _place(job: str, settings: BackupSettings, target: Target, records: BackupRecords, now: float) -> Place:
    kept = records.look(job, target.name)
    run = records.last_run(job, target.name)
    before = now + CLOCK_TOLERANCE_S
    checked, pruned = (
        run if run is not None and _was(run, part) else records.last_run_with(part, job, target.name, before=before)
        for part in _PARTS
    )
    place = Place(
        name=target.name,
        offline=target.offline,
        max_age_s=_max_age_s(settings, target),
        run=_run(run) if run is not None else None,
        check=_standing_damage(job, target, records) or (_check(checked) if checked is not None else None),
        prune=_prune(pruned) if pruned is not None else None,
    )
    return place if kept is None else _looked_at(place, kept, job, settings, records)


def _max_age_s(settings: BackupSettings, target: Target) -> float | None:
    own = next((one.max_age_h for one in settings.also if one.name == target.name), None)
    return own * 3600 if own is not None else None


def _looked_at(place: Place, kept: KeptLook, job: str, settings: BackupSettings, records: BackupRecords) -> Place:
    """The same place, with what the look at it gave."""
    found = kept.found or Found()
    history = {copy.id: copy for copy in records.history(job, place.name, _EARLIER)}
    there = sorted((history.get(copy.id, copy) for copy in found.copies), key=lambda copy: copy.at)
    whole = next((copy for copy in reversed(there) if copy.complete), None)
    since = unchanged_since(records.backwards(job, place.name)) if settings.unchanged_after_h is not None else None
    return replace(
        place,
        looked_at=kept.at,
        fault=kept.fault,
        reason=_words(kept.reason),
        found=kept.found is not None,
        newest=there[-1] if there else None,
        whole=whole,
        earlier=_before(history, whole),
        unchanged_since=since,
        free=found.free,
        total=found.total,
        warnings=tuple(_words(words) for words in found.warnings),
    )


def _before(history: Mapping[str, Copy], whole: Copy | None) -> tuple[Copy, ...]:
    if whole is None:
        return ()
    return tuple(copy for copy in history.values() if copy.complete and copy.at < whole.at)


_PARTS: tuple[Literal["verify"], Literal["prune"]] = ("verify", "prune")


def _was(run: Run, part: str) -> bool:
    """Whether that was done at all in a run."""
    done = _part(run, part)
    return done.get("level", "none") != "none" if part == "verify" else bool(done.get("ran"))


def _part(run: Run, name: str) -> JsonObject:
    found = run.record.get(name)
    return found if isinstance(found, dict) else {}


def _run(run: Run) -> RunSeen:
    """A run that was no success and does not say why has failed, unless it was its check or its pruning that did."""
    fault = _fault(run.record.get("fault"))
    parts_ok = all(_part(run, name).get("ok", True) for name in ("verify", "prune"))
    if fault is None and not run.ok and parts_ok:
        fault = Fault.FAILED
    return RunSeen(
        at=run.at,
        ended=run.ended,
        fault=fault,
        reason=_words(run.record.get("reason")),
        unread=int(_part(run, "copy").get("unread") or 0),
    )


def _check(run: Run) -> Check:
    record = _part(run, "verify")
    return Check(
        at=run.at,
        level=_level(record.get("level")),
        share=float(record.get("share") or 0.0),
        ok=bool(record.get("ok", True)),
        fault=_fault(record.get("fault")),
        reason=_words(record.get("reason")),
    )


def _standing_damage(job: str, target: Target, records: BackupRecords) -> Check | None:
    """Damage that a check found, and that no later check has outdone."""
    run = records.last_damage(job, target.name)
    if run is None:
        return None
    damage = _check(run)
    return None if outdone(damage, records.checks_after(run, job, target.name)) else damage


def _prune(run: Run) -> Prune:
    record = _part(run, "prune")
    return Prune(
        at=run.at, ok=bool(record.get("ok", True)), removed=record.get("removed"), reason=_words(record.get("reason"))
    )


def _level(text: object) -> Level:
    return next((level for level in LEVELS if level == text), "none")


def _fault(text: object) -> Fault | None:
    if not text:
        return None
    return next((fault for fault in Fault if fault == text), Fault.FAILED)


def _words(text: object) -> str:
    """One line of what can be said; a stop in it would end the sentence that it stands in."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text or "")).split())
    return (line if len(line) <= WORDS_LIMIT else line[: WORDS_LIMIT - 1] + "…").rstrip(".!? ")
