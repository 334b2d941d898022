"""What is said of tasks, and which one is meant by words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.jobs.ledger import Job
from tools.jobs.sayings import EVERYTHING, name_of, under_way
from tools.names import plain
from tools.tasks.schedules import Scheduled
from tools.wording import counted, duration, listing, sentence

TIMER, REMINDER, ALARM = "timer", "reminder", "alarm"

TIMER_WORDS = frozenset({"timer", "timers", "countdown"})
REMINDER_WORDS = frozenset({"remind", "reminder", "reminders"})
ALARM_WORDS = frozenset({"alarm", "alarms", "wake"})

SAID_AT_MOST = 4
"""Tasks of one sort that are said one by one."""

_TOOL_WORDS = {"run_backup": {"backup", "backups", "back", "up", "run", "copy"},
               "test_restore": {"restore", "restores", "test", "tests", "testing"}}  # fmt: skip
_ANY_JOB = {"job", "jobs", "task", "tasks", "running", "run"}
_ANY_SCHEDULE = {"schedule", "scheduled", "schedules", "task", "tasks", "planned"}
_FILLERS = frozenset({"the", "my", "our", "a", "an", "that", "this", "one", "please", "of", "for", "to", "me", "at",
                      "on", "in", "now"})  # fmt: skip


def sort_of(what: str) -> str:
    """ "timer", "reminder" or "alarm" from its words; a reminder where none says so."""
    words = set(plain(what))
    if words & TIMER_WORDS:
        return TIMER
    return ALARM if words & ALARM_WORDS else REMINDER


def said_when(when: str) -> str:
    """A canonical time as it is said: days of the week in capitals."""
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return " ".join(word.capitalize() if word in days else word for word in when.split())


def said_set(what: str, when: str, order: str) -> str:
    """That it is kept. ``order``: the read-back of what will be done, empty for what is only said."""
    if order:
        return sentence(f"I'll {_later(order)} {said_when(when)}")
    sort = sort_of(what)
    if sort == TIMER:
        return sentence(f"{what if TIMER_WORDS & set(plain(what)) else 'the timer'} is set: {said_when(when)}")
    if sort == ALARM:
        return sentence(f"the alarm is set {said_when(when)}")
    how, thing = _reminded_of(what)
    return sentence(f"I'll remind you {said_when(when)}{f' {how}' if how else ':'} {thing}")


def said_due(one: Scheduled, late_s: float) -> str:
    """What is said when it is time; ``late_s``: how long ago that was."""
    late = f" That was {duration(late_s)} ago; I was not running then." if late_s > 60 else ""
    sort = sort_of(one.what)
    if sort == TIMER:
        return f"{sentence(f'the {_bare(one.what)} is done')}{late}"
    if sort == ALARM:
        return f"{sentence('it is time to get up')}{late}"
    return f"{sentence(f'a reminder: {_reminded_of(one.what)[1]}')}{late}"


def said_missed(one: Scheduled) -> str:
    """What was not done because nobody was there at its time, and is not done late."""
    order = _later((one.agreed.readback if one.agreed else "") or one.what)
    again = f" The next time is {said_when(one.when)}." if one.recurring else ""
    return f"I was not running {said_when(one.when)}, so I did not {order}.{again}"


def said_not_done(one: Scheduled, why: str) -> str:
    """What was refused or failed at its time; ``why``: in sentences."""
    return f"It was time to {_later((one.agreed.readback if one.agreed else '') or one.what)}. {why}"


def said_broken_off(one: Scheduled) -> str:
    """What was begun when the process was killed."""
    order = _later((one.agreed.readback if one.agreed else "") or one.what)
    return f"I was interrupted when it was time to {order}; please check whether it was done."


def said_tasks(jobs: Sequence[Job], scheduled: Sequence[Scheduled], now: float) -> str:
    """Everything that runs or is kept, in a few sentences."""
    if not jobs and not scheduled:
        return "Nothing is running, and nothing is scheduled."
    parts = [under_way(job) for job in jobs[:SAID_AT_MOST]]
    if len(jobs) > SAID_AT_MOST:
        parts.append(f"{counted(len(jobs) - SAID_AT_MOST, 'more job')} waiting or running".replace("more jobs", "more"))
    if scheduled:
        named = [_named(one, now) for one in scheduled[:SAID_AT_MOST]]
        more = len(scheduled) - len(named)
        parts.append(listing([*named, *([f"{more} more"] if more else [])]))
    return " ".join(sentence(part) for part in parts)


def name_of_scheduled(one: Scheduled) -> str:
    """ "the pasta timer", "the reminder to call mum", "back up photos now every Sunday at 03:00"."""
    if one.agreed is not None:
        return f"{_later(one.agreed.readback or one.what)} {said_when(one.when)}"
    if sort_of(one.what) == REMINDER:
        how, thing = _reminded_of(one.what)
        if how:
            return f"the reminder {how} {thing}"
        if not set(plain(one.what)) & REMINDER_WORDS:
            return f"the reminder “{one.what}”"
    return f"the {_bare(one.what)}"


def meant(said: str, jobs: Sequence[Job], scheduled: Sequence[Scheduled]) -> list[Job | Scheduled]:
    """The task of that id; else those that these words can mean: every word that carries something belongs to the
    task."""
    tasks: tuple[Job | Scheduled, ...] = (*jobs, *scheduled)
    by_id = [one for one in tasks if one.id == said]
    if by_id:
        return by_id
    words = [word for word in plain(said) if word not in _FILLERS]
    found: list[Job | Scheduled] = [job for job in jobs if words and _fits(words, _words_of_job(job))]
    found += [one for one in scheduled if words and _fits(words, _words_of_scheduled(one))]
    return found


def _fits(words: Sequence[str], own: set[str]) -> bool:
    return all(word in own or word.removesuffix("s") in own or f"{word}s" in own for word in words)


def _words_of_job(job: Job) -> set[str]:
    everything = {"all", "everything", "every"} if job.subject == EVERYTHING else set()
    return {*plain(name_of(job)), *plain(job.subject), *_TOOL_WORDS.get(job.tool, set()), *_ANY_JOB, *everything}


def _words_of_scheduled(one: Scheduled) -> set[str]:
    own = {*plain(one.what), *plain(one.when), *_ANY_SCHEDULE}
    if one.agreed is not None:
        return own | {*plain(one.agreed.readback), *_TOOL_WORDS.get(one.agreed.tool, set())}
    return own | {TIMER: TIMER_WORDS, REMINDER: REMINDER_WORDS, ALARM: ALARM_WORDS}[sort_of(one.what)]


def _named(one: Scheduled, now: float) -> str:
    if one.agreed is None and sort_of(one.what) == TIMER and one.next_at is not None:
        return f"the {_bare(one.what)} has {duration(max(one.next_at - now, 0.0))} left"
    at = "" if one.agreed is not None else f" {said_when(one.when)}"
    return f"{name_of_scheduled(one)}{at}"


_REMINDED = re.compile(
    r"(?:.*\b)?remind(?:er)?(?: (?:me|us))?,? (?P<how>to|about|of|that) (?P<thing>\S.*)", re.IGNORECASE
)


def _reminded_of(what: str) -> tuple[str, str]:
    """ "remind me to call mum" → "to", "call mum"; words that are nothing but the thing: "", and the thing."""
    found = _REMINDED.fullmatch(what.strip())
    return (found["how"].casefold(), found["thing"]) if found else ("", what)


def _later(order: str) -> str:
    """ "back up photos now", said of another time."""
    return order.removesuffix(" now")


def _bare(what: str) -> str:
    words = what.split()
    while len(words) > 1 and words[0].casefold() in _FILLERS:
        words = words[1:]
    return " ".join(words)
