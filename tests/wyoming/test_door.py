"""The door as ``jarvis serve`` opens it, over a real app without ears and mouth."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, Recognize

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.wyoming.door import bound_door, open_door
from tests.wyoming.rig import answer


def configured(folder: Path, **wyoming: Any) -> Settings:
    return Settings.model_validate(
        {
            "services": {"gitea": {"url": "http://127.0.0.1:1/"}},
            "state_dir": folder / "state",
            "engine": "sentences",
            "roles": {"kitchen": {"may": "operate"}},
            "wyoming": {"enabled": True, "port": 0, **wyoming},
        }
    )


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(configured(tmp_path)) as opened:
        yield opened


async def test_a_client_asks_and_is_answered_by_the_tools_until_the_door_closes(app: App) -> None:
    told: list[str] = []
    with bound_door(app.settings) as bound:
        assert bound is not None
        port = bound.port
        async with open_door(app, bound, told.append), AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            [described] = await answer(client, "info")
            info = Info.from_event(described)
            assert (info.asr, info.tts, info.wake, len(info.handle)) == ([], [], [], 1)
            await client.write_event(Transcript("is gitea up?").event())
            handled = Handled.from_event((await answer(client, "handled"))[-1])
            await client.write_event(Recognize("is gitea up?").event())
            intent = Intent.from_event((await answer(client, "intent"))[-1])
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
    assert handled.text == "Gitea is down: the connection is refused."
    assert intent.name == "check_services"
    assert len(told) == 1


async def test_it_is_there_only_when_it_is_wanted(tmp_path: Path) -> None:
    with bound_door(configured(tmp_path, enabled=False)) as bound:
        assert bound is None


@pytest.mark.parametrize(
    ("wyoming", "code"),
    [
        ({"host": "0.0.0.0"}, "wyoming_open_to_everybody"),
        ({"host": "0.0.0.0", "allow_clients": ["everybody"]}, "wyoming_bad_client"),
        ({"role": "kichen"}, "wyoming_unknown_role"),
        ({"host": "203.0.113.7", "allow_clients": ["192.168.1.20"]}, "cannot_bind"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused_at_the_start(
    tmp_path: Path, wyoming: dict[str, Any], code: str
) -> None:
    with pytest.raises(ConfigError) as refused, bound_door(configured(tmp_path, **wyoming)):
        pass
    assert refused.value.code == code
    assert refused.value.mend


def test_a_role_of_the_house_may_be_named(tmp_path: Path) -> None:
    with bound_door(configured(tmp_path, role="kitchen")) as bound:
        assert bound is not None


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="cannot be bound"),
        bound_door(configured(tmp_path, port=taken.getsockname()[1])),
    ):
        pass
