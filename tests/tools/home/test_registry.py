"""Names and exposure out of the registries, whatever they hold; and names out of our own file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.home.scripted import raw_entity, raw_state
from tests.tools.home.test_states import JSON
from tools.home.kept import Names, keep, remembered
from tools.home.port import Entity, Place
from tools.home.registry import MAX_NAME, Registry, clean, read_registry, with_aliases
from tools.home.states import States

KEYS = st.sampled_from(
    ["entity_id", "area_id", "device_id", "id", "name", "original_name", "aliases", "options", "conversation",
     "should_expose", "floor_id", "exposed_entities", "light.a", "disabled_by"]
)  # fmt: skip
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.sampled_from(["light.a", "up"]))
ALMOST = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)
NAMES = st.text(min_size=1, max_size=20).map(clean).filter(bool)
IDS = st.from_regex(r"[a-z]{1,6}\.[a-z0-9_]{1,8}", fullmatch=True)


def states_of(**raw: dict[str, Any]) -> States:
    states = States()
    states.apply({"a": {name.replace("__", "."): state for name, state in raw.items()}})
    return states


def exposed(registry: Registry, states: States) -> set[str]:
    return set(registry.entities(states, exposed_only=True))


def test_who_decided_is_followed_then_the_list_then_the_defaults() -> None:
    states = states_of(
        light__shown=raw_state("on"),
        light__hidden=raw_state("on"),
        light__undecided=raw_state("on"),
        light__diagnosis=raw_state("on"),
        lock__listed=raw_state("locked"),
        lock__undecided=raw_state("locked"),
        sensor__power=raw_state("7", device_class="power"),
        sensor__warmth=raw_state("7", device_class="temperature"),
        binary_sensor__door=raw_state("on", device_class="door"),
        binary_sensor__plug=raw_state("on", device_class="plug"),
    )
    entries = [
        raw_entity("light.shown", options={"conversation": {"should_expose": True}}),
        raw_entity("light.hidden", options={"conversation": {"should_expose": False}}),
        raw_entity("light.undecided"),
        raw_entity("light.diagnosis", entity_category="diagnostic"),
    ]
    listed = {"exposed_entities": {"lock.listed": {"conversation": True}, "lock.undecided": {"cloud.alexa": True}}}
    told = read_registry(entities=entries, exposed=listed)
    assert exposed(told, states) == {"light.shown", "lock.listed"}
    untold = read_registry(entities=entries)
    assert exposed(untold, states) == {"light.shown", "light.undecided", "sensor.warmth", "binary_sensor.door"}
    without_assist = read_registry(entities=entries, exposed=listed, decides=False)
    assert exposed(without_assist, states) == exposed(untold, states) | {"lock.listed"}


def test_a_name_is_what_home_assistant_shows_else_what_stands_in_the_registry() -> None:
    states = states_of(
        light__a=raw_state("on", friendly_name="Desk"), light__b=raw_state("on"), light__c_d=raw_state("on")
    )
    registry = read_registry(entities=[raw_entity("light.a", name="Other"), raw_entity("light.b", original_name="Bed")])
    entities = registry.entities(states, exposed_only=False)
    assert [entity.name for entity in entities.values()] == ["Desk", "Bed", "c d"]


def test_an_area_that_is_not_there_is_none() -> None:
    registry = read_registry(entities=[raw_entity("light.a", area_id="gone")], areas=[])
    assert registry.entities(states_of(light__a=raw_state("on")), exposed_only=False)["light.a"].area is None


def test_aliases_come_in_the_list_or_in_the_long_form_and_those_that_are_no_names_are_left_out() -> None:
    registry = read_registry(entities=[raw_entity("light.a", aliases=["b", None, "a ", "", 7])])
    assert registry.entries["light.a"].aliases == ("a", "b")
    assert with_aliases(registry, {"light.a": {"aliases": ["c"]}, "light.z": {}}).entries["light.a"].aliases == ("c",)
    assert with_aliases(registry, None) is registry


@given(st.text(max_size=400))
def test_a_name_is_one_short_line_that_can_be_shown(text: str) -> None:
    name = clean(text)
    assert len(name) <= MAX_NAME
    assert name == " ".join(name.split()) == clean(name)
    assert name.isprintable()


@given(st.one_of(ALMOST, JSON), ALMOST, ALMOST, ALMOST, ALMOST, ALMOST)
def test_no_registry_breaks_it(entities: Any, devices: Any, areas: Any, floors: Any, listed: Any, long: Any) -> None:
    registry = read_registry(entities=entities, devices=devices, areas=areas, floors=floors, exposed=listed)
    registry = with_aliases(registry, long)
    found = registry.entities(states_of(light__a=raw_state("on")), exposed_only=False)
    assert found["light.a"].name
    assert found["light.a"].area is None or found["light.a"].area in registry.areas


@given(
    st.dictionaries(IDS, st.tuples(NAMES, st.lists(NAMES, max_size=2), st.booleans()), max_size=4),
    st.dictionaries(NAMES, NAMES, max_size=3),
)
def test_names_come_back_from_the_file_as_they_were(
    things: dict[str, tuple[str, list[str], bool]], places: dict[str, str]
) -> None:
    names = Names(
        {
            id_: Entity(id=id_, name=name, aliases=tuple(aliases), exposed=exposed, features=3, device_class="door")
            for id_, (name, aliases, exposed) in things.items()
        },
        {id_: Place(id=id_, name=name, aliases=(name,), floor="up") for id_, name in places.items()},
        {id_: Place(id=id_, name=name) for id_, name in places.items()},
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "below" / "names.json"
        keep(path, "here", names)
        assert remembered(path, "here") == names
        assert set(remembered(path, "here", exposed_only=True).entities) == {
            entity.id for entity in names.entities.values() if entity.exposed
        }
        assert remembered(path, "elsewhere") == Names()


@given(st.binary(max_size=200))
def test_no_file_breaks_it(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "names.json"
        path.write_bytes(raw)
        assert remembered(path, "here") == Names()
