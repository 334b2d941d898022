"""Digits in an answer, however they are said or written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.spoken_pin import REDACTED, hear_pin, without_pin_words

UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

PINS = st.text("0123456789", min_size=4, max_size=12)


def in_pairs(pin: str) -> str:
    """ "4271" → "forty two seventy one"; of an even number of digits."""
    words = []
    for start in range(0, len(pin), 2):
        tens, unit = int(pin[start]), int(pin[start + 1])
        if tens == 0:
            words.append(f"oh {UNITS[unit] if unit else 'oh'}")
        elif tens == 1:
            words.append(TEENS[unit])
        else:
            words.append(TENS[tens] + (f" {UNITS[unit]}" if unit else ""))
    return " ".join(words)


WAYS: Mapping[str, Callable[[str], str]] = {
    "digits": lambda pin: pin,
    "dashes": "-".join,
    "dots": ". ".join,
    "commas": lambda pin: f"{pin[:1]},{pin[1:]}",
    "pairs of digits": lambda pin: " ".join(pin[n : n + 2] for n in range(0, len(pin), 2)),
    "words": lambda pin: " ".join(UNITS[int(digit)] for digit in pin),
    "words and commas": lambda pin: ", ".join(UNITS[int(digit)] for digit in pin).capitalize(),
    "oh": lambda pin: " ".join("oh" if digit == "0" else UNITS[int(digit)] for digit in pin),
    "pairs": in_pairs,
    "pairs with dashes": lambda pin: in_pairs(pin).replace("y ", "y-"),
    "mixed": lambda pin: " ".join(UNITS[int(d)] if n % 2 else d for n, d in enumerate(pin)),
}


@pytest.mark.parametrize("way", WAYS)
@given(pin=PINS)
def test_a_pin_is_read_in_every_way_of_saying_it(way: str, pin: str) -> None:
    if way in ("pairs", "pairs with dashes"):
        pin = pin[: len(pin) // 2 * 2]
    heard = hear_pin(f"Yes, {WAYS[way](pin)}.")
    assert heard.pin == pin
    assert heard.text == f"Yes, {REDACTED}."
    assert heard.rest == "Yes"


@pytest.mark.parametrize(
    ("said", "pin"),
    [
        ("yes, double four oh one", "4401"),
        ("yes triple seven 1", "7771"),
        ("Yes. For two seven one.", "4271"),
        ("yes four to seven won", "4271"),
        ("Yes, 4 dash 2 dash 7 dash 1", "4271"),
        ("yes, my PIN is 4271 please", "4271"),
        ("Yes, forty-two, seventy-one!", "4271"),
        ("oh yes, four two seven one", "4271"),
        ("yes, nineteen eighty four", "1984"),
    ],
)
def test_as_people_say_it(said: str, pin: str) -> None:
    assert hear_pin(said).pin == pin


@pytest.mark.parametrize("said", ["yes", "oh no", "Yes, do it.", "for me", "too", ""])
def test_what_has_no_digits_comes_back_as_it_is(said: str) -> None:
    heard = hear_pin(said)
    assert (heard.text, heard.pin) == (said, None)


@given(st.text())
def test_no_text_breaks_it_and_no_digit_is_left(text: str) -> None:
    heard = hear_pin(text)
    assert not set(heard.text) & set("0123456789")
    assert (heard.pin is None) == (REDACTED not in heard.text or REDACTED in text)


@given(PINS, st.sampled_from(["yes", "yeah please", "yes my pin is", "sure, the code is"]))
def test_what_is_left_is_the_yes(pin: str, yes: str) -> None:
    told = hear_pin(f"{yes} {pin}").text
    assert pin not in told
    assert without_pin_words(told).split()[0].strip(",") in ("yes", "yeah", "sure")
