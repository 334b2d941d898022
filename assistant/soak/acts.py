"""Orders that want a yes: each yes acts once, whatever is sent twice or broken off, and nothing else acts at all."""

from __future__ import annotations

import asyncio
import json

from assistant.soak.visitor import Visitor, expect, expect_call
from tools.contract import JsonObject


async def agreed(visitor: Visitor) -> None:
    """Asked, answered yes: done once."""
    name, conversation = await _asked(visitor)
    visitor.ledger.yes("restart", name)
    _done(await visitor.command("yes", conversation=conversation), name)


async def declined(visitor: Visitor) -> None:
    """Asked, answered no, or something else: not done, and a yes after that is too late."""
    _, conversation = await _asked(visitor)
    words = visitor.chance.choice(["no", "no thanks", "what's the time?"])
    await visitor.command(words, conversation=conversation)
    late = await visitor.command("yes", conversation=conversation)
    expect(not late["tools"], "nothing to agree to", late["tools"])


async def refused(visitor: Visitor) -> None:
    """A guest may not, and cannot be asked to agree either."""
    conversation = visitor.name("guest")
    name = visitor.chance.choice(visitor.mine)
    outcome = await visitor.command(f"restart {name}", conversation=conversation, role="guest")
    expect(outcome["confirmation"] is None and not outcome["tools"][0]["ok"], "a refusal", outcome["reply"])
    late = await visitor.command("yes", conversation=conversation, role="guest")
    expect(not late["tools"], "nothing to agree to", late["tools"])


async def twice(visitor: Visitor) -> None:
    """The yes comes three times under one key, two of them at once: one turn, one act."""
    name, conversation = await _asked(visitor)
    visitor.ledger.yes("restart", name)
    key = visitor.name("key")

    async def yes() -> JsonObject:
        return await visitor.command("yes", conversation=conversation, key=key)

    answers = [*await asyncio.gather(yes(), yes()), await yes()]
    turns = {answer["turn_id"] for answer in answers}
    expect(len(turns) == 1, "one turn for three requests", turns)
    _done(answers[0], name)


async def vanished(visitor: Visitor) -> None:
    """The client leaves the moment its yes is sent, and asks again with the same key: done once."""
    name, conversation = await _asked(visitor)
    visitor.ledger.yes("restart", name)
    key = visitor.name("key")
    body = json.dumps({"text": "yes", "conversation_id": conversation}).encode()
    await send_and_leave(visitor, body, {"Idempotency-Key": key})
    _done(await visitor.command("yes", conversation=conversation, key=key), name)


async def send_and_leave(visitor: Visitor, body: bytes, headers: dict[str, str]) -> None:
    """A whole request to ``/command``, and nobody there to read the answer."""
    host, port = visitor.address
    _, writer = await asyncio.open_connection(host, port)
    head = {"Host": f"{host}:{port}", "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in (head | visitor.bearer() | headers).items()]
    writer.write("\r\n".join(["POST /command HTTP/1.1", *lines, "", ""]).encode() + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _asked(visitor: Visitor) -> tuple[str, str]:
    """Order a restart, as far as the question. Service and conversation."""
    conversation = visitor.name("order")
    name = visitor.chance.choice(visitor.mine)
    outcome = await visitor.command(f"restart {name}", conversation=conversation)
    expect_call(outcome, "service_power", {"service": name, "action": "restart"}, ok=False)
    expect(outcome["reply"] == f"Shall I restart {name}?", "a question", outcome["reply"])
    return name, conversation


def _done(outcome: JsonObject, name: str) -> None:
    expect_call(outcome, "service_power", {"service": name, "action": "restart"})
    expect(outcome["reply"].casefold().startswith(f"{name} is running again"), "it runs again", outcome["reply"])
