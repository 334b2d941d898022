"""Home Assistant's own sentences (the package home-assistant-intents), mapped onto ``home_state`` and ``home_control``.

Only the intents listed here are taken; whatever else that grammar reads is not ours to do.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from hassil import Intents, RecognizeResult, recognize_all
from hassil.intents import SlotList, TextSlotList
from home_assistant_intents import get_intents

from assistant.ports import Names
from assistant.sentences.grammar import REMEMBERED, Reading, one_that_fits
from assistant.sentences.here import HERE
from assistant.sentences.normalize import plain_words
from assistant.sentences.vocabulary import spoken_forms
from tools.contract import JsonObject

TAKEN = frozenset(
    {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassClimateSetTemperature", "HassClimateGetTemperature",
     "HassSetPosition", "HassGetState", "HassFanSetSpeed", "HassMediaNext", "HassMediaPause", "HassMediaPrevious",
     "HassMediaUnpause", "HassMediaPlayerMute", "HassMediaPlayerUnmute", "HassSetVolume", "HassSetVolumeRelative",
     "HassVacuumStart", "HassVacuumReturnToBase"}
)  # fmt: skip
"""Intents of Home Assistant that have a counterpart here."""

_DOMAINS = {
    "light": "light", "switch": "switch", "fan": "fan", "media": "media_player", "climate": "climate",
    "cover": "cover", "entrance": "cover", "lock": "lock", "sensor": "sensor", "alarm": "alarm_control_panel",
    "valve": "valve", "humidifier": "humidifier", "siren": "siren", "vacuum": "vacuum", "mower": "lawn_mower",
    "scene": "scene", "script": "script", "button": "button", "number": "number", "choice": "select",
}  # fmt: skip
"""Our kinds of devices and Home Assistant's domains."""

_GROUPS = {
    "fan": "fans", "switch": "switches", "lock": "locks", "media_player": "media players", "vacuum": "vacuums",
    "awning": "awnings", "blind": "blinds", "curtain": "curtains", "door": "doors", "garage": "garage doors",
    "gate": "gates", "shade": "shades", "shutter": "shutters", "window": "windows",
}  # fmt: skip
"""Domains and device classes, and our words for all of these."""

_ORDERS: dict[str, tuple[str, JsonObject]] = {
    "HassMediaNext": ("media_player", {"action": "set", "value": "next"}),
    "HassMediaPrevious": ("media_player", {"action": "set", "value": "previous"}),
    "HassMediaPause": ("media_player", {"action": "stop"}),
    "HassMediaUnpause": ("media_player", {"action": "start"}),
    "HassMediaPlayerMute": ("media_player", {"action": "set", "value": "mute"}),
    "HassMediaPlayerUnmute": ("media_player", {"action": "set", "value": "unmute"}),
    "HassVacuumStart": ("vacuum", {"action": "start"}),
    "HassVacuumReturnToBase": ("vacuum", {"action": "set", "value": "dock"}),
}
"""Intents without a value: what they are for where nothing is named, and what is done."""

_VALUES = {
    "HassLightSet": ("light", ("brightness", "color", "temperature")),
    "HassSetPosition": ("cover", ("position",)),
    "HassFanSetSpeed": ("fan", ("percentage",)),
    "HassSetVolume": ("media_player", ("volume_level",)),
    "HassSetVolumeRelative": ("media_player", ("volume_step",)),
}
"""Intents that set something: the same, and the slots that hold it."""

_NO_ORDER = frozenset({"the", "my", "our", "in", "a", "an"})

_ON_OFF = {
    "lock": ("lock", "unlock"),  # Home Assistant "turns on" a lock by locking it
    "cover": ("open", "close"),
}


class HomeSentences:
    """Home Assistant's templates filled with the live names. Immutable."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self._language = language
        self._domains = {device.name: _DOMAINS.get(device.kind, "switch") for device in names.devices}
        self._intents = _intents(language)
        self._full = {
            plain_words(f"{device.area} {device.name}", language): (device.name, device.area)
            for device in names.devices
            if device.area
        }
        kinds = {name: {self._domains.get(name, "switch")} for name in names.by_kind.get("device", {})}
        for device in names.devices:
            domain = _DOMAINS.get(device.kind, "switch")
            full = plain_words(f"{device.area} {device.name}", language)
            kinds.setdefault(full if device.area else device.name, set()).add(domain)
        forms = {**{full: full for full in self._full}, **spoken_forms(names.by_kind.get("device", {}), language)}
        devices = [
            (form, name, {"domain": domain})
            for form, name in sorted(forms.items())
            for of in sorted(kinds.get(name, {"switch"}))
            for domain in (("binary_sensor", "sensor") if of == "sensor" else (of,))
        ]
        areas = sorted(spoken_forms(names.by_kind.get("area", {}), language).items())
        rooms = {device.area for device in names.devices} | {HERE}
        floors = [(form, area) for form, area in areas if area not in rooms]  # a floor is an area that holds rooms
        self._lists: dict[str, SlotList] = {
            "name": TextSlotList.from_tuples(devices, allow_template=False, name="name"),
            "area": TextSlotList.from_tuples(areas, allow_template=False, name="area"),
            "floor": TextSlotList.from_tuples(floors, allow_template=False, name="floor"),
        }
        self._groups = {of: group for of, group in _GROUPS.items() if group in names.by_kind.get("device", {})}

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
                named = sum(len(e.text.strip()) for e in result.entities_list if e.name in ("name", "area", "floor"))
                readings.append(Reading(call[0], f"{result.intent.name}: {template}", call[1], 0, named))
        return one_that_fits(readings)

    def _mapped(self, result: RecognizeResult) -> tuple[str, JsonObject] | None:
        slots = {entity.name: entity.value for entity in result.entities_list}
        name, area = slots.get("name"), slots.get("area", slots.get("floor"))
        intent = result.intent.name
        if name in self._full:
            name, area = self._full[str(name)]
        domain = slots.get("domain") or (_ORDERS.get(intent) or _VALUES.get(intent) or (None,))[0]
        if isinstance(domain, list):
            domain = domain[0] if len(domain) == 1 else None
        target = name or self._all_of(domain, slots.get("device_class"))
        where: JsonObject = {"area": area} if area else {}
        match intent:
            case "HassTurnOn" | "HassTurnOff" if target:
                on, off = _ON_OFF.get(self._domains.get(str(name), str(domain)), ("on", "off"))
                return "home_control", {"target": target, **where, "action": on if intent == "HassTurnOn" else off}
            case "HassClimateSetTemperature" if "temperature" in slots:
                target = name or "thermostat"
                return "home_control", {"target": target, **where, "action": "set", "value": slots["temperature"]}
            case "HassClimateGetTemperature":
                return "home_state", {"target": name or "temperature sensor", **where}
            case "HassGetState" if target:
                return "home_state", {"target": target, **where}
            case _ if target and intent in _ORDERS:
                return "home_control", {"target": target, **where, **_ORDERS[intent][1]}
            case _ if target and intent in _VALUES:
                value = next((slots[slot] for slot in _VALUES[intent][1] if slot in slots), None)
                if intent == "HassSetVolumeRelative":
                    said = result.intent_sentence.text if result.intent_sentence else ""
                    value = _louder(value, down="step_down" in str(said))
                if value is not None:
                    return "home_control", {"target": target, **where, "action": "set", "value": value}
        return None

    def _all_of(self, domain: object, device_class: object) -> str | None:
        """The target where no name is said, only a kind of thing."""
        if domain == "light":
            return "lights"
        return self._groups.get(str(device_class or domain))


@cache
def _intents(language: str) -> Intents:
    """Those that are taken, shared by all who have other names."""
    raw: dict[str, Any] = dict(get_intents(language) or {"language": language, "intents": {}})
    raw["intents"] = {name: about for name, about in raw["intents"].items() if name in TAKEN}
    return Intents.from_dict(raw)


def _louder(step: object, *, down: bool) -> object:
    """ "up", "down", or by how many per cent; a number in words has no sign there."""
    return f"{'down' if down else 'up'} {abs(step):g}" if isinstance(step, int | float) else step


def _is_a_mere_name(result: RecognizeResult, words: str) -> bool:
    """Home Assistant turns on what is only named ("the television"); here that is half an order, or a follow-up."""
    rest = f" {words} "
    for entity in result.entities_list:
        rest = rest.replace(f" {entity.text.strip()} ", " ", 1)
    return set(rest.split()) <= _NO_ORDER
