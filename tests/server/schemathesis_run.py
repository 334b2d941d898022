"""Schemathesis over our OpenAPI document: ``python -m tests.server.schemathesis_run [--examples N]``.

The whole HTTP application on a real socket, with ears, mouth and language model that answer at once, as the owner, as
a guest and without a token. Exit code 1 and a report where an answer is not as documented, or an error of the server.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from assistant.app import App, open_app
from assistant.chat.chain import ModelChain
from assistant.config import Settings
from assistant.ports import ModelReply, Samples
from assistant.server.auth import read_tokens
from assistant.server.http import http_app
from tests.fakes import FakeChatModel, FakeListener, FakeSynthesizer, FakeTranscriber
from tests.server.conftest import listening

OWNER, GUEST = "0123456789abcdef-owner", "0123456789abcdef-guest"
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance",
)  # fmt: skip
"""Not those that want every body that fits its schema to be taken: bytes are seldom a clip, words seldom a token."""

APART = ("/mcp",)
"""Of another protocol, which its own conformance suite goes through."""


class _Endless(FakeChatModel):
    """Answers whatever it is asked."""

    async def complete(self, *_: Any, **__: Any) -> Any:
        yield ModelReply(text="It is well.")

    async def close(self) -> None: ...


def _settings(folder: Path) -> Settings:
    tokens = folder / "tokens"
    tokens.write_text(f"phone:owner:{OWNER}\nvisitor:guest:{GUEST}\n", encoding="utf-8")
    tokens.chmod(0o600)
    return Settings.model_validate(
        {
            "services": {"gitea": {"url": "http://127.0.0.1:1/"}},
            "state_dir": folder / "state",
            "engine": "sentences",
            "server": {
                "tokens_file": tokens, "max_upload_bytes": 200_000, "max_clip_s": 10,
                "requests_a_minute": 10_000, "wrong_tokens_a_minute": 10_000,
            },
        }
    )  # fmt: skip


def _answers_at_once(app: App) -> None:
    async def samples(_: bytes) -> Samples:
        return np.zeros(1600, dtype=np.int16)

    async def endless() -> Any:
        return _Endless()

    app.listener = FakeListener()  # type: ignore[assignment]
    app.transcriber = FakeTranscriber("is gitea up?")  # type: ignore[assignment]
    app.synthesizer = FakeSynthesizer()  # type: ignore[assignment]
    app.model = ModelChain(endless, lambda: _Endless())
    app.clip_samples = samples  # type: ignore[method-assign, assignment]


@contextmanager
def served() -> Iterator[str]:
    """The application in a loop and thread of its own; its URL."""
    url: list[str] = []
    up = threading.Event()
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    async def serve(folder: Path) -> None:
        try:
            async with open_app(settings := _settings(folder)) as app:
                _answers_at_once(app)
                async with listening(http_app(app, read_tokens(settings.server.tokens_file))) as opened:
                    url.append(opened)
                    up.set()
                    await ending.wait()
        finally:
            up.set()

    with tempfile.TemporaryDirectory() as folder:
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve(Path(folder))))
        thread.start()
        try:
            up.wait(60)
            yield url[0]
        finally:
            loop.call_soon_threadsafe(ending.set)
            thread.join(60)
            loop.close()


def run(url: str, token: str | None, *, examples: int, phases: str, more: Sequence[str] = ()) -> tuple[int, str]:
    """One run; exit code and report."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json",
        "--checks", ",".join(CHECKS), "--phases", phases, "--max-examples", str(examples),
        "--generation-deterministic", "--request-timeout", "30", "--continue-on-failure", "--no-color",
        *(part for path in APART for part in ("--exclude-path", path)),
        *(("-H", f"Authorization: Bearer {token}") if token is not None else ()),
        *more,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:  # it keeps examples where it is started
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """All three callers, at length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="of each operation")
    wanted = parser.parse_args()
    worst = 0
    with served() as url:
        for name, token in (("owner", OWNER), ("guest", GUEST), ("nobody", None)):
            code, report = run(url, token, examples=wanted.examples, phases="examples,coverage,fuzzing")
            sys.stdout.write(f"== as {name} ==\n{report}\n")
            worst = max(worst, code)
    return worst


if __name__ == "__main__":
    sys.exit(main())
