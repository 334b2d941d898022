"""Turns with two or three tool results, drawn from a seed, with what is true in them as a table beside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from assistant.ports import DeviceName, Names
from tests.planned import HOMELAB
from tests.true_statements import (
    NOTHING_FIRES,
    Statement,
    of_certificate,
    of_disk,
    of_job,
    of_jobs,
    of_light,
    of_lights,
    of_service,
    of_services,
    of_vm,
)
from tools.backups.evidence import Evidence, Limits, Place, RestoreTest
from tools.backups.port import Copy
from tools.backups.sayings import JudgedJob, worst_first
from tools.backups.sayings import say_all as say_all_backups
from tools.backups.sayings import say_one as say_one_backup
from tools.backups.verdict import Verdict, judge
from tools.contract import Finding, Severity, ToolResult
from tools.services.states import ServiceState, State, say_all, say_one
from tools.wording import counted, listing, sentence

NOW = 1_790_000_000.0
HOUR = 3600.0
REASONS = ("the connection is refused", "it does not answer in time", "it answers with HTTP status 502")
House = dict[str, Any]


@dataclass(frozen=True)
class Truth:
    """What is true of one thing: in which sense of its name, and which states it has. ``bad``: news not to be withheld.

    ``says``: the statements that are true of it, as ``tests/true_statements.py`` writes them; ``area``: of a light.
    """

    name: str
    topic: str
    words: frozenset[str]
    says: tuple[str, ...] = ()
    bad: bool = False
    area: str = ""


@dataclass
class SeededTurn:
    """An utterance, its results, and the table that an oracle goes by; ``statements`` are true of no single thing."""

    utterance: str
    results: list[ToolResult]
    truths: list[Truth] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)


@cache
def house() -> House:
    """The demo homelab's file."""
    loaded: House = yaml.safe_load(HOMELAB.read_text(encoding="utf-8"))
    return loaded


def house_names() -> Names:
    """All names of the demo homelab, with its home."""
    all_of = house()
    devices = tuple(
        DeviceName(device, area, "light" if device in inside["lights"] else "device")
        for area, inside in all_of["home"].items()
        for device in (*inside["lights"], *inside["others"])
    )
    aliased = {
        kind: {name: tuple(entry["aliases"]) for name, entry in all_of[section].items()}
        for kind, section in (("service", "services"), ("job", "backups"), ("vm", "vms"))
    }
    places = {"area": dict.fromkeys(all_of["home"], ()), "device": {device.name: () for device in devices}}
    return Names({**aliased, **places}, devices)


def turns(seed: int, count: int) -> Iterator[SeededTurn]:
    """The same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - a test's numbers
    for _ in range(count):
        yield turn(draw)


def turn(draw: random.Random) -> SeededTurn:
    """Two or three results of different tools."""
    made = draw.sample([_services, _backups, _vms, _home, _alerts], draw.choice((2, 2, 3)))
    asked = []
    drawn = SeededTurn("", [])
    for make in made:
        question, result, truths, statements = make(draw)
        asked.append(question)
        drawn.results.append(result)
        drawn.truths += truths
        drawn.statements += statements
    drawn.utterance = f"{' and '.join(asked)}?"
    return drawn


_Made = tuple[str, ToolResult, list[Truth], list[Statement]]
_SERVICE_WORDS = {
    State.UP: {"up", "running", "online", "reachable", "working", "available", "responding", "operational"},
    State.DOWN: {"down", "offline", "unreachable", "unavailable"},
    State.FLAPPING: {"flapping"},
    State.UNKNOWN: {"unknown"},
}


def _services(draw: random.Random) -> _Made:
    names = draw.sample(sorted(house()["services"]), draw.choice((1, 2, 4, 6)))
    states = [_service(draw, name) for name in names]
    spoken = say_one(states[0], NOW) if len(states) == 1 else say_all(states)
    records = [
        {"name": s.name, "state": s.state.value, "since": None, "status_code": s.status_code, "reason": s.reason}
        for s in states
    ]
    findings = tuple(
        Finding(severity=Severity.WARNING, subject=s.name, message=f"{s.state}: {s.reason}")
        for s in states
        if s.state is not State.UP
    )
    truths = [
        Truth(s.name, "service", frozenset(_SERVICE_WORDS[s.state]), of_service(s, NOW), s.state is not State.UP)
        for s in states
    ]
    question = f"is {names[0]} up" if len(names) == 1 else draw.choice(("what is down", "are all services up"))
    result = ToolResult(spoken=spoken, data={"services": records}, findings=findings)
    return question, result, truths, of_services(states)


def _service(draw: random.Random, name: str) -> ServiceState:
    state = draw.choices((State.DOWN, State.FLAPPING, State.UNKNOWN, State.UP), weights=(3, 1, 1, 5))[0]
    reason = "" if state is State.UP else draw.choice(REASONS)
    if state is State.UNKNOWN:
        reason = "it had not answered when the time was up"
    since = NOW - draw.randint(1, 30) * HOUR if state is State.DOWN else None
    return ServiceState(name, state, since, 200 if state is State.UP else None, None, reason)


def _backups(draw: random.Random) -> _Made:
    names = draw.sample(sorted(house()["backups"]), draw.choice((1, 2, 3, 5)))
    jobs = [_job(draw, name) for name in names]
    spoken = say_one_backup(jobs[0], NOW) if len(jobs) == 1 else say_all_backups(jobs, NOW)
    records = [
        {
            "job": job.name,
            "kind": job.kind,
            "age_h": round((NOW - job.last_success) / HOUR, 2) if job.last_success else None,
            "max_age_h": 26.0,
            "verdict": job.verdict.value,
            "cause": job.judgement.cause.value,
            "detail": job.judgement.detail,
        }
        for job in jobs
    ]
    told = {job.name for job in worst_first(jobs)[:3] if job.verdict is not Verdict.OK}
    truths = [Truth(job.name, "backup", _job_words(job), of_job(job, NOW), job.name in told) for job in jobs]
    question = (
        f"is the {names[0]} backup ok" if len(names) == 1 else draw.choice(("are the backups ok", "how are my backups"))
    )
    return question, ToolResult(spoken=spoken, data={"jobs": records}), truths, of_jobs(jobs, NOW)


def _job(draw: random.Random, name: str) -> JudgedJob:
    last = NOW - draw.choice((2, 5, 9, 70, 200)) * HOUR
    tested = NOW - draw.choice((3, 20, 50, 90)) * 24 * HOUR
    test = draw.choice((None, RestoreTest(tested, True), RestoreTest(tested, True), RestoreTest(tested, False, "x")))
    copy = Copy(id="a", at=last)
    place = Place(looked_at=NOW, found=True, newest=copy, whole=copy)
    judgement = judge(Evidence(places=(place,), tests=(test,) if test else ()), now=NOW, limits=Limits())
    return JudgedJob(name, "restic", judgement, last, test)


def _job_words(job: JudgedJob) -> frozenset[str]:
    words = {"backed up", "old"}
    if job.restore_test is None:
        words |= {"never restored", "not proven", "unverified"}
    elif job.restore_test.ok:
        words |= {"restored", "verified", "compared"}
    else:
        words |= {"could not be restored", "failed"}
    if job.verdict.value == "ok":
        words |= {"ok", "proven", "verified", "healthy", "fine", "good"}
    if job.verdict.value in ("failed", "stale", "unverified"):
        words |= {job.verdict.value, "not proven"}
    return frozenset(words)


def _vms(draw: random.Random) -> _Made:
    names = draw.sample(sorted(house()["vms"]), draw.choice((1, 2, 3)))
    running = {name: draw.random() < 0.5 for name in names}
    by_state = {word: [n for n in names if running[n] is on] for word, on in (("running", True), ("off", False))}
    parts = [f"{listing(of)} {'is' if len(of) == 1 else 'are'} {word}" for word, of in by_state.items() if of]
    data = {"vms": [{"name": name, "state": "running" if on else "off"} for name, on in running.items()]}
    words = {True: {"running", "up", "online", "on"}, False: {"off", "not running", "stopped"}}
    truths = [Truth(name, "vm", frozenset(words[on]), of_vm(on), not on) for name, on in running.items()]
    question = f"is {names[0]} running" if len(names) == 1 else "which machines run"
    return question, ToolResult(spoken=sentence(listing(parts)), data=data), truths, []


def _home(draw: random.Random) -> _Made:
    area = draw.choice(sorted(house()["home"]))
    lights = house()["home"][area]["lights"]
    on = [light for light in lights if draw.random() < 0.5]
    degrees = draw.randint(15, 26)
    said = [f"the {area} {light} is {'on' if light in on else 'off'}" for light in lights]
    spoken = f"{sentence(listing(said))} It is {degrees} degrees in the {area}."
    data = {
        "devices": [{"name": name, "area": area, "state": "on" if name in on else "off"} for name in lights],
    }
    truths = [
        Truth(name, "light", frozenset({"on" if name in on else "off"}), of_light(name in on), area=area)
        for name in lights
    ]
    statements = of_lights(area, len(lights), len(on), degrees)
    return f"what is on in the {area}", ToolResult(spoken=spoken, data=data), truths, statements


def _alerts(draw: random.Random) -> _Made:
    service = draw.choice(sorted(house()["services"]))
    days, hours = draw.randint(2, 11), draw.randint(2, 11)
    percent = 80 + days
    disk = f"one alert is firing: the disk of {service} is {percent} percent full, for {counted(hours, 'hour')}"
    certificate = f"the certificate of {service} expires in {counted(days, 'day')}"
    kinds: list[tuple[str, str, set[str], list[Statement]]] = [
        (certificate, service, {"expires"}, [of_certificate(service, days)]),
        (disk, service, {"full", "firing"}, of_disk(service, percent, hours)),
        ("no alerts are firing", "", {"firing"}, NOTHING_FIRES),
    ]
    spoken, name, words, statements = draw.choice(kinds)
    truths = [Truth(name, "alert", frozenset(words))] if name else []
    return "does anything fire", ToolResult(spoken=sentence(spoken), data={"alerts": []}), truths, statements
