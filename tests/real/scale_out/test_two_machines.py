"""A hub whose ears, mouth and model are another ``jarvis serve``: it works, fails in words, and works again."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from assistant.resources import resource
from tests.real.home_assistant import free_port
from tests.real.scale_out.two_machines import TOKEN, engines_machine, hub

pytestmark = pytest.mark.real_server

CLIP = resource("audio_fixtures") / "is_the_media_server_up.wav"
FOR_THE_MODEL = "please tell me something nice about my afternoon"
"""No template and no signal answers it."""
BACK_WITHIN_S = 45.0
"""A model server that failed is left alone for 30 s."""


def until(true: Callable[[], bool], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(1.0)
    return False


def test_engines_elsewhere_serve_fail_in_words_and_come_back_without_a_restart(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JARVIS_MODELS", str(models_dir))
    port = free_port()
    with hub(tmp_path / "hub", f"http://127.0.0.1:{port}") as people:
        with engines_machine(tmp_path / "engines", port) as engines:
            heard = people.heard(CLIP)
            assert "media server" in heard["transcript"].casefold()
            assert not heard["error"]
            spoken = people.command(accept="audio/wav", json={"text": "is gitea up?"})
            assert spoken.content[:4] == b"RIFF"
            assert len(spoken.content) > 20_000
            chatted = people.said(FOR_THE_MODEL, engine="model")
            assert (chatted["error"], bool(chatted["reply"])) == (None, True)

            allowed = {"Authorization": f"Bearer {TOKEN}"}
            turns = httpx.get(f"{engines.url}/api/turns", headers=allowed, timeout=10, trust_env=False).json()
            assert turns["turns"] == []  # it lent its model, and ran no turn of its own
            found = people.ready()
            assert found["status"] == "ready", found
            for part in ("ears", "mouth", "model"):
                assert found["parts"][part] == {"state": "ok", "place": f"127.0.0.1:{port}", "reason": ""}
            doctor = {check["name"]: check for check in json.loads(people.jarvis("doctor", "--json").stdout)}
            assert doctor["chat model"]["status"] == doctor["speech servers"]["status"] == "ok"
            assert f"127.0.0.1:{port}" in doctor["chat model"]["detail"]
            assert "jarvis-model" in doctor["chat model"]["detail"]
            assert f"127.0.0.1:{port}" in doctor["speech servers"]["detail"]
            engines.process.send_signal(signal.SIGKILL)

        deaf = people.heard(CLIP)
        assert deaf["error"]["stage"] == "transcript"
        assert deaf["reply"] == "The server that writes down what you say isn't answering."
        at_a_loss = people.said(FOR_THE_MODEL, engine="model")
        assert at_a_loss["error"]["stage"] == "model"
        assert "language model" in at_a_loss["reply"].casefold()
        typed = people.said("is gitea up?")
        assert typed["reply"].startswith("Gitea is down")  # what a sentence says needs nobody else
        found = people.ready()
        assert found["status"] == "degraded"
        assert {found["parts"][part]["state"] for part in ("ears", "mouth", "model")} == {"down"}
        told = people.jarvis("status")
        assert told.returncode == 0
        assert "refuses connections" in " ".join(told.stdout.split())

        with engines_machine(tmp_path / "engines", port):
            assert "media server" in people.heard(CLIP)["transcript"].casefold()
            assert people.command(accept="audio/wav", json={"text": "is gitea up?"}).content[:4] == b"RIFF"
            assert until(lambda: people.said(FOR_THE_MODEL, engine="model")["error"] is None, BACK_WITHIN_S)
            assert people.ready()["status"] == "ready"
