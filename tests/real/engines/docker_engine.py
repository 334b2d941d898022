"""A real Docker engine for the tests that need one: Debian's, unpacked by deploy/real.sh, in a folder of its own.

It listens on a Unix socket only, changes no packet filter and no forwarding, and its mounts are in a namespace that
ends with it. Its one image is a file system with busybox in it; containers use the network of the machine.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

UNPACKED = Path(__file__).resolve().parents[3] / ".real" / "docker"
APPLETS = ("sh", "httpd", "sleep", "echo", "cat", "touch", "rm", "test", "seq", "true", "false", "kill")
START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class RealDocker:
    """``socket``: path of the engine's socket."""

    socket: Path
    http: httpx.Client

    def create(self, name: str, script: str, **more: Any) -> None:
        """A container of that name that runs a shell script; ``more``: as the API's ``/containers/create`` takes it."""
        body = {
            "Image": "box",
            "Cmd": ["/bin/sh", "-c", script],
            **more,
            "HostConfig": {"NetworkMode": "host", **more.get("HostConfig", {})},
        }
        self.http.post("/containers/create", params={"name": name}, json=body).raise_for_status()

    def run(self, name: str, script: str, **more: Any) -> None:
        """The same, started."""
        self.create(name, script, **more)
        self.http.post(f"/containers/{name}/start").raise_for_status()

    def inspect(self, name: str) -> Any:
        return self.http.get(f"/containers/{name}/json").raise_for_status().json()

    def wait(self, name: str) -> None:
        """Until it has ended."""
        self.http.post(f"/containers/{name}/wait", timeout=30.0).raise_for_status()

    def remove_all(self) -> None:
        for one in self.http.get("/containers/json", params={"all": "1"}).json():
            self.http.delete(f"/containers/{one['Id']}", params={"force": "1"})


@contextmanager
def docker_engine() -> Iterator[RealDocker]:
    """Started, with the image ``box``; it and its containers end with the block."""
    dockerd = UNPACKED / "usr" / "sbin" / "dockerd"
    if not dockerd.exists():
        pytest.fail(
            "There is no Docker engine in .real/docker: run `deploy/real.sh`, or `make test-real`.", pytrace=False
        )
    if os.geteuid() != 0:
        pytest.fail("A Docker engine has to be started by root: run these tests as root.", pytrace=False)
    folder = Path(tempfile.mkdtemp(prefix="docker-"))  # a short path: there are sockets in it
    process = _start(dockerd, folder)
    transport = httpx.HTTPTransport(uds=str(folder / "docker.sock"))
    try:
        with httpx.Client(transport=transport, base_url="http://docker", timeout=30.0) as http:
            _wait(http, process, folder / "log")
            http.post("/images/create", params={"fromSrc": "-", "repo": "box"}, content=_image()).raise_for_status()
            engine = RealDocker(folder / "docker.sock", http)
            try:
                yield engine
            finally:
                engine.remove_all()
    finally:
        process.send_signal(signal.SIGTERM)  # it ends its containerd itself
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def _start(dockerd: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [
        *("unshare", "--mount", str(dockerd), "--host", f"unix://{folder}/docker.sock"),
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--pidfile", str(folder / "pid"), "--storage-driver", "vfs", "--bridge", "none"),
        *("--iptables=false", "--ip6tables=false", "--ip-forward=false"),
        *("--default-ulimit", "nofile=1024:1024"),
    ]
    path = f"{UNPACKED}/usr/bin:{UNPACKED}/usr/sbin:{os.environ['PATH']}"
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )


def _wait(http: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as knock:
            listens = knock.connect_ex(str(log.with_name("docker.sock"))) == 0
        if listens:
            http.get("/_ping").raise_for_status()
            return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    pytest.fail(f"The Docker engine does not start:\n{tail}", pytrace=False)


def _image() -> bytes:
    """A root file system with busybox, as a tar archive."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for folder in ("bin", "tmp", "www"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(entry)
        tar.add(UNPACKED / "bin" / "busybox", "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return raw.getvalue()
