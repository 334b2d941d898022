"""Whole calls that an utterance could mean: every tool with the names, actions, values and times that were said. Pure.

A call is only made here with arguments that stand in the utterance (or that the conversation was about), so whoever
chooses among them cannot make anything up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from assistant.narrowing.free_text import message_in, task_in, timer_called
from assistant.narrowing.mentions import Mention
from assistant.ports import WantedCall
from assistant.sentences.here import HERE, says_here
from assistant.sentences.normalize import grammar_file, is_urgent, order_core
from assistant.sentences.vocabulary import template_words
from tools.contract import JsonObject
from tools.when import WhenFound
from tools.when.time_words import number


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance as far as it is understood: plain words, the text, the names in it, the time in it."""

    words: str
    text: str
    mentions: tuple[Mention, ...] = ()
    when: WhenFound | None = None
    language: str = "en"

    def named(self, kind: str) -> list[str]:
        """Names of that kind, in the order of the mentions, each once."""
        return list(dict.fromkeys(m.names[kind] for m in self.mentions if kind in m.names))


_NAMED = {
    "check_services": ("service", "service", False), "service_logs": ("service", "service", True),
    "find_service": ("name", "service", True), "check_backups": ("job", "job", False),
    "check_vms": ("vm", "vm", False),
}  # fmt: skip
"""Reading tools: parameter, kind of name, and whether they need one."""


def calls_for(tool: str, said: Said) -> list[WantedCall]:
    """The calls of that tool that the utterance could mean; none when something is missing."""
    if tool in _NAMED:
        parameter, kind, needed = _NAMED[tool]
        names = said.named(kind)
        if not names and (needed or unknown_name(said)):
            return []
        return [WantedCall(tool, {parameter: name}) for name in names] or [WantedCall(tool)]
    if tool in ("check_alerts", "list_tasks"):
        return [WantedCall(tool)]
    if tool in ("service_power", "vm_power"):
        kind = "service" if tool == "service_power" else "vm"
        actions = actions_in(tool, _order_words(said), said.language)[:1]
        return [WantedCall(tool, {kind: name, "action": action}) for name in said.named(kind) for action in actions]
    if tool in ("run_backup", "test_restore"):
        words = _words(said.language)["every_words"] + (
            _words(said.language)["whole_backup"] if tool == "run_backup" else []
        )
        names = said.named("job") or (["all"] if _holds(said.words, words) else [])
        return [WantedCall(tool, {"job": name}) for name in names]
    if tool == "home_state":
        return [WantedCall(tool, target) for target in _targets(said)]
    if tool == "home_control":
        return list(_home_calls(said))
    if tool == "notify":
        if (message := message_in(said.words, said.text, said.language)) is None:
            return []
        urgent: JsonObject = {"urgent": True} if is_urgent(said.text, message) else {}
        return [WantedCall(tool, {"message": message, **urgent})]
    if tool == "schedule" and said.when is not None:
        what = order_core(said.when.rest, said.language)
        return [WantedCall(tool, {"what": timer_called(what) or what, "when": said.when.when})]
    if tool == "cancel_task":
        return [WantedCall(tool, {"task": task})] if (task := task_in(said.words, said.text, said.language)) else []
    return []


def actions_in(tool: str, words: str, language: str = "en") -> list[str]:
    """The tool's actions that are named in the words, the longest wording first."""
    found = [
        (len(phrase), action)
        for action, phrases in _words(language)[tool].items()
        for phrase in phrases
        if _pattern(str(phrase)).search(words)
    ]
    return list(dict.fromkeys(str(action) for _, action in sorted(found, key=lambda item: -item[0])))


def cues_in(words: str, language: str = "en") -> dict[str, int]:
    """How many words speak for each tool."""
    words = words.replace("backed up", "backed")  # "up" speaks for services
    return {tool: sum(_holds(words, [cue]) for cue in cues) for tool, cues in _words(language)["cues"].items()}


_PLACE = re.compile(r"\b(?:in|inside)\s+(?:the|my|our)\s+(\w+)")
_WHICH = re.compile(r"\b(\w+)\s+(?:light|lights|lamp|lamps)\b")
_WHERE = re.compile(r"\b(?:light|lights|lamp|lamps|everything|thing)\s+(?:on |off |out )?(\w+)")


_SUBJECT = re.compile(
    r"\b(?:is|are|was|were|has|have|did|does|do)\s+(?:(?:the|my|our)\s+)?(\w+)\s+(?:(?:vm|server|service|app|backup)\s+)?"
    r"(?:still\s+|not\s+)?(?:up|down|running|online|offline|working|alive|reachable|ok|okay|fine|run|work|crash|crashed)\b"
)
_WHOSE = re.compile(r"\b(?:the|my|our)\s+(\w+)\s+(?:backup|backups|vm|server|service)\b")


def unknown_name(said: Said) -> bool:
    """ "is plex running", "the music backup", where there is no such thing: an answer about all would be none."""
    known = set(" ".join(mention.words for mention in said.mentions).split()) | template_words(said.language)
    return any(name not in known for name in (*_SUBJECT.findall(said.words), *_WHOSE.findall(said.words)))


def unknown_place(said: Said) -> bool:
    """ "the lamp in the attic", "the attic light", where there is no attic: no lamp elsewhere can be meant."""
    known = set(" ".join(mention.words for mention in said.mentions).split()) | template_words(said.language)
    return any(
        place not in known
        for place in (*_PLACE.findall(said.words), *_WHICH.findall(said.words), *_WHERE.findall(said.words))
    )


def _order_words(said: Said) -> str:
    """With "restarting" as "restart"."""
    return order_core(said.words, said.language)


def nothing_unknown(said: Said) -> bool:
    """Whether every word is a name's, a template's or a number: nothing was said that might change the meaning."""
    known = set(" ".join(mention.words for mention in said.mentions).split()) | template_words(said.language)
    return all(word in known or _is_number(word) for word in said.words.split())


def _is_number(word: str) -> bool:
    return word.replace(".", "").isdigit() or number([word], 0) is not None


def _targets(said: Said) -> list[JsonObject]:
    known = _words(said.language)
    area = next(iter(said.named("area")), HERE if says_here(said.words, said.language) else None)
    where: JsonObject = {"area": area} if area else {}
    lit = _holds(said.words, known["light_words"])
    both = {m.names["device"] for m in said.mentions if lit and {"device", "area"} <= set(m.names)}
    devices = [device for device in said.named("device") if device not in both]  # "lights in the garage"
    outside = _holds(said.words, known["targets"]["outdoor temperature sensor"])
    if outside and not lit and devices in ([], ["temperature sensor"]):
        return [{"target": "outdoor temperature sensor"}]
    if devices:
        return [{"target": device, **where} for device in devices]
    if lit:
        return [{"target": "lights", **where}]
    measured = [t for t, cues in known["targets"].items() if _holds(said.words, cues)]
    if measured:
        return [{"target": target, **where} for target in measured]
    if area and _holds(said.words, known["all_words"]):
        return [{"target": "all", **where}]
    return [{"target": "all", **where}] if area else []


def _home_calls(said: Said) -> Iterator[WantedCall]:
    value = _value(said.words)
    for target in _targets(said):
        if target["target"] == "all" and not _holds(said.words, _words(said.language)["all_words"]):
            target = {**target, "target": "lights"}  # "dim the living room" means its lights
        actions = actions_in("home_control", _order_words(said), said.language)
        if value is not None and "set" in actions:
            if target["target"] == "temperature sensor":
                target = {**target, "target": "thermostat"}
            yield WantedCall("home_control", {**target, "action": "set", "value": value})
        for action in [action for action in actions if action != "set"][:1]:
            if not (value is not None and action in ("on", "off")):
                yield WantedCall("home_control", {**target, "action": action})


def _value(words: str) -> float | None:
    """The last number that is not part of a name."""
    parts = words.split()
    value: float | None = None
    at = 0
    while at < len(parts):
        if re.fullmatch(r"\d+(?:\.\d+)?", parts[at]):
            value, at = float(parts[at]), at + 1
        elif (found := number(parts, at)) is not None and parts[at] not in ("a", "an", "one"):
            value, at = float(found[0]), max(found[1], at + 1)
        else:
            at += 1
    return int(value) if value is not None and value.is_integer() else value


def _holds(words: str, phrases: Sequence[str]) -> bool:
    padded = f" {words} "
    return any(f" {phrase} " in padded for phrase in phrases)


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """ "turn … off": with up to six words in the gap."""
    pieces = [re.escape(piece.strip()) for piece in phrase.split("…")]
    return re.compile(r"\b" + r"\s(?:\S+\s){1,6}?".join(pieces) + r"\b")


@cache
def _words(language: str) -> Mapping[str, Any]:
    return grammar_file("actions", language)
