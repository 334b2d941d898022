"""What a check of the doctor is: one question, answered within a deadline, with the mend; it changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assistant.cli.common import House

Status = Literal["ok", "warning", "broken"]

DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of the doctor."""

    name: str
    status: Status
    detail: str
    mend: str = ""


Look = Callable[[House], Check]


@dataclass(frozen=True, slots=True)
class Examination:
    """A check: its name, what it looks at (for docs/doctor.md), how long it may take, and the look itself."""

    name: str
    about: str
    look: Look
    deadline_s: float = DEADLINE_S

    def __call__(self, house: House) -> Check:
        """Its finding, within the deadline, whatever it meets. Raises nothing."""
        found: list[Check] = []

        def work() -> None:
            try:
                found.append(self.look(house))
            except Exception as error:  # noqa: BLE001 - the edge: a check that breaks must not hide the others
                mend = "Please report it: JARVIS_DEBUG=1 shows no more, a check never raises."
                found.append(Check(self.name, "warning", f"the check broke: {type(error).__name__}", mend))

        thread = threading.Thread(target=work, name=f"doctor: {self.name}", daemon=True)
        thread.start()
        thread.join(self.deadline_s)
        if found:
            return found[0]
        mend = "Something that it asks hangs: a disk, a network drive or a server that does not answer."
        return Check(self.name, "warning", f"there was no answer within {self.deadline_s:g} s", mend)


def looks(name: str, about: str, deadline_s: float = DEADLINE_S) -> Callable[[Look], Examination]:
    """Make a function a check. ``about``: what it looks at, in a few words."""
    return lambda look: Examination(name, about, look, deadline_s)
