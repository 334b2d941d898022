"""What is answered without a tool and without a model: the time, the date, sums, thanks. Pure.

The clock and arithmetic are facts, so a model is not asked for them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime

from assistant.phrases import phrase
from assistant.sentences.normalize import utterance_core
from tools.when.time_words import number

LIMIT = 10**12
"""Results beyond this are no longer something to say aloud."""

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "plus": operator.add, "and": operator.add, "+": operator.add,
    "minus": operator.sub, "less": operator.sub, "-": operator.sub,
    "times": operator.mul, "multiplied by": operator.mul, "x": operator.mul, "*": operator.mul,
    "divided by": operator.truediv, "over": operator.truediv, "/": operator.truediv,
    "percent of": lambda share, whole: share * whole / 100,
}  # fmt: skip
_BEFORE = {"half of": 0.5, "a third of": 1 / 3, "a quarter of": 0.25, "twice": 2.0, "double": 2.0, "half": 0.5}
_ASKS = re.compile(
    r"^(?:what is|what are|how much is|calculate|compute|work out|tell me|do you know what is|what would be)\s+"
)


def spoken_answer(key: str, now: datetime, arguments: dict[str, object] | None = None) -> str:
    """The sentence for an answer that a template found (``clock``, ``calendar``, ``thanks``, …)."""
    if key == "clock":
        return f"It is {now:%H:%M}."
    if key == "calendar":
        return f"Today is {now:%A}, {now:%B} {now.day}, {now.year}."
    return phrase(key)


def arithmetic(text: str, language: str = "en") -> str | None:
    """ "what's seventeen times twenty three" → "That is 391."; None when it is no sum of two numbers."""
    signs = re.sub(r"(?<=[\d\s])([+*/×÷-])(?=[\d\s])", r" \1 ", text).replace("×", "*").replace("÷", "/")
    signs = re.sub(r"\s([+*/-])\s", lambda m: f" {_WORDS[m.group(1)]} ", signs)
    core = utterance_core(signs.replace("%", " percent"), language)
    words = _ASKS.sub("", core)
    if words == core and not re.search(r"\d", core):
        return None
    value = _value(words)
    if value is None:
        return None
    return f"That is {_said(value)}." if abs(value) < LIMIT else None


_WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def _value(words: str) -> float | None:
    for before, factor in _BEFORE.items():
        if words.startswith(f"{before} "):
            rest = _number(words[len(before) + 1 :])
            return None if rest is None else factor * rest
    if words.startswith("the square root of "):
        root = _number(words.removeprefix("the square root of "))
        return None if root is None else root**0.5
    if words.endswith(" squared"):
        base = _number(words.removesuffix(" squared"))
        return None if base is None else base**2
    for name, operate in sorted(_OPERATORS.items(), key=lambda item: -len(item[0])):
        left, found, right = words.partition(f" {name} ")
        first, second = _number(left), _number(right)
        if found and first is not None and second is not None:
            return None if operate is operator.truediv and second == 0 else operate(first, second)
    return None


def _number(words: str) -> float | None:
    if re.fullmatch(r"\d+(?:\.\d+)?", words):
        return float(words)
    parts = words.replace("-", " ").split()
    found = number(parts, 0) if parts else None
    return float(found[0]) if found is not None and found[1] == len(parts) else None


def _said(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value)}"
    return f"about {value:.2f}" if round(value, 2) != value else f"{value:.2f}".rstrip("0")
