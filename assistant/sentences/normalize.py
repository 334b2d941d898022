"""Text as the sentence templates expect it: lower case, plain words, fillers off. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

import yaml

from assistant.resources import resource
from assistant.sentences.politeness import plainly, wished
from tools.when.time_words import number

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_NOT_WORDS = re.compile(r"(?<!\d)[.:]|[.:](?!\d)|[^\w' .:]")
"""Punctuation, but for the points in "21.5" and "7:30"."""

_POSSESSIVE = re.compile(r"(?<=\w)'s\b|(?<=s)'(?=\s|$)")

_BACK_UP = re.compile(r"\bback ((?:the|my|our|your|it|them|that|all|everything)(?: \w+){0,3}?) up\b")
"""English: "back the photos up" is "backup the photos"."""

_UP_AGAIN = re.compile(
    r"\b((?:is|are|was|were|came|come|comes|gets?|got|bring|brought|be)(?: \w+){0,2}?"
    r" (?!the |my |our |a |every )\w+) back up\b"
    r"(?= (?:yet|again|now|online)\b)"
    r"|\b((?:bring|get|take|put)(?: \w+){0,3}? (?!the |my |our |a |every )\w+) back up$"
)
"""English: "is jellyfin back up" asks for no backup."""

_PUT = re.compile(
    r"\b(?:stick|pop|bung|chuck|whack|shove|flick|bang|slap|throw|knock)"
    r"(?= (?:the|my|our|that|those|all|some|us|both) .*?\b(?:on|off)\b)"
    r"|\b(?:stick|pop|bung|chuck|whack|flick|bang|slap)(?= (?:on|off) (?:the|my|our|a)\b)"
)
"""English: "stick the heating on"."""

_WINDOWS = re.compile(r"\bwindows (?=(?:(?:is|are|still|all|left|any) )*(?:open|shut|closed|ajar)\b)")
"""Those in the walls."""

_STAMMER = re.compile(r"\b(the|a|an|to|is|are|i|in|and|my|it|can|you|what|of|for|turn|switch|how)(?: \1)+\b")


@cache
def grammar_file(name: str, language: str) -> dict[str, Any]:
    """One file of ``prompts/sentences/<language>``. Raises FileNotFoundError, YAMLError, TypeError on a damaged one."""
    data = yaml.safe_load(resource("prompts", "sentences", language, f"{name}.yaml").read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise TypeError(f"prompts/sentences/{language}/{name}.yaml holds no mapping")
    return data


@lru_cache(4096)
def plain_words(text: str, language: str = "en") -> str:
    """Lower case, no punctuation or hesitations, contractions spelled out, possessives off, mishearings mended."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    text = _NOT_WORDS.sub(" ", text.replace("_", " "))
    common = grammar_file("common", language)
    contractions, hesitations = common["contractions"], common["hesitations"]
    text = " ".join(contractions.get(word, word) for word in text.split() if word not in hesitations)
    text = _STAMMER.sub(r"\1", _POSSESSIVE.sub("", text).replace("'", ""))
    pattern, repairs = _repairs(language)
    text = _WINDOWS.sub("window ", text)
    text = _PUT.sub("put", _UP_AGAIN.sub(lambda found: f"{found[1] or found[2]} up again", " ".join(text.split())))
    words = pattern.sub(lambda found: repairs[found.group()], text)
    return plainly(_fractions(_BACK_UP.sub(r"backup \1", " ".join(words.split()))))


_AND_A_HALF = re.compile(r"\b((?:\w+ )?\w+) and a half\b(?! (?:hour|minute|day|week|year))")
_PARTS = re.compile(
    r"\b(?:(to|at|by) )?(half|halfway|half way|(?:a|one) half|(?:a|one) quarter|three quarters|full|maximum|max)"
    r"(?(1)(?: of)?(?: the)?(?: brightness| volume| power| blast| way)?$"
    r"| (?:of the )?(?:brightness|volume|power|blast)\b)"
)


def _fractions(words: str) -> str:
    """ "nineteen and a half" → "19.5", "at a quarter", "half brightness" → "at 25 percent", "50 percent". English."""

    def halved(found: re.Match[str]) -> str:
        parts = found[1].split()
        for start in range(len(parts)):
            value = number(parts, start)
            if value is not None and value[1] == len(parts):
                return " ".join([*parts[:start], f"{value[0]}.5"])
        return found[0]

    def as_percent(found: re.Match[str]) -> str:
        part = found[2].split()[-1]
        percent = {"quarter": 25, "quarters": 75, "full": 100, "maximum": 100, "max": 100}.get(part, 50)
        return f"{found[1]} {percent} percent" if found[1] else f"{percent} percent"

    if " half" in words and " and a " in words:
        words = _AND_A_HALF.sub(halved, words)
    return _PARTS.sub(as_percent, words)


def utterance_core(text: str, language: str = "en") -> str:
    """``plain_words`` without the fillers before and after ("okay jarvis", "please")."""
    return _stripped(plain_words(text, language), "fillers_before", "fillers_after", language)


def order_core(text: str, language: str = "en") -> str:
    """``utterance_core`` without the politeness around an order ("could you … when you have a moment")."""
    core = utterance_core(text, language)
    if (needed := _NEEDED_DONE.match(core)) is not None:
        core = f"{needed['thing']} to be {needed['done'] or needed['verb'] + ' ' + needed['way']}"
    words = _active(_stripped(core, "order_before", "order_after", language))
    first, _, rest = words.partition(" ")
    plain_form = grammar_file("common", language)["gerunds"].get(first)
    return f"{plain_form} {rest}".strip() if plain_form else words


_TO_BE_DONE = re.compile(
    r"^(?P<thing>.+?) (?:to be|needs to be|need to be|has to be|have to be|needs|to get) "
    r"(?:(?P<verb>turned|switched|shut|powered|put) (?P<way>on|off|down|out)|(?P<done>\w+ed|run|backed up|shut))"
    r"(?: again| now)?$"
)
_DONE_BY = {"turned": "turn", "switched": "switch", "shut": "shut", "powered": "power", "put": "put", "run": "run",
            "backed up": "backup", "stopped": "stop", "dimmed": "dim"}  # fmt: skip
_BE_REMINDED = re.compile(
    r"^(?:i (?:must|have to|need to|want to|would like to|should) )?be reminded ((?:about|of|to) .+)$"
)
_NEEDED_DONE = re.compile(
    r"^(?:i|we) (?:need|want|would like|would love) (?P<thing>.+?) "
    r"(?:(?P<verb>turned|switched|shut|powered) (?P<way>on|off|down)"
    r"|(?P<done>stopped|started|restarted|rebooted|locked|unlocked|opened|closed|backed up))"
    r"(?: again| now| for a (?:bit|while|moment)| for now)?$"
)
_OFF_AND_ON = re.compile(
    r"^(?:take|bring|shut|turn|switch|power) (.+?) (?:down|off) and (?:then )?(?:back )?(?:up|on)(?: again)?$"
)
_GET_DONE = re.compile(
    r"^(?:get|have|let us have) (?P<thing>(?!me |us |it )(?:\w+ ){1,4}?\w+) "
    r"(?P<done>started|going|running|stopped|restarted|rebooted|locked|unlocked|closed|backed up)(?: again| now)?$"
)
_DEED_OF = re.compile(r"^(restart|reboot|shutdown|shut down|stop|start|launch) of (.+)$")


def _active(words: str) -> str:
    """ "immich needs to be started", "a reboot of the router" → "start immich", "reboot the router". English."""
    if (found := _DEED_OF.match(words.removeprefix("a ").removeprefix("the "))) is not None:
        return f"{found[1]} {found[2]}"
    if (found := _BE_REMINDED.match(words)) is not None:
        return f"remind me {found[1]}"
    if (found := _OFF_AND_ON.match(words)) is not None:
        return f"restart {found[1]}"
    if (found := _GET_DONE.match(words)) is not None:
        return f"backup {found['thing']}" if found["done"] == "backed up" else wished(found["thing"], found["done"])
    found = _TO_BE_DONE.match(words)
    if found is None:
        return words
    if found["verb"]:
        return f"{_DONE_BY[found['verb']]} {found['way']} {found['thing']}"
    done = found["done"]
    verb = _DONE_BY.get(done) or (done[:-1] if done.endswith(("closed", "muted")) else done[:-2])
    return f"{verb} {found['thing']}"


def mended(text: str, language: str = "en") -> str:
    """The text with its usual mishearings put right, and otherwise as it is ("for ate minutes")."""
    pattern, repairs = _repairs(language)
    return re.sub(pattern.pattern, lambda found: repairs[found.group().casefold()], text, flags=re.IGNORECASE)


def as_said(text: str, words: str, language: str = "en") -> str:
    """The end of ``text`` that comes to ``words`` once it is plain, as it was written; else ``words``."""
    parts = text.split()
    for start in range(len(parts)):
        tail = " ".join(parts[start:]).strip(" .,;:!?\"'“”")
        if plain_words(tail, language) == words:
            return tail
    return words


_IT_IS = r"(?:(?:it['’]?s|it is|this['’]?s|this is|that['’]s|make it|mark it(?: as)?|very|and|so) )*"
_URGENTLY = re.compile(
    rf"[,.;]?\s*(?:and )?(?:please )?(?:make|mark) it (?:as )?urgent[.!]?$|[,.;!]\s*{_IT_IS}urgent(?:ly)?[.!]*$"
    rf"|^{_IT_IS}urgent(?:ly)?(?: that\b|[,:;!])\s*|^{_IT_IS[:-1]}+urgent\s+",
    re.I,
)
_URGENT = re.compile(r"\b(?:urgent|urgently|emergency|high priority|top priority)\b", re.I)


def without_urgency(message: str) -> str:
    """A message without the "make it urgent" around it."""
    return _URGENTLY.sub("", message) or message


def is_urgent(text: str, message: str) -> bool:
    """Whether it is called urgent beside what the message says."""
    return bool(_URGENT.search(text.replace(message, " ")))


def _stripped(words: str, before: str, after: str, language: str) -> str:
    front, back = _fillers(before, language), _fillers(after, language)
    shorter = words
    while True:
        if found := next((f for f in front if shorter.startswith(f"{f} ")), None):
            shorter = shorter[len(found) + 1 :]
        elif found := next((f for f in back if shorter.endswith(f" {f}")), None):
            if shorter[: -len(found) - 1] in ("do", "does", "did"):
                return shorter  # "do you know"
            shorter = shorter[: -len(found) - 1]
        else:
            return shorter


@cache
def _fillers(key: str, language: str) -> tuple[str, ...]:
    """The longest first, so that "could you kindly" goes as a whole."""
    return tuple(sorted(grammar_file("common", language)[key], key=len, reverse=True))


@cache
def _repairs(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    repairs: dict[str, str] = grammar_file("common", language)["repairs"]
    longest_first = sorted(repairs, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b"), repairs
