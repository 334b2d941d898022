"""The evaluation: does the right thing get planned for what people say?

Lines in the form of ``tests/eval/README.md`` are asked one after another of a replier whose tools record instead of
act; what was planned is held against what was expected (``assistant.judging``), and counted
(``assistant.evaluation_figures``).
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assistant.conversation import Conversation
from assistant.errors import JarvisError, StageError
from assistant.evaluation_sets import ExpectedTurn, Line
from assistant.events import ModelDelta, Narrowed, ReplySentence, SentenceMatched, ToolCalled, ToolReturned
from assistant.judging import Judgement, Planned, Verdict, judge
from assistant.ports import Engine, Replier
from assistant.same_calls import Meaning
from assistant.sampling import Tokens
from tools.contract import Caller, Door

NOTE_CHARACTERS = 120

Decider = Literal["sentence", "signals", "model", "confirmation", "none"]
"""Who decided: a template, narrowing that left no doubt, the model, a yes to what was asked back, or nobody."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One turn and its verdict. ``repeat`` counts from 1; ``note`` is what was answered, or why it failed."""

    id: str
    text: str
    judgement: Judgement
    set_name: str = ""
    tags: tuple[str, ...] = ()
    repeat: int = 1
    in_conversation: bool = False
    planned: tuple[Planned, ...] = ()
    decided_by: Decider = "none"
    decision_ms: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    @property
    def right(self) -> bool:
        return self.verdict is Verdict.RIGHT


@dataclass(slots=True)
class Rehearsal:
    """Whom the lines are asked, and how their calls are understood.

    ``tokens`` is the replier's own count; ``hear`` turns a clip into words, and without it clips are missed.
    """

    replier: Replier
    engine: Engine = "both"
    meaning: Meaning = field(default_factory=Meaning)
    tokens: Tokens = field(default_factory=Tokens)
    hear: Callable[[Path], Awaitable[str]] | None = None
    clock: Callable[[], float] = time.perf_counter

    async def ask(self, lines: Iterable[Line], repeat: int = 1) -> AsyncGenerator[Judged, None]:
        """Ask all turns and judge them; each line is a conversation of its own.

        A stage that fails leaves its reason as the note; no exception but cancellation comes out.
        """
        for line in lines:
            conversation = Conversation(id_=f"{line.set_name}/{line.id}/{repeat}")
            for turn_id, turn in line.each():
                yield await self._ask(turn_id, turn, line, repeat, conversation)

    async def _ask(
        self, turn_id: str, turn: ExpectedTurn, line: Line, repeat: int, conversation: Conversation
    ) -> Judged:
        watch = _Watch(self.clock)
        tokens_in, tokens_out = self.tokens.in_, self.tokens.out
        caller = Caller(
            door=Door.MICROPHONE, conversation=conversation.id, turn_id=f"{line.set_name}/{turn_id}/{repeat}"
        )
        text, note = turn.words, ""
        try:
            text = await self._words_of(turn, line)
            watch.start()
            async with aclosing(self.replier.reply(text, conversation, caller, self.engine)) as events:
                async for event in events:
                    watch.see(event)
        except JarvisError as error:
            stage = f"{error.stage}: " if isinstance(error, StageError) else ""
            note = f"{stage}{error.code}: {error.detail}"
        asked_model = self.tokens.out > tokens_out
        return Judged(
            id=turn_id,
            text=text,
            judgement=judge(turn, watch.planned, self.meaning),
            set_name=line.set_name,
            tags=line.tags,
            repeat=repeat,
            in_conversation=bool(line.turns),
            planned=tuple(watch.planned),
            decided_by=watch.decided_by or ("model" if asked_model else "none"),
            decision_ms=watch.decision_ms,
            tokens_in=self.tokens.in_ - tokens_in,
            tokens_out=self.tokens.out - tokens_out,
            note=note or " ".join(watch.said)[:NOTE_CHARACTERS],
        )

    async def _words_of(self, turn: ExpectedTurn, line: Line) -> str:
        """Raises AudioError, TranscriptionError and the like for a clip."""
        if turn.text is not None or turn.wav is None or self.hear is None:
            return turn.words
        return await self.hear(line.source.parent / turn.wav)


@dataclass(slots=True)
class _Watch:
    """What a reply's events say about its decision."""

    clock: Callable[[], float]
    started: float = 0.0
    decision_ms: float | None = None
    decided_by: Decider | None = None
    planned: list[Planned] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.started = self.clock()

    def see(self, event: object) -> None:
        if self.decision_ms is None and isinstance(event, ToolCalled | ReplySentence | ModelDelta):
            self.decision_ms = round((self.clock() - self.started) * 1000, 2)
        if self.decided_by is None:
            self.decided_by = _decider(event)
        if isinstance(event, ReplySentence):
            self.said.append(event.text)
        elif isinstance(event, ToolReturned):
            error = None if event.ok else str(event.result.get("error"))
            self.planned.append(Planned(event.tool, event.arguments, event.level, error))


def _decider(event: object) -> Decider | None:
    """Who decided, if this event says it; the first one that does counts."""
    if isinstance(event, SentenceMatched):
        return "sentence"
    if isinstance(event, Narrowed) and event.decided:
        return "signals"
    if isinstance(event, ToolCalled):
        return event.source
    return "model" if isinstance(event, ModelDelta) else None
