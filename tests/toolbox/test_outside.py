"""What outside servers say is made safe: pure."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations

from assistant.toolbox.outside import MAX_SPOKEN_CHARACTERS, offered, outcome_of, printable, without_titles

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "type", "items", "anyOf"]), inner)
    ),
    max_leaves=12,
)


def tool(name: str, description: str = "Reads.", **schema: Any) -> Tool:
    return Tool(
        name=name,
        description=description,
        input_schema={"type": "object", **schema},
        annotations=ToolAnnotations(read_only_hint=True),
    )


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


@given(st.text(max_size=3_000), st.booleans())
def test_every_outside_answer_is_short_and_every_good_one_tainted(text: str, is_error: bool) -> None:
    (known,), _ = offered("weather", [tool("forecast")], (), ())
    outcome = outcome_of(known, {}, CallToolResult(content=[TextContent(text=text)], is_error=is_error), 1.0)
    assert outcome.spoken
    assert len(outcome.spoken) <= MAX_SPOKEN_CHARACTERS
    assert outcome.ok is not is_error
    assert is_error or (outcome.result is not None and outcome.result.tainted)


def test_a_name_of_ours_is_never_taken_over() -> None:
    chosen, left_out = offered("check", [tool("services")], (), ["check_services"])
    assert chosen == ()
    assert "check_services is taken" in left_out[0]


def test_two_names_that_become_one_are_not_mixed_up() -> None:
    chosen, left_out = offered("w", [tool("a.b"), tool("a b")], (), ())
    assert [t.description.name for t in chosen] == ["w_a_b"]
    assert len(left_out) == 1


def test_a_huge_schema_and_a_long_name_are_left_out_and_a_long_description_is_cut() -> None:
    huge = tool("huge", properties={f"p{i}": {"type": "string", "description": "x" * 50} for i in range(100)})
    chosen, left_out = offered("w", [huge, tool("n" * 70), tool("fine", "word " * 200)], (), ())
    assert [t.description.name for t in chosen] == ["w_fine"]
    assert len(chosen[0].description.description) <= 300
    assert len(left_out) == 2
