"""``python -m tests.tools.services_bench``: how long ``check_services`` takes over sixty services and six watchers.

Once with all of them answering, once with one watcher that takes the connection and never says a word. The services and
the watchers are small servers in a process of their own, in the documented forms of the real ones; the libraries for
HTTP are loaded, as they are in the assistant. What is printed are the median, the first and the slowest of the rounds.
The exit code is 1 where the median of the first measure or the slowest round of the second misses its limit, or an
answer is not complete.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.tools.services.house_process import HANGING, KINDS, PASSWORD
from tools.contract import PlannedCall, ToolResult
from tools.names import NameIndex
from tools.services.tool import CheckServices
from tools.settings import ToolSettings
from tools.store import Store

SERVICES = 60
LIMIT_ALL_S = 0.3
LIMIT_HANGING_S = 3.2


@dataclass(frozen=True)
class Measured:
    """``seconds`` of each round, and of the processor; and what was wrong with any of the answers."""

    seconds: Sequence[float]
    cpu_seconds: Sequence[float]
    wrong: Sequence[str]


@contextmanager
def house(count: int, *, hanging: bool) -> Iterator[dict[str, str]]:
    """URLs by name; the process is ended with the block."""
    command = [
        sys.executable,
        "-m",
        "tests.tools.services.house_process",
        str(count),
        *(["hanging"] if hanging else []),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate("")


def settings_of(urls: Mapping[str, str], folder: Path, deadline_s: float | None = None) -> ToolSettings:
    """The catalogue and the watchers; with a deadline no watcher has a limit of its own below it."""
    password = folder / "password"
    password.write_text(PASSWORD)
    watchers: dict[str, dict[str, Any]] = {name: {"kind": kind, "url": urls[name]} for name, kind in KINDS.items()}
    watchers["kuma"]["password_file"] = password
    watchers["the status page"]["status_page"] = "house"
    watchers["beszel"] |= {"username": "me@house.lan", "password_file": password}
    services = {name: {"url": url} for name, url in urls.items() if name.startswith("service ")}
    if deadline_s is None:
        return ToolSettings.model_validate({"services": services, "watchers": watchers})
    patient = {name: {**watcher, "timeout_s": 30} for name, watcher in watchers.items()}
    return ToolSettings.model_validate({"services": services, "watchers": patient, "services_deadline_s": deadline_s})


async def measure(urls: Mapping[str, str], rounds: int, *, hanging: bool, deadline_s: float | None = None) -> Measured:
    """Ask again and again with one tool, as an assistant does."""
    seconds, cpu_seconds, wrong = [], [], []
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "jarvis.db") as store:
        settings = settings_of(urls, Path(folder), deadline_s)
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.get(urls["service 0"])
        tool = CheckServices(settings, NameIndex.from_settings(settings), store)
        for _ in range(rounds):
            began, cpu = time.perf_counter(), time.process_time()
            result = await tool.execute(PlannedCall(tool=tool.name))
            seconds.append(time.perf_counter() - began)
            cpu_seconds.append(time.process_time() - cpu)
            wrong += faults(result, len(settings.services), hanging=hanging)
        await tool.aclose()
    return Measured(seconds, cpu_seconds, wrong)


def faults(result: ToolResult, count: int, *, hanging: bool) -> list[str]:
    """What the answer should have been and is not."""
    found = []
    if result.data["counts"]["up"] != count:
        found.append(f"counts are {result.data['counts']}")
    by_name = {watcher["watcher"]: watcher for watcher in result.data["watchers"]}
    for name in KINDS:
        if name == HANGING and hanging:
            if by_name[name]["believed"] or "The slow one does not answer." not in result.spoken:
                found.append(f"{name} is believed: {result.spoken}")
        elif by_name[name].get("services") != count:
            found.append(f"{name} told of {by_name[name]}")
    return found


def main() -> int:
    """Print what was measured; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description="Measure check_services.")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    missed = 0
    for hanging, limit_s, rounds in ((False, LIMIT_ALL_S, given.rounds), (True, LIMIT_HANGING_S, 3)):
        with house(SERVICES, hanging=hanging) as urls:
            measured = asyncio.run(measure(urls, rounds, hanging=hanging))
        words = "one watcher hangs" if hanging else "all answer"
        median, slowest = statistics.median(measured.seconds), max(measured.seconds)
        print(  # noqa: T201 - a command
            f"{SERVICES} services, {len(KINDS)} watchers, {words}: median {median:.3f} s, "
            f"first {measured.seconds[0]:.3f} s, slowest {slowest:.3f} s of {rounds} (limit {limit_s:g} s); "
            f"processor {statistics.median(measured.cpu_seconds):.3f} s"
        )
        for fault in measured.wrong:
            print(f"  wrong: {fault}")  # noqa: T201
        missed += (slowest if hanging else median) > limit_s or bool(measured.wrong)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
