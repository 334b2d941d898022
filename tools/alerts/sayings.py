"""How alerts are said: at most two sentences, the worst first; what could not be looked at is said by name. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tools.alerts.hosts import HERE
from tools.alerts.merging import Merged
from tools.alerts.port import Alert, Origin
from tools.contract import Severity
from tools.wording import ago, counted, duration, listing, number, sentence

SPOKEN = 3
"""Alerts that are said in full, of which more are only counted."""

MONTH_DAYS = 30.44


def say(merged: Sequence[Merged], failed: Sequence[tuple[str, str]], now: float, *, rules: bool) -> str:
    """``merged``: worst first; ``failed``: sources that could not be asked, and why; ``rules``: something at which
    rules fire was asked."""
    heard = [one for one in merged if not one.silenced]
    wrong = [one for one in heard if one.severity not in (Severity.OK, Severity.UNKNOWN)]
    unknown = [one.alert for one in heard if one.severity is Severity.UNKNOWN]
    blind = _blind(failed, unknown)
    if wrong:
        return f"{_wrong(wrong, now)} {blind}".strip()
    nothing = "Nothing fires" if rules else "Nothing looks wrong"
    if blind:
        return f"{nothing} as far as I can see. {blind}"
    well = facts([one.alert for one in heard if one.severity is Severity.OK])
    return f"{nothing}. {sentence(listing(well))}".strip()


def spoken_alerts(merged: Sequence[Merged]) -> list[Merged]:
    """Those whose words ``say`` says."""
    heard = [one for one in merged if not one.silenced]
    return [one for one in heard if one.severity not in (Severity.OK, Severity.UNKNOWN)][:SPOKEN]


def clause(one: Merged, now: float) -> str:
    """With its age: "the disk is 96 per cent full, for two hours"; a report: "updates reports …, two hours ago"."""
    said = one.alert.said
    if one.since is None or now - one.since < 1:
        return said
    if one.alert.origin == "report":
        return f"{said}, {ago(now - one.since)}"
    return f"{said}, for {duration(now - one.since)}"


def _wrong(wrong: Sequence[Merged], now: float) -> str:
    clauses = [clause(one, now) for one in wrong]
    if len(clauses) == 1:
        return sentence(clauses[0])
    critical = sum(one.severity is Severity.CRITICAL for one in wrong)
    grave = f", {number(critical)} of them critical" if 0 < critical < len(wrong) else ""
    grave = ", all critical" if critical == len(wrong) else grave
    some = clauses[:SPOKEN]
    more = [f"{number(len(clauses) - SPOKEN)} more"] if len(clauses) > SPOKEN else []
    return sentence(f"{counted(len(wrong), 'thing')} {_need(wrong)}{grave}: {'; '.join([*some, *more])}")


def _need(wrong: Sequence[Merged]) -> str:
    return "to know" if all(one.severity is Severity.NOTICE for one in wrong) else "need attention"


def _blind(failed: Sequence[tuple[str, str]], unknown: Sequence[Alert]) -> str:
    if len(failed) + len(unknown) == 1:
        return sentence(unknown[0].said if unknown else f"I couldn't ask {failed[0][0]}, because {failed[0][1]}")
    things = [name for name, _ in failed] + [alert.subject for alert in unknown]
    if not things:
        return ""
    more = [f"{number(len(things) - SPOKEN)} more"] if len(things) > SPOKEN else []
    return sentence(f"I couldn't look at {listing([*things[:SPOKEN], *more])}")


def facts(well: Sequence[Alert]) -> list[str]:
    """Clauses about what is well, of which no word comes from outside."""
    by_origin: dict[Origin, list[Alert]] = {}
    for alert in well:
        by_origin.setdefault(alert.origin, []).append(alert)
    ours = {origin: [a for a in alerts if not a.foreign] for origin, alerts in by_origin.items()}
    found = [
        _disks(by_origin.get("disk", [])),
        *(f"memory is {value:.0f} per cent used" for value in _here(ours.get("memory", []))),
        *(f"the load is {value:.1f} per core" for value in _here(ours.get("load", []))),
        *(f"the hottest sensor is at {value:.0f} degrees" for value in _here(ours.get("temperature", []))),
        *(a.said for a in ours.get("ups", [])[:1]),
        _certificates(by_origin.get("certificate", [])),
        _reports(by_origin.get("report", [])),
        *(a.said for a in ours.get("logs", [])[:1]),
    ]
    return [fact for fact in found if fact]


def _here(alerts: Sequence[Alert]) -> list[float]:
    return [alert.value for alert in alerts if alert.subject == HERE and alert.value is not None]


def _disks(disks: Sequence[Alert]) -> str:
    values = [disk.value for disk in disks if disk.value is not None]
    if not values:
        return ""
    which = "the disk" if len(values) == 1 else f"the fullest of {number(len(values))} disks"
    return f"{which} is {max(values):.0f} per cent full"


def _certificates(certificates: Sequence[Alert]) -> str:
    days = [one.value for one in certificates if one.value is not None]
    if not days:
        return ""
    long = "more than a month" if MONTH_DAYS < min(days) < 2 * MONTH_DAYS else duration(min(days) * 86_400)
    return f"{_all(len(days), 'certificate')} good for {long}"


def _reports(reports: Sequence[Alert]) -> str:
    return f"{_all(len(reports), 'report')} fine" if reports else ""


def _all(count: int, noun: str) -> str:
    """ "the report is", "both reports are", "all five reports are"."""
    if count == 1:
        return f"the {noun} is"
    return f"both {noun}s are" if count == 2 else f"all {number(count)} {noun}s are"
