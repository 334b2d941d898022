"""Every check of the doctor: that it is there, bounded in time, changes nothing, and says the mend where it fails."""

from __future__ import annotations

import http.server
import json
import os
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant.cli import doctor_access as access
from assistant.cli import doctor_list
from assistant.cli import doctor_machine as machine
from assistant.cli import doctor_network as network
from assistant.cli import doctor_service as service
from assistant.cli import doctor_state as state
from assistant.cli.common import House
from assistant.cli.doctor_check import Check, Examination, looks
from assistant.config import Settings
from assistant.tokens import FILE_NAME, Token, TokenStore
from tests.cli.conftest import Jarvis
from tools.keeping.copies import make_copy
from tools.store import Store

ROOT = Path(__file__).parents[2]

NAMES = [
    "python", "packages", "clock", "clock sync", "timezone", "configuration", "configuration file", "secret files",
    "state folder", "disk", "memory", "swap", "databases", "database versions", "copies", "damage", "audit", "models",
    "model hashes", "restic", "borg", "backup passwords", "sound library", "microphone", "loudspeaker", "chat model",
    "speech servers", "server", "wyoming", "address", "allowed hosts", "tokens", "spoken PIN", "dns", "home assistant",
    "push", "watchers", "outside MCP servers", "satellites", "heartbeat", "debug recording", "service",
    "service security", "watchdog", "egress guard", "hosts outside", "telemetry",
]  # fmt: skip

Patch = pytest.MonkeyPatch

SLOW = {"chat model", "speech servers", "model hashes", "sound library", "microphone", "loudspeaker", "heartbeat",
        "debug recording"}  # fmt: skip
"""They load much, and know nothing of the state folder."""


def house(folder: Path, **settings: Any) -> House:
    return House(Settings.model_validate({"state_dir": folder / "state", **settings}), demo=False)


def secret(path: Path, text: str = "a secret", mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def entry() -> dict[str, str]:
    return {"who": "anna", "role": "owner", "door": "cli", "tool": "x", "arguments": "{}", "decision": "allowed",
            "outcome": "ok"}  # fmt: skip


def lived(folder: Path) -> Path:
    path = folder / "state" / "jarvis.db"
    with Store(path) as store:
        store.audit(entry())
        store.audit(entry())
    return path


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@contextmanager
def answering(status: int) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# ── the list ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_of_checks() -> None:
    assert [check.name for check in doctor_list.CHECKS] == NAMES


def test_the_page_has_the_table_of_the_code() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    _, _, table = page.partition("<!-- generated: tests/cli/test_doctor_checks.py compares it -->\n")
    assert table == doctor_list.markdown(), "put doctor_list.markdown() below the mark"


def test_it_lists_its_checks_without_making_one(jarvis: Jarvis) -> None:
    told = json.loads(jarvis("doctor", "--list", "--json").stdout)
    assert [one["name"] for one in told] == NAMES
    assert all(one["about"] and one["deadline_s"] <= 60 for one in told)


def test_no_check_changes_anything_in_the_state_folder(tmp_path: Path) -> None:
    lived(tmp_path)
    make_copy(tmp_path / "state" / "jarvis.db", time.time())
    before = snapshot(tmp_path)
    here = house(tmp_path)
    for check in doctor_list.CHECKS:
        if check.name not in SLOW:
            assert check(here).name == check.name
    assert snapshot(tmp_path) == before


def test_a_state_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for check in (state.state_folder, state.databases, state.copies, state.damage, state.audit, access.tokens):
        assert check(house(tmp_path)).status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_hangs_is_left_after_its_deadline(tmp_path: Path) -> None:
    let_go = threading.Event()

    def hang(_: House) -> Check:
        let_go.wait(60)
        return Check("slow", "ok", "")

    found = looks("slow", "nothing", deadline_s=0.05)(hang)(house(tmp_path))
    let_go.set()
    assert (found.name, found.status, found.detail) == ("slow", "warning", "there was no answer within 0.05 s")
    assert "hangs" in found.mend


def test_a_check_that_breaks_is_a_finding(tmp_path: Path) -> None:
    def broken(_: House) -> Check:
        raise KeyError("a secret")

    found = looks("odd", "nothing")(broken)(house(tmp_path))
    assert (found.status, found.detail) == ("warning", "the check broke: KeyError")


# ── what fails, and its mend ──────────────────────────────────────────────────────────────────────────────────────

Case = tuple[Examination, str, str, Callable[[Path, Patch], House]]


def damaged(folder: Path, _: Patch) -> House:
    path = lived(folder)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    return house(folder)


def newer(folder: Path, _: Patch) -> House:
    with closing(sqlite3.connect(lived(folder))) as db:
        db.execute("PRAGMA user_version=99")
    return house(folder)


def tampered(folder: Path, _: Patch) -> House:
    with closing(sqlite3.connect(lived(folder), isolation_level=None)) as db:
        db.execute("DROP TRIGGER audit_is_append_only_update")
        db.execute("UPDATE audit SET who = 'nobody' WHERE id = 1")
    return house(folder)


def old_copy(folder: Path, _: Patch) -> House:
    make_copy(lived(folder), time.time() - 10 * 86400)
    return house(folder)


def no_copy(folder: Path, _: Patch) -> House:
    os.utime(lived(folder), (1, 1))
    return house(folder)


def set_aside(folder: Path, _: Patch) -> House:
    (folder / "state" / "damaged").mkdir(parents=True)
    (folder / "state" / "damaged" / "traces-20270101T000000.db").touch()
    return house(folder)


def tokens(**about: Any) -> Callable[[Path, Patch], House]:
    def make(folder: Path, _: Patch) -> House:
        store = TokenStore(folder / "state" / FILE_NAME, clock=lambda: time.time() - 100 * 86400)
        store.create(Token(name="phone", role="owner", **about))
        return house(folder)

    return make


def with_file(text: str, mode: int, **settings: str) -> Callable[[Path, Patch], House]:
    """Settings in which FILE stands for a file that holds this text."""

    def make(folder: Path, _: Patch) -> House:
        file = secret(folder / "file", text, mode)
        return house(folder, **json.loads(json.dumps(settings).replace("FILE", file)))

    return make


def settings(**values: Any) -> Callable[[Path, Patch], House]:
    return lambda folder, _: house(folder, **values)


def patched(target: object, name: str, value: object, **values: Any) -> Callable[[Path, Patch], House]:
    def make(folder: Path, patch: Patch) -> House:
        patch.setattr(target, name, value)
        return house(folder, **values)

    return make


def meminfo(text: str) -> Callable[[Path, Patch], House]:
    def make(folder: Path, patch: Patch) -> House:
        (folder / "meminfo").write_text(text)
        patch.setattr(machine, "MEMINFO", folder / "meminfo")
        return house(folder)

    return make


def unit(text: str, exposure: str = "", enabled: str = "enabled") -> Callable[[Path, Patch], House]:
    def make(folder: Path, patch: Patch) -> House:
        (folder / "units").mkdir()
        (folder / "units" / service.UNIT).write_text(text)
        (folder / "bin").mkdir()
        for name, says in (("systemctl", enabled), ("systemd-analyze", exposure)):
            program = folder / "bin" / name
            program.write_text(f"#!/bin/sh\necho '{says}'\n")
            program.chmod(0o755)
        patch.setenv("PATH", str(folder / "bin"), prepend=":")
        patch.setattr(service, "SYSTEM", folder / "units")
        return house(folder)

    return make


def environment(name: str, value: str | None) -> Callable[[Path, Patch], House]:
    def make(folder: Path, patch: Patch) -> House:
        patch.setenv(name, value) if value is not None else patch.delenv(name, raising=False)
        return house(folder)

    return make


def without_programs(**values: Any) -> Callable[[Path, Patch], House]:
    def make(folder: Path, patch: Patch) -> House:
        patch.setenv("PATH", str(folder))
        return house(folder, **values)

    return make


def open_folder(folder: Path, _: Patch) -> House:
    (folder / "state").mkdir(mode=0o755)
    (folder / "state").chmod(0o755)
    return house(folder)


def file_for_a_folder(folder: Path, _: Patch) -> House:
    (folder / "state").write_text("a file")
    return house(folder)


def read_only(folder: Path, patch: Patch) -> House:
    class Told:
        f_flag = os.ST_RDONLY

    patch.setattr("assistant.cli.doctor_state.os.statvfs", lambda _: Told)
    return house(folder)


def open_configuration(folder: Path, patch: Patch) -> House:
    secret(folder / "jarvis.toml", "", 0o666)
    patch.setenv("JARVIS_CONFIG", str(folder / "jarvis.toml"))
    return house(folder)


def nobody_at(**values: Any) -> Callable[[Path, Patch], House]:
    """Settings in which URL is an address of this machine where nobody answers."""

    def make(folder: Path, _: Patch) -> House:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        secret(folder / "token")
        raw = json.dumps(values).replace("URL", url).replace("FILE", str(folder / "token"))
        return house(folder, **json.loads(raw))

    return make


JOB = {"kind": "borg", "repository": "/nowhere"}
CASES: list[Case] = [
    (machine.packages, "broken", "make setup", patched(machine, "requires", lambda _: ["no-such-package>=1"])),
    (machine.python, "broken", "3.11 or newer", patched(sys, "version_info", (3, 10))),
    (machine.clock, "broken", "NTP", patched(machine, "EARLIEST_CLOCK", 1e12)),
    (machine.clock_sync, "warning", "timedatectl set-ntp", patched(machine, "kernel_clock", lambda: 5)),
    (machine.timezone, "broken", "Europe/Berlin", environment("TZ", "Nowhere/At_All")),
    (machine.timezone, "warning", "timedatectl set-timezone", environment("TZ", "/no/such/file")),
    (machine.disk, "warning", "Free some space", patched(machine, "MIN_FREE_BYTES", 1 << 62)),
    (machine.memory, "warning", "--small", patched(machine, "MIN_MEMORY_BYTES", 1 << 62)),
    (machine.swap, "warning", "mkswap", meminfo("MemTotal: 4000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")),
    (machine.swap, "warning", "more memory", meminfo("MemTotal: 9000000 kB\nSwapTotal: 900 kB\nSwapFree: 100 kB\n")),
    (machine.dns, "warning", "resolvectl", settings(watchers={"k": {"kind": "beszel", "url": "http://no-such.lan"}})),
    (machine.restic, "broken", "apt-get install restic", without_programs(backups={"a": JOB | {"kind": "restic"}})),
    (machine.borg, "broken", "apt-get install borgbackup", without_programs(backups={"a": JOB})),
    (machine.microphone, "broken", "mend `microphone`", settings(microphone="No Such Device")),
    (machine.loudspeaker, "broken", "mend `loudspeaker`", settings(loudspeaker="No Such Device")),
    (state.state_folder, "warning", "chmod 700", open_folder),
    (state.state_folder, "broken", "JARVIS_STATE", file_for_a_folder),
    (state.state_folder, "broken", "writable", read_only),
    (state.databases, "broken", "jarvis serve", damaged),
    (state.database_versions, "broken", "jarvis state rollback", newer),
    (state.copies, "warning", "jarvis state backup", old_copy),
    (state.copies, "warning", "jarvis state backup", no_copy),
    (state.damage, "warning", "smartctl", set_aside),
    (state.audit, "broken", "jarvis audit verify", tampered),
    (state.models, "broken", "jarvis models pull", lambda folder, _: house(folder, models_dir=str(folder))),
    (state.password_files, "broken", "for nobody else", settings(backups={"a": JOB | {"password_file": "/none"}})),
    (access.secret_files, "broken", "mend its path", settings(server={"tokens_file": "/no/such/file"})),
    (access.secret_files, "warning", "chmod 600", with_file("x", 0o644, model={"api_key_file": "FILE"})),  # type: ignore[arg-type]
    (access.secret_files, "warning", "chmod 600",
     with_file("x", 0o640, backups={"a": JOB | {"credentials": {"AWS_SECRET": "FILE"}}})),  # type: ignore[arg-type]
    (access.configuration_file, "broken", "chmod go-w", open_configuration),
    (access.tokens, "warning", "jarvis token revoke 'phone'", tokens(expires=1.0)),
    (access.tokens, "warning", "not used for three months", tokens()),
    (access.spoken_pin, "broken", "chmod 600", with_file("1234", 0o644, access={"pin_file": "FILE"})),  # type: ignore[arg-type]
    (access.spoken_pin, "broken", "four to twelve digits", with_file("abc", 0o600, access={"pin_file": "FILE"})),  # type: ignore[arg-type]
    (access.address, "broken", "jarvis token create", settings(server={"host": "192.168.1.5"})),
    (access.address, "warning", "one network",
     with_file("x", 0o600, server={"host": "0.0.0.0", "tokens_file": "FILE"})),  # type: ignore[arg-type]
    (access.allowed_hosts, "broken", "no *", settings(server={"allowed_hosts": ["*"]})),
    (access.allowed_hosts, "broken", "no http://", settings(server={"allowed_hosts": ["http://jarvis.lan"]})),
    (network.hosts_outside, "warning", "without *", settings(privacy={"allow_hosts": ["*.example.org"]})),
    (network.hosts_outside, "warning", "need no permission", settings(privacy={"allow_hosts": ["nas.lan"]})),
    (network.telemetry, "broken", "turned it on again", environment("DO_NOT_TRACK", "0")),
    (network.wyoming, "warning", "allow_clients", settings(wyoming={"enabled": True, "host": "192.168.1.5"})),
    (network.chat_model, "broken", "", nobody_at(model={"base_url": "URL/v1"})),
    (network.speech_servers, "broken", "", nobody_at(transcriber={"engine": "openai", "url": "URL/v1"})),
    (network.home_assistant, "broken", "`url`", nobody_at(home_assistant={"url": "URL", "token_file": "FILE"})),
    (network.home_assistant, "broken", "Write a token",
     settings(home_assistant={"url": "http://ha.lan", "token_file": "/no/such/file"})),
    (network.push, "broken", "its `url` is right", nobody_at(ntfy={"url": "URL"})),
    (network.watchers, "warning", "its `url` is right", nobody_at(watchers={"k": {"kind": "beszel", "url": "URL"}})),
    (network.mcp_servers, "broken", "`command`", settings(mcp_servers={"notes": {"command": ["/no/such/program"]}})),
    (state.satellites, "warning", "jarvis serve", settings(find_satellites=True)),
    (service.service, "warning", "jarvis service install",
     patched(service, "SYSTEM", Path("/nonexistent"))),
    (service.service, "warning", "enable --now", unit("", enabled="disabled")),
    (service.service, "broken", "jarvis service logs", unit("", enabled="failed")),
    (service.service_security, "warning", "hardened",
     unit("", exposure="Overall exposure level for jarvis.service: 6.1 MEDIUM")),
    (service.watchdog, "warning", "jarvis service install", unit("[Service]\n")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "status", "mend", "make"), CASES, ids=[f"{n}-{case[0].name}" for n, case in enumerate(CASES)]
)
def test_a_check_that_fails_says_the_mend(
    check: Examination,
    status: str,
    mend: str,
    make: Callable[[Path, Patch], House],
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    monkeypatch.setattr(service, "USER", tmp_path / "no-units")
    found = check(make(tmp_path, monkeypatch))
    assert (found.status, found.name) == (status, check.name), found
    assert mend in found.mend
    assert found.mend, found
    assert "check broke" not in found.detail


def test_without_its_guard_the_doctor_says_so(tmp_path: Path, monkeypatch: Patch) -> None:
    from assistant import egress

    monkeypatch.setattr(egress, "_guard", None)
    assert network.egress_guard(house(tmp_path)).status == "broken"
    monkeypatch.setattr(egress, "_guard", egress.Guard())
    monkeypatch.setattr(egress, "_hooked", True)


def test_home_assistant_that_does_not_take_the_token(tmp_path: Path) -> None:
    secret(tmp_path / "token")
    with answering(401) as url:
        found = network.home_assistant(house(tmp_path, home_assistant={"url": url, "token_file": tmp_path / "token"}))
    assert (found.status, "long-lived token" in found.mend) == ("broken", True)


def test_what_is_well_is_ok(tmp_path: Path, monkeypatch: Patch) -> None:
    path = lived(tmp_path)
    make_copy(path, time.time())
    secret(tmp_path / "token")
    secret(tmp_path / "pin", "4711")
    with answering(200) as url:
        here = house(
            tmp_path,
            home_assistant={"url": url, "token_file": str(tmp_path / "token")},
            ntfy={"url": url},
            watchers={
                "kuma": {"kind": "beszel", "url": url},
                "ups": {"kind": "nut", "url": url.replace("http", "tcp")},
            },
            access={"pin_file": str(tmp_path / "pin")},
            server={"allowed_hosts": ["jarvis.lan", "jarvis.lan:8443"]},
            privacy={"allow_hosts": ["api.example.org"]},
        )
        for check in (
            network.home_assistant, network.push, network.watchers, access.spoken_pin, access.allowed_hosts,
            access.secret_files, access.address, network.hosts_outside, state.databases, state.database_versions,
            state.copies, state.damage, state.audit, state.state_folder, machine.timezone, network.wyoming,
        ):  # fmt: skip
            found = check(here)
            assert found.status == "ok", found
    unit("[Service]\nWatchdogSec=60\n", "Overall exposure level for jarvis.service: 2.1 OK", "active")(
        tmp_path, monkeypatch
    )
    for check in (service.service, service.service_security, service.watchdog):
        assert check(here).status == "ok"
