"""Abbreviations, acronyms and symbols → words; what is left over that cannot be said goes. Pure."""

from __future__ import annotations

import re
import unicodedata

from assistant.text import words
from assistant.text.rules import Rule, one_of, rule

_KEPT = frozenset(".,!?;:'’-–—…")
"""Punctuation that a synthesizer makes pauses and melody of."""

_PAUSES = str.maketrans(dict.fromkeys("()[]{}", ", ") | dict.fromkeys("‑‐", "-"))


@rule("arrow", r" ?(?:-{1,3}|={1,2})>(?!\w*>) ?|(?<=[\w)]) ?<- ?(?=\w)")
def arrow(match: re.Match[str]) -> str:
    return f" {words.SYMBOLS['←' if '<' in match.group() else '→']} "


@rule("CVE", r"(?<![\w-])CVE-([0-9]{4})-([0-9]{4,7})(?![\w-])")
def cve(match: re.Match[str]) -> str:
    return f"CVE {match.group(1)} {match.group(2)}"


@rule("abbreviation", rf"(?<![\w.])(?:{one_of(words.ABBREVIATIONS)})(?!\w)", re.IGNORECASE)
def abbreviation(match: re.Match[str]) -> str:
    """The stop of the sentence stays where the abbreviation's own stop was also that."""
    found = match.group()
    key = found if found in words.ABBREVIATIONS else found.casefold()
    behind = match.string[match.end() : match.end() + 3]
    if key not in words.ABBREVIATIONS or (key in words.BEFORE_A_NUMBER and not re.match(r" ?[0-9]", behind)):
        return found
    said = words.ABBREVIATIONS[key]
    if found[0].isupper() and found not in words.ABBREVIATIONS:
        said = said[0].upper() + said[1:]
    ends = found.endswith(".") and (not behind.strip() or re.match(r" [A-Z]", behind)) and key in _AT_THE_END
    return f"{said}{'.' if ends else ''}"


_AT_THE_END = frozenset({"etc.", "a.m.", "p.m.", "incl.", "excl."})


@rule("acronym", rf"(?<![\w/])(?:{one_of(words.ACRONYMS)})(?![\w/])")
def acronym(match: re.Match[str]) -> str:
    return words.ACRONYMS[match.group()]


@rule("C++ and C#", r"(?<!\w)([A-Z])(\+\+|#)(?!\w)")
def language(match: re.Match[str]) -> str:
    return f"{match.group(1)} {words.PLUS_PLUS if match.group(2) == '++' else words.SHARP}"


@rule("times", r"(?<=[0-9]) ?\* ?(?=[0-9])")
def times(_: re.Match[str]) -> str:
    return f" {words.SYMBOLS['×']} "


@rule("symbol", rf"(?<=[\w.,)'’%\]]) ?([{re.escape(''.join(words.SYMBOLS))}]) ?(?=[\w(\[])")
def symbol(match: re.Match[str]) -> str:
    return f" {words.SYMBOLS[match.group(1)]} "


@rule("percent", r"(?<=[\w]) ?%")
def percent(_: re.Match[str]) -> str:
    return f" {words.SYMBOLS['%']}"


@rule("breadcrumb", r"(?<=\S) [>|›»·•] (?=\S)")
def breadcrumb(_: re.Match[str]) -> str:
    return ", "


@rule("dash", r"(?<=\S) -{1,3} (?=\S)|(?<=\w)---?(?=\w)")
def dash(_: re.Match[str]) -> str:
    return " — "


FIRST_RULES: tuple[Rule, ...] = (arrow, acronym, language)
"""Before the numbers: "24/7" is no share, and the "+" of C++ adds nothing."""

RULES: tuple[Rule, ...] = (cve, times, abbreviation, symbol, percent, breadcrumb, dash)


# ── what is left ──────────────────────────────────────────────────────────────────────────────────────────────────

_STRAY = re.compile(r"(?<!\w)-+|-+(?!\w)|(?<!\w)['’]+|['’]{2,}")
"""Hyphens and apostrophes belong inside words, or behind them ("the users' files")."""

_RUN = re.compile(r"[ .,!?;:…–—]{2,}")
_ENDS = " .,;:!?…'’–—-"
MAX_STOPS = 3
"""Of "!!!!!!" one is left, "..." stays."""


def _pause(match: re.Match[str]) -> str:
    """One pause for several: the strongest of them, with one space behind it."""
    marks = match.group().replace(" ", "")
    if stops := "".join(mark for mark in marks if mark in ".!?…"):
        kept = stops if len(stops) <= MAX_STOPS else stops[0]
        return kept if match.group() == kept else f"{kept} "
    for kind in ("–—", ":;", ","):
        if found := next((mark for mark in marks if mark in kind), None):
            return f" {found} " if kind == "–—" else f"{found} "
    return " "


def tidy(text: str) -> str:
    """One line of letters, figures and pauses: no emoji, no control characters, no brackets, no quotation marks."""
    kept = "".join(
        character if character in _KEPT or _is_said(character) else " " for character in text.translate(_PAUSES)
    )
    return _RUN.sub(_pause, _STRAY.sub(" ", kept)).lstrip(_ENDS).rstrip(" ,–—-")


def _is_said(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or (category in ("Mn", "Mc") and character != "\ufe0f")
