"""The question put to the model when the signals leave a doubt: which of these numbered calls is meant, or none?

A number is all that it can answer (a JSON schema, where the server offers it), so it can neither invent a tool nor an
argument, and two or three tokens are quick. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import yaml

from assistant.narrowing.doubt import Candidate
from assistant.ports import WantedCall
from assistant.resources import resource
from tools.contract import JsonObject

NONE = 0
"""The number that stands for none of the options."""

_OPTIONAL = ("area", "value", "service", "job", "vm")


def question(text: str, candidates: Sequence[Candidate]) -> str:
    """The user message: what was said, and the options."""
    lines = [f"{number}. {described(candidate)}" for number, candidate in enumerate(candidates, 1)]
    lines.append(f"{NONE}. {_wording()['none']}")
    return str(_wording()["ask"]).format(text=_one_line(text), options="\n".join(lines))


def schema(candidates: Sequence[Candidate]) -> JsonObject:
    """What the model may answer: ``{"choice": n}``."""
    numbers = list(range(len(candidates) + 1))
    return {
        "type": "object",
        "properties": {"choice": {"type": "integer", "enum": numbers}},
        "required": ["choice"],
        "additionalProperties": False,
    }


def choice_in(answer: str, candidates: Sequence[Candidate]) -> int | None:
    """The number in the model's answer; None when there is none, or one that was not offered."""
    found = re.search(r"\d+", answer[:200])
    number = int(found.group()) if found and len(found.group()) < 4 else -1
    return number if NONE <= number <= len(candidates) else None


def described(candidate: Candidate) -> str:
    """The call in words."""
    call, wording = candidate.call, _wording()["options"]
    if candidate.open:
        return f"use {call.tool}"
    given = "/".join(key for key in _OPTIONAL if key in call.arguments)
    template = wording.get(f"{call.tool}/{given}") or wording[call.tool]
    return _one_line(str(template).format(**_spoken(call)))


def _spoken(call: WantedCall) -> dict[str, str]:
    special = {"action": {"on": "turn on", "off": "turn off", "force-off": "force off", "shutdown": "shut down"}}
    return {
        key: special.get(key, {}).get(str(value), "everything" if value == "all" else str(value))
        for key, value in call.arguments.items()
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


@cache
def _wording() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(resource("prompts", "options.yaml").read_text(encoding="utf-8"))
    return data
