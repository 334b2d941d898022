"""Which chat server is there: the configured one, else LM Studio or Ollama on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from assistant.chat.openai_compatible import is_chat_model
from assistant.config import ModelSettings

LOCAL_SERVERS = (("LM Studio", "http://127.0.0.1:1234/v1"), ("Ollama", "http://127.0.0.1:11434/v1"))
PROBE_TIMEOUT_S = 0.3
"""Both are asked at once, and a server on this machine that is awake answers in milliseconds."""


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server to talk to; ``name`` says what it is, ``models`` which chat models it lists (empty: not asked)."""

    name: str
    base_url: str
    models: tuple[str, ...] = ()


async def find_chat_server(
    settings: ModelSettings, servers: Sequence[tuple[str, str]] = LOCAL_SERVERS
) -> FoundServer | None:
    """The configured server (whether it answers or not), else the first local one that lists a chat model, else None.

    Never raises: whatever else sits on those ports is not a chat server.
    """
    if settings.base_url:
        return FoundServer("configured", settings.base_url)
    if not settings.discover:
        return None
    async with httpx2.AsyncClient(trust_env=False) as client:
        listed = await asyncio.gather(*(_chat_models(client, url) for _, url in servers))
    found = zip(servers, listed, strict=True)
    return next((FoundServer(name, url, models) for (name, url), models in found if models), None)


async def _chat_models(client: httpx2.AsyncClient, base_url: str) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            answer = await client.get(f"{base_url}/models")
        if answer.status_code != 200:
            return ()
        names = [model["id"] for model in answer.json()["data"]]
    except (httpx2.HTTPError, TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(name for name in names if isinstance(name, str) and is_chat_model(name))
