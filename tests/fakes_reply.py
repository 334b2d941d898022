"""What the tests of the reply share: outcomes, tool descriptions, a way to run one reply to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.conversation import Conversation
from assistant.errors import JarvisError
from assistant.events import ModelDelta, SentenceMatched, ToolReturned
from assistant.ports import Engine, ModelReply, Names, ReplyEvent, ToolCallRequest, ToolDescription
from assistant.reply import Reply
from tests.fakes import FakeChatModel
from tools.contract import Caller, CallOutcome, JsonObject, Level, RefusalCode, ToolResult

SCHEMA: JsonObject = {"type": "object", "properties": {"service": {"type": "string"}}}
TOOLS = tuple(ToolDescription(name, "Tells.", SCHEMA) for name in ("check_services", "check_backups"))
NAMES = Names({"service": {"gitea": ("git",), "jellyfin": ()}, "job": {"photos": (), "gitea": ()}})
CALLER = Caller(name="anna")


def good(tool: str, spoken: str, *, tainted: bool = False, **arguments: str) -> CallOutcome:
    result = ToolResult(spoken=spoken, data={"evidence": 1}, tainted=tainted)
    return CallOutcome(ok=True, spoken=spoken, tool=tool, arguments=arguments, level=Level.READ, result=result)


def bad(tool: str, error: RefusalCode, spoken: str, **more: Any) -> CallOutcome:
    return CallOutcome(ok=False, spoken=spoken, tool=tool, error=error, **more)


def wants(*calls: tuple[str, JsonObject | None], text: str = "") -> ModelReply:
    """An answer of the model with these calls."""
    requests = tuple(ToolCallRequest(f"c{n}", name, arguments, raw="{…") for n, (name, arguments) in enumerate(calls))
    return ModelReply(text=text, tool_calls=requests)


@dataclass
class StreamingModel(FakeChatModel):
    """Streams its scripted answers in pieces of three characters, as they will be put together again."""

    async def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        answer = self.answers[len(self.asked)]
        self.asked.append(list(messages))
        if isinstance(answer, JarvisError):
            raise answer
        for start in range(0, len(answer.text), 3):
            yield ModelDelta(text=answer.text[start : start + 3])
        yield answer


async def events_of(
    reply: Reply, text: str, engine: Engine = "both", conversation: Conversation | None = None, caller: Caller = CALLER
) -> list[ReplyEvent]:
    """All events, with the measured times put to 0."""
    events: list[ReplyEvent] = []
    async for event in reply.reply(text, conversation or Conversation(), caller, engine):
        match event:
            case SentenceMatched():
                events.append(replace(event, took_ms=0.0))
            case ToolReturned():
                events.append(replace(event, took_ms=0.0))
            case _:
                events.append(event)
    return events
