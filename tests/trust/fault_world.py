"""A house for the fault suite: a real ``jarvis serve`` in a process of its own, and around it servers that can fail.

What it does to the house is counted: the stand-in for ``systemctl`` and the backup's program write each act down.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import IO, Any, cast

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from assistant.models.store import default_models_dir
from tests.serving import announced
from tests.tools.home.scripted import ScriptedHome, a_home
from tests.tools.home.scripted import serving as home_serving
from tests.trust.fault_servers import Misbehaving, chat, ears, gatus, page, voice

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60.0
"""For what comes by itself: a recovery, a process, a job."""

ANSWER_S = 240.0
"""For one answer: the deadlines are the table's business, and a model on a busy machine takes a minute."""

SYSTEMCTL = """#!/bin/sh
case "$*" in
*show*) cat <<END
Id=grafana.service
LoadState=loaded
ActiveState=active
SubState=running
NRestarts=0
ExecMainCode=0
ExecMainStatus=0
ExecMainExitTimestamp=
ActiveEnterTimestamp=$(date -u '+%a %Y-%m-%d %H:%M:%S UTC')
InactiveEnterTimestamp=
StateChangeTimestamp=
END
;;
*) echo "systemctl $*" >>"ACTS"; [ ! -e "ACTS.slow" ] || sleep 20 ;;
esac
"""

BACKUP = """#!/bin/sh
case "$1" in
back-up) echo "back-up" >>"ACTS"; sleep 4; echo '{"copy": {"id": "a", "at": '$(date +%s)', "size": 1}}' ;;
look) ;;
*) exit 64 ;;
esac
"""

CONFIGURATION = """
engine = "both"

[model]
base_url = "{model}/v1"
name = "scripted"
embedded = "{folder}/none.gguf"
first_delta_timeout_s = 3.0
timeout_s = 5.0

[transcriber]
engine = "openai"
url = "{ears}/v1"
timeout_s = 3.0

[synthesizer]
engine = "openai"
url = "{voice}/v1"
timeout_s = 3.0

[services.grafana]
url = "{page}/"
unit = "grafana"

[engines.systemd]
kind = "systemd"
timeout_s = 25

[watchers.gatus]
kind = "gatus"
url = "{gatus}"

[backups.photos]
kind = "command"
command = ["{folder}/backup"]
paths = ["{folder}"]

[home_assistant]
url = "http://127.0.0.1:{home}"
token_file = "{folder}/token"
timeout_s = 3.0

[mcp_servers.weather]
command = ["{python}", "-S", "{root}/tests/trust/fault_mcp.py"]
believe_hints = true
timeout_s = 3.0
"""


class World:
    """One house. ``prefix``: what ``jarvis serve`` is started through; ``environment``: more of it."""

    def __init__(self, folder: Path, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.acts_file = folder / "acts"
        self.state = folder / "state"
        self.model = Misbehaving(chat, unless=("/models",))
        self.ears = Misbehaving(ears)
        self.voice = Misbehaving(voice)
        self.page = Misbehaving(page)
        self.gatus = Misbehaving(gatus)
        self.home: ScriptedHome = a_home()
        self.configuration = CONFIGURATION
        self._home = AsyncExitStack()
        self._sums = 0
        self._prefix = list(prefix)
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[str] | None = None
        self._http: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[World]:
        """Everything runs until the context ends."""
        async with AsyncExitStack() as stack:
            for server in (self.model, self.ears, self.voice, self.page, self.gatus):
                await stack.enter_async_context(server)
            await self.home_back()
            stack.push_async_callback(self.home_away)
            self._write_files()
            await self.start()
            stack.push_async_callback(self.stop)
            yield self

    def _write_files(self) -> None:
        tools = self.folder / "bin"
        tools.mkdir()
        self.state.mkdir(exist_ok=True)
        for name, text in ((tools / "systemctl", SYSTEMCTL), (self.folder / "backup", BACKUP)):
            name.write_text(text.replace("ACTS", str(self.acts_file)), encoding="utf-8")
            name.chmod(0o755)
        (self.folder / "token").write_text(self.home.token, encoding="utf-8")
        servers = {name: getattr(self, name).url for name in ("model", "ears", "voice", "page", "gatus")}
        told = self.configuration.format(
            folder=self.folder, root=ROOT, python=sys.executable, home=self.home.port, **servers
        )
        (self.folder / "jarvis.toml").write_text(told, encoding="utf-8")

    def copy_models(self) -> None:
        """A folder of models in which single files can be damaged: links to the real ones."""
        real = Path(os.environ.get("JARVIS_MODELS", str(default_models_dir())))
        for file in (file for file in real.rglob("*") if file.is_file()):
            link = self.folder / "models" / file.relative_to(real)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.resolve())

    # ── the process ──────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """``jarvis serve``, until it answers."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("JARVIS_")}
        models = os.environ.get("JARVIS_MODELS", str(default_models_dir()))
        self._process = subprocess.Popen(  # noqa: ASYNC220 - announced() waits for its first line in a thread
            [*self._prefix, sys.executable, "-m", "assistant", "serve", "--port", "0"],
            cwd=ROOT,
            env={
                **environment,
                "JARVIS_MODELS": models,
                "JARVIS_CONFIG": str(self.folder / "jarvis.toml"),
                "JARVIS_STATE": str(self.state),
                "PATH": f"{self.folder / 'bin'}:{environment['PATH']}",
                "PYTHONPATH": str(ROOT),
                **self._environment,
            },
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        url = await asyncio.to_thread(announced, self._process)
        threading.Thread(target=_drained, args=(self._process.stderr,), daemon=True).start()
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=ANSWER_S)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for that. Idempotent."""
        if self._process is None or self._http is None:
            return
        self._process.send_signal(how)
        await asyncio.wait_for(asyncio.to_thread(self._process.wait), WAIT_S)
        await self._http.aclose()
        self._process = self._http = None

    async def killed(self) -> None:
        """kill -9 of the process, and a start on the same state."""
        await self.stop(signal.SIGKILL)
        await self.start()

    @property
    def pid(self) -> int:
        """Of jarvis itself."""
        assert self._process is not None
        return self._process.pid

    # ── what can be asked ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def http(self) -> httpx.AsyncClient:
        assert self._http is not None
        return self._http

    async def say(self, words: str, conversation: str = "default") -> str:
        """The reply to typed words."""
        answer = await self.http.post("/command", json={"text": words, "conversation_id": conversation})
        return str(answer.json()["reply"])

    async def hear(self, clip: str = "hey_jarvis_pause_is_grafana_up.wav") -> str:
        """The reply to a clip."""
        sound = (ROOT / "audio_fixtures" / clip).read_bytes()
        answer = await self.http.post("/command", content=sound, headers={"Content-Type": "audio/wav"})
        return str(answer.json()["reply"])

    async def aloud(self) -> str:
        """The reply of a turn that is spoken, or the sentence of its failure. What there is to say was never said
        before, so that no memory helps."""
        self._sums += 1
        words = f"what is {self._sums} plus 1000?"
        headers = {"Accept": "text/event-stream"}
        async with self.http.stream("POST", "/command?audio=1", json={"text": words}, headers=headers) as answer:
            lines = [line[6:] async for line in answer.aiter_lines() if line.startswith("data: ")]
        outcome = json.loads(lines[-1])
        return str(outcome["error"]["spoken"] if outcome["error"] else outcome["reply"])

    async def call(self, tool: str, **arguments: Any) -> str:
        """A tool over MCP, as an outside client calls it."""
        async with (
            httpx2.AsyncClient(trust_env=False, timeout=WAIT_S) as http,
            Client(streamable_http_client(f"{self.http.base_url}/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool(tool, arguments)
        return str(cast(Any, result.content[0]).text)

    def acts(self, what: str) -> int:
        """How often that was done to the house."""
        try:
            return self.acts_file.read_text(encoding="utf-8").count(what)
        except FileNotFoundError:
            return 0

    async def home_away(self) -> None:
        """Home Assistant ends."""
        await self._home.aclose()

    async def home_back(self) -> None:
        """At the same address."""
        self._home = AsyncExitStack()
        await self._home.enter_async_context(home_serving(self.home))


def _drained(stream: IO[str]) -> None:
    """Read and forget until it ends; children of a killed process may hold it open."""
    with stream:
        for _ in stream:
            pass


async def happens(what: Callable[[], object]) -> None:
    """Wait until it is true, for at most WAIT_S. Raises TimeoutError."""
    async with asyncio.timeout(WAIT_S):
        while not what():  # noqa: ASYNC110 - it happens in another process, which has no event of ours
            await asyncio.sleep(0.1)


async def until(ask: Callable[[], Awaitable[str]], says: str) -> str:
    """Ask until the answer matches, for at most WAIT_S. Raises AssertionError."""
    deadline, answer = time.monotonic() + WAIT_S, ""
    while time.monotonic() < deadline:
        answer = await ask()
        if re.search(says, answer):
            return answer
        await asyncio.sleep(0.5)
    raise AssertionError(f"after {WAIT_S:.0f} s it still says {answer!r}, not {says!r}")
