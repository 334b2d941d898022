""" "What did I miss?" lists what came in; it stands beside the tasks, and takes no words from other tools."""

from __future__ import annotations

import pytest

from assistant.ports import WantedCall
from tests.planned import matcher

MATCHER = matcher()


@pytest.mark.parametrize(
    "text",
    [
        "what did I miss?",
        "what have we missed today",
        "did I miss anything?",
        "any new messages?",
        "do I have any messages",
        "read me my messages, please",
        "what happened while I was away?",
        "are there any new notifications",
    ],
)
def test_whoever_was_away_asks_for_the_list(text: str) -> None:
    match = MATCHER.match(text, None)
    assert match is not None
    assert list(match.calls) == [WantedCall("list_tasks", {})]


@pytest.mark.parametrize("text", ["any error messages in jellyfin?", "send me a message that dinner is ready"])
def test_other_messages_are_not_meant(text: str) -> None:
    match = MATCHER.match(text, None)
    assert match is None or "list_tasks" not in [call.tool for call in match.calls]
