"""``python -m tests.home.sampled SEED > FILE``: utterances drawn from Home Assistant's own English sentences.

The templates are those of the package ``home-assistant-intents``; names, rooms and floors are those of
``tests/real/home/sentence_house.py``. What must be so afterwards is computed here from the intent and its slots, never
from what Jarvis makes of the words. Drawn evenly over the kinds of devices, and within a kind over the groups of
templates.

Left out:

- Intents that are no part of this: lists, timers, weather, dates, broadcasts, music by name, persons and zones.
- Groups that need the room in which one speaks ("turn on the lights here"): an utterance here comes from no room.
- What this house does not have: lawn mowers, valves, scenes of a room, climate with fan modes of these names.
- A vacuum that cleans a single room (``docs/home-control.md``, limits).
- A name with the kind of thing after it ("the desk lamp lights"): every lamp here has it in its name.
- Questions without a verb ("every fan off"): in these templates the same words are an order.
- Words that are templates, but no sentences: "the my", "ground floor floor", "on the upstairs"; and "increase the lamp
  40 percent", which Home Assistant takes for *to* 40 percent.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hassil import Intents
from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.intents import IntentData, RangeSlotList, TextSlotList
from hassil.numbers import get_rbnf_engine
from home_assistant_intents import get_intents

from tests.real.home.sentence_house import FURNITURE

OPTIONAL = 0.4
"""Share of the optional words that are said."""

IN_WORDS = 0.25
"""Share of the numbers that are said in words, as speech recognition often writes them."""

POLITE = ("please {}", "can you {}", "could you {}", "{} please", "would you {}")
POLITELY = 0.1
"""Home Assistant skips such words."""

QUOTA: Mapping[str, int] = {
    "light": 36, "switch": 18, "cover": 22, "lock": 14, "climate": 20, "fan": 22, "media": 30, "scene": 12,
    "vacuum": 8, "query": 48,
}  # fmt: skip
"""Utterances of each kind."""

NO_SENTENCE = re.compile(
    r"\b(?:the|my|our|there) (?:the|my|our)\b|\bfloor floor\b|\b(\w+) \1\b|\b(?:each|every) (?:the|my|our)\b"
    r"|\b(?:is|are) (?:there|the|my|our) (?:on|off|open|closed|shut|locked|unlocked|securely)\b"
    r"|\b(?:in|on|at|of|across|around|throughout)(?: the| my| our)? (?:upstairs|downstairs)\b"
    r"|\b(?:the|my|our) (?:upstairs|downstairs)$"
)
STATE_THE = re.compile(r"\b(?:on|off|open|closed|shut|locked|unlocked) (?:the|my|our)\b")
STEPS = re.compile(r"^(?:increase|decrease)(?!.* to )")
ASKED_FOR = re.compile(r"^(?:activate|deactivate|turn|switch|set|make|open|close|shut|lock|unlock|start|pause|mute)\b")
"""What begins an order before which one says please."""


@dataclass(frozen=True)
class Thing:
    """``plain``: its name without its room."""

    id: str
    name: str
    area: str
    aliases: tuple[str, ...] = ()
    device_class: str = ""

    @property
    def domain(self) -> str:
        return self.id.partition(".")[0]

    @property
    def plain(self) -> str:
        return self.name.removeprefix(f"{self.area} ") if self.area else self.name


def _things() -> tuple[Thing, ...]:
    names = {
        "light.bed_light": "bedside lamp", "light.ceiling_lights": "living room ceiling light",
        "light.living_room_rgbww_lights": "floor lamp", "light.kitchen_lights": "kitchen counter lights",
        "light.office_rgbw_lights": "office shelf light", "light.entrance_color_white_lights": "patio lights",
        "climate.heatpump": "heating", "climate.hvac": "air conditioning", "sensor.office_co2": "office CO2",
        "input_boolean.guest_mode": "guest mode", "input_button.doorbell": "door bell",
    }  # fmt: skip
    classes = {
        "cover.living_room_blinds": "blind", "cover.bedroom_blinds": "blind", "cover.bedroom_curtains": "curtain",
        "cover.kitchen_shutter": "shutter", "cover.garage_door": "garage", "binary_sensor.kitchen_window": "opening",
        "binary_sensor.bedroom_window": "opening", "binary_sensor.front_door": "opening",
        "binary_sensor.hallway_motion": "occupancy",
    }  # fmt: skip
    ids = (
        *FURNITURE.things, "lock.front_door", "input_boolean.guest_mode", "input_button.doorbell",
        "sensor.washing_machine_power", "scene.movie_night", "scene.bright", "script.good_night",
    )  # fmt: skip
    found = []
    for id_ in ids:
        about = FURNITURE.things.get(id_, {})
        name = names.get(id_, id_.partition(".")[2].replace("_", " "))
        aliases = tuple(str(alias) for alias in about.get("aliases", ()))
        found.append(Thing(id_, name, str(about.get("area", "")).lower(), aliases, classes.get(id_, "")))
    return tuple(found)


THINGS = _things()
AREAS = {name.lower(): (floor.lower(), aliases) for name, (floor, aliases) in FURNITURE.areas.items()}
FLOORS = {name.lower(): aliases for name, aliases in FURNITURE.floors.items()}

DIMMED_ONLY = "light.desk_lamp"
"""It is on or off, nothing between."""

TUNED = ("light.bed_light", "light.ceiling_lights", "light.kitchen_lights")
"""Lamps that have a colour temperature of their own; the others mix one."""

HUES: Mapping[str, tuple[int, int]] = {
    "red": (0, 100), "orange": (39, 100), "yellow": (60, 100), "green": (120, 100), "blue": (240, 100),
    "purple": (300, 100), "pink": (350, 25), "turquoise": (174, 72),
}  # fmt: skip
"""Of the CSS colours of these names, which Home Assistant uses."""

MEASURED: Mapping[str, str] = {
    "sensor.living_room_temperature": "21.5", "sensor.bedroom_temperature": "18", "sensor.bathroom_humidity": "61",
    "sensor.office_co2": "812", "sensor.washing_machine_power": "1840|1,840", "climate.heatpump": "25",
    "climate.hvac": "33",
}  # fmt: skip
"""What stands in the sensors, and how warm it is where the climate devices measure."""

CONTACTS = {"binary_sensor.kitchen_window": "on", "binary_sensor.bedroom_window": "off",
            "binary_sensor.front_door": "off", "binary_sensor.hallway_motion": "off"}  # fmt: skip

AREA_WARMTH = {"living room": "21.5|25", "bedroom": "18", "office": "33"}


@dataclass
class Draw:
    """One template being filled: what is chosen so far."""

    rng: random.Random
    thing: Thing | None = None
    area: str = ""
    floor: str = ""
    device_class: str = ""
    least: int = 0
    most: int = 100

    def __post_init__(self) -> None:
        self.slots: dict[str, Any] = {}
        self.said: dict[str, str] = {}


class Sampler:
    """Home Assistant's templates, filled at random; the same seed draws the same utterances."""

    def __init__(self, seed: int) -> None:
        raw = get_intents("en")
        assert raw is not None
        raw["expansion_rules"] |= {"are_any": "<are> <any>", "are_all": "<are> <all>"}
        raw["expansion_rules"]["lockable"] = "[<the>] (lock|door)[s]"  # a lock is on nothing else here
        self._intents = Intents.from_dict(raw)
        self._rng = random.Random(seed)  # noqa: S311 - nothing secret
        self._seed = seed

    def lines(self) -> list[dict[str, Any]]:
        """As many as QUOTA says, no text twice."""
        drawn: list[dict[str, Any]] = []
        texts: set[str] = set()
        for domain, count in QUOTA.items():
            ways = [(intent, data, kind) for intent, data, kind in self._ways() if _domain(intent, kind) == domain]
            self._rng.shuffle(ways)
            mine: list[dict[str, Any]] = []
            for turn in range(count * 20):
                if len(mine) == count:
                    break
                line = self._line(*ways[turn % len(ways)])
                if line is not None and line["text"].lower() not in texts:
                    texts.add(line["text"].lower())
                    mine.append({"id": f"s{self._seed}-{domain}-{len(mine) + 1:02}", "domain": domain, **line})
            drawn += mine
        # Who goes back a track must have gone on before.
        return sorted(drawn, key=lambda line: (line.pop("last", False), list(QUOTA).index(line["domain"])))

    def _ways(self) -> Iterator[tuple[str, IntentData, str]]:
        """Intent, group of templates, and the domain of what it is done to."""
        for name, intent in self._intents.intents.items():
            if name not in EXPECTED:
                continue
            for data in intent.data:
                needed = data.requires_context or {}
                if "area" in needed:
                    continue
                domains = needed.get("domain") or data.slots.get("domain") or WITHOUT_DOMAIN.get(name)
                for domain in [domains] if isinstance(domains, str) else list(domains or ()):
                    if domain not in ("person", "valve", "button"):
                        yield name, data, domain

    def _line(self, intent: str, data: IntentData, domain: str) -> dict[str, Any] | None:
        sentence = self._rng.choice(list(data.sentences))
        lists = set(sentence.list_names(self._intents.expansion_rules))
        if "name" in lists and re.search(r"\{name\} <light>", sentence.text or ""):
            return None
        draw = self._drawn(intent, domain, lists)
        if draw is None:
            return None
        text = re.sub(r"\s+", " ", self._words(sentence.expression, draw)).strip()
        text = re.sub(r"\s+([%°])", r"\1", text)
        if NO_SENTENCE.search(text) or (intent in ASKING and STATE_THE.search(text)):
            return None
        if (STEPS.search(text) and intent != "HassSetVolumeRelative") or (draw.floor and "floor lamp" in text):
            return None
        expected = EXPECTED[intent](draw, domain, dict(data.slots))
        if expected is None:
            return None
        if ASKED_FOR.search(text) and self._rng.random() < POLITELY:
            text = self._rng.choice(POLITE).format(text)
        return {"text": text, **expected}

    def _drawn(self, intent: str, domain: str, lists: set[str]) -> Draw | None:
        """Something of that domain, and the room or the floor that it is in."""
        able = [thing for thing in THINGS if thing.domain == domain and _able(thing, intent, lists)]
        if {"area", "floor"} & lists:
            able = [thing for thing in able if thing.area and (AREAS[thing.area][0] or "floor" not in lists)]
        if not able:
            return None
        thing = self._rng.choice(able)
        draw = Draw(self._rng, thing if "name" in lists else None, device_class=thing.device_class)
        if "area" in lists:
            draw.area = thing.area
        if "floor" in lists:
            draw.floor = AREAS[thing.area][0]
        draw.least, draw.most = (15, 28) if intent == "HassClimateSetTemperature" else (10, 100)
        return draw

    def _words(self, expression: Expression, draw: Draw) -> str:
        match expression:
            case TextChunk():
                return expression.original_text
            case RuleReference():
                return self._words(self._intents.expansion_rules[expression.rule_name].expression, draw)
            case ListReference():
                return self._value(expression, draw)
            case Permutation():
                parts = [self._words(item, draw).strip() for item in expression.items]
                draw.rng.shuffle(parts)
                return f" {' '.join(parts)} "
            case Alternative():
                items = list(expression.items)
                if expression.is_optional:
                    said = [item for item in items if not (isinstance(item, TextChunk) and item.is_empty)]
                    return self._words(draw.rng.choice(said), draw) if draw.rng.random() < OPTIONAL else ""
                return self._words(draw.rng.choice(items), draw)
            case Group():
                return "".join(self._words(item, draw) for item in expression.items)
        raise TypeError(type(expression).__name__)

    def _value(self, reference: ListReference, draw: Draw) -> str:
        name, slot = reference.list_name, reference.slot_name
        if name == "name":
            assert draw.thing is not None
            plain = draw.thing.plain if draw.area else draw.thing.name
            return draw.rng.choice((plain, plain, *draw.thing.aliases))
        if name == "area":
            return draw.rng.choice((draw.area, draw.area, *AREAS[draw.area][1]))
        if name == "floor":
            return draw.rng.choice((draw.floor, *FLOORS[draw.floor]))
        known = self._intents.slot_lists[name]
        if isinstance(known, RangeSlotList):
            return self._number(name, slot, draw)
        assert isinstance(known, TextSlotList)
        choices = [value for value in known.values if self._offered(name, value.value_out, draw)]
        value = draw.rng.choice(choices)
        draw.slots[slot] = value.value_out
        said = self._words(value.text_in, draw)
        if draw.slots[slot] != value.value_out:
            raise ValueError(name)
        return said

    def _offered(self, name: str, value: Any, draw: Draw) -> bool:
        if name == "cover_classes":
            return bool(value == draw.device_class)
        if name == "color":
            return value in HUES
        if name == "color_temperature_names":
            return bool(2000 <= value <= 6500)  # what these lamps can do
        return not (name == "cover_states" and value in ("opening", "closing"))  # over before one has asked

    def _number(self, name: str, slot: str, draw: Draw) -> str:
        if name == "color_temperature":
            number = draw.rng.randrange(2100, 6500, 100)
        elif name.startswith("volume_step"):
            number = draw.rng.randrange(5, 35, 5)
        else:
            number = draw.rng.randint(draw.least, draw.most)
        draw.slots[slot] = -number if name == "volume_step_down" else number
        if draw.rng.random() < IN_WORDS and name != "color_temperature":
            return sorted(get_rbnf_engine("en").format_number(number).text_by_ruleset.values())[0]
        return str(number)


ASKING = ("HassGetState", "HassClimateGetTemperature")
WITHOUT_DOMAIN = {
    "HassClimateGetTemperature": "climate", "HassClimateSetTemperature": "climate", "HassFanSetSpeed": "fan",
    "HassMediaNext": "media_player", "HassMediaPause": "media_player", "HassMediaPrevious": "media_player",
    "HassMediaUnpause": "media_player", "HassSetVolume": "media_player", "HassSetVolumeRelative": "media_player",
    "HassVacuumStart": "vacuum", "HassVacuumReturnToBase": "vacuum",
}  # fmt: skip
_OF_DOMAIN = {
    "input_boolean": "switch", "input_button": "switch", "media_player": "media", "script": "scene",
}  # fmt: skip


def _domain(intent: str, kind: str) -> str:
    return "query" if intent in ASKING else _OF_DOMAIN.get(kind, kind)


def _able(thing: Thing, intent: str, lists: set[str]) -> bool:
    """Whether it has what the template speaks of."""
    if intent == "HassLightSet":
        tuned = any(name.startswith("color_temperature") for name in lists)
        return thing.id in TUNED if tuned else thing.id != DIMMED_ONLY
    if intent in ("HassMediaNext", "HassMediaPrevious"):
        return thing.id == "media_player.kitchen_radio"
    if intent == "HassSetPosition":
        return thing.device_class != "garage"
    if "bs_open_states" in lists or "bs_occupancy_states" in lists:
        return thing.device_class == ("opening" if "bs_open_states" in lists else "occupancy")
    if thing.domain == "sensor":
        return thing.id in MEASURED
    return True


def _meant(draw: Draw, domain: str) -> list[Thing]:
    if draw.thing is not None:
        return [draw.thing]
    found = [thing for thing in THINGS if thing.domain == domain]
    if draw.area:
        found = [thing for thing in found if thing.area == draw.area]
    if draw.floor:
        found = [thing for thing in found if thing.area and AREAS[thing.area][0] == draw.floor]
    if "device_class" in draw.slots:
        found = [thing for thing in found if thing.device_class == draw.slots["device_class"]]
    return found


def _state(thing: Thing, on: bool) -> Any:
    """What it is before or after, as far as that is one state; on: open, locked, on."""
    if thing.domain == "cover":
        if thing.device_class == "garage":
            return "open" if on else "closed"
        return {"state": "open", "current_position": 100} if on else {"state": "closed", "current_position": 0}
    if thing.domain == "lock":
        return "locked" if on else "unlocked"
    if thing.domain == "climate":
        usual = "heat" if thing.id == "climate.heatpump" else "cool"
        return usual if on else "off"
    if thing.domain == "media_player":
        return "playing" if on else "off"
    return "on" if on else "off"


def _after(thing: Thing, on: bool) -> Any:
    if thing.domain == "cover" and thing.device_class == "garage":
        return ["open", "opening"] if on else ["closed", "closing"]
    if thing.domain == "lock":
        return ["locked", "locking"] if on else ["unlocked", "unlocking"]
    if thing.domain == "climate" and on:
        return ["heat", "cool", "auto", "heat_cool", "dry", "fan_only"]
    if thing.domain == "media_player" and on:
        return ["on", "playing", "paused", "idle"]
    return _state(thing, on)


def _turned(on: bool) -> Callable[[Draw, str, dict[str, Any]], dict[str, Any] | None]:
    def expected(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
        things = _meant(draw, domain)
        if domain == "scene":
            wanted = {"state": "on", "brightness": 60 if draw.thing and draw.thing.id == "scene.movie_night" else 255}
            return {"after": {"light.ceiling_lights": wanted}, "before": {"light.ceiling_lights": "off"}}
        if domain == "script":
            lamps = ("light.bed_light", "light.ceiling_lights")
            return {"after": dict.fromkeys(lamps, "off"), "before": dict.fromkeys(lamps, "on")}
        if domain == "input_button":
            return {"after": {things[0].id: "(changed)"}}
        opens = (domain == "cover" and on and any(thing.device_class == "garage" for thing in things)) or (
            domain == "lock" and not on
        )
        return {
            "after": {thing.id: _after(thing, on) for thing in things},
            "before": {thing.id: _state(thing, not on) for thing in things},
            **({"confirm": True} if opens else {}),
        }

    return expected


def _light_set(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
    after: dict[str, Any] = {}
    for thing in _meant(draw, domain):
        own = thing.id in TUNED
        if thing.id == DIMMED_ONLY:
            after[thing.id] = ["on", "off"]
        elif "brightness" in draw.slots:
            after[thing.id] = {"state": "on", "brightness": max(round(draw.slots["brightness"] * 2.55), 1)}
        elif "color" in draw.slots:
            hue, full = HUES[draw.slots["color"]]
            after[thing.id] = {"state": "on", "hs_color": [hue, full]} if own or full == 100 else "on"
        else:
            after[thing.id] = {"state": "on", "color_temp_kelvin": draw.slots["temperature"]} if own else ["on", "off"]
    return {"after": after}


def _position(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
    wanted = {"state": "open", "current_position": draw.slots["position"]}
    things = _meant(draw, domain)
    return {
        "after": {thing.id: wanted for thing in things},
        "before": {thing.id: {"state": "open", "current_position": 5} for thing in things},
    }


def _temperature(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
    return {"after": {thing.id: {"temperature": draw.slots["temperature"]} for thing in _meant(draw, domain)}}


def _speed(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
    wanted = {"state": "on", "percentage": draw.slots["percentage"]}
    return {"after": {thing.id: wanted for thing in _meant(draw, domain)}}


def _played(
    before: str, after: Any, *, last: bool = False
) -> Callable[[Draw, str, dict[str, Any]], dict[str, Any] | None]:
    def expected(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
        ids = [thing.id for thing in _meant(draw, domain)]
        more = {"last": True} if last else {}
        return {"after": dict.fromkeys(ids, after), "before": dict.fromkeys(ids, before), **more}

    return expected


def _muted(mute: bool) -> Callable[[Draw, str, dict[str, Any]], dict[str, Any] | None]:
    def expected(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
        ids = [thing.id for thing in _meant(draw, domain)]
        return {
            "after": {id_: {"is_volume_muted": mute} for id_ in ids},
            "before": {id_: {"state": "playing", "is_volume_muted": not mute} for id_ in ids},
        }

    return expected


def _volume(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
    level = draw.slots.get("volume_level")
    if level is None:
        step = draw.slots["volume_step"]
        level = 50 + (step if isinstance(step, int) else 10 if step == "up" else -10)
    ids = [thing.id for thing in _meant(draw, domain)]
    return {
        "after": {id_: {"volume_level": level / 100} for id_ in ids},
        "before": {id_: {"state": "playing", "volume_level": 0.5} for id_ in ids},
    }


def _cleaned(after: Sequence[str], before: str) -> Callable[[Draw, str, dict[str, Any]], dict[str, Any] | None]:
    def expected(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
        return {"after": {"vacuum.robot": list(after)}, "before": {"vacuum.robot": before}}

    return expected


def _warmth(draw: Draw, _: str, __: dict[str, Any]) -> dict[str, Any] | None:
    if draw.thing is not None:
        return {"said": [MEASURED[draw.thing.id]]}
    return {"said": [AREA_WARMTH[draw.area]]} if draw.area in AREA_WARMTH else None


WORDS = {
    "light": ("on", "off"), "fan": ("on", "off"), "switch": ("on", "off"), "cover": ("open", "closed|shut"),
    "lock": ("locked", "unlocked"), "input_boolean": ("on", "off"),
}  # fmt: skip
COUNTS = ("no|none|zero", "one", "two", "three", "four", "five", "six", "seven")


def _asked(draw: Draw, domain: str, _: dict[str, Any]) -> dict[str, Any] | None:
    """What a right answer holds: which things are so, or how many, or of one thing what it is."""
    if draw.thing is not None:
        return _asked_of_one(draw, draw.thing)
    yes, no = WORDS[domain]
    things = _meant(draw, domain)
    states = {thing: draw.rng.random() < 0.5 for thing in things}
    asked = draw.slots["state"] in ("on", "open", "locked")
    so = [thing for thing, on in states.items() if on is asked]
    names, others = ("|".join(thing.plain for thing in group) for group in (so, [t for t in things if t not in so]))
    word, opposite = (yes, no) if asked else (no, yes)
    if not so:
        said = [f"no|none|{opposite}"]
    elif len(so) == len(things):
        said = [word, f"all|both|yes|{names}"]
    else:
        said = [f"{names}|{others}|{COUNTS[len(so)]}|{COUNTS[len(things) - len(so)]}"]
    return {"said": said, "before": {thing.id: _state(thing, on) for thing, on in states.items()}}


def _asked_of_one(draw: Draw, thing: Thing) -> dict[str, Any] | None:
    if thing.id in MEASURED and thing.domain == "sensor":
        return {"said": [MEASURED[thing.id]]}
    name = "|".join((thing.plain, *thing.aliases))
    if thing.domain == "binary_sensor":
        on = CONTACTS[thing.id] == "on"
        if thing.device_class == "opening":
            return {"said": [name, "open" if on else "closed|shut"]}
        return {"said": ["motion", "detect|triggered" if on else "no |clear|off|not"]}
    if thing.domain == "climate":
        return {"said": [name, "heat|20" if thing.id == "climate.heatpump" else "cool|21"]}
    if thing.domain == "media_player":
        on = draw.rng.random() < 0.5
        return {"said": [name, "playing" if on else "paused"], "before": {thing.id: "playing" if on else "paused"}}
    if thing.domain not in WORDS:
        return None
    on = draw.rng.random() < 0.5
    return {"said": [name, WORDS[thing.domain][0 if on else 1]], "before": {thing.id: _state(thing, on)}}


EXPECTED: Mapping[str, Callable[[Draw, str, dict[str, Any]], dict[str, Any] | None]] = {
    "HassTurnOn": _turned(True),
    "HassTurnOff": _turned(False),
    "HassLightSet": _light_set,
    "HassSetPosition": _position,
    "HassClimateSetTemperature": _temperature,
    "HassClimateGetTemperature": _warmth,
    "HassFanSetSpeed": _speed,
    "HassMediaPause": _played("playing", "paused"),
    "HassMediaUnpause": _played("paused", "playing"),
    "HassMediaNext": _played("playing", {"state": "playing", "media_title": "(changed)"}),
    "HassMediaPrevious": _played("playing", {"state": "playing", "media_title": "(changed)"}, last=True),
    "HassMediaPlayerMute": _muted(True),
    "HassMediaPlayerUnmute": _muted(False),
    "HassSetVolume": _volume,
    "HassSetVolumeRelative": _volume,
    "HassVacuumStart": _cleaned(("cleaning",), "docked"),
    "HassVacuumReturnToBase": _cleaned(("returning", "docked"), "cleaning"),
    "HassGetState": _asked,
}
"""Of each intent, from what was drawn: ``after``, ``before``, ``said``, ``confirm`` of a line."""


def main() -> None:
    for line in Sampler(int(sys.argv[1])).lines():
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
