"""An oracle for what is said of seeded results: the whole text has to be made of true statements and of conjunctions.

It goes by the table of ``tests/seeded_results.py`` alone: what the results were drawn from. It shares no code, no word
list and no way of reading with ``assistant/truth``. It is strict: what the grammar of ``tests/true_statements.py`` does
not have is called false, so what the oracle pardons is true.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.seeded_results import SeededTurn

_BE = "(?:is|are|remains?|(?:is|are) (?:both|all|everything|currently|also))"
_CONJUNCTIONS = "and|but|while|whereas|although|though|however|also|additionally|meanwhile|unfortunately"
_JOINT = re.compile(rf"(?:[\s.,;!]|\b(?:{_CONJUNCTIONS})\b)*")
_TO_NEXT = re.compile(rf".+?(?=[.;,!]|\b(?:{_CONJUNCTIONS})\b|$)")
_ENDS = re.compile(r"$|[\s.,;!]")
_SAYS_WHAT = re.compile(r"backup|restored|proven|verified|\bold\b")
"""Of a name that is a service's and its backup's alike, "is ok" alone does not say which of the two."""

_NOUNS = {
    "service": "(?:the )?{name}(?: service| server| app)?",
    "backup": "(?:the )?(?:{name}(?: backups?| job)?|backups? (?:of|for) (?:the )?{name})",
    "vm": "(?:the )?{name}(?: vm| virtual machine| machine)?",
    "light": "(?:the )?(?:{area} {name}|{name}(?: in the {area})?)",
}
_PLURALS = {
    "service": "(?: services)?",
    "backup": "(?: backups)?",
    "vm": "(?: machines| vms)?",
    "light": "(?: lights)?(?: in the {area})?",
}
"""What may close a list of them. All lights of a turn are in one area."""


@dataclass(frozen=True)
class _Form:
    """A true statement; its group ``names`` lists things of which it is true."""

    pattern: re.Pattern[str]
    topic: str
    things: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    after: frozenset[str] = frozenset()


@dataclass
class _Reading:
    """What has been said so far: what is false in it, the things that something true was said of, and the last of
    them, which "it" means."""

    false: list[str] = field(default_factory=list)
    said: set[tuple[str, str]] = field(default_factory=set)
    topic: str = ""
    last: frozenset[str] = frozenset()


def falsehoods(text: str, turn: SeededTurn) -> list[str]:
    """The stretches of ``text`` that are no true statement."""
    return _read(text, turn).false


def concealed(text: str, turn: SeededTurn) -> list[str]:
    """The bad news in the results of which ``text`` says nothing."""
    said = _read(text, turn).said
    return [truth.name for truth in turn.truths if truth.bad and (truth.topic, truth.name) not in said]


def _read(text: str, turn: SeededTurn) -> _Reading:
    plain = " ".join(text.casefold().replace("’", "'").split())
    forms = _forms(turn)
    reading = _Reading()
    at = _after_joint(plain, 0)
    while at < len(plain):
        end = _take_longest(plain, at, forms, reading)
        if end == at:
            skipped = _TO_NEXT.match(plain, at)
            end = skipped.end() if skipped else len(plain)
            reading.false.append(plain[at:end].strip())
            reading.topic, reading.last = "", frozenset()
        at = max(_after_joint(plain, end), end)
    return reading


def _after_joint(plain: str, at: int) -> int:
    found = _JOINT.match(plain, at)
    return found.end() if found else at


def _take_longest(plain: str, at: int, forms: Sequence[_Form], reading: _Reading) -> int:
    """The end of the longest true statement at ``at``, noted in ``reading``; ``at`` where there is none."""
    best, names, topic = at, frozenset[str](), ""
    for form in forms:
        found = form.pattern.match(plain, at)
        if found is None or found.end() <= best or not _ENDS.match(plain, found.end()):
            continue
        meant = _names_in(found, form, reading)
        if meant is not None:
            best, names, topic = found.end(), meant, form.topic
    if best > at:
        reading.said |= {(topic, name) for name in names}
        reading.topic, reading.last = topic, names
    return best


def _names_in(found: re.Match[str], form: _Form, reading: _Reading) -> frozenset[str] | None:
    """What the statement is about; None when it is not true here."""
    if not form.things:
        near = reading.topic == form.topic or "service" in found.group()
        whole = not form.after or (near and form.after <= {name for topic, name in reading.said if topic == form.topic})
        return frozenset() if whole else None
    listed = found.group("names")
    if listed in ("it", "they", "", None):
        same = reading.topic == form.topic and bool(reading.last) and reading.last <= form.things.keys()
        return reading.last if same else None
    if form.topic == "backup" and not _SAYS_WHAT.search(found.group()):
        return None
    return frozenset(name for name, pattern in form.things.items() if pattern.search(listed))


def _forms(turn: SeededTurn) -> list[_Form]:
    things: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    area = re.escape(next((truth.area for truth in turn.truths if truth.area), "\0"))
    for truth in turn.truths:
        noun = _NOUNS.get(truth.topic, "(?:the )?{name}").format(name=re.escape(truth.name), area=area)
        for template in truth.says:
            things[truth.topic, template][truth.name] = noun
    forms = [_Form(re.compile(s.regex), s.topic, after=s.after) for s in turn.statements]
    for (topic, template), nouns in things.items():
        one = "(?:" + "|".join(sorted(nouns.values(), key=len, reverse=True)) + ")"
        plural = _PLURALS.get(topic, "").format(area=area)
        names = rf"(?P<names>{one}(?:(?:, and|,| and) {one})*{plural}|it|they)"
        regex = template.replace("{be}", _BE)
        if regex.startswith("{names} "):
            regex = f"(?:{names} )?{regex.removeprefix('{names} ')}"
        else:
            regex = regex.replace("{names}", names)
        each = {name: re.compile(rf"\b{re.escape(name)}\b") for name in nouns}
        forms.append(_Form(re.compile(regex), topic, each))
    return forms
