"""The demo homelab's names and the lines of the evaluation sets, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assistant.ports import Names

EVAL = Path(__file__).parents[1] / "eval"
HOMELAB = Path(__file__).parents[2] / "assistant" / "demo" / "homelab.yaml"
TWO_TOOLS = {"check_services", "check_backups"}


def homelab_names() -> Names:
    house = yaml.safe_load(HOMELAB.read_text(encoding="utf-8"))
    return Names(
        {
            kind: {name: tuple(entry["aliases"]) for name, entry in house[section].items()}
            for kind, section in (("service", "services"), ("job", "backups"))
        }
    )


@dataclass(frozen=True)
class Line:
    """One utterance of a set; ``acceptable`` are the lists of calls that are right."""

    id: str
    text: str
    acceptable: list[list[dict[str, Any]]]

    @property
    def about_two_tools(self) -> bool:
        return any(calls and all(call["tool"] in TWO_TOOLS for call in calls) for calls in self.acceptable)


def lines(name: str) -> Iterator[Line]:
    for row in (EVAL / name).read_text(encoding="utf-8").splitlines():
        entry = json.loads(row)
        for number, turn in enumerate(entry.get("turns", [entry]), 1):
            line_id = f"{entry['id']}.{number}" if "turns" in entry else entry["id"]
            yield Line(line_id, turn["text"], turn.get("any") or [turn.get("expect", [])])
