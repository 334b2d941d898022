"""The whole reply over recording tools, with a model of the test's choice: what would have been done, and was not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assistant.chat.embedder import MiniLmEmbedder
from assistant.conversation import Conversation
from assistant.evaluation_sets import homelab_settings
from assistant.events import ConfirmationAsked, ReplySentence, ToolReturned
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.ports import ChatModel, Engine, Names
from assistant.reply import Reply
from assistant.resources import resource
from assistant.sentences import HassilMatcher
from assistant.toolbox import McpToolbox
from assistant.understanding import Understanding, Understood
from tools.contract import Caller, Door, Level
from tools.recording import RecordingHouse, evaluation_clock
from tools.server import mcp_server
from tools.settings import ToolSettings


@dataclass(slots=True)
class Happened:
    """What one utterance came to. ``acts``: calls that change something and were let through."""

    acts: list[ToolReturned] = field(default_factory=list)
    asked: list[ToolReturned] = field(default_factory=list)
    refused: list[ToolReturned] = field(default_factory=list)
    read: list[ToolReturned] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    open_question: bool = False

    def see(self, event: object) -> None:
        if isinstance(event, ReplySentence):
            self.said.append(event.text)
        elif isinstance(event, ConfirmationAsked):
            self.open_question = True
        elif isinstance(event, ToolReturned):
            self._kind(event).append(event)

    def _kind(self, event: ToolReturned) -> list[ToolReturned]:
        if event.ok:
            return self.read if event.level is Level.READ else self.acts
        return self.asked if event.result.get("error") == "needs_confirmation" else self.refused


@dataclass(slots=True)
class Rehearsed:
    """A house to talk to; nothing in it is done."""

    reply: Reply
    _turns: int = 0

    async def say(
        self,
        text: str,
        conversation: Conversation,
        engine: Engine = "both",
        door: Door = Door.MICROPHONE,
        room: str | None = None,
    ) -> Happened:
        """One turn. Raises ChatError, ToolboxError."""
        self._turns += 1
        happened = Happened()
        caller = Caller(door=door, room=room, turn_id=f"turn {self._turns}")
        async with aclosing(self.reply.reply(text, conversation, caller, engine)) as events:
            async for event in events:
                happened.see(event)
        return happened


@asynccontextmanager
async def talking_to(
    house: RecordingHouse,
    model: ChatModel,
    *,
    models_dir: Path | None = None,
    own_sentences: bool = True,
    max_rounds: int = 3,
) -> AsyncIterator[Rehearsed]:
    """The whole reply over that house. ``models_dir``: where the router's embedder is; without it, common words."""
    embedder = MiniLmEmbedder(models_dir / "minilm-l6-v2") if models_dir else None

    def understood(names: Names) -> Understood:
        matcher = HassilMatcher(names, clock=evaluation_clock)
        house.read_order = matcher.order
        return Understood(matcher, Narrower(names, Router(embedder), evaluation_clock))

    async with McpToolbox(mcp_server(house, trust_caller=True)) as toolbox:
        yield Rehearsed(
            Reply(
                Understanding(understood),
                model,
                toolbox,
                max_rounds=max_rounds,
                own_sentences=own_sentences,
                now=evaluation_clock,
            )
        )


def house_settings() -> ToolSettings:
    """The demo homelab's names, and an alarm in the hallway."""
    settings = homelab_settings(resource("assistant", "demo", "homelab.yaml"))
    hallway = settings.areas["hallway"]
    alarmed = hallway.model_copy(update={"devices": (*hallway.devices, "alarm")})
    return settings.model_copy(update={"areas": {**settings.areas, "hallway": alarmed}})
