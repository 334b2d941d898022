"""The record of one job: what was found, for people and programs. Its fields stand in ``docs/backups.md``. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.backups.evidence import Check, Evidence, Place, RestoreTest
from tools.backups.kinds.target import targets
from tools.backups.sayings import JudgedJob
from tools.backups.verdict import Judgement
from tools.contract import JsonObject
from tools.settings import BackupSettings

SOURCES_LIMIT = 20
"""Paths that a record names."""

ALSO_LIMIT = 8
"""Further causes that a record names."""


def record_of(job: JudgedJob, settings: BackupSettings, evidence: Evidence, now: float) -> JsonObject:
    """All of a job, of a bounded size."""
    main = evidence.places[0]
    copy = main.whole
    return {
        "job": job.name,
        "kind": settings.kind,
        "source": list((copy.paths if copy is not None else ()) or settings.paths)[:SOURCES_LIMIT],
        "destination": targets(settings)[0].shown or None,
        "last_success": iso(job.last_success),
        "age_h": _age_h(job.last_success, now),
        "max_age_h": settings.max_age_h,
        "duration_s": copy.duration_s if copy is not None else None,
        "bytes": copy.size if copy is not None else None,
        "bytes_added": copy.added if copy is not None else None,
        "files_new": copy.files_new if copy is not None else None,
        "files_changed": copy.files_changed if copy is not None else None,
        "prune": _prune(main),
        "verify": _verify(job.restore_test, main.check, now),
        "check": _check(main.check, now),
        "looked_at": iso(main.looked_at),
        "elsewhere": [
            _elsewhere(place, target.shown, now)
            for place, target in zip(evidence.places[1:], targets(settings)[1:], strict=True)
        ],
        "verdict": job.verdict.value,
        "cause": job.judgement.cause.value,
        "detail": job.judgement.detail,
        "place": job.judgement.place,
        "also": [_judgement(one) for one in job.also[:ALSO_LIMIT]],
    }


def iso(at: float | None) -> str | None:
    """ISO 8601, UTC; None for what is no time that can be written."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _age_h(at: float | None, now: float) -> float | None:
    return round((now - at) / 3600, 2) if at is not None else None


def _verify(test: RestoreTest | None, check: Check | None, now: float) -> JsonObject:
    """The deepest proof: the last restore test, or else the last check. One that failed has proven nothing."""
    if test is not None:
        return {
            "level": test.level if test.ok else "none",
            "at": iso(test.at),
            "age_h": _age_h(test.at, now),
            "sample_n": test.sample_n,
            "coverage_pct": test.coverage_pct,
            "mismatches": test.mismatches,
            "first_error": test.first_error or None,
        }
    return {
        "level": check.level if check is not None and check.ok else "none",
        "at": iso(check.at) if check is not None else None,
        "age_h": _age_h(check.at, now) if check is not None else None,
        "sample_n": 0,
        "coverage_pct": round(100 * check.share, 1) if check is not None and check.ok else 0.0,
        "mismatches": 0,
        "first_error": check.reason or None if check is not None else None,
    }


def _check(check: Check | None, now: float) -> JsonObject | None:
    if check is None:
        return None
    return {
        "ok": check.ok,
        "level": check.level,
        "at": iso(check.at),
        "age_h": _age_h(check.at, now),
        "coverage_pct": round(100 * check.share, 1),
        "first_error": check.reason or None,
    }


def _prune(place: Place) -> JsonObject | None:
    prune = place.prune
    return None if prune is None else {"ran": True, "removed": prune.removed, "ok": prune.ok, "at": iso(prune.at)}


def _elsewhere(place: Place, shown: str, now: float) -> JsonObject:
    at = place.whole.at if place.whole is not None else None
    return {
        "name": place.name,
        "destination": shown,
        "last_success": iso(at),
        "age_h": _age_h(at, now),
        "looked_at": iso(place.looked_at),
        "error": place.reason or None,
    }


def _judgement(one: Judgement) -> JsonObject:
    return {"cause": one.cause.value, "verdict": one.verdict.value, "detail": one.detail, "place": one.place}
