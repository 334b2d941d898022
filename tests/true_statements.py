"""What may truly be said of the seeded things, as regular expressions over lower-case text: the oracle's grammar.

``{names}`` stands for one name or a list of names of which the same is true; ``{be}`` for is or are. Everything that
is not in here counts as false, so that a gap of this grammar shows as an accusation and never as a pardon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tools.backups.advice import what_to_do
from tools.backups.sayings import JudgedJob
from tools.backups.verdict import Cause, Verdict
from tools.services.states import ServiceState, State
from tools.wording import ago, duration, number

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Statement:
    """A regular expression. ``after``: it is true only where all these services were said something of before."""

    regex: str
    after: frozenset[str] = frozenset()
    topic: str = ""


def spelled(text: str) -> str:
    """The expression for ``text`` in which numbers are words or digits."""
    return " ".join(_number(word) for word in text.split())


def _number(word: str) -> str:
    if word in _WORDS:
        return f"(?:{word}|{_WORDS.index(word) + 1})"
    if word.isdigit() and 0 < int(word) <= len(_WORDS):
        return f"(?:{word}|{_WORDS[int(word) - 1]})"
    return re.escape(word)


def any_of(words: Iterable[str]) -> str:
    """One of these, the longest first."""
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


def _optional(regex: str) -> str:
    return f"(?:{regex})?"


# ── services ──────────────────────────────────────────────────────────────────────────────────────────────────────

_UP = ("up", "running", "online", "reachable", "working", "available", "responding", "operational", "up and running")
_DOWN = ("down", "offline", "unreachable", "unavailable", "not up", "not running", "not online", "not reachable",
         "not working", "not available", "not responding", "not operational")  # fmt: skip
_UP_WORDS, _DOWN_WORDS = f"{any_of(_UP)}(?: and {any_of(_UP)})?", any_of(_DOWN)
_FOLLOWS = "(?::| because|,? as|,? since|, due to the fact that)? "


def of_service(service: ServiceState, now: float) -> tuple[str, ...]:
    """What is true of a service in its state."""
    reason = re.escape(service.reason.casefold())
    if service.state is State.UP:
        return (f"{{names}} {{be}} {_UP_WORDS}",)
    if service.state is State.FLAPPING:
        tail = _optional(f"(?::|,)? sometimes it answers,? and sometimes {reason}")
        return ("{names} {be} flapping", f"{{names}} {{be}} flapping{tail}")
    if service.state is State.UNKNOWN:
        why = _optional(f"{_FOLLOWS}{reason}")
        return (
            "i (?:can't|cannot|can not) tell about {names}",
            "(?:the )?(?:status|state) of {names} {be} (?:unknown|unclear)",
            "{names} {be} unknown",
            f"i (?:can't|cannot|can not) tell (?:whether|if) {{names}} {{be}} up{why}",
        )
    since = ""
    if service.since is not None:
        past, length = spelled(ago(now - service.since)), spelled(duration(now - service.since))
        since = _optional(f",? first seen {past}|,? for {length}|,? since {past}")
        return (
            f"{{names}} {{be}} {_DOWN_WORDS}",
            f"{{names}} {{be}} {_DOWN_WORDS}{since}{_optional(_FOLLOWS + reason)}",
            f"{{names}} (?:has|have) been {_DOWN_WORDS}(?: for {length}| since {past}){_optional(_FOLLOWS + reason)}",
        )
    return (f"{{names}} {{be}} {_DOWN_WORDS}",)


def of_services(services: list[ServiceState]) -> list[Statement]:
    """What is true of all of them together."""
    up = [service for service in services if service.state is State.UP]
    if len(up) == len(services):
        how_many = spelled(number(len(up)))
        if len(up) == 1:
            return [Statement(f"the one service is {_UP_WORDS}")]
        return [
            Statement(f"all (?:of the |the |your )?(?:{how_many} )?services are {_UP_WORDS}"),
            Statement(f"(?:the |your )?{how_many} services are (?:all )?{_UP_WORDS}"),
        ]
    others = frozenset(service.name for service in services if service.state is not State.UP)
    count = spelled(number(len(up)))
    regex = f"the other {count}(?: services?| ones?)? (?:is|are) {_UP_WORDS}"
    return [Statement(regex, others, "service")] if up else []


# ── backups ───────────────────────────────────────────────────────────────────────────────────────────────────────


def of_job(job: JudgedJob, now: float) -> tuple[str, ...]:
    """What is true of a job with its verdict, its age and its last restore test."""
    if job.last_success is None:
        raise ValueError("the seeded jobs have run")
    age = now - job.last_success
    backed_up = f"(?:was |were |last )*backed up {spelled(ago(age))}"
    said = [f"{{names}} {backed_up}", f"{{names}} {{be}} {spelled(duration(age))} old"]
    tail = f",? (?:and |but )?(?:it )?{backed_up}"
    if job.restore_test is not None:
        tested = spelled(ago(now - job.restore_test.at))
        if job.restore_test.ok:
            restored = f"(?:was |were |last )*restored(?: and (?:compared|verified))? {tested}"
            said += [f"{{names}} {restored}"]
            tail = f"(?::|,)? {backed_up}(?:,? (?:and |but )?(?:it )?{restored})?"
        else:
            failed = f"(?:can't|cannot|can not|could not|couldn't) be restored{_optional(f' {tested}')}"
            said += [f"{{names}} {failed}", f"{{names}} (?:was |were )?tested {tested}"]
            tail = f"(?:[:;,])? {backed_up}"
            said += [
                f"{{names}} {failed}(?:: x)?[;,]? (?:it was )?tested {tested}(?:,? (?:and )?(?:it was )?{backed_up})?"
            ]
    else:
        never = "(?:was |were |has been |have been |has |have )?never (?:been )?restored"
        said += [f"{{names}} {never}"]
        tail = f"(?::|,)? {backed_up}(?:,? (?:and |but )?(?:it )?{never})?"
    said += [f"{{names}} {{be}} {what}{_optional(tail)}" for what in _verdict(job)]
    return tuple(said)


def _verdict(job: JudgedJob) -> tuple[str, ...]:
    if job.verdict is Verdict.OK:
        return (any_of(("ok", "okay", "healthy", "fine", "good", "proven", "verified")),)
    said = any_of(("not proven", "unproven", "not ok"))
    if job.judgement.cause is Cause.TOO_OLD:
        return (said, any_of(("too old", "stale", "outdated", "overdue", "out of date")))
    if job.judgement.cause is Cause.RESTORE_TEST_FAILED:
        return (said, "failed")
    return (said, any_of(("unverified", "not verified")))


def of_jobs(jobs: list[JudgedJob], now: float) -> list[Statement]:
    """The totals."""
    count, bad = len(jobs), sum(job.verdict is not Verdict.OK for job in jobs)
    proven = "(?:is|are) (?:proven|verified)"
    of = f"of (?:the |your )?{spelled(number(count))} backups"
    said = []
    if bad == 0:
        oldest = max(now - (job.last_success or now) for job in jobs)
        head = "both(?: of the| the| your)?" if count == 2 else f"all (?:of the |the |your )?{spelled(number(count))}"
        said.append(f"{head} backups {proven}(?:[,;]? (?:and )?the oldest is {spelled(duration(oldest))} old)?")
    elif bad == count:
        said += [f"none {of} {proven}", f"(?:your|the) (?:{spelled(number(count))} )?backups are not (?:proven|ok)"]
    else:
        share = f"{spelled(number(count - bad))} {of.removesuffix(' backups')}"
        said += [f"{share} backups {proven}", f"(?:the|your) backups are {share} proven"]
    if count == 1 and (order := what_to_do(jobs[0].judgement)):
        said.append(f"(?:you should |please )?{re.escape(order)}")
    if bad > 3:
        said.append(f"{spelled(number(bad - 3))} more needs? a look")
    return [Statement(regex) for regex in said]


# ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────────


_NOT_RUNNING = ("off", "switched off", "turned off", "shut down", "stopped", "not running", "down")


def of_vm(running: bool) -> tuple[str, ...]:
    words = ("running", "up", "online", "on", "up and running") if running else _NOT_RUNNING
    return (f"{{names}} {{be}} {any_of(words)}",)


def of_light(on: bool) -> tuple[str, ...]:
    return ("{names} {be} (?:turned |switched )?" + ("on" if on else "off"),)


def of_lights(area: str, lights: int, on: int, degrees: int) -> list[Statement]:
    warm = spelled(str(degrees)) + " degrees(?: celsius)?"
    said = [
        f"(?:it|the temperature|the temperature there) is {warm} in the {area}",
        f"the temperature in the {area} is {warm}",
        f"in the {area},? it is {warm}",
    ]
    if on in (0, lights):
        state = "on" if on else "off"
        said += [f"all (?:of )?(?:the )?lights in the {area} are {state}", f"all (?:the )?{area} lights are {state}"]
        said.append(f"the (?:lights in the {area}|{area} lights) are (?:all )?{state}")
    return [Statement(regex) for regex in said]


def of_certificate(service: str, days: int) -> Statement:
    what = f"(?:the )?certificate (?:of|for) (?:the )?{service}|(?:the )?{service} certificate"
    return Statement(f"(?:{what}) expires in {spelled(number(days))} days")


def of_disk(service: str, percent: int, hours: int) -> list[Statement]:
    full = f"the disk (?:of|on|for) (?:the )?{service} (?:is|has been) {percent} ?(?:percent|%) full"
    since = _optional(f",? for {spelled(number(hours))} hours")
    return [
        Statement("(?:there is )?(?:one|1) alert (?:is )?(?:firing|active)"),
        Statement(f"(?:(?:there is )?(?:one|1) alert (?:is )?(?:firing|active): )?{full}{since}"),
    ]


NOTHING_FIRES = [
    Statement("no alerts (?:are|is) (?:currently )?firing"),
    Statement("there are (?:currently )?no alerts firing"),
]
