"""Connections off-box: the main job in networks of its own, each connection that any process tried taken from strace.

    python -m tests.trust.offbox

Two networks: one with nothing but loopback, and one with an address in a house but no route out of it. Neither can
carry a connection out, but strace shows what was tried. As root, or where users may make network namespaces.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.egress import is_private
from assistant.models.store import default_models_dir
from tests.trust.report import Row, record

NETWORKS: Mapping[str, str] = {
    "only loopback": "ip link set lo up",
    "a house without a way out": "ip link set lo up && ip link add house type veth peer name wall"
    " && ip address add 192.168.77.2/24 dev house && ip link set house up && ip link set wall up",
}
"""Made in a new network namespace before the job begins."""

ROOT = Path(__file__).resolve().parents[2]
DNS_PORTS = frozenset({53, 853})
TIMEOUT_S = 600

_CALL = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(")
_V4 = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([0-9.]+)"\)')
_V6 = re.compile(r'sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([0-9a-fA-F:.]+)"')


@dataclass(frozen=True, slots=True)
class Tried:
    """One address that a process connected or sent to."""

    call: str
    address: str
    port: int

    @property
    def leaves(self) -> bool:
        """Whether it lies outside the house, or asks for a name."""
        return not is_private(self.address) or self.port in DNS_PORTS


@dataclass(frozen=True, slots=True)
class Job:
    """What the job answered, by door, and all that any of its processes tried."""

    answers: Mapping[str, str]
    tried: tuple[Tried, ...]

    @property
    def left(self) -> tuple[Tried, ...]:
        """What would have left the house."""
        return tuple(one for one in self.tried if one.leaves)


def tries(lines: Iterable[str]) -> Iterator[Tried]:
    """Addresses in a log of strace. Unix sockets and sockets that are connected already have none. Pure."""
    for line in lines:
        call = _CALL.search(line)
        if call is None:
            continue
        for found in (*_V4.finditer(line), *_V6.finditer(line)):
            yield Tried(call[1], found[2], int(found[1]))


def run_in(network: str, folder: Path) -> Job:
    """The whole job in one of NETWORKS. Raises RuntimeError when it cannot be run."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    job = f"{NETWORKS[network]} && exec {sys.executable} -m tests.trust.offbox_job {folder}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JARVIS_")}
    models = os.environ.get("JARVIS_MODELS", str(default_models_dir()))
    done = subprocess.run(
        ["unshare", *as_root, "--net", "sh", "-c", job],
        cwd=ROOT,
        env={**environment, "JARVIS_STATE": str(folder / "state"), "JARVIS_MODELS": models},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if done.returncode:
        raise RuntimeError(f"the job in a network with {network} ended with {done.returncode}: {done.stderr[-2_000:]}")
    logs = sorted(folder.glob("*.strace"))
    lines = (line for log in logs for line in log.read_text(encoding="utf-8", errors="replace").splitlines())
    return Job(json.loads(done.stdout), tuple(tries(lines)))


def row(jobs: Mapping[str, Job]) -> Row:
    """The line of the table."""
    tried = [one for job in jobs.values() for one in job.tried]
    left = [one for one in tried if one.leaves]
    how = (
        f"strace over clip, model and jarvis serve (text, wav, MCP) in {len(jobs)} networks without a way out: connects"
        " and datagrams to public addresses or for DNS, of all that were tried; python -m tests.trust.offbox"
    )
    return Row("connections off-box", f"{len(left)} of {len(tried)}", "0", not left and bool(tried), how)


def main() -> int:
    """Run it in both networks and record the row."""
    jobs = {}
    for network in NETWORKS:
        with tempfile.TemporaryDirectory(prefix="jarvis-offbox-") as folder:
            jobs[network] = run_in(network, Path(folder))
        for door, answer in jobs[network].answers.items():
            sys.stdout.write(f"{network}: {door}: {answer}\n")
        for one in jobs[network].left:
            sys.stdout.write(f"{network}: LEFT: {one}\n")
    counted = row(jobs)
    record("egress", [counted])
    sys.stdout.write(f"{counted.measure}: {counted.counted}\n")
    return not counted.passed


if __name__ == "__main__":
    sys.exit(main())
