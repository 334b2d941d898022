"""Which chat server is there."""

from __future__ import annotations

import pytest

from assistant.chat.discovery import FoundServer, find_chat_server
from assistant.config import ModelSettings
from tests.fakes_chat import Script, ScriptedServer


async def test_the_configured_server_is_taken_without_asking() -> None:
    settings = ModelSettings(base_url="http://10.0.0.9:1234/v1")
    assert await find_chat_server(settings) == FoundServer("configured", "http://10.0.0.9:1234/v1")


async def test_the_first_local_server_that_lists_a_chat_model_is_taken() -> None:
    async with ScriptedServer(models=["nomic-embed-text"]) as first, ScriptedServer(models=["qwen3"]) as second:
        servers = (("LM Studio", first.base_url), ("Ollama", second.base_url))
        found = await find_chat_server(ModelSettings(), servers)
        assert found == FoundServer("Ollama", second.base_url, ("qwen3",))


async def test_nobody_there_is_nobody_found() -> None:
    async with ScriptedServer() as gone:
        url = gone.base_url
    assert await find_chat_server(ModelSettings(), (("LM Studio", url),)) is None


async def test_who_does_not_want_to_be_looked_for_is_not() -> None:
    async with ScriptedServer() as there:
        assert await find_chat_server(ModelSettings(discover=False), (("LM Studio", there.base_url),)) is None
        assert there.headers == []


@pytest.mark.parametrize(
    "listing",
    [
        Script([b"<html>"], content_type="text/html"),
        Script([b"[1]"]),
        Script([b'{"data": 5}']),
        Script([b'{"data": [{"id": 5}]}']),
        Script([b'{"data": []}']),
        Script([], status=404),
        Script([b"x"], break_off=True),
        Script([b"x"], hang_after=0),
    ],
    ids=["page", "list", "number", "no names", "none", "404", "broken off", "hangs"],
)
async def test_whatever_else_sits_on_the_port_is_no_chat_server(listing: Script) -> None:
    async with ScriptedServer(lists_models=listing) as other:
        assert await find_chat_server(ModelSettings(), (("LM Studio", other.base_url),)) is None
