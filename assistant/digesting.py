"""The digest in a model's words, where every one of them stands in the results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from assistant.errors import ToolboxError
from assistant.phrasing import phrase_results
from assistant.ports import ChatModel, Names
from tools.contract import ToolResult
from tools.digest.facts import Phrase, Worded

TIMEOUT_S = 20.0
"""Nobody stands and waits; the model may have to be loaded first."""

QUESTION = "what is wrong, and what is fine?"
"""Without a word that the facts do not have: what stands in the question comes back in the answer."""


def digest_phraser(model: ChatModel, names: Callable[[], Awaitable[Names]], *, timeout_s: float = TIMEOUT_S) -> Phrase:
    """For ``ToolHouse.phrase_digest``: the model's sentences, no more of them than the tools have, and the reason where
    they are not to be said (``assistant/phrasing.py``). Raises nothing."""

    async def phrase(results: Sequence[ToolResult]) -> Worded:
        try:
            known = await names()
        except ToolboxError as error:
            return Worded(None, f"the names of the house are not known ({error.code})")
        phrasing = await phrase_results(model, QUESTION, results, known, timeout_s=timeout_s)
        return Worded(phrasing.text, phrasing.reason)

    return phrase
