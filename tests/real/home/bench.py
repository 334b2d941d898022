"""``python -m tests.real.home.bench``: a real Home Assistant with a thousand entities, and what the connection costs.

An order is given in turns by Home Assistant's own HTTP interface and by ``home_control`` (names, rights, the act, a
look at what is true then, the record of it); the memory is that of a process of its own; and Home Assistant is killed
meanwhile. The exit code is 1 where a limit is passed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.real.home.house import Admin, House, house
from tests.real.home_assistant import bearer, wait_until_started
from tools.contract import Caller, Door
from tools.home.link import HomeAssistantLink, open_link
from tools.server import ToolHouse
from tools.settings import ToolSettings
from tools.settings_house import HomeAssistantSettings

THOUSAND = Path(__file__).resolve().parent / "thousand"
AREAS = 20
LAMPS = 200
"""Of the lamps, those that have an area."""
LIMIT_ABOVE_REST_MS = 60.0
LIMIT_MB = 50.0
LIMIT_NOTICED_S = 1.0
LIMIT_BACK_S = 5.0
WARM_UP = 5
OWNER = Caller(name="owner", role="owner", door=Door.MCP)


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``limit`` is None where there is none."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def passed(self) -> bool:
        return self.limit is None or self.value <= self.limit

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"limit {self.limit:g} {self.unit}: {'ok' if self.passed else 'PASSED'}"
        return f"{self.name:<58} {self.value:>9.2f} {self.unit:<3} {limit}"


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200, help="orders by each way")
    parser.add_argument("--memory", nargs=2, metavar=("URL", "TOKEN_FILE"), help="print the memory of a link as JSON")
    arguments = parser.parse_args()
    if arguments.memory:
        url, token_file = arguments.memory
        print(json.dumps(asyncio.run(memory(url, Path(token_file)))))  # noqa: T201 - for the process that asked
        return 0
    with tempfile.TemporaryDirectory() as folder, a_thousand(Path(folder) / "home") as home:
        figures = asyncio.run(measured(home, Path(folder), arguments.orders))
    print("\n".join(map(str, figures)))  # noqa: T201 - a command line
    return 0 if all(figure.passed for figure in figures) else 1


def a_thousand(folder: Path) -> Any:
    """The demo's house, and a thousand things besides."""
    components = folder / "custom_components"
    components.mkdir(parents=True)
    (components / "thousand").symlink_to(THOUSAND)
    platforms: dict[str, Any] = {kind: [{"platform": "thousand"}] for kind in ("light", "switch", "sensor")}
    return house(folder, more=platforms, furniture=None)


async def measured(home: House, folder: Path, orders: int) -> list[Figure]:
    async with home.admin() as admin:
        await _move_into_rooms(admin)
    await asyncio.to_thread(home.stop)  # what was furnished is written now
    await asyncio.to_thread(home.start)
    await asyncio.to_thread(wait_until_started, home.url, home.token)
    return [
        *await _sizes(home),
        *await _orders(home, folder / "state", orders),
        *await _killed(home, folder),
    ]


async def _move_into_rooms(admin: Admin) -> None:
    areas = [(await admin.command("config/area_registry/create", name=f"Room {n}"))["area_id"] for n in range(AREAS)]
    for number in range(LAMPS):
        entity = f"light.lamp_{number}"
        await admin.command(
            "config/entity_registry/update",
            entity_id=entity,
            area_id=areas[number % AREAS],
            aliases=[f"bulb {number}"],
        )


async def _sizes(home: House) -> list[Figure]:
    command = [sys.executable, "-m", "tests.real.home.bench", "--memory", home.url, str(home.token_file)]
    done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=120)
    found = json.loads(done.stdout)
    return [
        Figure("entities that are known", found["entities"], ""),
        Figure("connected, and everything known, after", found["ready_ms"], "ms"),
        Figure("names and states in memory (allocated)", found["allocated_mb"], "MB", LIMIT_MB),
        Figure("the same, as the process grew by connecting", found["resident_mb"], "MB", LIMIT_MB),
        Figure("the file with the names", found["file_mb"], "MB"),
    ]


async def memory(url: str, token_file: Path) -> dict[str, float]:
    """What this process grows by; first without, then with Python's own book-keeping, which costs memory itself."""
    settings = HomeAssistantSettings.model_validate({"url": url, "token_file": token_file})
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "names.json"
        gc.collect()
        before = _resident_mb()
        link, began = open_link(settings, kept), time.perf_counter()
        await link.ready(60)
        ready_ms = (time.perf_counter() - began) * 1000
        entities = len(link.entities)
        gc.collect()
        resident = _resident_mb() - before
        await link.close()
        file_mb = kept.stat().st_size / 2**20
        tracemalloc.start()
        counted = open_link(settings, Path(folder) / "others.json")
        await counted.ready(60)
        gc.collect()
        allocated = tracemalloc.get_traced_memory()[0] / 2**20
        tracemalloc.stop()
        await counted.close()
    return {
        "entities": entities,
        "ready_ms": ready_ms,
        "resident_mb": resident,
        "allocated_mb": allocated,
        "file_mb": file_mb,
    }


def _resident_mb() -> float:
    """Of this process, from Linux."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


async def _orders(home: House, state_dir: Path, orders: int) -> list[Figure]:
    """In turns, always to the other state, each by its own lamp."""
    settings = ToolSettings(home_assistant=home.settings())
    bare: list[float] = []
    tool: list[float] = []
    with ToolHouse(settings, state_dir) as tools:
        async with httpx.AsyncClient(base_url=home.url, headers=bearer(home.token), trust_env=False) as http:
            for number in range(orders + WARM_UP):
                action = "on" if number % 2 == 0 else "off"
                bare.append(await _by_rest(http, action))
                tool.append(await _by_tool(tools, action))
        for part in tools.listening:
            if isinstance(part, HomeAssistantLink):
                await part.close()
    bare, tool = bare[WARM_UP:], tool[WARM_UP:]
    return [
        Figure("bare REST call, p50", statistics.median(bare), "ms"),
        Figure("bare REST call, p95", _p95(bare), "ms"),
        Figure("home_control, p50", statistics.median(tool), "ms"),
        Figure("home_control, p95", _p95(tool), "ms"),
        Figure(
            "home_control above the bare call, p50",
            statistics.median(tool) - statistics.median(bare),
            "ms",
            LIMIT_ABOVE_REST_MS,
        ),
    ]


async def _by_rest(http: httpx.AsyncClient, action: str) -> float:
    began = time.perf_counter()
    answer = await http.post(f"/api/services/light/turn_{action}", json={"entity_id": "light.lamp_1"})
    taken = time.perf_counter() - began
    assert answer.json()[0]["state"] == action
    return taken * 1000


async def _by_tool(tools: ToolHouse, action: str) -> float:
    began = time.perf_counter()
    outcome = await tools.path.call("home_control", {"target": "lamp 2", "action": action}, OWNER)
    taken = time.perf_counter() - began
    assert outcome.result is not None, outcome
    assert action in outcome.result.spoken, outcome.result.spoken
    return taken * 1000


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


async def _killed(home: House, folder: Path) -> list[Figure]:
    """A lamp is on before; after a start all lamps there are off."""
    lamp, false = "light.lamp_3", 0
    link = open_link(home.settings(), folder / "names.json")
    await link.ready(60)
    await link.call("light", "turn_on", [lamp])
    assert await link.settled([lamp], lambda _, state: state.state == "on", 5)
    began = time.perf_counter()
    killing = asyncio.create_task(asyncio.to_thread(home.kill))
    while not link.trouble:  # noqa: ASYNC110 - what is looked at belongs to the code under test
        await asyncio.sleep(0.001)
    noticed = time.perf_counter() - began
    await killing
    starting = asyncio.create_task(asyncio.to_thread(_start, home))
    looks, running_at = 0, 0.0
    while link.trouble:
        await asyncio.sleep(0.001)
        looks += 1
        state = link.state(lamp)
        false += state is not None and (state.state == "on" or bool(link.trouble))
        if starting.done() and not running_at:
            running_at = time.perf_counter()
    back = time.perf_counter()
    await starting
    state = link.state(lamp)
    false += state is None or state.state != "off"
    await link.close()
    late = max(0.0, back - (running_at or back))
    return [
        Figure("killed: known to be away after", noticed, "s", LIMIT_NOTICED_S),
        Figure("started again: live after it says that it runs", late, "s", LIMIT_BACK_S),
        Figure(f"false states in {looks} looks meanwhile", false, "", 0),
    ]


def _start(home: House) -> None:
    home.start()
    wait_until_started(home.url, home.token)


if __name__ == "__main__":
    sys.exit(main())
