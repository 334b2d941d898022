"""The main job, from the command line, on real models: the same question by text and by voice, by both engines."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.models import ModelStore
from assistant.sentences.vocabulary import TOOLS
from tests.demo_said import BACKUPS_SAID
from tests.serving import Served, jarvis, serving

pytestmark = pytest.mark.real_models

CLIP = "audio_fixtures/hey_jarvis_is_the_backup_ok.wav"
ONLY_LOOPBACK = (
    '(version 1) (allow default) (deny network*) (allow network* (local ip "localhost:*"))'
    ' (allow network* (remote ip "localhost:*")) (allow network* (remote unix-socket))'
)
"""A profile of macOS's sandbox-exec; written from its manual, never run here."""

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore) -> dict[str, str]:
    """Nothing is configured, so that the demo homelab stands in, in a state folder of these tests."""
    folder = tmp_path_factory.mktemp("main-job")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("JARVIS_")}
    return {**clean, "JARVIS_STATE": str(folder), "JARVIS_MODELS": str(model_store.models_dir), "COLUMNS": "80"}


@pytest.mark.parametrize("engine", ["sentences", "model"])
@pytest.mark.parametrize("utterance", ["is the backup ok?", CLIP])
def test_text_and_voice_give_the_same_call_and_the_tools_own_sentence(
    environment: dict[str, str], utterance: str, engine: str
) -> None:
    outcome = jarvis("ask", utterance, "--engine", engine, environment=environment, timeout=240)
    assert [(tool["name"], tool["arguments"], tool["ok"]) for tool in outcome["tools"]] == [("check_backups", {}, True)]
    assert outcome["reply"] == outcome["tools"][0]["result"]["spoken"]
    assert outcome["reply"].startswith(BACKUPS_SAID)
    assert outcome["matched"] == {"sentences": "sentence", "model": "signals"}[engine]
    assert outcome["error"] is None


def test_the_demo_goes_through_every_stage_and_writes_the_reply(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "demo", "--no-play"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    for stage in ("wake", "endpoint", "transcript", "decision", "tools", "reply", "speech", "done"):
        assert f"ms  {stage} " in done.stdout
    assert BACKUPS_SAID.split(".")[0] in done.stdout
    assert "Try next" in done.stdout
    with wave.open(str(Path(environment["JARVIS_STATE"]) / "demo" / "reply.wav")) as reply:
        samples = np.frombuffer(reply.readframes(reply.getnframes()), dtype="<i2")
        assert reply.getnframes() / reply.getframerate() > 2
        assert np.abs(samples).max() > 3000


def test_the_reply_as_wav_says_what_the_reply_says(environment: dict[str, str], tmp_path: Path) -> None:
    said = tmp_path / "said.wav"
    outcome = jarvis("ask", "is jellyfin up?", "--speak", str(said), environment=environment)
    heard = jarvis("ask", str(said), "--engine", "sentences", environment=environment)
    assert outcome["reply"] == "Jellyfin is up."
    assert heard["transcript"].casefold().rstrip(".").endswith("is up")


def test_silence_is_a_failed_turn_that_says_so(environment: dict[str, str]) -> None:
    outcome = jarvis("ask", "audio_fixtures/silence_5s.wav", environment=environment)
    assert (outcome["error"]["stage"], outcome["error"]["code"]) == ("endpoint", "nothing_heard")
    assert outcome["reply"] == outcome["error"]["spoken"]


def test_it_needs_no_network(environment: dict[str, str]) -> None:
    """Where there is nothing but loopback: in a network namespace, or in macOS's sandbox."""
    ask = f"exec {sys.executable} -m assistant ask {CLIP} --json"
    if sys.platform == "darwin":
        command = ["sandbox-exec", "-p", ONLY_LOOPBACK, "sh", "-c", ask]
    else:
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        command = ["unshare", *as_root, "--net", "sh", "-c", f"ip link set lo up && {ask}"]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        timeout=120,
    )
    assert BACKUPS_SAID in done.stdout, done.stderr


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    configuration = 'engine = "sentences"\n[services.grafana]\nurl = "http://127.0.0.1:1/"\n'
    with serving(folder, configuration, JARVIS_MODELS=str(model_store.models_dir)) as started:
        yield started


def test_a_running_server_answers_the_commands(served: Served) -> None:
    outcome = jarvis("ask", "is grafana up?", environment=served.environment)
    assert outcome["reply"] == "Grafana is down: the connection is refused."
    listed: list[dict[str, Any]] = jarvis("tools", "list", environment=served.environment)
    assert {tool["name"] for tool in listed} == set(TOOLS)


def test_a_clip_sent_to_a_running_server_is_heard(served: Served) -> None:
    outcome = jarvis("ask", "audio_fixtures/hey_jarvis_pause_is_grafana_up.wav", environment=served.environment)
    assert outcome["tools"][0]["arguments"] == {"service": "grafana"}


def test_a_second_server_is_told_who_has_the_state(served: Served) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "serve", "--port", "0"],
        env=served.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 5
    assert str(served.process.pid) in done.stderr
