"""The main jobs of the real ``jarvis serve`` in a house where every server is hostile and every program fails aloud.

Afterwards everything that it wrote or answered is searched for the canaries of ``planting.py``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import jwt

from assistant.models import ModelStore
from tests.speech.clips import tone, wav
from tests.trust.mirror import mirror
from tests.trust.planting import PIN, Planted, canary, house

PROGRAMS = ("restic", "borg", "borgmatic", "kopia", "rclone", "rsync", "psql", "pg_dump", "pg_restore", "ssh", "docker")
CHATTERING = """#!/bin/sh
# Prints what a debugging program prints: its arguments, its environment, the files it was pointed at.
{ echo "$0 $*"; env; for file in "$RESTIC_PASSWORD_FILE" "$PGPASSFILE"; do [ -r "$file" ] && cat "$file"; done
  [ -n "$BORG_PASSCOMMAND" ] && sh -c "$BORG_PASSCOMMAND"; } >&2
env
exit 1
"""
ASKED = (
    "is gitea up?",
    "what is down?",
    "are my backups ok?",
    "is the photos backup ok?",
    "are there any alerts?",
    "show me the logs of gitea",
    "which virtual machines are running?",
    "is windows running?",
    "is the lamp on?",
    "how many players are on minecraft?",
    "run the photos backup",
    "run the mail backup",
    "test restoring the photos backup",
    "restart gitea",
    "yes",
    "start windows",
    "shut down windows",
    "yes",
    "turn off the lamp",
    "send a message saying hello",
    "what jobs are running?",
    "where does gitea run?",
    "tell me a joke",
    "remind me in ten minutes to look",
)
PAGES = (
    "/health",
    "/ready",
    "/openapi.json",
    "/metrics",
    "/",
    "/digest?plain=1",
    "/v1/models",
    "/api/house",
    "/api/state",
    "/api/services",
    "/api/backups",
    "/api/tasks",
    "/api/tokens",
    "/api/satellites",
    "/api/turns",
)
COMMANDS = (
    ("doctor", "--json"),
    ("config", "show", "--json"),
    ("config", "show"),
    ("turns", "--json"),
    ("turns",),
    ("audit",),
    ("audit", "--json"),
    ("status", "--json"),
    ("backups", "--json"),
    ("token", "list", "--json"),
    ("access",),
    ("catalog", "check"),
    ("tools", "--json"),
    ("ask", "is gitea up?", "--json"),
    ("state", "info", "--json"),
)
DEADLINE_S = 120.0


@dataclass
class Searched:
    """What was searched and what stood in it."""

    canaries: int = 0
    places: int = 0
    bytes: int = 0
    asked: int = 0
    seen_outside: int = 0
    """Requests that the hostile server got: where there were none, nothing was provoked."""

    found: list[str] = field(default_factory=list)


def provoke(folder: Path) -> Searched:
    """Run it all below ``folder`` and search. Raises AssertionError where the server does not begin or end."""
    result = Searched()
    with mirror() as (here, seen):
        planted = Planted(folder / "secrets", here)
        planted.folder.mkdir(mode=0o700)
        configuration = house(planted)
        written = _run(folder, planted, configuration)
        result.seen_outside = seen.total()
    for where, data in written:
        result.places += 1
        result.bytes += len(data)
        result.found += planted.found_in(where, data)
    result.canaries = len(planted.canaries)
    result.asked = len(ASKED) + len(PAGES) + len(COMMANDS)
    return result


def _run(folder: Path, planted: Planted, configuration: str) -> list[tuple[str, bytes]]:
    config = folder / "jarvis.toml"
    config.write_text(configuration, encoding="utf-8")
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text(CHATTERING)
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "JARVIS_CONFIG": str(config),
        "JARVIS_STATE": str(folder / "state"),
        "JARVIS_MODELS": str(ModelStore().models_dir),
        "HOME": str(folder),
        "HTTP_PROXY": f"http://me:{planted.other('HTTP_PROXY')}@127.0.0.1:9",
        "RESTIC_PASSWORD": planted.other("RESTIC_PASSWORD"),
    }
    written: list[tuple[str, bytes]] = []
    errors = folder / "stderr"
    with errors.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "assistant", "serve", "--port", "0"],
            env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder,
        )  # fmt: skip
    try:
        written += _ask_everything(_url(server, errors), environment)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
    written.append(("standard error", errors.read_bytes()))
    written += _files(folder / "state")
    return written


def _url(server: subprocess.Popen[bytes], errors: Path) -> str:
    ends = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends and server.poll() is None:
        for line in errors.read_text("utf-8", "replace").splitlines():
            if line.startswith("Jarvis serves "):
                return line.split()[2].removesuffix("/command")
        time.sleep(0.1)
    raise AssertionError(errors.read_text("utf-8", "replace")[-3000:])


def _ask_everything(url: str, environment: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    right = {"Authorization": f"Bearer {canary('server.tokens_file')}"}
    claims = {"email": "kid@home.lan", "iss": "open-webui", "iat": 1, "exp": 2}
    expired = jwt.encode(claims, canary("access.user_jwt_secret_file"), "HS256")
    with httpx.Client(base_url=url, trust_env=False, timeout=90) as http:

        def told(where: str, answer: httpx.Response) -> tuple[str, bytes]:
            return where, repr(answer.headers).encode() + answer.content

        for text in ASKED:
            events = {**right, "Accept": "text/event-stream"}
            yield told(f"/command {text}", http.post("/command", json={"text": text}, headers=events))
        clip = {"file": ("a.wav", wav(tone(1.0)), "audio/wav")}
        yield told(
            "transcription", http.post("/v1/audio/transcriptions", files=clip, data={"model": "x"}, headers=right)
        )
        said = {"model": "jarvis-mouth", "input": "hello", "response_format": "wav"}
        yield told("speech", http.post("/v1/audio/speech", json=said, headers=right))
        chat = {"model": "jarvis-model", "messages": [{"role": "user", "content": "hello"}]}
        yield told("chat", http.post("/v1/chat/completions", json=chat, headers=right))
        yield told(
            "user", http.post("/command", json={"text": "hi"}, headers={**right, "X-OpenWebUI-User-Jwt": expired})
        )
        for token in (canary("announcements.webhook_token_file"), canary("server.tokens_file"), "wrong"):
            headers = {"Authorization": f"Bearer {token}"}
            yield told("webhook", http.post("/alerts", content=b"nonsense", headers=headers))
        for page in PAGES:
            for headers in (right, {}):
                yield told(page, http.get(page, headers=headers))
    yield from _say_the_pin(environment)
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "assistant", *command], env=dict(environment), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        yield " ".join(command), done.stdout + done.stderr


def _say_the_pin(environment: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """At the one door that takes what was said as text: Wyoming's."""
    errors = Path(environment["HOME"]) / "stderr"
    lines = errors.read_text("utf-8", "replace").splitlines()
    ports = [line.rpartition(":")[2] for line in lines if line.startswith("Wyoming clients")]
    port = next((int(digits) for text in ports if (digits := "".join(c for c in text if c.isdigit()))), None)
    assert port is not None, "the Wyoming door says nowhere that it listens"
    spoken = " ".join(PIN)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as door, suppress(TimeoutError):
        for said in ("shut down windows", f"yes {spoken}", f"yes {PIN}", f"the pin is {PIN}", "no"):
            door.sendall(json.dumps({"type": "transcript", "data": {"text": said}}).encode() + b"\n")
            yield f"wyoming {said[:3]}", door.recv(65_536)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte below the state folder: databases with their free pages, artifacts, jobs, histories."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield f"state/{file.relative_to(folder)}", file.read_bytes()
