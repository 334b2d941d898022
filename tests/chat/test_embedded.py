"""The embedded model: llama.cpp in a child, with the real model files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx2
import pytest

from assistant.chat.embedded import EmbeddedModel
from assistant.errors import ChatError, ModelFilesError
from assistant.ports import ModelReply, ToolDescription
from tests.chat.processes import gone, until

SMALL = "qwen2.5-coder-0.5b/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
DEFAULT = "qwen2.5-coder-1.5b/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"


def _schema(parameter: str) -> dict[str, object]:
    properties = {parameter: {"type": "string", "description": "omit for all"}}
    return {"type": "object", "properties": properties, "additionalProperties": False}


TOOLS = (
    ToolDescription("check_services", "Whether services (apps, websites, servers) are up or down.", _schema("service")),
    ToolDescription("check_backups", "Whether backups are ok: last run, verification, restores.", _schema("job")),
)
SYSTEM = {"role": "system", "content": "You are Jarvis on a home server. Call a tool for any question about its state."}
ASKED = [SYSTEM, {"role": "user", "content": "is the backup ok?"}]


def embedded(gguf: Path, folder: Path, *, timeout_s: float = 240.0, cache: bool = False) -> EmbeddedModel:
    return EmbeddedModel(
        gguf,
        folder / "model.log",
        context_tokens=2048,
        threads=0,
        first_delta_timeout_s=timeout_s,
        timeout_s=timeout_s,
        prefix_cache_dir=folder / "prefixes" if cache else None,
    )


async def reply_of(model: EmbeddedModel) -> ModelReply:
    *_, reply = [piece async for piece in model.complete(ASKED, TOOLS, seed=1)]
    assert isinstance(reply, ModelReply)
    return reply


@pytest.mark.real_models
@pytest.mark.parametrize("file", [SMALL, DEFAULT])
async def test_it_chooses_the_tool_for_a_question(models_dir: Path, tmp_path: Path, file: str) -> None:
    async with embedded(models_dir / file, tmp_path) as model:
        reply = await reply_of(model)
        [call] = reply.tool_calls
        assert call.name == "check_backups"
        assert call.arguments is not None
        assert reply.text == ""
        assert reply.tokens_in is not None
        assert reply.tokens_out is not None


@pytest.mark.real_models
async def test_a_killed_child_costs_the_call_and_the_next_one_works(models_dir: Path, tmp_path: Path) -> None:
    async with embedded(models_dir / SMALL, tmp_path) as model:
        await model.start()
        pid = model.child.pid
        assert pid is not None
        under_way = asyncio.create_task(reply_of(model))
        log = tmp_path / "model.log"
        assert await until(lambda: "processing task" in log.read_text(errors="replace"), 60)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ChatError) as caught:
            await under_way
        assert caught.value.code == "model_died"
        assert "SIGKILL" in caught.value.detail
        reply = await reply_of(model)
        assert [call.name for call in reply.tool_calls] == ["check_backups"]
        assert model.child.pid not in (None, pid)


@pytest.mark.real_models
async def test_the_prefix_is_read_once_and_loaded_after_a_restart(models_dir: Path, tmp_path: Path) -> None:
    async with embedded(models_dir / SMALL, tmp_path, cache=True) as model:
        await model.warm(ASKED, TOOLS)
        cold = await reply_of(model)
    [saved] = (tmp_path / "prefixes").iterdir()
    assert saved.stat().st_mode & 0o077 == 0
    async with embedded(models_dir / SMALL, tmp_path, cache=True) as model:
        warm = await reply_of(model)
    assert [call.name for call in warm.tool_calls] == [call.name for call in cold.tool_calls] == ["check_backups"]
    log = (tmp_path / "model.log").read_text(errors="replace")
    evaluated = [int(line.split("/")[1].split()[0]) for line in log.splitlines() if "prompt eval time" in line]
    assert len(evaluated) == 3, "one warming, two calls"
    assert evaluated[0] > 150
    assert max(evaluated[1:]) < 30
    assert "backup ok" not in log


@pytest.mark.real_models
async def test_a_damaged_prefix_costs_one_reading(models_dir: Path, tmp_path: Path) -> None:
    async with embedded(models_dir / SMALL, tmp_path, cache=True) as model:
        await model.warm(ASKED, TOOLS)
    [saved] = (tmp_path / "prefixes").iterdir()
    whole = saved.stat().st_size
    saved.write_bytes(b"nothing of the kind")
    async with embedded(models_dir / SMALL, tmp_path, cache=True) as model:
        await model.warm(ASKED, TOOLS)
        assert model.child.alive
    assert saved.stat().st_size == whole


@pytest.mark.real_models
async def test_nobody_else_on_the_machine_may_talk_to_it(models_dir: Path, tmp_path: Path) -> None:
    async with embedded(models_dir / SMALL, tmp_path, cache=True) as model:
        url = str((await model.child.ready())["url"])
        async with httpx2.AsyncClient(trust_env=False) as stranger:
            for path in ("/v1/chat/completions", "/slots/0?action=save"):
                answer = await stranger.post(url.removesuffix("/v1") + path, json={"messages": ASKED, "filename": "x"})
                assert answer.status_code == 401


@pytest.mark.real_models
async def test_the_child_never_outlives_its_parent(models_dir: Path, tmp_path: Path) -> None:
    """The parent is killed while the model loads, and after: either way the child ends."""
    parent = """
import json, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "assistant.chat.embedded_child"], stdin=-1, stdout=-1, stderr=-3)
child.stdin.write(sys.argv[1].encode() + b"\\n"); child.stdin.flush()
if sys.argv[2] == "ready":
    child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
    parameters = {"model": str(models_dir / SMALL), "context_tokens": 1024, "threads": 1, "writing_threads": 1}
    given = json.dumps({**parameters, "api_key": "k", "prefix_dir": ""})
    for moment in ("loading", "ready"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", parent, given, moment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        pid = int(await process.stdout.readline())
        process.kill()
        await process.wait()
        assert await gone(pid), moment


def test_a_missing_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"nowhere\.gguf"):
        embedded(tmp_path / "nowhere.gguf", tmp_path)


async def test_a_file_that_is_no_model_is_said_and_after_three_tries_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chat.supervisor.MAX_QUICK_DEATHS", 2)
    (tmp_path / "bad.gguf").write_bytes(b"GGUF and nothing more")
    async with embedded(tmp_path / "bad.gguf", tmp_path) as model:
        for words in ("does not start", "does not start", "keeps dying"):
            with pytest.raises(ChatError, match=words) as caught:
                await reply_of(model)
            assert caught.value.code == "model_unusable"
            assert "smaller model" in caught.value.mend
