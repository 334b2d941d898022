"""Which timer, reminder or schedule is meant, by all the words it is called with. Pure."""

from __future__ import annotations

import re

from assistant.sentences.asides import stretches
from assistant.sentences.normalize import order_core

_CANCELS = re.compile(
    r"^(?:cancel|stop|delete|remove|clear|kill|abort|end|turn off|switch off|dismiss|scrap|drop|unset|forget about"
    r"|forget|get rid of|call off|take back|undo|silence|disable|shut off|unschedule|stop doing)\s+"
    r"(?:(?:the|my|that|this|all|our|any|every|both|current|running|of)\s+)*"
)


def task_called(text: str, language: str = "en") -> str:
    """ "cancel my reminder about the bins, I've done them" → "reminder about the bins"."""
    alone = next((one.words for one in stretches(text, language) if one.harmless and not one.before), text)
    return _CANCELS.sub("", order_core(alone, language))
