"""A real Home Assistant with an Assist pipeline of real Wyoming servers, on loopback, for the tests that speak to it.

It hears with the same Whisper files and speaks with the same voice as Jarvis, and is given Jarvis's own settings where
the servers' defaults would be slower: int8, beam 1 (the server's default on x86 is 5), as many threads as cores. It
answers without any model: its own sentences, a light of its own, and what ``answers`` says.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from assistant.bench.assist_socket import assist_socket

ROOT = Path(__file__).resolve().parent.parent.parent
REAL = ROOT / ".real"
VOICE = "en_US-joe-medium"
LIGHT = "desk lamp"
START_TIMEOUT_S = 120.0
TOKEN_DAYS = 1

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class House:
    """A Home Assistant whose preferred pipeline hears, answers and speaks."""

    url: str
    token: str
    version: str


@contextmanager
def home_assistant(folder: Path, models: Path, answers: Mapping[str, str]) -> Iterator[House]:
    """Start it and its two servers in that folder; ``answers``: sentence → what it says to that. All end with it."""
    programs = (REAL / "home-assistant" / "bin" / "hass", REAL / "wyoming" / "bin" / "wyoming-piper")
    if not all(program.exists() for program in programs):
        pytest.fail("Home Assistant is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    with ExitStack() as stack:
        ears, mouth, port = free_port(), free_port(), free_port()
        stack.enter_context(transcribing(folder / "ears", models, ears))
        stack.enter_context(speaking(folder / "mouth", models, mouth))
        configuration = folder / "home"
        write_configuration(configuration, port, answers)
        hass = [REAL / "home-assistant" / "bin" / "hass", "--config", configuration, "--skip-pip"]
        stack.enter_context(running("Home Assistant", hass, folder / "home-assistant.log", port))
        url = f"http://127.0.0.1:{port}"
        token = onboard(url)
        version = wait_until_started(url, token)
        yield House(url, asyncio.run(set_up_pipeline(url, token, ears, mouth)), version)


def transcribing(folder: Path, models: Path, port: int) -> AbstractContextManager[Process]:
    """wyoming-faster-whisper with the cached Whisper base."""
    folder.mkdir(parents=True)
    command = [
        *(REAL / "wyoming" / "bin" / "wyoming-faster-whisper", "--uri", f"tcp://127.0.0.1:{port}"),
        *("--model", models / "whisper-base", "--data-dir", folder, "--stt-library", "faster-whisper"),
        *("--language", "en", "--compute-type", "int8", "--beam-size", "1"),
        *("--cpu-threads", str(min(os.cpu_count() or 1, 4)), "--local-files-only"),
    ]
    return running("wyoming-faster-whisper", command, folder / "log", port)


def speaking(folder: Path, models: Path, port: int) -> AbstractContextManager[Process]:
    """wyoming-piper with the cached voice."""
    folder.mkdir(parents=True)
    for suffix in (".onnx", ".onnx.json"):
        (folder / f"{VOICE}{suffix}").symlink_to(models / "piper-en-us-joe" / f"{VOICE}{suffix}")
    command = [
        *(REAL / "wyoming" / "bin" / "wyoming-piper", "--uri", f"tcp://127.0.0.1:{port}"),
        *("--voice", VOICE, "--data-dir", folder, "--local-files-only"),
    ]
    return running("wyoming-piper", command, folder / "log", port)


@contextmanager
def running(name: str, command: Sequence[object], log: Path, port: int) -> Iterator[Process]:
    """A program that listens on a port of 127.0.0.1; it is ended with the context."""
    home = {"HOME": str(log.parent), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **home},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_listening(name, process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_listening(name: str, process: Process, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    pytest.fail(f"{name} does not listen on port {port}:\n{tail}", pytrace=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_configuration(folder: Path, port: int, answers: Mapping[str, str]) -> None:
    """As a person would write it: loopback only, nothing that looks outside, a light, and sentences with answers."""
    folder.mkdir(parents=True)
    (ffmpeg,) = (REAL / "home-assistant").glob("lib/python3*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*")
    switch = "input_boolean.desk_lamp_is_on"
    light = {
        "friendly_name": LIGHT,
        "value_template": f"{{{{ is_state('{switch}', 'on') }}}}",
        "turn_on": {"service": "input_boolean.turn_on", "target": {"entity_id": switch}},
        "turn_off": {"service": "input_boolean.turn_off", "target": {"entity_id": switch}},
    }
    intents = {f"Answer{number}": pair for number, pair in enumerate(answers.items())}
    configuration = {
        "homeassistant": {"name": "Home", "country": "NL", "time_zone": "UTC", "unit_system": "metric"},
        "http": {"server_host": "127.0.0.1", "server_port": port},
        "frontend": None,
        "media_source": None,
        "assist_pipeline": None,
        "logger": {"default": "warning"},
        "ffmpeg": {"ffmpeg_bin": str(ffmpeg)},
        "input_boolean": {"desk_lamp_is_on": None},
        "light": [{"platform": "template", "lights": {"desk_lamp": light}}],
        "conversation": {"intents": {name: [sentence] for name, (sentence, _) in intents.items()}},
        "intent_script": {name: {"speech": {"text": said}} for name, (_, said) in intents.items()},
    }
    (folder / "configuration.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")


def onboard(url: str) -> str:
    """The first user, and a token of theirs that lives for half an hour."""
    person = {"name": "Test", "username": "test", "password": "only-on-loopback", "language": "en"}
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        code = http.post("/api/onboarding/users", json={**person, "client_id": url}).raise_for_status().json()
        form = {"grant_type": "authorization_code", "code": code["auth_code"], "client_id": url}
        return str(http.post("/auth/token", data=form).raise_for_status().json()["access_token"])


def wait_until_started(url: str, token: str) -> str:
    """It listens before its parts are there; its version."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with httpx.Client(base_url=url, headers=bearer(token), trust_env=False, timeout=30) as http:
        while (config := http.get("/api/config").raise_for_status().json())["state"] != "RUNNING":
            assert time.monotonic() < deadline, f"Home Assistant is still {config['state']}"
            time.sleep(0.1)
    return str(config["version"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def set_up_pipeline(url: str, token: str, ears: int, mouth: int) -> str:
    """Both servers by the config flow that the page uses, a pipeline of them, that one preferred; a lasting
    token."""
    async with httpx.AsyncClient(base_url=url, headers=bearer(token), trust_env=False, timeout=60) as http:
        for port in (ears, mouth):
            flows = "/api/config/config_entries/flow"
            flow = (await http.post(flows, json={"handler": "wyoming"})).raise_for_status().json()
            address = {"host": "127.0.0.1", "port": port}
            made = (await http.post(f"{flows}/{flow['flow_id']}", json=address)).raise_for_status().json()
            assert made["type"] == "create_entry", made
    async with assist_socket(url, token) as home:
        agents = (await home.command("conversation/agent/list"))["agents"]
        made = await home.command(
            "assist_pipeline/pipeline/create",
            name="English",
            language="en",
            conversation_engine=next(agent["id"] for agent in agents if agent["name"] == "Home Assistant"),
            conversation_language="en",
            stt_engine=(await home.command("stt/engine/list"))["providers"][0]["engine_id"],
            stt_language="en",
            tts_engine=(await home.command("tts/engine/list"))["providers"][0]["engine_id"],
            tts_language="en_US",
            tts_voice=VOICE,
            wake_word_entity=None,
            wake_word_id=None,
        )
        await home.command("assist_pipeline/pipeline/set_preferred", pipeline_id=made["id"])
        lasting = await home.command("auth/long_lived_access_token", client_name="tests", lifespan=TOKEN_DAYS)
    return str(lasting)
