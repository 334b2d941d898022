"""Judged turns and a small house for the tests of the evaluation."""

from __future__ import annotations

from collections.abc import Hashable

from assistant.evaluation import Decider, Judged
from assistant.evaluation_sets import ExpectedTurn
from assistant.judging import Judgement, Planned, Verdict
from assistant.same_calls import Meaning, Order
from tools.contract import JsonObject, Level

LAMPS = {"office": ("desk lamp",), "kitchen": ("ceiling light", "counter lights"), "bedroom": ("ceiling light",)}
SAID = {"the coffee": "coffee machine", "the media server": "jellyfin"}


def expecting(*calls: JsonObject, **more: object) -> ExpectedTurn:
    return ExpectedTurn.model_validate({"text": "x", "expect": calls, **more})


def call(tool: str, **arguments: object) -> JsonObject:
    return {"tool": tool, "arguments": arguments}


def read(tool: str, error: str | None = None, **arguments: object) -> Planned:
    return Planned(tool, dict(arguments), Level.READ, error)


def act(tool: str, error: str | None = None, level: Level | None = Level.DESTRUCTIVE, **arguments: object) -> Planned:
    return Planned(tool, dict(arguments), level, error)


def canonical(tool: str, arguments: JsonObject) -> JsonObject | None:
    """Nicknames resolved; the coffee machine stands in the kitchen; "nonsense" is no name."""
    if "nonsense" in arguments.values():
        return None
    resolved = {
        key: SAID.get(value, value) if isinstance(value, str) else value
        for key, value in arguments.items()
        if value != "everywhere"
    }
    if tool == "home_control" and resolved.get("action") == "start":
        resolved["action"] = "on"
    if resolved.get("target") == "coffee machine":
        resolved["area"] = "kitchen"
    return resolved


def devices(arguments: JsonObject) -> frozenset[Hashable]:
    """Lamps by area."""
    target, area = arguments.get("target"), arguments.get("area")
    return frozenset(
        (where, lamp)
        for where, lamps in LAMPS.items()
        for lamp in lamps
        if area in (None, where) and target in ("lights", lamp)
    )


def order(words: str) -> Order | None:
    """Orders of the form "restart NAME"."""
    verb, _, name = words.partition(" ")
    return ("service_power", {"service": SAID.get(name, name), "action": verb}) if verb in ("restart", "stop") else None


HOUSE = Meaning(canonical, devices, order)


def judged(
    id_: str,
    verdict: Verdict = Verdict.RIGHT,
    *,
    repeat: int = 1,
    by: Decider = "sentence",
    ms: float | None = 1.0,
    wanted: tuple[str, ...] = (),
    planned: tuple[Planned, ...] = (),
    tags: tuple[str, ...] = (),
    text: str = "words",
    why: str = "",
    in_conversation: bool = False,
) -> Judged:
    return Judged(
        id=id_,
        text=text,
        judgement=Judgement(verdict, why, wanted),
        set_name="set.jsonl",
        tags=tags,
        repeat=repeat,
        planned=planned,
        decided_by=by,
        decision_ms=ms,
        in_conversation=in_conversation,
    )
