"""Does the utterance ask or order? Pure; the words stand in ``prompts/sentences/<language>/speech.yaml``.

The answer goes with every call (``Caller.speech``) and the server refuses to let a question act. So a doubtful
utterance is never called an order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from assistant.sentences.normalize import order_core, plain_words, utterance_core
from assistant.sentences.speech_words import SpeechWords, holds, opener_of, speech_words
from tools.contract import Speech

_QUOTED = re.compile("[\"“”„«»].+[\"“”„«»]|(?:^|\\s)['‘].+['’](?:\\s|[.,!?]|$)")
"""Somebody else's words, in quotation marks."""

_NO_COMMA = re.compile(r"^\s*(?:no|nah|nope|yes|yeah)\s*[,.;]\s*", re.IGNORECASE)
"""An answer before an order ("no, restart grafana instead")."""

_AFTER_NO = re.compile(r"^(?:(?:no|nah|nope|oh|actually|wait|hmm|on second thought) )+")

_NOT_NEEDED = re.compile(
    r"\bI (?:don['’]t|do not) need (?:the|my|that) .*? (?:any ?more|any longer)\b[,.;]?"
    r"|\bI (?:don['’]t|do not|no longer) need (?:it|that|them)(?: any ?more| any longer)?\b"
    r"|\b(?:you (?:don['’]t|do not) (?:need|have)|no need) to (?:ask|confirm|check)(?: me)?(?: again)?\b",
    re.IGNORECASE,
)
"""What is not needed is to be cancelled."""

_NOTHING_OF_IT = re.compile(
    r"^no (?:more )?(?:backup|backups|updates|restarts|lights|alarms)"
    r"(?:(?: today| now| tonight| for now)(?: please)?\b.*|(?: please)?$)"
)

_POLITE_IF = re.compile(
    r"\bif (?:you (?:would|could|can|will|please|like|do not mind|would not mind)"
    r"|you have (?:a )?(?:moment|second|minute|time)|possible|it is (?:not too much|no) trouble)"
    r"(?: be so kind| kindly| be so good)?$"
)
"""A condition that is none, at the end of an order."""

_WORRIED = re.compile(r"^(?:should|must|shall) (?:i|we) (?:worry|be (?:worried|concerned|nervous))\b")
"""Asks how things are, not what would be."""

_SENTENCE_END = re.compile(r"[,;.!?]+\s+")

_TRY_IF = re.compile(r"\b(test|try|try out|prove|verify) (?:if|whether)\b")
"""What is to be tried is no condition: "test whether the papers can be restored"."""

_I_DID = re.compile(
    r"^(?:(?:yesterday|earlier|today|this morning|last night|last week) )?"
    r"(?:i|we|you|he|she|they|somebody|someone|nobody)"
    r" (?:have |has )?(?:already |just )?(?:re)?(?:started|stopped|booted|turned|switched|locked|unlocked|backed|opened"
    r"|closed|deleted|ran|killed|set|shut|launched|forced|powered|disabled|disarmed)\b"
)
"""What somebody has done is not to be done."""

_OFF_IN = re.compile(r"\w (?:on|off|out) (?:in|at|everywhere)\b")
"""An order without a verb, and where: "everything off in the living room"."""

_TAGGED = re.compile(
    r" (?:on or off|off or on|up or down|open or (?:closed|shut|not)|closed or open|locked or (?:unlocked|open|not)"
    r"|or not|running or (?:stopped|not|off))$"
)
_TAG = re.compile(r" (?:is it|are they|was it|were they)$")
"""Asks with its end: "windows box, on or off", "light's on in the hallway, is it"."""

_TELL_LATER = re.compile(
    r"^(?:tell|let|ping|nudge|buzz) (?:me|us) (?:know )?(?:tomorrow|tonight|(?:in|at) (?:an?|half|quarter|\d|one|two"
    r"|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|noon|midnight))\b"
)
""" "Tell me in half an hour to check the oven": to be reminded, not told."""

_WILL_YOU = re.compile(r"[,.]? (?:will|would|can|could|won['’]t) (?:you|ya)(?: please)?\?\s*$", re.IGNORECASE)
"""The question mark of an order: "put the machine on, will you?"."""

_PLEASE = re.compile(r"\bplease\W*$", re.IGNORECASE)

TIME_PHRASE_WORDS = 8
"""How far into an utterance that opens with a time its verb may stand: "every sunday at three in the morning run"."""


@lru_cache(2048)
def speech_of(text: str, language: str = "en") -> Speech:
    """Question, order, or unknown. A polite question ("could you restart gitea?") is an order."""
    words = speech_words(language)
    core = utterance_core(_NO_COMMA.sub("", text), language)
    marked = text.rstrip().endswith("?") and not _WILL_YOU.search(text)
    if not core or opener_of(core, words.negations):
        return Speech.UNKNOWN
    if polite := opener_of(core, words.polite_order):
        return _of_polite_request(utterance_core(core[len(polite) :], language), words)
    if opener_of(core, words.asking):
        return Speech.QUESTION
    if opener_of(core, words.message_openers) or _TELL_LATER.match(core):
        return Speech.ORDER
    first, *rest = core.split()
    plain = plain_words(text, language)
    if _TAG.search(plain) or (_TAGGED.search(plain) and first not in words.order_verbs):
        return Speech.QUESTION
    if first == "do" and (marked or (rest and rest[0] in words.do_asks_before)):
        return Speech.QUESTION
    if first in words.question_words or first in words.ask_verbs or marked:
        return Speech.ORDER if _ends_politely(core, first, words) else Speech.QUESTION
    if first in words.order_verbs or (first in words.time_openers and _has_order_soon(rest, words)):
        return Speech.ORDER
    order = order_core(core, language)
    if order != core and order.split()[0] in words.order_verbs and order.split()[0] not in words.ask_verbs:
        return Speech.ORDER
    endings = words.order_endings + (words.polite_endings if _PLEASE.search(text) else ())
    ends_like_one = any(order.endswith(f" {ending}") for ending in endings) or bool(_OFF_IN.search(order))
    if ends_like_one and not words.statement_verbs.intersection(order.split()):
        return Speech.ORDER
    return Speech.UNKNOWN


@lru_cache(2048)
def may_act(text: str, language: str = "en") -> bool:
    """Whether an act may be read out of the utterance at all: not out of a question, nor out of what is negated,
    supposed, hedged with a condition, quoted or told of somebody."""
    words = speech_words(language)
    if speech_of(text, language) is Speech.QUESTION:
        return False
    if _QUOTED.search(text):
        return False
    if opener_of(order_core(text, language), words.message_openers):
        return True  # what a message says is not said to us
    plain = _TRY_IF.sub(r"\1", _POLITE_IF.sub("", plain_words(_NOT_NEEDED.sub("", text), language)))
    return not holds(_before_reminder(plain, words), words.vetoes)


@lru_cache(2048)
def certain_speech(text: str, language: str = "en") -> Speech:
    """``speech_of``, but an order only where an act may be read out of it ("let's not turn off the lights" is none).

    A message is one, whatever it says: it is not said to us.
    """
    speech = speech_of(text, language)
    if speech is Speech.ORDER and not may_act(text, language) and not is_message(text, language):
        return Speech.UNKNOWN
    return speech


def _before_reminder(plain: str, words: SpeechWords) -> str:
    """What somebody wants to be reminded of is not said to us: "remind me not to turn off the heating"."""
    padded = f" {plain} "
    starts = [padded.find(f" {opener} ") for opener in words.reminders]
    found = min((start for start in starts if start >= 0), default=None)
    return plain if found is None else padded[:found]


def orders_a_look(text: str, language: str = "en") -> bool:
    """ "check the backups", "show me the alerts": asks like a question, and can be ordered for later like an act."""
    return next(iter(order_core(text, language).split()), "") in speech_words(language).ask_verbs


def is_question(text: str, language: str = "en") -> bool:
    return speech_of(text, language) is Speech.QUESTION


def is_waved_off(text: str, language: str = "en") -> bool:
    """ "don't check the backups", "never mind": no tool is wanted, not even one that only reads."""
    core, waved_off = utterance_core(_NOT_NEEDED.sub("", text), language), speech_words(language).waved_off
    if opener_of(core, speech_words(language).reminders) or _NOTHING_OF_IT.match(core):
        return not opener_of(core, speech_words(language).reminders)
    if opener_of(core, waved_off) or opener_of(_AFTER_NO.sub("", core), waved_off):
        return True
    *_, end = [utterance_core(piece, language) for piece in _SENTENCE_END.split(text.rstrip(" .!?"))]
    return _AFTER_NO.sub("", end) in speech_words(language).taken_back


def asks_beside(text: str, language: str = "en") -> bool:
    """Whether a part of it asks: "don't reboot it, is it up?", "she says it is slow, can you see if it is alive"."""
    pieces = [piece for piece in _SENTENCE_END.split(text) if piece.strip()]
    return len(pieces) > 1 and any(speech_of(piece, language) is Speech.QUESTION for piece in pieces)


def is_hypothetical(text: str, language: str = "en") -> bool:
    """ "what would happen if jellyfin went down", "should I restart it": nothing that a tool could look up."""
    words, core = speech_words(language), utterance_core(text, language)
    if _WORRIED.match(core) or asks_recoverable(text, language):
        return False
    if core.startswith("if ") and speech_of(text, language) is not Speech.ORDER and "?" not in text:
        return True
    return bool(opener_of(core, words.hypothetical)) or holds(core, words.hypothetical_inside)


def is_reported(text: str, language: str = "en") -> bool:
    """ "I told her that the lights are off", "I was going to, but": told of, quoted or taken back, and no request."""
    words = speech_words(language)
    plain = plain_words(_NOT_NEEDED.sub("", text), language)
    return bool(_QUOTED.search(text)) or holds(_before_reminder(plain, words), words.reported) or _did(text, language)


def _did(text: str, language: str) -> bool:
    """ "I restarted immich this morning": told, and neither asked nor ordered."""
    return bool(_I_DID.match(utterance_core(text, language))) and speech_of(text, language) is Speech.UNKNOWN


_LOST = re.compile(
    r"\bif (?:i|we|it|they|everything|something|the|my|our|one) (?:\w+ ){0,4}?"
    r"(?:lost|lose|needed|need|had|deleted|dies|died|broke|breaks|burned|burnt|goes|went|gone|disappeared|vanished)\b"
)
_BACK_AGAIN = re.compile(
    r"\b(?:get|got|have|bring|come|gets|comes) (?:\w+ ){0,3}?back\b|\b(?:recover|restor|retriev)\w*"
    r"|\bbackup (?:\w+ )?work\b"
)


def asks_recoverable(text: str, language: str = "en") -> bool:
    """ "If we lost the photos, could we get them back?": supposed, and yet the backups' verdict is the answer."""
    plain = plain_words(text, language)
    return "?" in text and bool(_LOST.search(plain)) and bool(_BACK_AGAIN.search(plain))


def is_beyond(text: str, language: str = "en") -> bool:
    """ "delete the photos backup", "install updates": an order that no tool carries out."""
    words = speech_words(language)
    asks = speech_of(text, language) is Speech.QUESTION  # "is it possible to restore the files"
    core = (utterance_core if asks else order_core)(_NO_COMMA.sub("", text), language)
    return bool(opener_of(core, words.beyond)) and not holds(core, words.not_beyond)


def is_message(text: str, language: str = "en") -> bool:
    """A message to send or something to be reminded of: what it says is not said to us."""
    core = order_core(text, language)
    if speech_of(text, language) is not Speech.QUESTION and _TO_PHONE.search(plain_words(text, language)):
        return True
    return bool(opener_of(core, speech_words(language).message_openers)) or (
        speech_of(text, language) is not Speech.QUESTION and holds(core, speech_words(language).reminders)
    )


_SENT = r"(?:message|notification|notifications|push|ping|note|alert|text|word)"
_PHONE = r"(?:phone|phones|mobile|cell|smartphone|telephone|handy|watch)"
_TO_PHONE = re.compile(
    rf"\b{_SENT} (?:\w+ ){{0,2}}?(?:to|on|onto|for) (?:\w+ )?{_PHONE}\b|\b{_PHONE} {_SENT}\b"
    rf"|\b(?:my|the|our) {_PHONE} (?:a |an )?(?:\w+ )?{_SENT}\b|\btell me on my {_PHONE}\b"
    rf"|\b(?:send|push|buzz|tell|write) (?:me )?(?:to |on )?(?:my|the) {_PHONE}\b"
    rf"|^(?:an? )?(?:urgent|high priority|low priority|critical|loud|quick) {_SENT}\b"
)
""" "Pop a message on my phone": a message, however it begins."""


def is_remark(text: str, language: str = "en") -> bool:
    """A statement beside a request ("the sandbox hangs", "we are going to bed"): neither asks, orders nor forbids."""
    if is_hypothetical(text, language) or is_reported(text, language) or is_waved_off(text, language):
        return False
    return speech_of(text, language) is Speech.UNKNOWN and not holds(plain_words(text, language), ("not", "no", "if"))


_STATES = re.compile(
    r"\b(?:i|we|he|she|they|it|you|there|this|that|everyone|everybody|nobody|somebody|someone)\b.* \w"
    r"|\b(?:is|are|was|were|has|have|had|will|would|keeps?|looks?|feels?|seems?|smells?|sounds?|got|gets|goes|went|said)\b"
)


def is_statement(text: str, language: str = "en") -> bool:
    """A remark that says something ("it is cold in here"), and not half a request ("a backup")."""
    return is_remark(text, language) and bool(_STATES.search(plain_words(text, language)))


def is_bare_answer(text: str, language: str = "en") -> bool:
    """ "yes", "no", "do it": means something only where a question is open."""
    return utterance_core(text, language) in speech_words(language).bare_answers


def _of_polite_request(wanted: str, words: SpeechWords) -> Speech:
    """What follows "could you": an asking verb asks, an order verb orders, anything else is not known."""
    first = next(iter(wanted.split()), "")
    if first in words.ask_verbs:
        return Speech.QUESTION
    if first in words.order_verbs:
        return Speech.ORDER
    return Speech.UNKNOWN


def _ends_politely(core: str, first: str, words: SpeechWords) -> bool:
    """ "turn off the lights, could you?" is an order with its politeness behind it."""
    return first in words.order_verbs and any(core.endswith(f" {ending}") for ending in words.polite_order)


def _has_order_soon(rest: Iterable[str], words: SpeechWords) -> bool:
    return any(word in words.order_verbs for word in list(rest)[:TIME_PHRASE_WORDS])
