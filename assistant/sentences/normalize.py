"""Text as the sentence templates expect it: lower case, plain words, fillers off. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

import yaml

from assistant.resources import resource

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_NOT_WORDS = re.compile(r"[^\w' ]+")
_BACK_UP = re.compile(r"\bback ups?\b")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b|(?<=s)'(?=\s|$)")


@cache
def grammar_file(name: str, language: str) -> dict[str, Any]:
    """One file of ``prompts/sentences/<language>``. Raises FileNotFoundError, YAMLError, TypeError on a damaged one."""
    data = yaml.safe_load(resource("prompts", "sentences", language, f"{name}.yaml").read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise TypeError(f"prompts/sentences/{language}/{name}.yaml holds no mapping")
    return data


def plain_words(text: str, language: str = "en") -> str:
    """Lower case; no punctuation or hesitations; contractions spelled out; possessives off; "back up" as "backup"."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    text = _NOT_WORDS.sub(" ", text.replace("_", " "))
    common = grammar_file("common", language)
    contractions, hesitations = common["contractions"], common["hesitations"]
    text = " ".join(contractions.get(word, word) for word in text.split() if word not in hesitations)
    text = _POSSESSIVE.sub("", text).replace("'", "")
    return " ".join(_BACK_UP.sub(_one_word, text).split())


def utterance_core(text: str, language: str = "en") -> str:
    """``plain_words`` without the fillers before and after ("okay jarvis", "please")."""
    common = grammar_file("common", language)
    words = f" {plain_words(text, language)} "
    for fillers, strip in ((common["fillers_before"], _strip_front), (common["fillers_after"], _strip_back)):
        shorter = strip(words, fillers)
        while shorter != words:
            words, shorter = shorter, strip(shorter, fillers)
    return words.strip()


def _one_word(found: re.Match[str]) -> str:
    return found.group().replace(" ", "")


def _strip_front(words: str, fillers: list[str]) -> str:
    for filler in fillers:
        if words.startswith(f" {filler} ") and len(words) > len(filler) + 2:
            return words[len(filler) + 1 :]
    return words


def _strip_back(words: str, fillers: list[str]) -> str:
    for filler in fillers:
        if words.endswith(f" {filler} ") and len(words) > len(filler) + 2:
            return words[: -len(filler) - 1]
    return words
