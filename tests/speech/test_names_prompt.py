"""The names given to Whisper, and the prompt when it comes back as a transcript."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.speech.names_prompt import PROMPT_CHARACTERS, is_echo, names_list, names_prompt

NAMES = ("jellyfin", "gitea", "immich", "home assistant", "open webui", "door lock")


def test_the_prompt_asks_about_the_first_names_lists_each_once_and_ends_with_the_wake_phrase() -> None:
    assert names_prompt(["gitea", "home assistant", "ZFS", "gitea"]) == (
        "Hey Jarvis, is Gitea up? Is Home Assistant down? Gitea, Home Assistant, ZFS. Hey Jarvis."
    )
    assert names_prompt(["gitea"], ("computer",)) == "Computer, is Gitea up? Gitea. Computer."
    assert names_prompt(["gitea"], ()) == "Is Gitea up? Gitea."
    assert names_list(["gitea", "immich", "gitea"]) == "gitea, immich"


def test_no_names_no_prompt() -> None:
    assert names_prompt(()) is None
    assert names_list(()) is None


@given(st.lists(st.text("abc ", min_size=1, max_size=30), min_size=1, max_size=60))
def test_the_prompt_is_bounded_and_keeps_the_first_names(names: list[str]) -> None:
    listed = names_list(names)
    assert listed is not None
    assert len(listed) <= PROMPT_CHARACTERS
    assert listed.startswith(names[0])


@pytest.mark.parametrize(
    "text",
    [
        "Hey Jarvis. jellyfin, gitea, immich, home assistant.",
        "jellyfin, gitea, immich.",
        "Immich, Home Assistant, Open WebUI",
        "door lock, door lock, door lock, door lock,",
        "Hey Jarvis. Hey Jarvis. jellyfin, gitea, immich",
        "Hey Jarvis, is Jellyfin up? Is Gitea down? Jellyfin, Gitea, Immich",
        "Is Gitea down? Jellyfin, Gitea, Immich, Home Assistant.",
    ],
)
def test_names_in_the_prompts_order_and_nothing_else_are_the_prompt(text: str) -> None:
    assert is_echo(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hey Jarvis.",
        "jellyfin",
        "jellyfin and gitea",
        "jellyfin, gitea",
        "immich, jellyfin, open webui",
        "is jellyfin up?",
        "Hey Jarvis, is jellyfin up? Is gitea down?",
        "restart jellyfin, gitea, immich",
        "jellyfin gitea immich are down",
    ],
)
def test_what_people_say_about_names_is_no_echo(text: str) -> None:
    assert not is_echo(text, NAMES)


def test_a_question_of_the_prompt_is_an_echo_where_whisper_is_not_sure() -> None:
    assert is_echo("Hey Jarvis, is Jellyfin up?", NAMES, sure=False)
    assert is_echo("Is Gitea down?", NAMES, sure=False)
    assert not is_echo("Is Immich up?", NAMES, sure=False)
    assert not is_echo("Is Jellyfin up?", NAMES)


@given(st.text(max_size=60), st.lists(st.text(max_size=10), max_size=5))
def test_any_text_and_any_names_are_looked_at(text: str, names: list[str]) -> None:
    assert not is_echo(text, ())
    assert is_echo(text, names) in (True, False)
