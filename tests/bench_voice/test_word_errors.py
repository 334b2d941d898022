"""Word errors count what was misheard, not how it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.word_errors import number_words, spelled_out, word_errors


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("is the backup ok", "Is the backup okay?"),
        ("is nextcloud ok", "Is Next Cloud OK?"),
        ("what's down", "What is down?"),
        ("don't turn it off, it'll freeze", "Do not turn it off. It will freeze!"),
        ("can't", "cannot"),
        ("set it to twenty one degrees", "Set it to 21 degrees."),
        ("set it to twenty-one degrees", "Set it to 21°."),
        ("dim it to thirty percent", "Dim it to 30%."),
        ("remind me at seven thirty", "Remind me at 7:30."),
        ("twenty one point five", "21.5"),
        ("one thousand two hundred", "1,200"),
        ("zero five", "05"),
        ("oh five", "0 5"),
        ("the third backup", "the 3rd backup"),
        ("the twentieth and the twenty first", "the 20th and the 21st"),
        ("start the windows v m", "Start the Windows VM."),
        ("restart n t f y", "Restart NTFY"),
        ("restart n. t. f. y.", "restart ntfy"),
        ("open web u i", "OpenWebUI"),
        ("mister dashwood", "Mr. Dashwood"),
        ("turn on the tv", "Turn on the T.V."),
        ("the server’s down", "the server's down"),
    ],
)
def test_what_sounds_the_same_is_no_error(said: str, heard: str) -> None:
    assert word_errors(said, heard)[0] == 0
    assert word_errors(heard, said)[0] == 0


@pytest.mark.parametrize(
    ("said", "heard", "errors", "words"),
    [
        ("is jellyfin up", "is gelatin up", 1, 3),
        ("is jellyfin up", "jellyfin", 2, 3),
        ("yes", "", 1, 1),
        ("", "thank you", 2, 0),
        ("turn it off", "turn it off off", 1, 3),
        ("lock the door", "lock a floor", 2, 3),
        ("set it to twenty one", "set it to 22", 1, 5),
        ("a b", "c d", 1, 1),
    ],
)
def test_what_sounds_different_is(said: str, heard: str, errors: int, words: int) -> None:
    assert word_errors(said, heard) == (errors, words)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (13, "thirteen"), (40, "forty"), (21, "twenty one"), (100, "one hundred"),
     (305, "three hundred five"), (1984, "one thousand nine hundred eighty four"),
     (999_999, "nine hundred ninety nine thousand nine hundred ninety nine")],
)  # fmt: skip
def test_numbers_in_words(number: int, words: str) -> None:
    assert number_words(number) == words


words_of = st.lists(
    st.sampled_from(["is", "jellyfin", "up", "now", "back", "the", "a", "b", "7", "21", "ok", "next", "cloud"]),
    max_size=8,
)


@given(words_of, words_of)
def test_errors_are_a_distance(one: list[str], other: list[str]) -> None:
    said, heard = " ".join(one), " ".join(other)
    errors, words = word_errors(said, heard)
    assert word_errors(said, said)[0] == 0
    assert 0 <= errors <= max(words, len(spelled_out(heard)))
    assert errors == word_errors(heard, said)[0]


@given(st.text(max_size=60))
def test_spelling_out_twice_changes_nothing(text: str) -> None:
    once = spelled_out(text)
    assert spelled_out(" ".join(once)) == once
