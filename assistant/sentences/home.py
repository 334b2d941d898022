"""Home Assistant's own sentences (the package home-assistant-intents), mapped onto ``home_state`` and ``home_control``.

Only the intents listed here are taken; whatever else that grammar reads is not ours to do.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hassil import Intents, RecognizeResult, recognize_all
from hassil.intents import SlotList, TextSlotList
from home_assistant_intents import get_intents

from assistant.ports import Names
from assistant.sentences.grammar import REMEMBERED, Reading, one_that_fits
from assistant.sentences.vocabulary import spoken_forms
from tools.contract import JsonObject

TAKEN = frozenset(
    {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassClimateSetTemperature", "HassClimateGetTemperature",
     "HassSetPosition", "HassGetState"}
)  # fmt: skip
"""Intents of Home Assistant that have a counterpart here."""

_DOMAINS = {
    "light": "light", "switch": "switch", "fan": "fan", "media": "media_player", "climate": "climate",
    "cover": "cover", "entrance": "cover", "lock": "lock", "sensor": "sensor", "alarm": "alarm_control_panel",
    "valve": "valve", "humidifier": "humidifier", "siren": "siren", "vacuum": "vacuum", "mower": "lawn_mower",
    "scene": "scene", "script": "script", "button": "button", "number": "number", "choice": "select",
}  # fmt: skip
"""Our kinds of devices and Home Assistant's domains."""

_NO_ORDER = frozenset({"the", "my", "our", "in", "a", "an"})

_ON_OFF = {
    "lock": ("lock", "unlock"),  # Home Assistant "turns on" a lock by locking it
    "cover": ("open", "close"),
}


class HomeSentences:
    """Home Assistant's templates filled with the live names. Immutable."""

    def __init__(self, names: Names, language: str = "en") -> None:
        raw: dict[str, Any] = dict(get_intents(language) or {"language": language, "intents": {}})
        raw["intents"] = {name: about for name, about in raw["intents"].items() if name in TAKEN}
        self._language = language
        self._domains = {device.name: _DOMAINS.get(device.kind, "switch") for device in names.devices}
        self._intents = Intents.from_dict(raw)
        devices = [
            (form, name, {"domain": self._domains.get(name, "switch")})
            for form, name in sorted(spoken_forms(names.by_kind.get("device", {}), language).items())
        ]
        areas = sorted(spoken_forms(names.by_kind.get("area", {}), language).items())
        self._lists: dict[str, SlotList] = {
            "name": TextSlotList.from_tuples(devices, allow_template=False, name="name"),
            "area": TextSlotList.from_tuples(areas, allow_template=False, name="area"),
            "floor": TextSlotList.from_tuples([], allow_template=False, name="floor"),
        }

        self.read = lru_cache(REMEMBERED)(self._read)
        """The one call that Home Assistant's templates read out of the words, of the tools in ``only``; or None."""

    def _read(self, words: str, only: frozenset[str] | None = None) -> Reading | None:
        if not self._domains:
            return None
        readings = []
        if words.endswith(" one"):  # "the bedroom one" sets no brightness of one percent
            return None
        for result in recognize_all(words, self._intents, slot_lists=self._lists, language=self._language):
            call = None if _is_a_mere_name(result, words) else self._mapped(result)
            if call is not None and (only is None or call[0] in only):
                template = (result.intent_sentence and result.intent_sentence.text) or result.intent.name
                named = sum(len(e.text.strip()) for e in result.entities_list if e.name in ("name", "area"))
                readings.append(Reading(call[0], f"{result.intent.name}: {template}", call[1], 0, named))
        return one_that_fits(readings)

    def _mapped(self, result: RecognizeResult) -> tuple[str, JsonObject] | None:
        slots = {entity.name: entity.value for entity in result.entities_list}
        name, area, domain = slots.get("name"), slots.get("area"), slots.get("domain")
        if isinstance(domain, list):
            domain = domain[0] if len(domain) == 1 else None
        target = name or ("lights" if domain == "light" else None)
        where: JsonObject = {"area": area} if area else {}
        match result.intent.name:
            case "HassTurnOn" | "HassTurnOff" if target:
                kind = self._domains.get(str(name), str(domain))
                on, off = _ON_OFF.get(kind, ("on", "off"))
                action = on if result.intent.name == "HassTurnOn" else off
                return "home_control", {"target": target, **where, "action": action}
            case "HassLightSet" if target and ("brightness" in slots or "color" in slots):
                value = slots.get("brightness", slots.get("color"))
                return "home_control", {"target": target, **where, "action": "set", "value": value}
            case "HassSetPosition" if name and "position" in slots:
                return "home_control", {"target": name, **where, "action": "set", "value": slots["position"]}
            case "HassClimateSetTemperature" if "temperature" in slots:
                target = name or "thermostat"
                return "home_control", {"target": target, **where, "action": "set", "value": slots["temperature"]}
            case "HassClimateGetTemperature":
                return "home_state", {"target": name or "temperature sensor", **where}
            case "HassGetState" if target:
                return "home_state", {"target": target, **where}
        return None


def _is_a_mere_name(result: RecognizeResult, words: str) -> bool:
    """Home Assistant turns on what is only named ("the television"); here that is half an order, or a follow-up."""
    rest = f" {words} "
    for entity in result.entities_list:
        rest = rest.replace(f" {entity.text.strip()} ", " ", 1)
    return set(rest.split()) <= _NO_ORDER
