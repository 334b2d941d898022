"""The PIN in an answer: taken out of the utterance before a model, a page, a trace or the history sees it. Pure."""

from __future__ import annotations

from assistant.confirming import is_no, is_yes
from assistant.conversation import Conversation
from assistant.text.spoken_pin import LEAST_DIGITS, hear_pin


def take_pin(text: str, conversation: Conversation) -> tuple[str, str | None]:
    """The utterance as it may be known, and the digits of the PIN that was in it, where one was asked for.

    While the question is open, so many digits are one, whatever is said beside them; for a while after it, they are in
    what would be an answer to it.
    """
    if not conversation.awaits_pin:
        return text, None
    heard = hear_pin(text)
    if heard.pin is None:
        return text, None
    answers = not heard.rest or is_yes(heard.rest) or is_no(heard.rest)
    if answers or (conversation.pending is not None and len(heard.pin) >= LEAST_DIGITS):
        return heard.text, heard.pin
    return text, None
