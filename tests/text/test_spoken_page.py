"""The page about spoken text says what the code does."""

from __future__ import annotations

from assistant.text.brief import Aloud
from tests.text.spoken_examples import EXAMPLES
from tests.text.spoken_page import MARK, PAGE, tables


def test_the_tables_are_the_generated_ones() -> None:
    _, _, held = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert held == tables(), "run `python -m tests.text.spoken_page`"


def test_there_are_enough_examples_to_judge_by() -> None:
    assert sum(map(len, EXAMPLES.values())) >= 150


def test_the_example_of_a_long_reply_is_true() -> None:
    page = PAGE.read_text(encoding="utf-8")
    reply = Aloud(2, "The rest is on the screen.")
    said = reply.take("Two of six backups are proven. Gitea was never restored. Config is three days old.")
    assert f"“{said} {reply.rest()}”" in " ".join(page.split())
