"""A server that answers as Proxmox VE's REST API is documented to. It is not the real one.

Machines live in ``machines``: key ``node/type/vmid`` → a dict with name, qmpstatus, uptime, onboot. Acts become tasks
that ``slow_tasks`` looks later are done.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "jarvis@pve!home=5f0e1b2c-0000-4000-8000-00000000beef"
AFTER = {"start": "running", "stop": "stopped", "resume": "running", "shutdown": "stopped", "reboot": "running"}


@dataclass
class FakeProxmox:
    machines: dict[str, dict[str, Any]] = field(default_factory=dict)
    stubborn: bool = False
    exit_status: str = "OK"
    slow_tasks: int = 1
    raw: bytes | None = None
    status: int = 200
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    url: str = ""
    _looks: dict[str, int] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and ``data``."""
        self.asked.append((method, path, body))
        parts = path.removeprefix("/api2/json/").split("/")
        if parts == ["cluster", "resources"]:
            return 200, [self._resource(key, one) for key, one in self.machines.items()]
        if parts[0] == "nodes" and parts[2:] == ["qemu"]:
            mine = {key: one for key, one in self.machines.items() if key.startswith(f"{parts[1]}/qemu/")}
            return 200, [{"vmid": int(key.split("/")[2]), "qmpstatus": one["qmpstatus"]} for key, one in mine.items()]
        if parts[0] == "nodes" and parts[2] == "tasks":
            return self._task(unquote(parts[3]))
        key = "/".join(parts[1:4])
        if parts[0] != "nodes" or key not in self.machines:
            return 404, None
        return self._machine(method, key, parts[4:], body)

    def _resource(self, key: str, one: dict[str, Any]) -> dict[str, Any]:
        node, kind, vmid = key.split("/")
        runs = one["qmpstatus"] != "stopped"  # the list knows running and stopped only
        return {
            "id": f"{kind}/{vmid}", "node": node, "type": kind, "vmid": int(vmid), "name": one["name"],
            "status": "running" if runs else "stopped", "uptime": one.get("uptime", 0),
            "template": one.get("template", 0),
        }  # fmt: skip

    def _machine(self, method: str, key: str, rest: list[str], body: Any) -> tuple[int, Any]:
        one = self.machines[key]
        if (method, rest) == ("GET", ["status", "current"]):
            runs = one["qmpstatus"] != "stopped"
            told = {"name": one["name"], "status": "running" if runs else "stopped", "uptime": one.get("uptime", 0)}
            return 200, told | ({"qmpstatus": one["qmpstatus"]} if "/qemu/" in key else {})
        if (method, rest) == ("GET", ["config"]):
            return 200, {"onboot": 1} if one.get("onboot") else {}
        if method == "POST" and rest[0] == "status" and rest[1] in AFTER:
            if self.exit_status == "OK" and not (self.stubborn and rest[1] == "shutdown"):
                one["qmpstatus"] = AFTER[rest[1]]
            return 200, f"UPID:{key.split('/')[0]}:0001:0002:65A0:qm{rest[1]}:{key.split('/')[2]}:jarvis@pve!home:"
        if method == "POST" and rest == ["snapshot"]:
            one.setdefault("snapshots", []).append(body["snapname"])
            return 200, f"UPID:{key.split('/')[0]}:0001:0002:65A0:qmsnapshot:{key.split('/')[2]}:jarvis@pve!home:"
        return 501, None

    def _task(self, upid: str) -> tuple[int, Any]:
        self._looks[upid] = looks = self._looks.get(upid, 0) + 1
        if looks <= self.slow_tasks:
            return 200, {"status": "running", "upid": upid}
        return 200, {"status": "stopped", "exitstatus": self.exit_status, "upid": upid}


@contextmanager
def serving(fake: FakeProxmox) -> Iterator[FakeProxmox]:
    """On a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            if self.headers.get("Authorization") != f"PVEAPIToken={TOKEN}":
                self._send(401, b'{"data":null}')
            elif fake.raw is not None or fake.status != 200:
                self._send(fake.status, fake.raw or b"{}")
            else:
                status, data = fake.answer(method, urlsplit(self.path).path, json.loads(raw) if raw else None)
                self._send(status, json.dumps({"data": data}).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
