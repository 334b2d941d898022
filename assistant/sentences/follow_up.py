"""Follow-ups: "and is it backed up?", "restart it", "and the kitchen?", "off again", "the logs too". Pure.

A pronoun is replaced by the name that the conversation's last call was about, and the result is read like any other
utterance; an ellipsis is the last call with another name or another action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.ports import Names, WantedCall
from assistant.sentences.asides import Stretch
from assistant.sentences.normalize import grammar_file, order_core, plain_words, utterance_core
from assistant.sentences.speech_kind import may_act, speech_of
from assistant.sentences.vocabulary import PARAMETER_KINDS, spoken_forms
from tools.contract import JsonObject, Speech
from tools.when.time_words import number

SHORT = 7
"""Words of an utterance that leaves out what it is about ("then test the restore")."""


_ANOTHER = re.compile(r"\b(new|another|second) one\b")


_THE_ONE = re.compile(r"\b(?:the|my|our|that) (\w+(?: \w+)?) one\b")

_RUN_IT = re.compile(
    r"^(?:run|start|do|redo|repeat|make)(?: it| that| this| that one| this one| one)?(?: now| again)*$"
)
"""After talk of a backup job: its backup."""

_RUN_ONE = re.compile(r"^(?:run|start|do|redo|repeat|backup) (?:(?:the|my|our) )?(.+?) one(?: now| again)*$")

_STATES = re.compile(r"\s+(?:\w+\s+)?(?:is|are|was|were|has|keeps|seems|looks|hangs|crashed|died|does|will)\b")

_ASKING = {
    "vm": ("check_vms", "vm"),
    "service": ("check_services", "service"),
    "job": ("check_backups", "job"),
    "device": ("home_state", "target"),
}


_EXPLETIVE = re.compile(
    r"\bhow (?:cold|warm|hot|cool|chilly|humid|damp|dark|bright|late|stuffy|windy) (?:is|was) it\b"
    r"|\b(?:is|was) it (?:raining|snowing|windy|sunny|cloudy|freezing outside|late|dark)\b|\bwho is it\b"
    r"|\b(?:is|was) it (?:cold|warm|hot|chilly|dark|stuffy|freezing) (?:in|out|outside|there|up|down)\b"
    r"|\bwhat (?:time|day|date) is it\b|^it is (?:cold|warm|hot|dark|late|freezing|stuffy|time|raining)\b"
)
"""Of the weather and the time: this "it" is nothing that was talked about. English."""


_NO_NOUN = r"(?! (?:timer|alarm|reminder|time|way|day|night|evening|morning|week|month|is (?:all|it|enough)\b))"
""" "that timer" says which one."""


class FollowUp:
    """For one set of live names."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self._language = language
        self._places = {(device.name, device.area) for device in names.devices}
        self._forms = {kind: spoken_forms(known, language) for kind, known in names.by_kind.items()}
        words = grammar_file("follow_up", language)
        self._pronouns = re.compile(
            r"\b(?:" + "|".join(sorted(words["pronouns"], key=len, reverse=True)) + r")\b" + _NO_NOUN
        )
        self._openers = tuple(sorted(words["openers"], key=len, reverse=True))
        self._closers = tuple(sorted(words["closers"], key=len, reverse=True))
        self._repeats = frozenset(words["repeats"])
        self._switches: dict[str, str] = words["switches"]

    def before(self, text: str, last: WantedCall | None) -> Iterator[str]:
        """What to read: the text itself, or with the last name in place of its pronoun."""
        words = plain_words(text, self._language)
        name = _subject(last)
        if last is not None and name and self._pronouns.search(words) and not _EXPLETIVE.search(words):
            for said in _ways_to_say(last, name):
                yield self._pronouns.sub(said, words, count=1)
        if last is not None and (meant := self._the_one(words, last)) is not None:
            yield meant
        if name and (another := _ANOTHER.sub(rf"\1 {name}", words)) != words:
            yield another
        yield text

    def _the_one(self, words: str, last: WantedCall) -> str | None:
        """ "start the test one", after talk of machines: the only one that has the word in one of its names."""
        kind = next((kind for parameter, kind in PARAMETER_KINDS.items() if parameter in last.arguments), None)
        kind = kind or {"check_vms": "vm", "check_services": "service", "check_backups": "job"}.get(last.tool)
        found = _THE_ONE.search(words)
        if kind is None or found is None:
            return None
        forms = self._forms.get(kind, {})
        meant = {name for form, name in forms.items() if found[1] == form or found[1] in form.split()}
        thing = f"the {meant.pop()} backup" if kind == "job" and meant else f"the {meant.pop()}" if meant else ""
        return _THE_ONE.sub(thing, words) if thing and not meant else None

    def after(self, text: str, last: WantedCall | None) -> Iterator[str]:
        """With the last name added, where a short utterance names nothing ("then test the restore")."""
        words = utterance_core(text, self._language)
        name = _subject(last)
        if last is None or not name or len(words.split()) > SHORT or self._mentions(words) or self._says_nothing(words):
            return
        if _EXPLETIVE.search(plain_words(text, self._language)):
            return
        for said in _ways_to_say(last, name):
            yield f"{words} {said}"
            yield f"{words} of {said}"

    def ellipsis(self, text: str, last: WantedCall | None) -> WantedCall | None:
        """The last call again, for another name, or with another action."""
        if last is None:
            return None
        core = utterance_core(text, self._language)
        words = self._bare(core)
        if core in self._repeats or words in self._repeats:
            if last.tool == "check_backups" and core.split()[0] in ("run", "start") and "job" in last.arguments:
                return WantedCall("run_backup", {"job": last.arguments["job"]})
            return last
        if "job" in last.arguments and _RUN_IT.match(words):
            return WantedCall("run_backup", {"job": last.arguments["job"]})
        if "job" in last.arguments and (found := _RUN_ONE.match(words)) is not None:
            job = self._forms.get("job", {}).get(found[1])
            return WantedCall("run_backup", {"job": job}) if job else None
        if last.tool == "home_control" and (action := self._switches.get(words)):
            return _switched(last, action)
        if "value" in last.arguments and (value := spoken_number(words)) is not None:
            return WantedCall(last.tool, {**last.arguments, "value": value})
        return self._about_another(words, last)

    def about(self, remark: str) -> WantedCall | None:
        """What a remark is about ("the sandbox hangs, force it off"), as if it had been asked about."""
        padded = f" {plain_words(remark, self._language)} "
        for kind, (tool, parameter) in _ASKING.items():
            for form, name in sorted(self._forms.get(kind, {}).items(), key=lambda item: -len(item[0])):
                if f" {form} " in padded:
                    return WantedCall(tool, {parameter: name})
        return None

    def names_in(self, text: str) -> set[str]:
        """Names of things and places that stand in a part of an utterance."""
        padded = f" {plain_words(text, self._language)} "
        return {name for forms in self._forms.values() for form, name in forms.items() if f" {form} " in padded}

    def leaves_out(self, stretch: Stretch, calls: Sequence[WantedCall]) -> bool:
        """Whether the remarks around a request name something that its calls should have: "it is dark in the kitchen,
        turn the lights on"."""
        named = self.names_in(stretch.before) | self.names_in(stretch.after)
        said = {str(value) for call in calls for value in call.arguments.values()}
        return bool(named) and not named & said

    def loses_a_name(self, text: str, calls: Sequence[WantedCall]) -> bool:
        """Whether names were said and none is in the calls: "are my pictures safe, I mean is there a backup"."""
        said = {str(value) for call in calls for value in call.arguments.values()}
        return bool(named := self.names_in(text)) and not named & said

    def states(self, piece: str) -> bool:
        """Whether a part of an utterance states something about a thing of the house: "open webui is acting up"."""
        words = plain_words(piece, self._language)
        if piece.rstrip().endswith("?"):
            return False
        starts = (form for forms in self._forms.values() for form in forms)
        bare = _without_article(words)
        return any(bare.startswith(f"{form} ") and _STATES.match(bare[len(form) :]) for form in starts)

    def may_act(self, text: str) -> bool:
        """Whether what is left without "no, I meant" may act."""
        if speech_of(text, self._language) is Speech.QUESTION:  # "do you know"
            return False
        return may_act(self._bare(utterance_core(text, self._language)), self._language)

    def _about_another(self, words: str, last: WantedCall) -> WantedCall | None:
        for parameter, kind in PARAMETER_KINDS.items():
            name = self._forms.get(kind, {}).get(_without_article(words).removesuffix(" one"))
            if name is None or not _takes(last, parameter):
                continue
            arguments = {**last.arguments, parameter: name}
            if parameter == "target" and (name, str(arguments.get("area"))) not in self._places:
                arguments.pop("area", None)
            elif parameter == "area" and arguments.get("target") not in ("lights", "all"):
                arguments["target"] = last.arguments["target"]
            return WantedCall(last.tool, arguments)
        return None

    def _bare(self, core: str) -> str:
        """Without "what about", "the same for", "too"."""
        words = core
        changed = True
        while changed:
            changed = False
            for opener in self._openers:
                if words.startswith(f"{opener} "):
                    words, changed = words[len(opener) + 1 :], True
                    break
            for closer in self._closers:
                if words.endswith(f" {closer}"):
                    words, changed = words[: -len(closer) - 1], True
                    break
        return order_core(words, self._language) or words

    def _says_nothing(self, words: str) -> bool:
        """ "thank you", "you know": around a request, never one."""
        return "x" in (order_core(f"{words} x", self._language), order_core(f"x {words}", self._language))

    def _mentions(self, words: str) -> bool:
        padded = f" {words} "
        return any(f" {form} " in padded for forms in self._forms.values() for form in forms)


def _subject(last: WantedCall | None) -> str:
    if last is None:
        return ""
    for parameter in ("service", "job", "vm", "target", "name", "task"):
        if isinstance(value := last.arguments.get(parameter), str):
            return value
    what = str(last.arguments.get("what", ""))
    return next((own for own in ("timer", "alarm", "reminder") if own in what), "reminder" if "remind" in what else "")


def _ways_to_say(last: WantedCall, name: str) -> Iterator[str]:
    """The last target in words that templates read."""
    area = last.arguments.get("area")
    if "target" not in last.arguments:
        yield name
    elif name == "all":
        yield f"everything in the {area}" if area else "everything"
    elif area and area not in name:
        yield f"the {area} {name}"
    else:
        yield f"the {name}"


def _takes(last: WantedCall, parameter: str) -> bool:
    """Whether the last call has this parameter, or its tool takes it: "is everything ok?" - "and the photos?"."""
    if parameter in last.arguments:
        return True
    optional = {"check_services": "service", "check_backups": "job", "check_vms": "vm"}
    if optional.get(last.tool) == parameter:
        return True
    return parameter == "area" and last.tool in ("home_state", "home_control")


def _switched(last: WantedCall, action: str) -> WantedCall:
    arguments: JsonObject = {k: v for k, v in last.arguments.items() if k != "value"}
    return WantedCall(last.tool, {**arguments, "action": action})


def spoken_number(words: str) -> float | int | None:
    """ "twenty one degrees", "30 percent" as a number; None when there is anything else."""
    parts = [word for word in words.split() if word not in ("degrees", "degree", "percent", "to", "celsius")]
    if len(parts) == 1 and re.fullmatch(r"\d+\.\d+", parts[0]):
        return float(parts[0])
    found = number(parts, 0) if parts else None
    return found[0] if found is not None and found[1] == len(parts) else None


def _without_article(words: str) -> str:
    for article in ("the ", "my ", "our ", "in the ", "for the ", "of the "):
        if words.startswith(article):
            return words[len(article) :]
    return words
