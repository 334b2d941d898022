"""The digest in a model's words, where every one of them stands in the results."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache

from assistant.errors import ToolboxError
from assistant.phrasing import phrase_results
from assistant.ports import ChatModel, Names
from assistant.resources import resource
from tools.contract import ToolResult
from tools.digest.facts import Phrase, Worded

TIMEOUT_S = 20.0
"""Nobody stands and waits; the model may have to be loaded first."""

_EXAMPLE = re.compile(r"^Facts: (.*)\nMessage: (.*)$", re.MULTILINE)


def digest_phraser(model: ChatModel, names: Callable[[], Awaitable[Names]], *, timeout_s: float = TIMEOUT_S) -> Phrase:
    """For ``ToolHouse.phrase_digest``: the model's sentences, no more of them than the tools have, and the reason where
    they are not to be said (``assistant/phrasing.py``). Raises nothing."""

    async def phrase(results: Sequence[ToolResult]) -> Worded:
        try:
            known = await names()
        except ToolboxError as error:
            return Worded(None, f"the names of the house are not known ({error.code})")
        phrasing = await phrase_results(model, "", results, known, timeout_s=timeout_s, asking=digest_messages)
        return Worded(phrasing.text, phrasing.reason)

    return phrase


def digest_messages(_: str, results: Sequence[ToolResult]) -> list[dict[str, str]]:
    """The examples are turns of their own: where they stand in one text, a small model repeats them."""
    system, examples = digest_prompt()
    facts = " ".join(result.spoken for result in results)
    turns = [(role, said) for facts_, message in examples for role, said in (("user", facts_), ("assistant", message))]
    return [{"role": role, "content": said} for role, said in (("system", system), *turns, ("user", facts))]


@cache
def digest_prompt() -> tuple[str, tuple[tuple[str, str], ...]]:
    """``prompts/digest.md``: what is to be done, and (facts, message) for each example. Raises FileNotFoundError when
    the installation is damaged."""
    text = resource("prompts", "digest.md").read_text(encoding="utf-8")
    examples = tuple((found[1], found[2]) for found in _EXAMPLE.finditer(text))
    return text.partition("\n\n")[0].strip(), examples
