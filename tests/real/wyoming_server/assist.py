"""A real Home Assistant whose ears, mouth, wake words and conversation agent are ours, and its Assist pipelines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import numpy as np
import pytest

from assistant.bench.assist_socket import AssistSocket, assist_socket
from assistant.bench.home_assistant import RUN
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from tests.real.home_assistant import (
    REAL,
    VOICE,
    bearer,
    free_port,
    onboard,
    running,
    wait_until_started,
    write_configuration,
)

RUN_S = 60.0
AFTER_S = 15.0
"""Silence behind what is said, for Home Assistant's voice activity detection."""


@dataclass(frozen=True)
class House:
    """``entities``: ours, by domain; ``title``: of the integration's entry."""

    url: str
    token: str
    version: str
    title: str
    entities: Mapping[str, str]


@dataclass
class Run:
    """The events of one pipeline run, by type; the last of each."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def heard(self) -> str:
        return str(self.events["stt-end"]["stt_output"]["text"])

    @property
    def reply(self) -> str:
        return str(self.events["intent-end"]["intent_output"]["response"]["speech"]["plain"]["speech"])

    @property
    def response_type(self) -> str:
        return str(self.events["intent-end"]["intent_output"]["response"]["response_type"])

    @property
    def conversation_id(self) -> str:
        return str(self.events["intent-end"]["intent_output"]["conversation_id"])

    @property
    def audio_url(self) -> str:
        return str(self.events["tts-end"]["tts_output"]["url"])


@contextmanager
def house(folder: Path, port: int) -> Iterator[House]:
    """Start it, and set our server up as a person does: the integration's form, host and port."""
    program = REAL / "home-assistant" / "bin" / "hass"
    if not program.exists():
        pytest.fail("Home Assistant is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    own_port = free_port()
    write_configuration(folder / "home", own_port, {})
    command = [program, "--config", folder / "home", "--skip-pip"]
    with running("Home Assistant", command, folder / "home-assistant.log", own_port):
        url = f"http://127.0.0.1:{own_port}"
        token = onboard(url)
        version = wait_until_started(url, token)
        yield asyncio.run(_set_up(url, token, version, port))


async def _set_up(url: str, token: str, version: str, port: int) -> House:
    async with httpx.AsyncClient(base_url=url, headers=bearer(token), trust_env=False, timeout=60) as http:
        flows = "/api/config/config_entries/flow"
        flow = (await http.post(flows, json={"handler": "wyoming"})).raise_for_status().json()
        address = {"host": "127.0.0.1", "port": port}
        made = (await http.post(f"{flows}/{flow['flow_id']}", json=address)).raise_for_status().json()
        assert made["type"] == "create_entry", made
    async with assist_socket(url, token) as home:
        registry = await home.command("config/entity_registry/list")
        ours = {entry["entity_id"].partition(".")[0]: entry["entity_id"] for entry in registry if _is_ours(entry)}
    return House(url, token, version, str(made["title"]), ours)


def _is_ours(entry: Mapping[str, Any]) -> bool:
    return bool(entry["platform"] == "wyoming")


async def pipeline(home: AssistSocket, entities: Mapping[str, str], *, only: str = "") -> str:
    """A pipeline of ours; ``only``: the one domain that is ours, the rest is nobody's or Home Assistant's own. Its
    id."""

    def ours(domain: str) -> str | None:
        return entities[domain] if only in ("", domain) else None

    speaks = ours("tts")
    made = await home.command(
        "assist_pipeline/pipeline/create",
        name=f"Jarvis {only}".strip(),
        language="en",
        conversation_engine=ours("conversation") or "conversation.home_assistant",
        conversation_language="en",
        stt_engine=ours("stt"),
        stt_language="en" if ours("stt") else None,
        tts_engine=speaks,
        tts_language="en_US" if speaks else None,
        tts_voice=VOICE if speaks else None,
        wake_word_entity=ours("wake_word"),
        wake_word_id="hey_jarvis" if ours("wake_word") else None,
    )
    return str(made["id"])


async def spoken(home: AssistSocket, pipeline_id: str, audio: Samples, *, start: str = "stt", **more: Any) -> Run:
    """Audio through a pipeline at the pace of speech, silence behind it until Home Assistant has heard enough."""
    run, speaking = Run(), None
    fields = {"pipeline": pipeline_id, "input": {"sample_rate": SAMPLE_RATE_HZ}, **more}
    async with asyncio.timeout(RUN_S):
        id_ = await home.start(RUN, start_stage=start, end_stage="tts", **fields)
        async with aclosing(home.events(id_, RUN)) as events:
            async for event in events:
                run.events[event["type"]] = data = dict(event.get("data") or {})
                if event["type"] == "run-start":
                    handler = int(data["runner_data"]["stt_binary_handler_id"])
                    speaking = asyncio.create_task(_speak(home, handler, audio))
                if event["type"] in ("stt-vad-end", "error", "run-end") and speaking is not None:
                    speaking.cancel()
                if event["type"] == "run-end":
                    return run
    raise AssertionError(run)


async def typed(home: AssistSocket, pipeline_id: str, text: str, conversation_id: str | None = None) -> Run:
    """Text through the agent of a pipeline."""
    run = Run()
    named = {"conversation_id": conversation_id} if conversation_id else {}
    async with asyncio.timeout(RUN_S):
        fields: dict[str, Any] = {"pipeline": pipeline_id, "input": {"text": text}, **named}
        id_ = await home.start(RUN, start_stage="intent", end_stage="intent", **fields)
        async with aclosing(home.events(id_, RUN)) as events:
            async for event in events:
                run.events[event["type"]] = dict(event.get("data") or {})
                if event["type"] == "run-end":
                    return run
    raise AssertionError(run)


async def _speak(home: AssistSocket, handler: int, audio: Samples) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    silence = np.zeros(round(AFTER_S * SAMPLE_RATE_HZ), dtype=np.int16)
    everything = np.concatenate([audio, silence])
    for start in range(0, len(everything), CHUNK_SAMPLES):
        chunk = everything[start : start + CHUNK_SAMPLES]
        await asyncio.sleep(max(began + (start + len(chunk)) / SAMPLE_RATE_HZ - loop.time(), 0))
        await home.send_binary(handler, chunk.astype("<i2").tobytes())
    await home.send_binary(handler, b"")


async def fetched(house: House, url: str) -> bytes:
    """The audio of a reply."""
    async with httpx.AsyncClient(trust_env=False, timeout=RUN_S, headers=bearer(house.token)) as http:
        return (await http.get(urljoin(house.url, url))).raise_for_status().content
