"""Lines of a home's set: their form, and when a home is as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.home_lines import CHANGED, HomeLine, changed, is_as, read_home_lines, what_is_wrong

OFF: dict[str, Any] = {"state": "off"}
LAMP = "light.lamp"


def line(**more: Any) -> HomeLine:
    return HomeLine.model_validate({"id": "1", "text": "lamp on", "domain": "light", **more})


@pytest.mark.parametrize(
    ("wanted", "after", "fits"),
    [
        ("on", {"state": "on"}, True),
        ("on", OFF, False),
        (["on", "opening"], {"state": "opening"}, True),
        ({"state": "on", "brightness": 128}, {"state": "on", "brightness": 127}, True),
        ({"brightness": 128}, {"state": "on", "brightness": 90}, False),
        ({"hs_color": [0, 100]}, {"state": "on", "hs_color": [0.4, 100]}, True),
        ({"volume_level": 0.3}, {"volume_level": 0.9}, False),
        (CHANGED, {"state": "2026"}, True),
        (CHANGED, OFF, False),
        ({"media_title": CHANGED}, {"media_title": "The next one"}, True),
        ({"state": CHANGED, "media_title": CHANGED}, {"state": "off", "media_title": "The next one"}, False),
    ],
)
def test_what_is_wanted_fits_or_does_not(wanted: object, after: dict[str, Any], fits: bool) -> None:
    assert is_as(wanted, OFF, after) is fits


def test_a_line_is_right_where_all_is_as_it_says_and_nothing_else_moved() -> None:
    before = {LAMP: OFF, "switch.tv": OFF}
    lit = {LAMP: {"state": "on"}, "switch.tv": OFF}
    both = {LAMP: {"state": "on"}, "switch.tv": {"state": "on"}}

    assert what_is_wrong(line(after={LAMP: "on"}), before, lit, "", before) == ""
    assert "wanted" in what_is_wrong(line(after={LAMP: "on"}), before, before, "", before)
    assert "switch.tv was changed" in what_is_wrong(line(after={LAMP: "on"}), before, both, "", before)


def test_an_answer_has_to_hold_its_words() -> None:
    asks = line(said=["lamp", "off|dark"])

    assert what_is_wrong(asks, {}, {}, "The Lamp is dark.", []) == ""
    assert "off|dark" in what_is_wrong(asks, {}, {}, "The lamp is on.", [])


@given(st.floats(0, 100), st.floats(0, 0.9))
def test_what_a_home_rounds_is_no_change(value: float, off_by: float) -> None:
    before = {LAMP: {"state": "on", "humidity": value + 2}}
    after = {LAMP: {"state": "on", "humidity": value + 2 + off_by}}

    assert not changed(before, after, LAMP)
    assert changed(before, {LAMP: {"state": "off"}}, LAMP)


@pytest.mark.parametrize(
    "text", ['{"id": "1"}', "nonsense", '{"id": "1", "text": "a", "domain": "b"}', "[]", "", '{"extra": 1}']
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError):
        read_home_lines([path])


def test_a_file_that_is_not_there_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_home_lines([tmp_path / "none.jsonl"])
