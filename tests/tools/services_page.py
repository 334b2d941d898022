"""The generated part of ``docs/services.md``: what looks at a service come to, and what is said.

``python -m tests.tools.services_page`` writes it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

from tools.services.evidence import Look
from tools.services.merging import RECOVERY_S, merge
from tools.services.port import Vantage
from tools.services.states import ServiceState, State, say_one

PAGE = Path(__file__).resolve().parents[2] / "docs" / "services.md"
MARK = "<!-- generated: python -m tests.tools.services_page -->\n"

NOW = 1_800_000_000.0
WINDOW_S = 900.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

_WHO: dict[Vantage, str | None] = {"process": "docker", "inside": None, "way": "gatus"}
_WHY: dict[Vantage, str] = {
    "process": "its container is stopped",
    "inside": "the connection is refused",
    "way": "it answers with HTTP status 502",
}


def _of(vantage: Vantage, *, up: bool) -> Look:
    runs = "its container runs" if vantage == "process" else ""
    return Look(watcher=_WHO[vantage], vantage=vantage, up=up, at=NOW, reason=runs if up else _WHY[vantage])


def every_case() -> dict[tuple[bool | None, bool | None, bool | None], ServiceState]:
    """By what is known of process, inside and way."""
    found = {}
    known = (True, False, None)
    for said in itertools.product(known, known, known):
        vantages: tuple[Vantage, ...] = ("process", "inside", "way")
        looks = [_of(vantage, up=up) for vantage, up in zip(vantages, said, strict=True) if up is not None]
        found[said] = merge("immich", looks, WINDOW_S)
    return found


def _seen(up: bool, ago_s: float, since_s: float | None = None, watcher: str | None = "gatus", **more: object) -> Look:
    since = NOW - since_s if since_s is not None else None
    reason = "" if up else "it does not answer in time"
    look = {"watcher": watcher, "up": up, "at": NOW - ago_s, "since": since, "reason": reason, **more}
    return Look(**look)  # type: ignore[arg-type]


_OWN_UP = Look(up=True, at=NOW)
_OWN_DOWN = Look(up=False, at=NOW, since=NOW, reason="the connection is refused")
_STOPPED = Look(watcher="docker", vantage="process", up=False, at=NOW, reason="its container is stopped")
_STALE = _seen(True, 2 * HOUR, doubt="gatus last looked two hours ago")

SITUATIONS: dict[str, tuple[Look, ...]] = {
    "nobody looks": (),
    "it had not answered at the deadline, and nobody else looks": (
        Look(at=NOW, reason="it had not answered when the time was up"),
    ),
    "all that is there is stale": (_STALE,),
    "a stale watcher has it up, and it does not answer": (_OWN_DOWN, _STALE),
    "a watcher has paused it, or still waits for it": (
        Look(watcher="kuma", at=NOW, hold="paused"),
        Look(watcher="gatus", at=NOW, hold="pending"),
    ),
    "it is in maintenance, and does not answer": (_OWN_DOWN, Look(watcher="kuma", at=NOW, hold="maintenance")),
    "it is in maintenance, and answers": (_OWN_UP, Look(watcher="kuma", at=NOW, hold="maintenance")),
    "up, as two watchers have it since yesterday and for two hours": (
        _seen(True, 20, DAY),
        _seen(True, 10, 2 * HOUR, "kuma"),
    ),
    "down, as two watchers have it for ten minutes and for twelve": (
        _seen(False, 20, 10 * MINUTE),
        _seen(False, 10, 12 * MINUTE, "kuma"),
    ),
    "it does not answer; a watcher saw it up a little while ago": (_OWN_DOWN, _seen(True, 40, DAY)),
    "it does not answer for ten minutes; a watcher saw it up meanwhile": (
        _seen(False, 0, 10 * MINUTE, None),
        _seen(True, 40, DAY),
    ),
    "it answers; a watcher saw it down a little while ago, for two minutes": (_OWN_UP, _seen(False, 40, 2 * MINUTE)),
    "it answers; a watcher has it down for an hour": (_OWN_UP, _seen(False, 40, HOUR)),
    "two watchers differ": (_seen(True, 20, DAY), _seen(False, 30, HOUR, "kuma")),
    "the attempts of just now differed": (Look(up=True, at=NOW, mixed=True, reason="it answers with HTTP status 503"),),
    "it stopped a moment ago; a watcher saw it up before that": (
        replace(_STOPPED, since=NOW - 10),
        _seen(True, 40, DAY, vantage="way"),
    ),
    "it stopped an hour ago; a watcher saw it up a moment ago": (
        Look(
            watcher="docker", vantage="process", up=False, at=NOW, since=NOW - HOUR, reason="its container is stopped"
        ),
        _seen(True, 40, DAY, vantage="way"),
    ),
    "a watcher counted four changes in the window": (_OWN_UP, _seen(True, 20, MINUTE, changes=4)),
}
"""Looks of different times."""


def _mark(up: bool | None) -> str:
    return {True: "up", False: "down", None: "–"}[up]


def vantages_table() -> str:
    """A row for each combination."""
    rows = [["it runs", "it answers at its address", "the way to it works", "state", "what is said"], ["---"] * 5]
    for said, state in every_case().items():
        rows.append([*map(_mark, said), f"`{state.state.value}`", say_one(state, NOW)])
    return _table(rows)


def situations_table() -> str:
    """A row for each situation."""
    rows = [["what the looks say", "state", "what is said"], ["---"] * 3]
    for words, looks in SITUATIONS.items():
        state = merge("immich", looks, WINDOW_S)
        rows.append([words, f"`{state.state.value}`", say_one(state, NOW)])
    return _table(rows)


def every_state() -> set[State]:
    """That the tables show."""
    situations = {merge("immich", looks, WINDOW_S).state for looks in SITUATIONS.values()}
    return situations | {state.state for state in every_case().values()}


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def generated() -> str:
    """All that stands below the mark."""
    return (
        "\nOne look from each vantage: docker, Jarvis itself, and gatus by the public name.\n\n"
        f"{vantages_table()}\n"
        "Several looks, and when they were taken. What began after another look had ended is a change, and the later "
        f"one counts; but after an outage of more than {RECOVERY_S / 60:g} minutes it is likelier that the two see "
        f"different things.\n\n{situations_table()}"
    )


def main() -> None:
    """Write it below the mark."""
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + (mark or MARK) + generated(), encoding="utf-8")


if __name__ == "__main__":
    main()
