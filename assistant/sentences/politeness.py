"""Ways to order politely, rewritten to the plain one: "I'd be grateful if you would …" → "could you …". Pure.

Politeness hides an order behind a condition ("if you would"), a question ("might you") or a wish ("I should like the
lamp on"), all of which keep an utterance from acting. Only frames that can be nothing but an order are rewritten: "can
we restore the photos" stays a question. English; another language brings its own.
"""

from __future__ import annotations

import re

PLAIN = "could you"
"""The polite order that all others come to (``polite_order`` in speech.yaml)."""

_GLAD = (
    r"(?:grateful|obliged|thankful|happy|happier|glad|great|nice|lovely|good|helpful|kind|awesome|super|wonderful|brilliant"
    r"|delighted|pleased|appreciated|perfect|cool|useful|handy)"
)
_SO = r"(?:most |very |so |really |ever so |awfully |terribly |much |super |extremely |eternally )?"
_DEAR = r"(?:a |an )?(?:dear|love|darling|star|pal|sweetheart|angel|gem|good lad|good boy|champ|legend)"
_ONE_WORD = r"(?: please| kindly| just| maybe| perhaps| possibly| quickly)?"

_FRAMES = (
    rf"(?:i (?:would|will|should|shall) be|i am|it would be|that would be|would be) {_SO}{_GLAD}(?: of you)?"
    rf" if you (?:would|could|can|will|might|were to){_ONE_WORD}",
    r"(?:i wonder|i was wondering|i am wondering|wondering)(?: if| whether) you (?:would|could|can|might|will)"
    rf"{_ONE_WORD}(?: be so (?:kind|good|nice) as to| be kind enough to| be able to)?",
    rf"(?:would|could|will|can|might) you{_ONE_WORD}"
    rf" (?:be so (?:kind|good|nice) as to|be (?:kind|good) enough to|have the goodness to|be able to"
    rf"|manage to|do me (?:a|the) favou?r and|be {_DEAR}(?: and)?|kindly|possibly|perhaps|maybe)",
    rf"be (?:so (?:kind|good|nice)(?: as to| to| and)|kind enough to|{_DEAR} and)",
    r"(?:do you think|do you suppose|do you reckon|you think) you (?:could|can|might|would be able to)",
    rf"(?:is there )?any (?:chance|way|possibility) (?:that )?you (?:could|can|might|would){_ONE_WORD}",
    r"(?:is it|would it be) possible for you to",
    r"(?:could|can|may|might) i (?:just |please |possibly )?(?:ask|trouble|bother|get|beg) you to",
    r"i would (?:really |very much )?(?:appreciate|love|like) it if you (?:would|could|can)",
    r"(?:i would|i should|i) (?:just |really )?(?:like|want|need|love|prefer) (?:for )?you to",
    r"do me (?:a|the) (?:favou?r|solid)(?: and| please)?",
    rf"(?:might|may) you{_ONE_WORD}",
    r"why do not you(?: just)?(?= \w)",
    r"(?:will|would|can|could) not you",
    r"(?:go on|go ahead|please go) and",
)
_FRAME = re.compile(rf"^(?P<before>(?:\w+ ){{0,3}}?)(?:{'|'.join(_FRAMES)}) (?P<rest>\w.*)$")

_SUGGESTED = re.compile(
    r"^(?P<before>(?:\w+ ){0,5}?)(?:can|could) we (?:please |just |maybe )?"
    r"(?P<rest>(?:turn|switch|put|set|dim|lower|raise|open|close|lock|unlock|kill) .+)$"
)
"""For what nobody asks whether it can be done."""

_MIND = re.compile(
    r"^(?P<before>(?:\w+ ){0,3}?)(?:would you mind|do you mind|mind|how about|what about|fancy)"
    r" (?P<verb>\w+ing) (?P<rest>.+)$"
)

_STATE = (
    r"(?P<state>on|off|open|closed|shut|up|down|locked|unlocked|going|running|started|stopped|restarted|rebooted"
    r"|(?:at|to|on) [\w. ]+? (?:degrees?|percent)|(?:at|to) [\w.]+)"
)
_NO_THING = "(?:if|whether|that|know|what|put|turn|switch|set|open|close|start|stop|can|could|will|and) "
"""With these something else begins."""

_THING = rf"(?P<thing>(?!you |to |it if )(?:(?!{_NO_THING})\w+ ){{0,5}}?(?!backed )\w+)"
_HAVE = re.compile(
    r"^(?P<before>(?:\w+ ){0,3}?)(?:(?:could|can|may|might) (?:i|we) (?:please |just )?(?:have|get)"
    rf"|(?:i|we) (?:would |should |will )?(?:like|love|want|need|prefer)(?: to have)?) {_THING} {_STATE}"
    r"(?P<after>(?: please| now| again| if you please| if you would| thanks| thank you| for me| in here"
    r"| in the \w+(?: \w+)?)*)$"
)
_COME = re.compile(
    r"^(?P<before>(?:\w+ ){0,3}?)could (?P<thing>(?:the|my|our|all|that|both)(?: \w+){1,4}?) (?:please )?"
    r"(?:come|go) (?P<state>on|off|up|down)(?P<after>(?: please| now| again| thanks)*)$"
)
_TIMER = re.compile(
    r"^(?P<before>(?:\w+ ){0,3}?)(?:could|can|may|might) (?:i|we) (?:please |just )?(?:have|get) "
    r"(?P<rest>(?:a|an|another) (?:\w+ ){0,4}(?:timer|alarm|reminder|countdown)\b.*)$"
)

_DONE = {
    "on": "turn on", "off": "turn off", "open": "open", "closed": "close", "shut": "close", "locked": "lock",
    "unlocked": "unlock", "going": "start", "running": "start", "started": "start", "stopped": "stop",
    "restarted": "restart", "rebooted": "reboot",
}  # fmt: skip
_BEFORE = frozenset(
    ["jarvis", "hey", "hi", "hello", "ok", "okay", "please", "so", "well", "right", "um", "oh", "alright", "good",
     "morning", "evening", "now", "and", "then", "also", "sorry", "but", "excuse", "me", "honey"]
)  # fmt: skip
"""What may stand before a polite order; after anything else it is told of, or a part of something longer."""

_GERUNDS = {"getting": "get", "shutting": "shut", "setting": "set", "putting": "put", "running": "run",
            "stopping": "stop", "cutting": "cut", "letting": "let", "dimming": "dim"}  # fmt: skip
_E_OFF = frozenset(
    ["mak", "tak", "rais", "clos", "giv", "schedul", "silenc", "paus", "resum", "writ", "activat", "prepar", "forc",
     "chang", "mut", "sav", "secur", "releas", "mov"]
)  # fmt: skip
"""Stems that lose an e before "-ing"."""


def plainly(words: str) -> str:
    """Plain words with a polite order in front made ``could you …``; others as they are."""
    for pattern in (_MIND, _FRAME, _SUGGESTED, _TIMER, _HAVE, _COME):
        found = pattern.match(words)
        if found is None or not _BEFORE.issuperset(found["before"].split()):
            continue
        if pattern in (_HAVE, _COME):
            return f"{found['before']}{PLAIN} {wished(found['thing'], found['state'])}{found['after']}"
        if pattern is _TIMER:
            return f"{found['before']}{PLAIN} set {found['rest']}"
        if pattern is _MIND:
            return f"{found['before']}{PLAIN} {_plain_form(found['verb'])} {found['rest']}"
        return f"{found['before']}{PLAIN} {found['rest']}"
    return words


def wished(thing: str, state: str) -> str:
    """The order that brings a thing into a state: "the lamp", "on" → "turn on the lamp"."""
    if state in _DONE:
        return f"{_DONE[state]} {thing}"
    if state in ("up", "down"):
        return f"put {thing} {state}"
    way, _, value = state.partition(" ")
    return f"set {thing} {'to' if way == 'on' else way} {value}"


def _plain_form(gerund: str) -> str:
    """ "kicking" → "kick", "making" → "make"."""
    stem = gerund.removesuffix("ing")
    return _GERUNDS.get(gerund) or (f"{stem}e" if stem in _E_OFF else stem)
