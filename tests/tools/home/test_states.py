"""States by subscription: what is kept of them, and that no event can break them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.home.scripted import raw_state
from tools.home.port import State
from tools.home.states import KEPT_ATTRIBUTES, MAX_ITEMS, MAX_TEXT, States

IDS = st.sampled_from(["light.a", "light.b", "lock.c"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["brightness", "friendly_name", "hvac_modes", "picture", "percentage"]),
    st.one_of(st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=3)),
    max_size=4,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=12,
)
KEYS = st.sampled_from(["a", "c", "r", "s", "lc", "+", "-", "light.a", "brightness", "x"])
ALMOST = st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.just(10**400), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


def kept(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in attributes.items()
        if name in KEPT_ATTRIBUTES
    }


def test_parts_change_parts() -> None:
    states = States()
    states.apply({"a": {"light.a": raw_state("on", brightness=10, effect="rainbow", friendly_name="A")}})
    before = states.apply({"c": {"light.a": {"+": {"a": {"brightness": None}}, "-": {"a": ["effect"]}}}})
    assert states.get("light.a") == State("on", {"friendly_name": "A"}, 1000.0)
    assert before == {"light.a": State("on", {"brightness": 10, "effect": "rainbow", "friendly_name": "A"}, 1000.0)}
    states.apply({"c": {"light.a": {"+": {"s": "off", "lc": 2000}}}})
    assert states.get("light.a") == State("off", {"friendly_name": "A"}, 2000.0)
    assert states.apply({"r": ["light.a", "light.z", 7]}).keys() == {"light.a"}
    assert states.get("light.a") is None


def test_a_part_of_what_never_came_whole_is_not_believed() -> None:
    states = States()
    assert states.apply({"c": {"light.a": {"+": {"s": "on"}}}}) == {}
    assert states.get("light.a") is None


def test_a_state_that_cannot_be_read_does_not_leave_the_old_one_standing() -> None:
    states = States()
    states.apply({"a": {"light.a": raw_state("on")}})
    states.apply({"c": {"light.a": {"+": {"s": ["off"]}}}})
    assert states.get("light.a") == State("unknown", {}, 1000.0)


def test_only_what_is_needed_is_kept_and_nothing_without_measure() -> None:
    states = States()
    attributes = {
        "entity_picture": "/api/image?token=secret",
        "access_token": "secret",
        "forecast": [{"a": 1}] * 1000,
        "source_list": ["radio"] * 1000,
        "media_title": "x" * 10_000,
        "brightness": float("inf"),
        "options": {"no": "list"},
    }
    states.apply({"a": {"media_player.a": {"s": "on", "a": attributes}, "No Id": raw_state("on")}})
    found = states.get("media_player.a")
    assert found is not None
    assert set(found.attributes) == {"source_list", "media_title"}
    assert len(found.attributes["source_list"]) == MAX_ITEMS
    assert len(found.attributes["media_title"]) == MAX_TEXT
    assert len(states) == 1


@given(st.one_of(JSON, ALMOST, st.dictionaries(KEYS, ALMOST)))
def test_no_event_breaks_it_and_states_stay_what_they_should_be(event: Any) -> None:
    states = States()
    states.apply({"a": {"light.a": raw_state("on", brightness=1)}})
    for entity in states.apply(event):
        now = states.get(entity)
        assert now is None or (isinstance(now.state, str) and set(now.attributes) <= KEPT_ATTRIBUTES)
        json.dumps(None if now is None else dict(now.attributes), allow_nan=False)


@given(st.lists(st.tuples(IDS, st.sampled_from(["on", "off"]), ATTRIBUTES), max_size=12))
def test_changes_in_parts_end_where_whole_states_do(steps: list[tuple[str, str, dict[str, Any]]]) -> None:
    """As Home Assistant makes its differences: what is new or other, and the names of what went."""
    states, whole = States(), States()
    known: dict[str, tuple[str, dict[str, Any]]] = {}
    for entity, state, attributes in steps:
        whole.apply({"a": {entity: raw_state(state, **attributes)}})
        if entity not in known:
            states.apply({"a": {entity: raw_state(state, **attributes)}})
        else:
            _, before = known[entity]
            added = {name: value for name, value in attributes.items() if before.get(name) != value}
            part: dict[str, Any] = {"+": {"s": state, "a": added}}
            if gone := sorted(set(before) - set(attributes)):
                part["-"] = {"a": gone}
            states.apply({"c": {entity: part}})
        known[entity] = (state, attributes)
    for entity, (state, attributes) in known.items():
        assert states.get(entity) == whole.get(entity) == State(state, kept(attributes), 1000.0)
