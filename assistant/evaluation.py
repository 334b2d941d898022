"""The evaluation: does the right thing get planned for what people say?

Lines in the form of ``tests/eval/README.md`` are asked one after another of a replier whose tools record instead of
act; what was planned is held against what was expected. Two kinds of figures: what went wrong, by tag, and how long
the decisions took.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from assistant.conversation import Conversation
from assistant.errors import ConfigError, StageError
from assistant.events import ModelDelta, ReplySentence, SentenceMatched, ToolCalled, ToolReturned
from assistant.judging import ExpectedTurn, Line, Planned, Verdict, judge
from assistant.ports import ChatModel, Engine, ModelReply, Replier, ToolDescription
from tools.contract import Caller, Door, JsonObject
from tools.settings import ToolSettings


@dataclass(frozen=True, slots=True)
class Judged:
    """One turn and its verdict."""

    id: str
    text: str
    tags: tuple[str, ...]
    verdict: Verdict
    planned: tuple[Planned, ...] = ()
    by_sentence: bool = False
    decision_ms: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All turns, and the model's tokens."""

    turns: tuple[Judged, ...]
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def asked(self) -> tuple[Judged, ...]:
        return tuple(turn for turn in self.turns if turn.verdict is not Verdict.NOT_YET)

    def by_tag(self) -> dict[str, Counter[Verdict]]:
        """Verdicts by tag; ``all`` counts every turn once."""
        tags: dict[str, Counter[Verdict]] = {"all": Counter()}
        for turn in self.turns:
            for tag in ("all", *turn.tags):
                tags.setdefault(tag, Counter())[turn.verdict] += 1
        return tags

    def decision_ms(self, share: float) -> float | None:
        """That percentile (nearest rank, 0–1) of the time to the decision."""
        times = sorted(turn.decision_ms for turn in self.asked if turn.decision_ms is not None)
        return times[max(0, math.ceil(share * len(times)) - 1)] if times else None

    def as_json(self) -> JsonObject:
        asked = self.asked
        return {
            "turns": len(asked),
            "right": sum(turn.verdict is Verdict.RIGHT for turn in asked),
            "not_yet": len(self.turns) - len(asked),
            "by_sentence": sum(turn.by_sentence for turn in asked),
            "decision_ms": {"p50": self.decision_ms(0.5), "p95": self.decision_ms(0.95)},
            "tokens": {"in": self.tokens_in, "out": self.tokens_out},
            "by_tag": {tag: {str(v): n for v, n in counts.items()} for tag, counts in self.by_tag().items()},
            "wrong": [_as_json(turn) for turn in asked if turn.verdict is not Verdict.RIGHT],
        }


def homelab_settings(path: Path) -> ToolSettings:
    """The names of a homelab file with made-up addresses: nothing of it will be asked. Raises ConfigError."""
    try:
        house = yaml.safe_load(path.read_text(encoding="utf-8"))
        services = {
            name: {"url": "http://127.0.0.1:9", "aliases": entry["aliases"]}
            for name, entry in house["services"].items()
        }
        backups = {name: {"kind": "report", "aliases": entry["aliases"]} for name, entry in house["backups"].items()}
        vms = {
            name: {"aliases": entry["aliases"], "protected": entry.get("protected", False)}
            for name, entry in (house.get("vms") or {}).items()
        }
        areas = {
            name: {"lights": entry.get("lights", ()), "devices": entry.get("others", ())}
            for name, entry in (house.get("home") or {}).items()
        }
        return ToolSettings.model_validate(
            {
                "services": services,
                "backups": backups,
                "vms": vms,
                "areas": areas,
                "home_aliases": house.get("home_aliases") or {},
            }
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise ConfigError("homelab_invalid", f"{path} is no homelab file: {error}") from error


class CountingModel:
    """A chat model with its tokens counted."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.tokens_in = 0
        self.tokens_out = 0

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription], *, seed: int | None = None
    ) -> AsyncIterator[ModelDelta | ModelReply]:
        """See the port."""
        async for piece in self._model.complete(messages, tools, seed=seed):
            if isinstance(piece, ModelReply):
                self.tokens_in += piece.tokens_in or 0
                self.tokens_out += piece.tokens_out or 0
            yield piece

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """See the port."""
        await self._model.warm(messages, tools)


async def evaluate(
    lines: Iterable[Line],
    replier: Replier,
    tools: Collection[str],
    engine: Engine = "both",
    *,
    every: bool = False,
    on_turn: Callable[[Judged], None] = lambda _: None,
) -> tuple[Judged, ...]:
    """Ask all turns and judge them. Turns that need a tool which is not in ``tools`` are *not yet*, unless ``every``.

    A stage that fails is a missed turn with its reason as the note; no exception but cancellation comes out.
    """
    judged: list[Judged] = []
    for line in lines:
        conversation = Conversation()
        for number, turn in enumerate(line.turns or (line,), 1):
            turn_id = f"{line.id}.{number}" if line.turns else line.id
            if turn.text is None or (not every and not turn.needs() <= set(tools)):
                result = Judged(turn_id, turn.text or str(turn.wav), line.tags, Verdict.NOT_YET)
            else:
                result = await _ask(turn_id, turn, turn.text, line.tags, replier, conversation, engine)
            judged.append(result)
            on_turn(result)
    return tuple(judged)


async def _ask(
    turn_id: str,
    turn: ExpectedTurn,
    text: str,
    tags: tuple[str, ...],
    replier: Replier,
    conversation: Conversation,
    engine: Engine,
) -> Judged:
    watch = _Watch()
    note = ""
    caller = Caller(door=Door.EVAL)
    try:
        async with aclosing(replier.reply(text, conversation, caller, engine)) as events:
            async for event in events:
                watch.see(event)
    except StageError as error:
        note = f"{error.stage}: {error.code}: {error.detail}"
    planned = tuple(watch.planned)
    note = note or " ".join(watch.said)[:120]
    verdict = judge(turn, planned)
    return Judged(turn_id, text, tags, verdict, planned, watch.by_sentence, watch.decision_ms, note)


@dataclass(slots=True)
class _Watch:
    """What a reply's events say about its decision."""

    started: float = field(default_factory=time.perf_counter)
    decision_ms: float | None = None
    by_sentence: bool = False
    planned: list[Planned] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def see(self, event: object) -> None:
        if self.decision_ms is None and isinstance(event, ToolCalled | ReplySentence | ModelDelta):
            self.decision_ms = (time.perf_counter() - self.started) * 1000
        if isinstance(event, SentenceMatched):
            self.by_sentence = True
        elif isinstance(event, ReplySentence):
            self.said.append(event.text)
        elif isinstance(event, ToolReturned):
            error = None if event.ok else str(event.result.get("error"))
            self.planned.append(Planned(event.tool, event.arguments, event.level, error))


def _as_json(turn: Judged) -> JsonObject:
    calls = [{"tool": call.tool, "arguments": call.arguments, "error": call.error} for call in turn.planned]
    return {"id": turn.id, "text": turn.text, "verdict": str(turn.verdict), "planned": calls, "note": turn.note}


def to_json_text(report: Report) -> str:
    """The report as one JSON object."""
    return json.dumps(report.as_json(), ensure_ascii=False, indent=2)
