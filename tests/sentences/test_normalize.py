"""Text as the templates expect it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.sentences.normalize import as_said, grammar_file, order_core, plain_words, utterance_core


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Is Jellyfin up?!", "is jellyfin up"),
        ("what’s up", "what is up"),
        ("don't", "do not"),
        ("back the photos up", "backup the photos"),
        ("um, uh, is it ok", "is it ok"),
        ("turn off the the light", "turn off the light"),
        ("the server's port", "the server port"),
        ("21.5 degrees at 7:30.", "21.5 degrees at 7:30"),
        ("nineteen and a half degrees", "19.5 degrees"),
        ("set it to half brightness", "set it to 50 percent"),
        ("dim it to a quarter", "dim it to 25 percent"),
        ("in an hour and a half", "in an hour and a half"),
        ("ＦＵＬＬ　width", "full width"),
        ("", ""),
        ("…", ""),
    ],
)
def test_plain_words(text: str, plain: str) -> None:
    assert plain_words(text) == plain


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("hey jarvis, could you please restart gitea when you have a moment, thanks", "restart gitea"),
        ("please turn off the light", "turn off the light"),
        ("would you mind restarting gitea", "restart gitea"),
        ("restart gitea", "restart gitea"),
    ],
)
def test_politeness_around_an_order_is_left_out(text: str, core: str) -> None:
    assert order_core(text) == core


def test_a_question_keeps_its_words_without_the_fillers_around() -> None:
    assert utterance_core("okay jarvis, is gitea up please") == "is gitea up"


TEXT = st.text(max_size=80)


@given(TEXT)
def test_plain_words_are_words_with_single_spaces(text: str) -> None:
    plain = plain_words(text)
    assert plain == " ".join(plain.split())
    assert not set(plain) & set("?!,;\"'")


@given(TEXT)
def test_a_core_is_a_stretch_of_the_plain_words(text: str) -> None:
    assert utterance_core(text) in plain_words(text)


@given(TEXT)
def test_the_core_of_a_core_is_itself(text: str) -> None:
    core = utterance_core(text)
    assert utterance_core(core) in core


def test_what_somebody_wrote_is_found_for_its_plain_words() -> None:
    assert as_said("Send a message: Don't wait for Anna!", "do not wait for anna") == "Don't wait for Anna"
    assert as_said("Send a message", "something else") == "something else"


def test_a_grammar_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        grammar_file("nonsense", "en")
