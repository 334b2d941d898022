"""The conformance suite of the protocol's makers: against a served house, against our door, and against our client.

``python -m tests.real.mcp.conformance`` runs all of it, the scenarios of OAuth too, and says what passes (3 min).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.serving import serving

ROOT = Path(__file__).resolve().parent.parent.parent.parent
HERE = Path(__file__).resolve().parent
PROGRAM = ROOT / ".real" / "node_modules" / ".bin" / "conformance"
TIMEOUT_S = 300
CLIENT_TIMEOUT_S = 120
"""For one scenario: the suite starts all of them at once, and each is a Python of its own."""

CLIENT = f"{shlex.quote(sys.executable)} -m tests.real.mcp.client"

PROTOCOLS = ("2026-07-28", "2025-11-25", "2025-06-18")

CLIENT_SCENARIOS = (
    ("2026-07-28", "tools_call"),
    ("2026-07-28", "request-metadata"),
    ("2026-07-28", "http-standard-headers"),
    ("2026-07-28", "http-custom-headers"),
    ("2026-07-28", "http-invalid-tool-headers"),
    ("2026-07-28", "json-schema-ref-no-deref"),
    ("2025-11-25", "initialize"),
    ("2025-11-25", "sse-retry"),
    ("2025-06-18", "tools_call"),
)
"""Those that say most, for the tests; ``main`` runs them all."""

HOUSE = """
engine = "sentences"
[services.gitea]
url = "http://127.0.0.1:1/"
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of the program said. ``ok``: nothing failed but what the baseline says, and all of that did."""

    ok: bool
    said: str

    @property
    def passed(self) -> int:
        """Scenarios without a failure."""
        return len(set(re.findall(r"^✓ (\S+): [1-9]", self.said, re.MULTILINE)))

    @property
    def failed(self) -> int:
        """Scenarios with one, expected or not."""
        return len(set(re.findall(r"^✗ (\S+):", self.said, re.MULTILINE)))


def check_server(url: str, protocol: str, baseline: str) -> Report:
    """Every scenario of that protocol against the server at ``url``."""
    return _run("server", "--url", url, "--suite", "all", "--spec-version", protocol, baseline=baseline)


def check_client(protocol: str, scenario: str | None = None) -> Report:
    """One scenario, or every one of that protocol, against our client of outside servers."""
    which = ("--scenario", scenario) if scenario else ("--suite", "all")
    patience = ("--timeout", str(CLIENT_TIMEOUT_S * 1000))
    return _run("client", "--command", CLIENT, *which, "--spec-version", protocol, *patience, baseline="client")


@contextmanager
def fixture_server() -> Iterator[str]:
    """The suite's own tools behind our door; the URL."""
    command = [sys.executable, "-m", "tests.real.mcp.fixture_server"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the fixture server did not start"
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _run(role: str, *options: str, baseline: str) -> Report:
    node = ROOT / ".real" / "python" / "bin"
    with tempfile.TemporaryDirectory() as results:
        done = subprocess.run(
            [PROGRAM, role, *options, "--expected-failures", HERE / f"{baseline}.yaml", "--output-dir", results],
            env={**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}", "NODE_NO_WARNINGS": "1"},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    return Report(done.returncode == 0, done.stdout)


def main() -> int:
    """Run everything; 0 where all is as the baselines say."""
    reports: list[Report] = []

    def tell(what: str, report: Report) -> None:
        reports.append(report)
        fit = "as expected" if report.ok else "NOT as expected"
        sys.stdout.write(f"{what:28} {report.passed:3} scenarios pass, {report.failed:3} do not: {fit}\n")
        if not report.ok:
            sys.stdout.write(report.said[report.said.find("SUMMARY") :])

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), HOUSE) as served:
        for protocol in PROTOCOLS:
            tell(f"jarvis serve    {protocol}", check_server(f"{served.url}/mcp", protocol, "served"))
    with fixture_server() as url:
        for protocol in PROTOCOLS:
            tell(f"our door        {protocol}", check_server(url, protocol, "door"))
    for protocol in PROTOCOLS:
        tell(f"our client      {protocol}", check_client(protocol))
    return 0 if all(report.ok for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
