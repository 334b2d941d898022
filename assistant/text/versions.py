"""Versions → speech. Pure."""

from __future__ import annotations

import re

from assistant.text import words
from assistant.text.rules import Rule, rule

_BUILD = r"((?:[-+~][0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?)"


@rule(
    "version",
    rf"(?<![\w.:,-])(?:({words.VERSION}|release) v?|v)?([0-9]+(?:\.[0-9]+){{1,5}}){_BUILD}(?!\w|,[0-9]|\.[0-9])",
    re.IGNORECASE,
)
def version(match: re.Match[str]) -> str:
    """espeak-ng reads 2.14.3 as "two point one four point three"."""
    noun, numbers, build = match.groups()
    marked = match.group()[0] in "vV" and noun is None
    if noun is None and not marked and numbers.count(".") == 1:
        return match.group()
    said = f" {words.POINT} ".join(numbers.split("."))
    tail = re.sub(r"(?<=[A-Za-z])(?=[0-9])", " ", re.sub(r"[^0-9A-Za-z]", " ", build))
    lead = f"{noun} " if noun else f"{words.VERSION} " if marked else ""
    return f"{lead}{said}{tail}"


@rule("version behind a name", r"(?<![\w.])([A-Za-z]{2,20})(?:/v?|(?=[0-9]+\.[0-9]+\.))(?=[0-9]+\.[0-9])")
def named_version(match: re.Match[str]) -> str:
    """nginx/1.18.0, go1.19.8"""
    return f"{match.group(1)} "


@rule("v1", r"(?<![\w.-])[vV]([0-9]{1,4})(?![\w.-])")
def short_version(match: re.Match[str]) -> str:
    return f"{words.VERSION} {match.group(1)}"


RULES: tuple[Rule, ...] = (named_version, version, short_version)
