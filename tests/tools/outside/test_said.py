"""What outside servers say is made safe: pure."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations

from tools.contract import Level
from tools.outside.said import (
    MAX_SPOKEN_CHARACTERS,
    Offer,
    offered,
    printable,
    problems,
    readback,
    result_of,
    within,
    without_titles,
)
from tools.settings_outside import McpServerSettings

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "type", "items", "anyOf"]), inner)
    ),
    max_leaves=12,
)


def tool(name: str, description: str = "Reads.", read_only: bool | None = True, **schema: Any) -> Tool:
    return Tool(
        name=name,
        description=description,
        input_schema={"type": "object", **schema},
        annotations=None if read_only is None else ToolAnnotations(read_only_hint=read_only),
    )


def told(**settings: Any) -> McpServerSettings:
    return McpServerSettings.model_validate({"command": ["weather"], **settings})


def offer(tokens: int, name: str = "w_x") -> Offer:
    return Offer(name, "Tells.", {}, Level.READ, "w", name, tokens)


@given(st.text())
def test_printable_text_has_no_control_characters_and_stays_printable(text: str) -> None:
    clean = printable(text)
    assert not any(unicodedata.category(c).startswith("C") for c in clean)
    assert printable(clean) == clean


@given(st.dictionaries(st.sampled_from(["title", "type", "items"]), json_values))
def test_no_title_is_left_and_doing_it_twice_changes_nothing(schema: dict[str, Any]) -> None:
    bare = without_titles(schema)
    assert not isinstance(bare.get("title"), str)
    assert without_titles(bare) == bare


@given(st.text(max_size=3_000))
def test_every_outside_answer_is_short_and_tainted(text: str) -> None:
    (known,), _ = offered("weather", [tool("forecast")], told(), ())
    result = result_of(known, CallToolResult(content=[TextContent(text=text)]))
    assert result.spoken
    assert len(result.spoken) <= MAX_SPOKEN_CHARACTERS
    assert result.tainted


def test_a_name_of_ours_is_never_taken_over() -> None:
    for settings in (told(), told(rename={"services": "check_services"})):
        chosen, left_out = offered("check", [tool("services")], settings, ["check_services"])
        assert chosen == ()
        assert "check_services is taken" in left_out[0]


def test_two_names_that_become_one_are_not_mixed_up() -> None:
    chosen, left_out = offered("w", [tool("a.b"), tool("a b")], told(), ())
    assert [t.name for t in chosen] == ["w_a_b"]
    assert len(left_out) == 1


def test_a_huge_schema_and_a_long_name_are_left_out_and_a_long_description_is_cut() -> None:
    huge = tool("huge", properties={f"p{i}": {"type": "string", "description": "x" * 50} for i in range(100)})
    chosen, left_out = offered("w", [huge, tool("n" * 70), tool("fine", "word " * 200)], told(), ())
    assert [t.name for t in chosen] == ["w_fine"]
    assert len(chosen[0].description) <= 300
    assert len(left_out) == 2


def test_tools_are_renamed_and_described_by_the_configuration() -> None:
    settings = told(rename={"forecast": "tomorrows_weather"}, describe={"forecast": "Tomorrow's weather."})
    (chosen,), _ = offered("w", [tool("forecast", "word " * 200)], settings, ())
    assert (chosen.name, chosen.description, chosen.tool) == ("tomorrows_weather", "Tomorrow's weather.", "forecast")
    (longer,), _ = offered("w", [tool("forecast", "word " * 200)], told(), ())
    assert chosen.tokens < longer.tokens / 2


def test_what_the_configuration_names_and_the_server_lacks_is_told_once() -> None:
    settings = told(tools=["typo"], levels={"typo": "read"}, rename={"typo": "x"}, describe={"gone": "y"})
    _, left_out = offered("w", [tool("forecast")], settings, ())
    assert left_out == ("typo: the server has no such tool", "gone: the server has no such tool")


@given(st.sampled_from([None, *Level]), st.booleans(), st.sampled_from([None, True, False]))
def test_only_the_configuration_makes_a_tool_less_than_destructive(
    assigned: Level | None, believe: bool, hint: bool | None
) -> None:
    settings = told(levels={"x": assigned} if assigned else {}, believe_hints=believe)
    (chosen,), _ = offered("w", [tool("x", read_only=hint)], settings, ())
    if assigned is not None:
        assert chosen.level is assigned
    elif believe and hint:
        assert chosen.level is Level.READ
    else:
        assert chosen.level is Level.DESTRUCTIVE


@given(st.integers(0, 500), st.lists(st.integers(1, 200), max_size=12))
def test_what_fits_is_kept_in_order_and_the_rest_is_named(budget: int, sizes: list[int]) -> None:
    offers = [offer(size, f"w_{number}") for number, size in enumerate(sizes)]
    kept, left_out = within(budget, offers)
    assert sum(one.tokens for one in kept) <= budget
    assert [one for one in offers if one in kept] == list(kept)
    assert len(kept) + len(left_out) == len(offers)
    spare = budget - sum(one.tokens for one in kept)
    assert all(one in kept or one.tokens > spare for one in offers)


SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "where": {"enum": ["home", "work"]}, "title": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "arguments, wrong",
    [
        ({"id": 7}, []),
        ({}, ["id is missing"]),
        ({"id": True}, ["id has to be of type integer"]),
        ({"id": "7"}, ["id has to be of type integer"]),
        ({"id": 7, "who": "x"}, ["who is not known"]),
        ({"id": 7, "where": "moon"}, ['where has to be one of ["home", "work"]']),
    ],
)
def test_arguments_that_are_plainly_wrong_are_found_before_anybody_is_asked(
    arguments: dict[str, Any], wrong: list[str]
) -> None:
    assert problems(SCHEMA, arguments) == wrong


@given(st.dictionaries(st.text(max_size=5), json_values), st.dictionaries(st.text(max_size=5), json_values))
def test_no_schema_breaks_the_check(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert all(isinstance(problem, str) for problem in problems({"properties": schema, "required": ["a"]}, arguments))
    assert isinstance(problems(schema, arguments), list)


def test_the_readback_says_the_server_the_tool_and_every_argument() -> None:
    asked = Offer("notes_delete_page", "", {}, Level.DESTRUCTIVE, "my_notes", "delete_page", 1)
    said = readback(asked, {"page_id": 7, "reason": "old\x07 one"})
    assert said == "let my notes do “delete page” with page id “7”, reason “old one”"
