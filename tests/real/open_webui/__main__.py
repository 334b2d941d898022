"""Open WebUI against a served house: ``make open-webui``. Installed by ``install.sh``; not part of any test run.

Open WebUI, unmodified and headless, gets `/mcp` as a tool server (bearer token, signed user header) and `/v1` as a
model. Somebody signs up there and asks about the backups twice: once by a model that calls the tool through Open
WebUI's MCP client, once by our own model. Says what was answered, and what the audit of the house has.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tests.real.open_webui.scripted_model import NAME, app
from tests.serving import serving
from tools.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PROGRAM = ROOT / ".real" / "open-webui" / "bin" / "open-webui"
START_TIMEOUT_S = 900
"""It makes its database first; 40 s on an idle machine."""
QUESTION = "Is the photos backup up to date?"
EMAIL = "ada@example.org"


def configuration(folder: Path, secret: str, token: str) -> str:
    """A house with one backup job whose repository is missing, and the chat page's token."""
    for name, content in (("tokens", f"webui:member:{token}\n"), ("secret", secret)):
        file = folder / name
        file.write_text(content)
        file.chmod(0o600)
    return f"""
engine = "sentences"
[server]
tokens_file = "{folder}/tokens"
[access]
user_jwt_secret_file = "{folder}/secret"
user_jwt_roles = {{ "{EMAIL}" = "member" }}
[backups.photos]
kind = "restic"
repository = "{folder}/nothing-there"
password_file = "{folder}/secret"
"""


@contextmanager
def scripted_model() -> Iterator[str]:
    """Its ``/v1``."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def open_webui(folder: Path, house: str, model: str, secret: str, token: str) -> Iterator[str]:
    """Started, and it answers; the URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    connection = {
        "type": "mcp", "url": f"{house}/mcp", "path": "", "auth_type": "bearer", "key": token,
        "config": {"enable": True}, "info": {"id": "jarvis", "name": "Jarvis"},
    }  # fmt: skip
    environment = {
        **os.environ,
        "DATA_DIR": str(folder / "webui"),
        "WEBUI_SECRET_KEY": secrets.token_hex(16),
        "OFFLINE_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "ENABLE_OLLAMA_API": "false",
        "RAG_EMBEDDING_ENGINE": "openai",
        "OPENAI_API_BASE_URLS": f"{model};{house}/v1",
        "OPENAI_API_KEYS": f"none;{token}",
        "TOOL_SERVER_CONNECTIONS": json.dumps([connection]),
        "MCP_INITIALIZE_TIMEOUT": "120",  # on a busy machine its ten seconds are not enough
        "ENABLE_FORWARD_USER_INFO_HEADERS": "true",
        "FORWARD_USER_INFO_HEADER_JWT_SECRET": secret,
    }
    log = (folder / "webui.log").open("w")
    process = subprocess.Popen(
        [PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)],
        env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, folder / "webui.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        log.close()
        told = [line for line in (folder / "webui.log").read_text().splitlines() if "MCP" in line]
        sys.stdout.write("".join(f"Open WebUI's log: {line}\n" for line in told[-10:]))


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(1)
    raise SystemExit(f"Open WebUI did not start:\n{log.read_text()[-3000:]}")


def converse(url: str) -> Iterator[tuple[str, str]]:
    """What was asked of whom, and the answer."""
    with httpx.Client(base_url=url, trust_env=False, timeout=300) as client:
        person = {"name": "Ada", "email": EMAIL, "password": secrets.token_urlsafe(12)}
        signed_up = client.post("/api/v1/auths/signup", json=person).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {signed_up['token']}"
        models = [model["id"] for model in client.get("/api/models").raise_for_status().json()["data"]]
        yield "models", ", ".join(models)
        tools = {"tool_ids": ["server:mcp:jarvis"], "params": {"function_calling": "legacy"}}
        for what, body in (
            ("the tool by Open WebUI's MCP client", {"model": NAME, **tools}),
            ("our own model", {"model": "jarvis"}),
        ):
            messages = [{"role": "user", "content": QUESTION}]
            asked: dict[str, Any] = {**body, "stream": False, "messages": messages}
            answered = client.post("/api/chat/completions", json=asked).raise_for_status().json()
            yield what, answered["choices"][0]["message"]["content"]


def main() -> int:
    """0 where the tool was called by both ways, under the name of Open WebUI's user."""
    if not PROGRAM.exists():
        raise SystemExit("Open WebUI is not installed: run `tests/real/open_webui/install.sh`, or `make open-webui`.")
    secret, token = secrets.token_hex(32), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            scripted_model() as model,
            serving(folder, configuration(folder, secret, token)) as served,
            open_webui(folder, served.url, model, secret, token) as url,
        ):
            for what, said in converse(url):
                sys.stdout.write(f"{what}:\n    {said}\n")
        with Store(folder / "state" / "jarvis.db") as store:
            lines = store.audit_lines()
    ways = {line["door"] for line in lines if line["who"] == EMAIL and line["tool"] == "check_backups"}
    for line in reversed(lines):
        sys.stdout.write(f"audit: {line['who']} by {line['door']}: {line['tool']} {line['decision']}\n")
    return 0 if ways == {"mcp", "http"} else 1


if __name__ == "__main__":
    sys.exit(main())
