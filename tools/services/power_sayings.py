"""What came of starting, stopping and restarting a service, in a sentence or two. Pure."""

from __future__ import annotations

from tools.engines.port import Unit
from tools.wording import counted, number, sentence

KILLED = 137
"""128 + SIGKILL, as shells and engines count it: killed, by the kernel for its memory or by the engine."""


def so_already(action: str, unit: Unit) -> bool:
    """Whether there is nothing to do: it runs, or it is stopped."""
    if action == "stop":
        return not unit.running and unit.said not in ("restarting", "starting", "stopping", "paused")
    return action == "start" and unit.running


def told_already(name: str, action: str, unit: Unit, answers: bool | None, why_not: str) -> tuple[str, bool]:
    """Said instead of acting, and whether all is well with it."""
    if action == "stop":
        return sentence(f"{name} is stopped already"), True
    if unit.health == "starting":
        return sentence(f"{name} is starting already"), True
    if unit.health == "unhealthy":
        return sentence(f"{name} is running already, but its own health check fails"), False
    if answers is False:
        return sentence(f"{name} is running already, but it does not answer: {why_not}"), False
    return sentence(f"{name} is running already"), True


def came_of_it(
    name: str, action: str, unit: Unit, *, answers: bool | None, why_not: str, took_s: float, settled: bool
) -> tuple[str, bool]:
    """The sentence, and whether what was wanted is so."""
    said, well = _came_of_it(name, action, unit, answers, why_not, took_s, settled)
    return sentence(said), well


def _came_of_it(
    name: str, action: str, unit: Unit, answers: bool | None, why_not: str, took_s: float, settled: bool
) -> tuple[str, bool]:
    if action == "stop":
        return _stopped(name, unit, answers)
    again = " again" if action == "restart" else ""
    if not unit.running:
        return _not_running(name, again, unit, settled), False
    if unit.health == "starting":
        return f"{name} is running{again}. It's still starting up.", False
    if unit.health == "unhealthy":
        return f"{name} is running{again}, but its own health check fails.", False
    if answers is False:
        return f"{name} is running{again}, but it does not answer yet: {why_not}", False
    if action == "restart" and not settled:
        return f"{name} is running, and I can't see that it was restarted.", False
    return f"{name} is running{again}, {after(took_s)}.", True


def _stopped(name: str, unit: Unit, answers: bool | None) -> tuple[str, bool]:
    if unit.running or unit.said in ("restarting", "stopping", "deactivating"):
        return f"{name} is still stopping.", False
    if answers:
        return f"{name} is stopped, but something still answers at its address.", True
    return f"{name} is stopped.", True


def _not_running(name: str, again: str, unit: Unit, settled: bool) -> str:
    if unit.said == "restarting":
        return f"{name} keeps restarting{ending(unit)}"
    if unit.said in ("masked", "wrongly configured"):
        return f"{name} did not start: its unit is {unit.said}."
    if not settled:
        return f"{name} is still starting."
    if unit.exit_code == 0:  # a job that is done, or a server that found nothing to do
        return f"{name} was started{again}, and has ended by itself without an error"
    came = "did not come back" if again else "did not start"
    return f"{name} {came}{ending(unit) or ': it is not running'}"


def ending(unit: Unit) -> str:
    """How it ended, as the end of a sentence; nothing where the engine does not tell."""
    code = unit.exit_code
    if code is None:
        return ""
    if code == 0:
        return ": it ended by itself, without an error"
    if code == KILLED:
        return ": it was killed"
    return f": it ended with exit code {number(code)}"


def after(seconds: float) -> str:
    """ "after four seconds"; below one "within a second"."""
    return "within a second" if seconds < 1 else f"after {counted(round(seconds), 'second')}"
