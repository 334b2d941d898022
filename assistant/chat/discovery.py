"""Which chat server is there: the configured one, else LM Studio or Ollama on this machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx2

from assistant.config import ModelSettings

LOCAL_SERVERS = (("LM Studio", "http://127.0.0.1:1234/v1"), ("Ollama", "http://127.0.0.1:11434/v1"))
PROBE_TIMEOUT_S = 0.4


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server to talk to; ``name`` says what it is."""

    name: str
    base_url: str


async def find_chat_server(settings: ModelSettings) -> FoundServer | None:
    """The configured server (whether it answers or not), else the first local one that lists a model, else None."""
    if settings.base_url:
        return FoundServer("configured", settings.base_url)
    if not settings.discover:
        return None
    async with httpx2.AsyncClient(trust_env=False, timeout=PROBE_TIMEOUT_S) as client:
        answers = await asyncio.gather(*(_lists_models(client, url) for _, url in LOCAL_SERVERS))
    return next((FoundServer(*server) for server, there in zip(LOCAL_SERVERS, answers, strict=True) if there), None)


async def _lists_models(client: httpx2.AsyncClient, base_url: str) -> bool:
    try:
        answer = await client.get(f"{base_url}/models")
        return answer.status_code == 200 and bool(answer.json()["data"])
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return False
