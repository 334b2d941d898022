"""Two real ``jarvis serve``: one has ears, mouth and model, and the other, the hub, uses them over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.serving import Served, serving

TOKEN = "a-token-of-the-engines-machine"
SERVICE = '[services.gitea]\nurl = "http://127.0.0.1:1/"\n'


@dataclass(frozen=True)
class Hub:
    """The machine that people talk to."""

    served: Served

    def command(self, *, accept: str = "application/json", **request: Any) -> httpx.Response:
        url = f"{self.served.url}/command"
        return httpx.post(url, headers={"Accept": accept}, timeout=200, trust_env=False, **request)

    def said(self, text: str, engine: str = "both") -> dict[str, Any]:
        """The outcome of a typed turn."""
        answer: dict[str, Any] = self.command(json={"text": text, "engine": engine}).json()
        return answer

    def heard(self, clip: Path) -> dict[str, Any]:
        """The outcome of a spoken one; the model, which takes its time on a busy machine, is left out of it."""
        answer: dict[str, Any] = self.command(files={"audio": clip.read_bytes()}, data={"engine": "sentences"}).json()
        return answer

    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.served.url}/ready", timeout=5, trust_env=False).json()
        return found

    def jarvis(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the same house."""
        return subprocess.run(
            [sys.executable, "-m", "assistant", *arguments],
            env=self.served.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def engines_machine(folder: Path, port: int) -> Iterator[Served]:
    """Ears, mouth and the small model behind a token, always at that port."""
    folder.mkdir(exist_ok=True)
    tokens = folder / "tokens"
    tokens.write_text(f"hub:guest:{TOKEN}\n")
    tokens.chmod(0o600)
    text = f'[model]\ndiscover = false\nembedded = "qwen2.5-coder-0.5b"\n[server]\ntokens_file = "{tokens}"\n'
    with serving(folder, text + SERVICE, options=("--port", str(port))) as served:
        yield served


@contextmanager
def hub(folder: Path, engines: str) -> Iterator[Hub]:
    """Its ears, mouth and model are at that URL, and it has none of its own to fall back on but for the wake word."""
    folder.mkdir(exist_ok=True)
    key = folder / "key"
    key.write_text(TOKEN)
    key.chmod(0o600)
    url = f'url = "{engines}/v1"\napi_key_file = "{key}"\n'
    text = (
        f'[transcriber]\nengine = "openai"\ntimeout_s = 15\n{url}'
        f'[synthesizer]\nengine = "openai"\ntimeout_s = 15\n{url}'
        f'[model]\nbase_url = "{engines}/v1"\napi_key_file = "{key}"\nembedded = "{folder / "none.gguf"}"\n'
        "first_delta_timeout_s = 140\ntimeout_s = 150\n"
    )
    with serving(folder, text + SERVICE) as served:
        yield Hub(served)
