"""How what others sent is said. Their words come last, and after ours: nobody takes them for Jarvis's own. Pure."""

from __future__ import annotations

from enum import Enum

from tools.notify.listening.inbox import NAMED, Group
from tools.wording import counted, sentence


class Meanwhile(Enum):
    """Why it was not said when it came."""

    NOTHING = ""
    QUIET = "while it was quiet"
    OFF = "while I was off"


def announcement(group: Group, meanwhile: Meanwhile = Meanwhile.NOTHING) -> str:
    """ "An alert: …", "Three alerts: …", "While it was quiet, four messages came. The most important: …"."""
    noun = "alert" if group.alerts == group.count else "message"
    if meanwhile is Meanwhile.NOTHING and group.count == 1:
        return sentence(f"{'an' if noun == 'alert' else 'a'} {noun}: {group.top[0]}")
    head = counted(group.count, noun)
    if meanwhile is not Meanwhile.NOTHING:
        head = f"{meanwhile.value}, {head} came"
    if group.count <= NAMED:
        return sentence(f"{head}: {'; '.join(group.top)}")
    return f"{sentence(head)} {sentence(f'The most important: {group.top[0]}')}"
