"""The dashboard and the alerts ask for what there is, and for all that matters of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.observing.metrics import Metrics
from assistant.observing.turn_counts import TurnCounts
from tests.observing.test_metrics import TOOLS, WithBreakers

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "jarvis.json"
RULES = ROOT / "deploy" / "prometheus" / "jarvis.rules.yml"
PAGE = ROOT / "docs" / "observability.md"
SUFFIXES = re.compile(r"_(?:bucket|sum|count)$")


@pytest.fixture
async def exposed(tmp_path: Path) -> set[str]:
    """Every name that /metrics has, with what Prometheus makes of a histogram left out."""
    text = (await Metrics(WithBreakers(tmp_path), TurnCounts(TOOLS, ()), "1").page()).decode()
    typed = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    return {name for name, _ in typed}


def named(text: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in re.findall(r"\bjarvis_[a-z_]+\b", text)}


def expressions() -> list[str]:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


async def test_every_metric_of_the_dashboard_is_there_and_every_metric_is_on_it(exposed: set[str]) -> None:
    assert named("\n".join(expressions())) == exposed


async def test_every_metric_of_the_alerts_is_there(exposed: set[str]) -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert named("\n".join(rule["expr"] for rule in rules)) <= exposed
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


async def test_the_page_lists_them_all(exposed: set[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(jarvis_[a-z_]+)` \|", page, re.MULTILINE)) == exposed


def test_no_two_panels_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
