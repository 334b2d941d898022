"""What the house's own servers and programs answer: watchers, Home Assistant, Proxmox, pushes, backup programs."""

# ruff: noqa: PT017 - a refusal is one of two right outcomes, and has to be as documented
from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.fuzz.target import Reader, Target, finished
from tools.alerts import beszel_said, nut_said, report_said, rules_said
from tools.alerts.hosts import Hosts
from tools.alerts.port import SourceError
from tools.backups.kinds import borg_said, kopia_said, rclone_said, restic_said
from tools.backups.port import BackupError
from tools.home.live import read_home
from tools.home.registry import read_registry, with_aliases
from tools.home.socket import _NonsenseError, decoded
from tools.home.states import States
from tools.notify.listening.alertmanager import NotAlertsError, received
from tools.notify.listening.ntfy_stream import Lines, _message
from tools.services import kuma_said, prometheus_said
from tools.services.beszel import read_beszel
from tools.services.gatus import read_gatus
from tools.services.port import Observation, WatcherError
from tools.settings import ToolSettings
from tools.settings_house import AlertSettings
from tools.vms import proxmox
from tools.vms.port import HypervisorError
from tools.web import WebError, ask_json, client

NOW = 1_900_000_000.0
HOSTS = Hosts.from_settings(ToolSettings(), "nas")
METRICS = (
    'monitor_status{monitor_id="1",monitor_name="Gitea",monitor_type="http",monitor_url="http://g/"} 1\n'
    'monitor_response_time{monitor_id="1",monitor_name="Gitea"} 12.5\n'
)


def _json(data: bytes) -> Any:
    """As ``tools.web.ask_json`` has it: nothing that is no JSON comes further."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _seen(looks: list[Observation] | None) -> None:
    for look in looks or []:
        assert look.up in (True, False, None)
        assert look.latency_ms is None or look.latency_ms >= 0
        assert isinstance(look.service, str)


def _home(told: Any) -> None:
    """States and registry as they come over the websocket, and the names that people may say."""
    states = States()
    parts = told if isinstance(told, list) else [told]
    for part in parts:
        states.apply(part)
    registry = read_registry(entities=told, devices=told, areas=told, floors=told, exposed=told)
    registry = with_aliases(registry, told)
    entities = registry.entities(states, exposed_only=False)
    read_home(entities.values(), registry.areas, registry.floors)


def _machines(told: Any) -> None:
    for one in proxmox._rows(told):
        proxmox._listed(one)


READERS: dict[str, Callable[[Any], object]] = {
    "gatus": lambda told: _seen(read_gatus(told, NOW)),
    "kuma page": lambda told: _seen(kuma_said.read_page(told, told, NOW)),
    "beszel": lambda told: _seen(read_beszel(told)),
    "prometheus": lambda told: prometheus_said.read_series(told),
    "rules": lambda told: rules_said.from_prometheus(told, "p", HOSTS, ""),
    "alertmanager": lambda told: rules_said.from_alertmanager(told, "a", HOSTS, ""),
    "vector": lambda told: rules_said.vector(told),
    "beszel alerts": lambda told: beszel_said.read(told, told, "b", HOSTS, "", AlertSettings(), 600, NOW),
    "webhook": lambda told: received(told, NOW),
    "home": _home,
    "proxmox": _machines,
}
DOCUMENTED = (WatcherError, SourceError, NotAlertsError, HypervisorError)


def run_json(data: bytes) -> None:
    """Each reader takes any JSON, or raises its own error."""
    reader = Reader(data)
    name = reader.one_of(sorted(READERS))
    told = _json(reader.rest())
    try:
        READERS[name](told)
    except DOCUMENTED as refused:
        assert len(str(refused)) < 300


def json_seeds() -> list[bytes]:
    state = {"a": {"light.lamp": {"s": "on", "a": {"friendly_name": "Lamp", "brightness": 10}, "lc": 1.0}}}
    entry = [
        {
            "entity_id": "light.lamp",
            "name": "Lamp",
            "area_id": "kitchen",
            "options": {"conversation": {"should_expose": True}},
        }
    ]
    sample = {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [{"metric": {"job": "a", "instance": "b:1"}, "value": [1, "1"], "values": [[1, "0"]]}],
        },
    }
    alert = {
        "status": "firing",
        "labels": {"alertname": "Down", "severity": "critical"},
        "annotations": {"summary": "x"},
        "startsAt": "2030-01-01T00:00:00Z",
        "state": "firing",
        "activeAt": "2030-01-01T00:00:00Z",
        "fingerprint": "f",
    }
    page = {
        "publicGroupList": [{"monitorList": [{"id": 1, "name": "Gitea", "type": "http"}]}],
        "heartbeatList": {"1": [{"time": "2030-01-01 00:00:00.000", "status": 1, "ping": 3, "msg": ""}]},
    }
    gatus = [
        {
            "name": "gitea",
            "group": "g",
            "key": "g_gitea",
            "results": [
                {
                    "success": True,
                    "timestamp": "2030-01-01T00:00:00Z",
                    "duration": 1000,
                    "status": 200,
                    "conditionResults": [],
                }
            ],
            "events": [{"type": "HEALTHY", "timestamp": "2030-01-01T00:00:00Z"}],
        }
    ]
    system = [
        {
            "id": "1",
            "name": "nas",
            "host": "nas",
            "status": "up",
            "updated": "2030-01-01 00:00:00Z",
            "info": {"cpu": 1, "mp": 5, "dp": 90},
            "system": "1",
            "triggered": True,
            "value": 3,
        }
    ]
    vms = [
        {"node": "pve", "type": "qemu", "vmid": 100, "name": "windows", "status": "running", "uptime": 5, "template": 0}
    ]
    rules = {"status": "success", "data": {"alerts": [alert]}}
    whole = [state, entry, sample, [alert], {"alerts": [alert]}, page, gatus, system, {"items": system}, vms, rules]
    return [bytes([number]) + json.dumps(told).encode() for number in range(len(READERS)) for told in whole]


def _programs(data: bytes) -> None:
    for read in (
        lambda: restic_said.snapshots(data, "nas"),
        lambda: borg_said.archives(data, "nas"),
        lambda: kopia_said.snapshots(data, "nas"),
        lambda: rclone_said.listed(data),
        lambda: rclone_said.folders(data),
        lambda: rclone_said.room(data),
    ):
        try:
            read()
        except BackupError as refused:
            assert len(refused.reason) < 500
    for line in data.split(b"\n"):
        for take in (
            restic_said.message,
            restic_said.share_done,
            borg_said.said,
            borg_said.share_done,
            kopia_said.share_done,
            kopia_said.is_progress,
        ):
            take(line)
    said = data.decode("utf-8", "replace")
    for refusal in (restic_said.refusal, borg_said.refusal, kopia_said.refusal, rclone_said.refusal):
        assert len(refusal(1, said).reason) < 500


def _ups(lines: list[str]) -> None:
    for ups in nut_said.upses(lines):
        nut_said.judge("nut", ups, ups, nut_said.variables(lines, ups), known=True)


def run_lines(data: bytes) -> None:
    """Texts and lines: metrics, UPS, agents' reports, ntfy's stream, frames of the websocket, programs' output."""
    text = data.decode("utf-8", "replace")
    _seen(kuma_said.read_metrics(text, NOW))
    lines = text.splitlines()
    for read in (_ups, lambda told: report_said.parse("\n".join(told), NOW)):
        try:
            read(lines)
        except (SourceError, ValueError) as refused:
            assert type(refused) in (SourceError, ValueError), repr(refused)
            assert len(str(refused)) < 300
    stream = Lines(4_096)
    for at in range(0, len(data), 100):
        for line in stream.feed(data[at : at + 100]):
            _message(line)
    with suppress(_NonsenseError):
        decoded(text)
    _programs(data)


def line_seeds() -> list[bytes]:
    snapshot = [
        {
            "time": "2030-01-01T00:00:00Z",
            "id": "a" * 64,
            "short_id": "aaaa",
            "paths": ["/x"],
            "hostname": "nas",
            "tags": ["t"],
            "summary": {"total_files_processed": 5},
        }
    ]
    borg = {
        "archives": [
            {
                "name": "a",
                "id": "b" * 64,
                "start": "2030-01-01T00:00:00.000000",
                "time": "2030-01-01T00:00:00.000000",
                "hostname": "nas",
                "command_line": ["borg", "create", "::a", "/x"],
            }
        ]
    }
    kopia = [
        {
            "id": "k",
            "source": {"host": "nas", "userName": "me", "path": "/x"},
            "startTime": "2030-01-01T00:00:00Z",
            "endTime": "2030-01-01T00:00:01Z",
            "stats": {"totalSize": 1, "fileCount": 2},
        }
    ]
    report = {"status": "ok", "time": "2030-01-01T00:00:00Z", "findings": [{"severity": "warning", "text": "x"}]}
    return [
        METRICS.encode(),
        b'UPS nas "The UPS"\nVAR nas ups.status "OB DISCHRG"\nVAR nas battery.charge "55"\n',
        *(json.dumps(told).encode() for told in (snapshot, borg, kopia, report)),
        b'{"event": "message", "id": "abc", "time": 1, "message": "m", "priority": 5}\n{"event":"open"}\n',
        b'Fatal: wrong password or no key found\n{"message_type":"status","percent_done":0.5}\n',
    ]


def run_web(data: bytes) -> None:
    """Bytes instead of an HTTP answer: JSON, or a WebError in words, within its time and size."""
    finished(_ask(data))


async def _ask(data: bytes) -> None:
    async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        try:
            await incoming.readuntil(b"\r\n\r\n")
            outgoing.write(data)
            await outgoing.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            outgoing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        async with client(timeout_s=5, verify_tls=False) as http:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
            await ask_json(http, "GET", url, timeout_s=5, max_bytes=100_000)
    except WebError as refused:
        assert str(refused).isprintable()
        assert len(str(refused)) < 200
    finally:
        server.close()
        await server.wait_closed()


def web_seeds() -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    bomb = gzip.compress(bytes(2_000_000))
    return [
        head + b"Content-Length: 2\r\n\r\n{}",
        head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb,
        head + b"Content-Encoding: br, deflate\r\nConnection: close\r\n\r\nxx",
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ]


TARGETS = (
    Target(
        "answers",
        "any JSON from a server of the house is read, or is its reader's own error",
        run_json,
        json_seeds,
        150,
    ),
    Target(
        "lines", "any text from a server or program is read, or is its reader's own error", run_lines, line_seeds, 60
    ),
    Target(
        "web", "any bytes instead of an HTTP answer are JSON within the size, or a WebError", run_web, web_seeds, 12
    ),
)
