"""What the turns' event streams add up to: counts and stage times with closed labels. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from assistant.events import FellBack, ToolReturned, WakeDetected
from assistant.observing.ended import EndedTurn
from assistant.observing.labels import OTHER, STAGES, among, known_codes
from assistant.observing.tally import Histogram
from assistant.outcome import matched_by
from tools.contract import Door, Level

STAGE_TIMES = ("endpoint", "transcript", "decision", "tools", "model", "first_audio", "total")
"""Values of the label ``stage`` of ``jarvis_stage_seconds``: the timings of docs/json-output.md, and the model."""

_DOORS = frozenset(door.value for door in Door)
_LEVELS = frozenset(level.value for level in Level)
_RESULTS = frozenset(
    {
        "unknown_tool", "invalid_arguments", "unknown_name", "ambiguous_name", "refused", "protected",
        "needs_confirmation", "confirmation_void", "unavailable", "failed", "timeout",
    }
)  # fmt: skip
_MISSES = frozenset({"no_wake_word", "nothing_heard", "own_voice"})


class TurnCounts:
    """Feed it turns that are over. ``tools``: names that are labels; ``wake_words``: likewise."""

    def __init__(self, tools: Collection[str], wake_words: Collection[str]) -> None:
        self._tools = frozenset(tools)
        self._wake_words = frozenset(wake_words)
        self._codes = known_codes()
        self.turns: Counter[tuple[str, ...]] = Counter()
        self.failures: Counter[tuple[str, ...]] = Counter()
        self.wake_detections: Counter[tuple[str, ...]] = Counter()
        self.wake_misses: Counter[tuple[str, ...]] = Counter()
        self.tool_results: Counter[tuple[str, ...]] = Counter()
        self.fallbacks: Counter[tuple[str, ...]] = Counter()
        self.stages = Histogram()

    def turn_ended(self, ended: EndedTurn) -> None:
        """Count one turn."""
        outcome, failure = ended.outcome, ended.failure
        self.turns[among(ended.caller.door.value, _DOORS), matched_by(ended.events), outcome] += 1
        if failure is not None and outcome == "failed":
            self.failures[among(failure.stage.value, STAGES), among(failure.code, self._codes)] += 1
        self._count_wakes(ended)
        for event in ended.events:
            if isinstance(event, ToolReturned):
                level = event.level.value if event.level is not None else None
                self.tool_results[among(event.tool, self._tools), among(level, _LEVELS), _result(event)] += 1
            elif isinstance(event, FellBack):
                self.fallbacks[(among(event.code, self._codes),)] += 1
        took = {**ended.timings_ms.model_dump(), "model": ended.model_ms, "total": ended.total_ms}
        for stage in STAGE_TIMES:
            if (value := took[stage]) is not None:
                self.stages.observe((stage,), value / 1000)

    def _count_wakes(self, ended: EndedTurn) -> None:
        """A wake word after which nothing was said was a false one; a clip may lack the one that it should have."""
        woken = [event for event in ended.events if isinstance(event, WakeDetected)]
        for event in woken:
            self.wake_detections[(among(event.word, self._wake_words),)] += 1
        failure = ended.failure
        if failure is not None and failure.code in _MISSES and (woken or failure.code == "no_wake_word"):
            self.wake_misses[(failure.code,)] += 1


def _result(event: ToolReturned) -> str:
    if event.ok:
        return "ok"
    code = event.result.get("error")
    return among(code if isinstance(code, str) else None, _RESULTS) if code else OTHER
