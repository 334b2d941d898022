"""The doctor and ears and mouths on other machines."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Jarvis
from tests.fakes_speech_servers import SpeechHttpServer, WyomingServer, info, program, refuses, sound
from tests.speech.clips import tone, wav


async def found(jarvis: Jarvis, **variables: str) -> dict[str, Any]:
    """What it says about speech servers; it runs in a thread, since the servers live in this loop."""
    result = await asyncio.to_thread(jarvis, "doctor", "--json", JARVIS_MODEL__DISCOVER="false", **variables)
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    answer: dict[str, Any] = checks["speech servers"]
    return answer


async def test_without_any_it_says_so(jarvis: Jarvis) -> None:
    assert await found(jarvis) == {
        "name": "speech servers",
        "status": "ok",
        "detail": "none configured; ears and mouth are here",
        "mend": "",
    }


async def test_it_asks_the_servers_that_are_configured(jarvis: Jarvis) -> None:
    async with (
        WyomingServer(answers={"describe": info(asr=[program("faster-whisper")])}) as ears,
        SpeechHttpServer(answers=[sound([wav(tone(0.2))])]) as mouth,
    ):
        check = await found(
            jarvis,
            JARVIS_TRANSCRIBER__ENGINE="wyoming",
            JARVIS_TRANSCRIBER__URL=ears.url,
            JARVIS_SYNTHESIZER__ENGINE="openai",
            JARVIS_SYNTHESIZER__URL=mouth.url,
        )
    assert check["status"] == "ok"
    where = [url.partition("://")[2].partition("/")[0] for url in (ears.url, mouth.url)]
    assert check["detail"] == f"speech recognition answers at {where[0]}, speech answers at {where[1]}"


async def test_a_server_of_the_wrong_kind_is_broken_with_the_mend(jarvis: Jarvis) -> None:
    async with WyomingServer(answers={"describe": info(tts=[program("piper")])}) as server:
        check = await found(jarvis, JARVIS_TRANSCRIBER__ENGINE="wyoming", JARVIS_TRANSCRIBER__URL=server.url)
    assert check["status"] == "broken"
    assert "it offers speech" in check["detail"]
    assert "[transcriber]" in check["mend"]


async def test_a_key_that_is_refused_or_cannot_be_read_is_broken(jarvis: Jarvis, tmp_path: Path) -> None:
    key = tmp_path / "key"
    async with SpeechHttpServer(answers=[refuses(401, {})]) as server:
        variables = {
            "JARVIS_SYNTHESIZER__ENGINE": "openai",
            "JARVIS_SYNTHESIZER__URL": server.url,
            "JARVIS_SYNTHESIZER__API_KEY_FILE": str(key),
        }
        unreadable = await found(jarvis, **variables)
        key.write_text("sk-1\n")
        refused = await found(jarvis, **variables)
    assert unreadable["status"] == refused["status"] == "broken"
    assert "cannot be read" in unreadable["detail"]
    assert "[synthesizer]" in unreadable["mend"]
    assert "refuses the API key" in refused["detail"]


async def test_a_url_that_is_none_is_broken(jarvis: Jarvis) -> None:
    check = await found(jarvis, JARVIS_TRANSCRIBER__ENGINE="wyoming", JARVIS_TRANSCRIBER__URL="http://127.0.0.1:1")
    assert check["status"] == "broken"
    assert "tcp://" in check["mend"]
