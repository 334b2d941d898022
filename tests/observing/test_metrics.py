"""What /metrics counts, and that no label can be made up by anybody who talks to Jarvis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from assistant.errors import Stage, StateError
from assistant.events import FellBack, ToolReturned, TurnEvent, TurnFailed, WakeDetected
from assistant.observing import metrics
from assistant.observing.metrics import Metrics, state_bytes
from assistant.observing.spent import Spent
from assistant.observing.tally import STAGE_BUCKETS_S, Histogram
from assistant.observing.turn_counts import STAGE_TIMES, TurnCounts
from tests.fakes import FakeClock
from tests.observing.turns import SECRET, chatty_turn, ended, failed_turn, spoken_turn, typed_turn
from tools.contract import Door

TOOLS = ("check_services", "check_backups")

Sample = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class House:
    """As much of an app as metrics read."""

    state_path: Path
    running_turns: int = 2
    waiting_turns: int = 1
    recording: bool = False
    spent: Spent = field(default_factory=lambda: Spent(3, 1_200, 80, 1_000))
    heartbeats: Sequence[Any] = (SimpleNamespace(name="kuma", sent=4, failed=1, withheld=2, age_s=12.5),)
    verdicts: Sequence[tuple[str, str]] = (("photos", "ok"), ("photos", "stale"), ("mail", "failed"))
    broken: bool = False
    asked: int = 0

    def refused_connections(self) -> dict[str, int]:
        return {"tracker.example": 3, "other.example": 1}

    async def backup_verdicts(self) -> Sequence[tuple[str, str]]:
        self.asked += 1
        if self.broken:
            raise StateError("database_unusable", SECRET)
        return self.verdicts

    async def overdue_s(self) -> float:
        return 4.0


@dataclass
class WithBreakers(House):
    def breakers(self) -> Sequence[Any]:
        return (SimpleNamespace(name="chat server", state="open", opened=7),)


def counting(house: House) -> Metrics:
    return Metrics(house, TurnCounts(TOOLS, ("hey_jarvis",)), "1.2.3", clock=FakeClock(step_s=1.0))


async def values(page: Metrics) -> dict[Sample, float]:
    text = (await page.page()).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_turn_is_counted_by_door_decision_and_outcome_with_the_time_of_each_stage(tmp_path: Path) -> None:
    page = counting(House(tmp_path))
    page.counts.turn_ended(ended(*spoken_turn(), door=Door.MICROPHONE))
    found = await values(page)
    turn = (("door", "microphone"), ("matched", "model"), ("outcome", "answered"))
    assert found["jarvis_turns_total", turn] == 1
    assert {stage: found["jarvis_stage_seconds_sum", (("stage", stage),)] for stage in STAGE_TIMES} == pytest.approx(
        {
            "endpoint": 0.2,
            "transcript": 0.15,
            "decision": 0.4,
            "tools": 0.25,
            "model": 0.4,
            "first_audio": 1.1,
            "total": 2.5,
        }
    )
    result = (("level", "read"), ("result", "ok"), ("tool", "check_services"))
    assert found["jarvis_tool_results_total", result] == 1
    assert found["jarvis_wake_detections_total", (("word", "hey_jarvis"),)] == 1


async def test_buckets_are_cumulative_and_end_with_all(tmp_path: Path) -> None:
    page = counting(House(tmp_path))
    for turn in (typed_turn(), chatty_turn(), spoken_turn()):
        page.counts.turn_ended(ended(*turn))
    found = await values(page)
    total = [
        found["jarvis_stage_seconds_bucket", (("le", bound), ("stage", "total"))]
        for bound in (*(str(float(bound)) for bound in STAGE_BUCKETS_S), "+Inf")
    ]
    assert total == sorted(total)
    assert (total[0], total[-1]) == (1, 3)
    assert found["jarvis_stage_seconds_sum", (("stage", "model"),)] == pytest.approx(0.8 + 0.4)


@pytest.mark.parametrize(
    ("turn", "outcome", "failure", "miss"),
    [
        (failed_turn(Stage.MODEL, "model_slow"), "failed", ("model", "model_slow"), None),
        (failed_turn(Stage.TOOLS, SECRET), "failed", ("tools", "other"), None),
        (failed_turn(Stage.DECISION, "interrupted"), "interrupted", None, None),
        (failed_turn(Stage.TRANSCRIPT, "own_voice", spoken="", woken=True), "ignored", None, "own_voice"),
        (failed_turn(Stage.ENDPOINT, "nothing_heard", spoken=""), "ignored", None, None),
        (
            failed_turn(Stage.ENDPOINT, "nothing_heard", woken=True), "failed", ("endpoint", "nothing_heard"),
            "nothing_heard",
        ),
        (failed_turn(Stage.WAKE, "no_wake_word"), "failed", ("wake", "no_wake_word"), "no_wake_word"),
    ],
)  # fmt: skip
def test_ends_are_told_apart(
    turn: Sequence[TurnEvent], outcome: str, failure: tuple[str, str] | None, miss: str | None
) -> None:
    counts = TurnCounts(TOOLS, ("hey_jarvis",))
    counts.turn_ended(ended(*turn))
    assert list(counts.turns) == [("http", "none", outcome)]
    assert list(counts.failures) == ([failure] if failure else [])
    assert list(counts.wake_misses) == ([(miss,)] if miss else [])


async def test_what_is_read_of_the_house_is_there(tmp_path: Path) -> None:
    (tmp_path / "jarvis.db").write_bytes(bytes(100))
    (tmp_path / "jarvis.db-journal").write_bytes(bytes(10))
    (tmp_path / "traces.db").write_bytes(bytes(20))
    (tmp_path / "outbox" / "check_services").mkdir(parents=True)
    (tmp_path / "outbox" / "check_services" / "latest.json").write_bytes(bytes(7))
    found = await values(counting(WithBreakers(tmp_path)))
    assert found["jarvis_turns_running", ()] == 2
    assert found["jarvis_turns_waiting", ()] == 1
    assert found["jarvis_egress_refusals_total", ()] == 4
    assert found["jarvis_model_tokens_total", (("kind", "cached"),)] == 1_000
    assert found["jarvis_breaker_state", (("name", "chat server"), ("state", "open"))] == 1
    assert found["jarvis_breaker_state", (("name", "chat server"), ("state", "closed"))] == 0
    assert found["jarvis_breaker_openings_total", (("name", "chat server"),)] == 7
    assert found["jarvis_backups", (("data_class", "photos"), ("verdict", "stale"))] == 1
    assert found["jarvis_backups", (("data_class", "mail"), ("verdict", "ok"))] == 0
    assert found["jarvis_state_bytes", (("part", "database"),)] == 110
    assert found["jarvis_state_bytes", (("part", "outbox"),)] == 7
    assert found["jarvis_heartbeat_age_seconds", (("name", "kuma"),)] == 12.5
    assert found["jarvis_heartbeats_total", (("name", "kuma"), ("result", "withheld"))] == 2
    assert found["jarvis_schedule_overdue_seconds", ()] == 4
    assert any(name == "jarvis_build_info" and ("version", "1.2.3") in labels for name, labels in found)


async def test_the_database_is_asked_now_and_then_and_not_at_every_scrape(tmp_path: Path) -> None:
    house, clock = House(tmp_path), FakeClock(step_s=0.0)
    page = Metrics(house, TurnCounts(TOOLS, ()), "1", clock=clock)
    for _ in range(3):
        await page.page()
    assert house.asked == 1
    clock.now += metrics.SLOW_EVERY_S
    await page.page()
    assert house.asked == 2


async def test_what_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    house = House(tmp_path / "gone", broken=True)
    found = await values(counting(house))
    assert found["jarvis_unreadable", (("part", "database"),)] == 1
    assert found["jarvis_unreadable", (("part", "state_folder"),)] == 1
    assert not any(name == "jarvis_backups" for name, _ in found)


async def test_more_classes_of_data_than_are_labels_are_counted_together(tmp_path: Path) -> None:
    many = [(f"class {number}", "ok") for number in range(metrics.MOST_CLASSES + 20)]
    found = await values(counting(House(tmp_path, verdicts=many)))
    assert found["jarvis_backups", (("data_class", "other"), ("verdict", "ok"))] == 20


def test_files_that_go_away_while_they_are_counted_cost_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert set(state_bytes(tmp_path)) == set(metrics.STATE_PARTS)
    with pytest.raises(OSError, match="gone"):
        state_bytes(tmp_path / "gone")


anything = st.text(max_size=30)


@settings(max_examples=40)
@given(tool=anything, error=st.one_of(st.none(), anything), word=anything, code=anything, stage=st.sampled_from(Stage))
async def test_no_label_is_anything_that_was_not_on_a_list(
    tmp_path_factory: pytest.TempPathFactory, tool: str, error: str | None, word: str, code: str, stage: Stage
) -> None:
    made_up = f"!{tool}"
    page = counting(House(tmp_path_factory.getbasetemp(), verdicts=()))
    page.counts.turn_ended(
        ended(
            WakeDetected(turn_id="t", word=f"!{word}", score=0.5, audio_ms=1),
            ToolReturned(
                tool=made_up, arguments={}, ok=False, level=None, spoken=SECRET, result={"error": error or {"a": 1}}
            ),
            FellBack(instead_of=SECRET, model=SECRET, code=f"!{code}", detail=SECRET),
            TurnFailed(stage=stage, code=f"!{code}", spoken=SECRET),
        )
    )
    text = (await page.page()).decode()
    assert SECRET not in text
    values_of_labels = {
        value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for name, value in sample.labels.items()
        if name not in ("le", "version", "python", "name", "part")
    }
    assert not any(value.startswith("!") for value in values_of_labels)


def test_what_is_no_time_is_not_added_to_the_times() -> None:
    histogram = Histogram()
    for value in (float("nan"), float("inf"), 0.1):
        histogram.observe(("total",), value)
    ((_, buckets, total),) = histogram.series()
    assert (total, buckets[-1]) == (0.1, ("+Inf", 1.0))
