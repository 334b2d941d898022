"""What ``check_services`` gives besides words: evidence and findings. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tools.contract import Finding, JsonObject, Severity
from tools.services.evidence import Look, Trouble
from tools.services.judging import Judged
from tools.services.states import ServiceState, State

_SEVERITY = {
    State.DOWN: Severity.CRITICAL,
    State.DEGRADED: Severity.WARNING,
    State.FLAPPING: Severity.WARNING,
    State.UNKNOWN: Severity.UNKNOWN,
    State.MAINTENANCE: Severity.NOTICE,
    State.UP: Severity.OK,
}

MAX_LOOKS = 200
"""Looks in the evidence of one check: those of what is not plainly up, the worst services first."""


def data_of(judged: Judged, failed: Mapping[str, str], *, in_full: bool) -> JsonObject:
    """``in_full``: with the looks also of what is up."""
    shown = [s for s in sorted(judged.states, key=_badness) if in_full or s.state is not State.UP]
    looks: dict[str, list[JsonObject]] = {}
    left = MAX_LOOKS
    for service in shown:
        looks[service.name] = [_look(look) for look in judged.looks[service.name][:left]]
        left -= len(looks[service.name])
    return {
        "services": [_service(s, looks.get(s.name, [])) for s in judged.states],
        "counts": {state.value: sum(s.state is state for s in judged.states) for state in State},
        "watchers": [
            {
                "watcher": one.watcher,
                "believed": one.trouble is None,
                "services": len(one.looks),
                "unknown_to_catalogue": one.unknown,
                "reason": one.trouble.said if one.trouble is not None else "",
            }
            for one in judged.said
        ]
        + [{"watcher": name, "believed": False, "reason": reason} for name, reason in failed.items()],
        "unknown_to_catalogue": sum(one.unknown for one in judged.said),
    }


def findings_of(
    states: Sequence[ServiceState], troubles: Sequence[Trouble], failed: Mapping[str, str]
) -> tuple[Finding, ...]:
    """One for each service that is not plainly up, and one for each watcher that is not believed."""
    services = [
        Finding(
            severity=_SEVERITY[s.state],
            subject=s.name,
            message=s.told or f"{s.state}: {s.reason}",
            since=iso(s.since),
        )
        for s in states
        if s.state is not State.UP
    ]
    watchers = [
        Finding(
            severity=Severity.WARNING,
            subject=trouble.watcher,
            message=f"cannot be asked: {failed[trouble.watcher]}" if trouble.watcher in failed else trouble.said,
        )
        for trouble in troubles
    ]
    return (*services, *watchers)


def iso(at: float | None) -> str | None:
    """ISO 8601, UTC, whole seconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None


def _badness(service: ServiceState) -> int:
    return list(State).index(service.state)


def _service(s: ServiceState, looks: list[JsonObject]) -> JsonObject:
    shown: JsonObject = {
        "name": s.name,
        "state": s.state.value,
        "since": iso(s.since),
        "status_code": s.status_code,
        "latency_ms": s.latency_ms,
        "reason": s.reason,
    }
    if s.told:
        shown["told"] = s.told
    if looks:
        shown["seen_by"] = looks
    return shown


def _look(look: Look) -> JsonObject:
    return {
        "watcher": look.watcher or "jarvis",
        "vantage": look.vantage,
        "up": look.up,
        "at": iso(look.at),
        "since": iso(look.since),
        "changes": look.changes,
        "reason": look.doubt or look.reason or look.hold or "",
    }
