"""Home Assistant 2025.4 through its own Wyoming integration: its Assist pipelines hear, answer and speak with ours."""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from assistant.bench.assist_socket import AssistSocket, assist_socket
from assistant.ports import Samples
from assistant.resources import resource
from assistant.speech.decoding import decode_clip, read_clip
from assistant.text.spoken import to_spoken
from tests.real.wyoming_server.assist import House, fetched, pipeline, spoken, typed
from tests.real.wyoming_server.jarvis import Jarvis

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

FIXTURES = resource("audio_fixtures")


@pytest.fixture
async def socket(home: House) -> AsyncIterator[AssistSocket]:
    async with assist_socket(home.url, home.token) as connected:
        yield connected


@pytest.fixture
async def everything(home: House, socket: AssistSocket) -> AsyncIterator[str]:
    """A pipeline that is all ours; its id."""
    made = await pipeline(socket, home.entities)
    yield made
    await socket.command("assist_pipeline/pipeline/delete", pipeline_id=made)


async def clip(name: str) -> Samples:
    return await read_clip(FIXTURES / f"{name}.wav", max_clip_s=60)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]+", " ", text.casefold()).replace("okay", "ok").split())


def alike(heard: str, said: str) -> float:
    return difflib.SequenceMatcher(None, plain(heard), plain(said)).ratio()


def test_home_assistant_finds_ears_mouth_wake_words_and_brain(home: House) -> None:
    assert home.version.startswith("2025.4")
    assert home.title == "Jarvis"
    assert set(home.entities) == {"stt", "tts", "wake_word", "conversation"}


async def test_it_offers_the_wake_word_by_its_phrase(home: House, socket: AssistSocket) -> None:
    words = await socket.command("wake_word/info", entity_id=home.entities["wake_word"])
    assert words == {"wake_words": [{"id": "hey_jarvis", "name": "hey jarvis", "phrase": "hey jarvis"}]}


async def test_a_spoken_question_gets_the_tools_true_sentence_and_the_audio_says_it(
    home: House, ours: Jarvis, socket: AssistSocket, everything: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = ours.typed("is the backup ok?")
    assert [tool.name for tool in truth.tools] == ["check_backups"]
    run = await spoken(socket, everything, await clip("hey_jarvis_is_the_backup_ok"))
    assert plain(run.heard) == "is the backup ok"
    assert run.reply == truth.reply
    assert run.response_type == "action_done"
    audio = await fetched(home, run.audio_url)
    assert ours.app.transcriber is not None
    again = await ours.app.transcriber.transcribe(await decode_clip(audio, max_clip_s=60))
    with capsys.disabled():
        sys.stdout.write(f"\nHome Assistant {home.version}: {run.heard!r} -> {run.reply!r}, heard {again.text!r}\n")
    assert alike(again.text, to_spoken(truth.reply)) >= 0.85, again.text


async def test_the_wake_word_opens_the_pipeline_and_what_follows_is_answered(
    ours: Jarvis, socket: AssistSocket, everything: str
) -> None:
    input_ = {"sample_rate": 16_000, "timeout": 20}
    run = await spoken(
        socket, everything, await clip("hey_jarvis_pause_is_grafana_up"), start="wake_word", input=input_
    )
    assert run.events["wake_word-end"]["wake_word_output"]["wake_word_id"] == "hey_jarvis"
    assert run.reply == ours.typed("is grafana up?").reply, (run.heard, run.reply)


async def test_noise_wakes_nobody(socket: AssistSocket, everything: str) -> None:
    input_ = {"sample_rate": 16_000, "timeout": 3}
    run = await spoken(socket, everything, await clip("noise_5s"), start="wake_word", input=input_)
    assert run.events["error"]["code"] == "wake-word-timeout", json.dumps(run.events)


async def test_a_destructive_order_asks_back_and_is_answered_in_the_same_conversation(
    socket: AssistSocket, everything: str
) -> None:
    asked = await typed(socket, everything, "shut down windows")
    assert asked.reply == "Shall I shut down windows?"
    done = await typed(socket, everything, "yes", asked.conversation_id)
    assert done.reply == "Windows is off."


async def test_its_version_of_the_protocol_keeps_the_conversation_to_itself(
    socket: AssistSocket, everything: str
) -> None:
    """wyoming 1.5.4 drops the context of a transcript: what this Home Assistant asks is one conversation."""
    asked = await typed(socket, everything, "force off windows")
    assert asked.reply == "Shall I force windows off, like pulling its plug?"
    other = await typed(socket, everything, "no")
    assert other.conversation_id != asked.conversation_id
    late = await typed(socket, everything, "yes", asked.conversation_id)
    assert "windows" not in late.reply.casefold()


async def test_a_question_about_an_act_does_not_act(socket: AssistSocket, everything: str) -> None:
    run = await typed(socket, everything, "did you shut down windows?")
    assert "is off" not in run.reply, run.reply


@pytest.mark.parametrize("domain", ["stt", "tts", "conversation"])
async def test_one_part_alone_can_be_ours(domain: str, home: House, socket: AssistSocket, ours: Jarvis) -> None:
    made = await pipeline(socket, home.entities, only=domain)
    try:
        if domain == "conversation":
            assert (await typed(socket, made, "is jellyfin up?")).reply == ours.typed("is jellyfin up?").reply
        elif domain == "tts":
            engine = {"engine_id": home.entities["tts"], "message": "All is well."}
            token = {"Authorization": f"Bearer {home.token}"}
            async with httpx.AsyncClient(base_url=home.url, headers=token, trust_env=False, timeout=60) as http:
                answer = (await http.post("/api/tts_get_url", json=engine)).raise_for_status().json()
            audio = await decode_clip(await fetched(home, answer["path"]), max_clip_s=60)
            assert ours.app.transcriber is not None
            assert alike((await ours.app.transcriber.transcribe(audio)).text, "All is well.") >= 0.85
    finally:
        await socket.command("assist_pipeline/pipeline/delete", pipeline_id=made)
