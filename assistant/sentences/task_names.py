"""Which timer, reminder or schedule is meant, by all the words it is called with. Pure."""

from __future__ import annotations

import re

from assistant.sentences.asides import stretches
from assistant.sentences.normalize import order_core

_CANCELS = re.compile(
    r"^(?:ditch|bin|axe|nix|void|lose|chuck|"
    r"cancel|stop|delete|remove|clear|kill|abort|end|turn off|switch off|dismiss|scrap|drop|unset|forget about"
    r"|forget|get rid of|call off|take back|undo|silence|disable|shut off|unschedule|stop doing)\s+"
    r"(?:(?:the|my|that|this|all|our|any|every|both|current|running|of)\s+)*"
)

_REMARK = re.compile(r"(?:(?<=timer)|(?<=alarm)) (?:i|we|he|she|they|it|you)\b.*$")
"""A remark that follows without a pause; a reminder may be about anything."""


_UNNEEDED = re.compile(
    r"^(?:i|we) (?:do not|no longer) (?:need|want) (?:(?:the|my|that|this|our) )?(.+? (?:timer|reminder|alarm)s?)"
    r"(?: (?:any more|anymore|any longer|now))?\b.*$"
)


def task_called(text: str, language: str = "en") -> str:
    """ "cancel my reminder about the bins, I've done them" → "reminder about the bins"."""
    core = order_core(text, language)
    if (unneeded := _UNNEEDED.match(core) or _CAN_GO.match(core)) is not None:
        return unneeded[1]
    alone = next((one.words for one in stretches(text, language) if one.harmless and not one.before), text)
    return without_remark(_CANCELS.sub("", order_core(alone, language)))


_CAN_GO = re.compile(
    r"^(?:(?:the|my|that|this|our) )?(.+? (?:timer|reminder|alarm)s?) (?:can|could|should|may|must|is|are)\b.*$"
)


def without_remark(task: str) -> str:
    """ "the timer i use the fresh pasta" → "the timer"."""
    return _REMARK.sub("", task).strip()
