"""Faults survived: with the real process, each ends in a sentence that names the stage, no act twice, and recovery.

    python -m tests.trust.faults [NAME…]

A fault is made, somebody asks, and the answer has to come within twice the deadline of the table; then the fault is
taken away, and the same process has to answer well again by itself (after kill -9: the next one on the same state).
As root, for the disk that is full lies in a mount namespace of its own. ``docs/faults.md`` is the page.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.trust.fault_servers import Mode
from tests.trust.fault_world import World, happens, until
from tests.trust.report import Row, record

Kind = Literal["house", "disk", "here"]
"""Which process: with servers around it, on a disk of its own, or with ears, mouth and model inside."""

Ask = Callable[[World], Awaitable[str]]
Making = Callable[[World], AbstractAsyncContextManager[None]]

JOKE = "tell me a joke about servers"
"""No template and no tool answers it: it is the model's."""

TOLERANCE = 2.0
"""Times the deadline: the machine has other things to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``deadline_s``: from the question to the whole sentence, which matches ``says``; ``well``: what matches again
    once the fault is gone."""

    name: str
    kind: Kind
    stage: str
    deadline_s: float
    how: Making
    ask: Ask
    says: str
    well: str
    acts: str = ""
    """What must not have been done meanwhile, as the record of acts says it."""


@asynccontextmanager
async def nothing(_: World) -> AsyncIterator[None]:
    """The question itself makes the fault."""
    yield


def say(words: str) -> Ask:
    return lambda world: world.say(words)


def call(tool: str) -> Ask:
    return lambda world: world.call(tool)


def hear(world: World) -> Awaitable[str]:
    return world.hear()


def aloud(world: World) -> Awaitable[str]:
    return world.aloud()


def failing(server: str, mode: Mode) -> Making:
    return lambda world: getattr(world, server).failing(mode)


@asynccontextmanager
async def home_down(world: World) -> AsyncIterator[None]:
    await world.home_away()
    try:
        yield
    finally:
        await world.home_back()


def inside(world: World) -> Path:
    """The state folder as the process sees it."""
    return Path(f"/proc/{world.pid}/root{world.state}")


@asynccontextmanager
async def disk_full(world: World) -> AsyncIterator[None]:
    filler = inside(world) / "filler"
    with filler.open("wb", buffering=0) as writing:
        try:
            while True:
                writing.write(b"x" * 4_096)
        except OSError:
            pass
    try:
        yield
    finally:
        filler.unlink()


@asynccontextmanager
async def read_only(world: World) -> AsyncIterator[None]:
    """For the process, which has not root's right to write where it may not."""
    inside(world).chmod(0o500)
    try:
        yield
    finally:
        inside(world).chmod(0o700)


LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def locked(world: World) -> AsyncIterator[None]:
    """Another process holds the database."""
    command = ["nsenter", "-t", str(world.pid), "-m", sys.executable, "-c", LOCKER, str(world.state / "jarvis.db")]
    other = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert await other.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        other.stdin.close()
        await other.wait()


def damaged(name: str) -> Making:
    """A model file of the right size with nothing in it (another size is refused at the start), and its repair; the
    process must not have read it yet."""

    @asynccontextmanager
    async def how(world: World) -> AsyncIterator[None]:
        file = world.folder / "models" / name
        whole = file.resolve()
        await world.stop()
        file.unlink()
        with file.open("wb") as empty:
            empty.truncate(whole.stat().st_size)
        await world.start()
        try:
            yield
        finally:
            file.unlink()
            file.symlink_to(whole)

    return how


async def model_killed(world: World) -> str:
    """kill -9 of the embedded model in the middle of a question: what being out of memory comes to."""
    asking = asyncio.create_task(world.say(JOKE))
    await happens(lambda: embedded_child(world.pid))
    await asyncio.sleep(1.0)
    os.kill(embedded_child(world.pid), signal.SIGKILL)
    return await asking


def embedded_child(parent: int) -> int:
    """Its process id; 0 where there is none."""
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            if b"embedded_child" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return 0


async def killed_in_a_turn(world: World) -> str:
    """kill -9 while the model is being waited for; the next process knows what was known."""
    await world.say("set a timer for three hours", "timers")  # the joke is no word on that
    await until(lambda: world.say(JOKE), PLEASURE)  # it rests no more, whatever was made of it before
    async with world.model.failing("slow"):
        before = world.model.asked
        asking = asyncio.create_task(world.say(JOKE))
        await happens(lambda: world.model.asked > before)
        await world.killed()
        await asyncio.gather(asking, return_exceptions=True)
    return await world.say("list my timers", "timers")


async def killed_before_the_yes(world: World) -> str:
    """kill -9 while a question is open: the yes to it is nobody's any more."""
    assert await world.say("restart grafana") == "Shall I restart grafana?"
    await world.killed()
    return await world.say("yes")


async def killed_in_an_act(world: World) -> str:
    """kill -9 while systemctl restarts: it is not done again, and the audit says that nobody knows."""
    before = world.acts("restart")
    slow = world.folder / "acts.slow"
    slow.touch()
    await world.say("restart grafana")
    acting = asyncio.create_task(world.say("yes"))
    await happens(lambda: world.acts("restart") > before)
    await world.killed()
    await asyncio.gather(acting, return_exceptions=True)
    slow.unlink()
    said = await world.say("yes")
    assert world.acts("restart") == before + 1
    return said


async def killed_in_a_job(world: World) -> str:
    """kill -9 while a backup runs: it goes on, is not begun again, and is told."""
    before = world.acts("back-up")
    await world.say("run the photos backup")
    await happens(lambda: world.acts("back-up") > before)
    await world.killed()
    told = await until(lambda: world.say("list my timers"), "photos backup is done")
    assert world.acts("back-up") == before + 1
    return told


async def database_damaged(world: World) -> str:
    """Garbage over the middle of the database, found at the start."""
    await world.stop()
    file = world.state / "jarvis.db"
    with file.open("r+b") as writing:
        writing.seek(file.stat().st_size // 3)
        writing.write(os.urandom(file.stat().st_size // 3))
    await world.start()
    return await until(lambda: world.say("list my timers"), "database was damaged")


SUM = r"^That is"
GRAFANA = say("is grafana up?")
RESTART = say("restart grafana")
LAMP = say("is the desk lamp on?")
UP = r"^Grafana is up"
ASKED = r"^Shall I restart grafana"
PLEASURE = r"With pleasure"
MODEL = r"^The language model"
EARS = r"server that writes down what you say"
MOUTH = r"server of my voice"
KEPT = r"so I changed nothing"

Bad = tuple[tuple[Mode, str, float], ...]
"""How a server fails, in words, and the deadline in seconds."""

BAD_MODEL: Bad = (
    ("dead", "is dead", 5.0),
    ("slow", "is slow", 8.0),
    ("half", "closes in the middle of an answer", 5.0),
    ("html", "returns HTML", 5.0),
    ("error", "returns 500", 5.0),
    ("garbage", "returns garbage", 5.0),
    ("endless", "never stops", 10.0),
)
BAD_EARS: Bad = (("dead", "is dead", 8.0), ("slow", "hangs", 10.0), ("garbage", "returns garbage", 8.0))
BAD_VOICE: Bad = (("dead", "is dead", 5.0), ("slow", "hangs", 8.0), ("html", "returns HTML", 5.0))

FAULTS: tuple[Fault, ...] = (
    *(
        Fault(f"model server {what}", "house", "model", seconds, failing("model", mode), say(JOKE), MODEL, PLEASURE)
        for mode, what, seconds in BAD_MODEL
    ),
    *(
        Fault(f"recognition server {what}", "house", "transcript", seconds, failing("ears", mode), hear, EARS, UP)
        for mode, what, seconds in BAD_EARS
    ),
    *(
        Fault(f"speech server {what}", "house", "synthesis", seconds, failing("voice", mode), aloud, MOUTH, SUM)
        for mode, what, seconds in BAD_VOICE
    ),
    Fault("watcher hangs", "house", "tools", 8.0, failing("gatus", "slow"), GRAFANA, UP, UP),
    Fault("service down", "house", "tools", 8.0, failing("page", "dead"), GRAFANA, "^Grafana is down", UP),
    Fault("Home Assistant down", "house", "tools", 5.0, home_down, LAMP, "Home Assistant", "lamp in the office is"),
    *(
        Fault(
            f"MCP server {what}", "house", "tools", 10.0, nothing, call(f"weather_{tool}"), "^weather", r"^Sunny"
        )
        for tool, what in (("hangs", "hangs"), ("crashes", "crashes"), ("floods", "floods"), ("babbles", "babbles"))
    ),
    Fault("kill -9 during a turn", "house", "process", 90.0, nothing, killed_in_a_turn, "timer has", PLEASURE),
    Fault("kill -9 before the yes", "house", "process", 90.0, nothing, killed_before_the_yes, "hadn't asked", ASKED,
          "restart"),
    Fault("kill -9 during an act", "house", "process", 90.0, nothing, killed_in_an_act, "hadn't asked", ASKED),
    Fault("kill -9 during a job", "house", "process", 120.0, nothing, killed_in_a_job, "backup is done", UP),
    Fault("database damaged", "house", "state", 120.0, nothing, database_damaged, "database was damaged", ASKED),
    Fault("disk full", "disk", "state", 8.0, disk_full, RESTART, KEPT, ASKED, "restart"),
    Fault("state folder read-only", "disk", "state", 8.0, read_only, RESTART, KEPT, ASKED, "restart"),
    Fault("database locked by another process", "disk", "state", 20.0, locked, RESTART, KEPT, ASKED, "restart"),
    Fault("recognition model damaged", "here", "transcript", 60.0, damaged("whisper-base/model.bin"), hear,
          "Speech recognition can't be used", "Grafana"),
    Fault("voice model damaged", "here", "synthesis", 60.0, damaged("piper-en-us-joe/en_US-joe-medium.onnx"), aloud,
          "voice", SUM),
    Fault("model out of memory", "here", "model", 120.0, nothing, model_killed, MODEL, r"^(?!The language model)"),
)  # fmt: skip
"""All of them. A microphone that is unplugged is in tests/real/test_microphone.py, a kill during a migration in
tests/tools."""

RECOVERS: dict[str, Ask] = {
    "kill -9 during a turn": say(JOKE),
    "kill -9 before the yes": RESTART,
    "kill -9 during an act": RESTART,
    "kill -9 during a job": GRAFANA,
    "database damaged": RESTART,
    "model out of memory": say(JOKE),
    **{f"MCP server {what}": call("weather_forecast") for what in ("hangs", "crashes", "floods", "babbles")},
}
"""What is asked after the fault, where that is not the same."""

LOCAL = """
engine = "both"
[model]
embedded = "qwen2.5-coder-0.5b"
[services.grafana]
url = "{page}/"
"""


@asynccontextmanager
async def opened(kind: Kind) -> AsyncIterator[World]:
    """The process that the faults of this kind are made in."""
    with tempfile.TemporaryDirectory(prefix="jarvis-faults-") as made:
        folder = Path(made)
        if kind == "disk":
            mount = f'mount -t tmpfs -o size=6m,mode=700 state {folder}/state && exec "$@"'
            obeying = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # root, but bound by the modes
            world = World(folder, ["unshare", "-m", "sh", "-c", mount, "sh", *obeying])
        elif kind == "here":
            world = World(folder, environment={"JARVIS_MODELS": str(folder / "models")})
            world.copy_models()
            world.configuration = LOCAL
        else:
            world = World(folder)
        async with world.open():
            yield world


async def survive(world: World, fault: Fault) -> float:
    """Make the fault, and hold what is said against the table. Seconds until it was said. Raises AssertionError."""
    acts = world.acts(fault.acts) if fault.acts else 0
    async with fault.how(world):
        began = time.monotonic()
        said = await fault.ask(world)
        took_s = time.monotonic() - began
        assert re.search(fault.says, said), f"{fault.name}: it says {said!r}, not {fault.says!r}"
        assert took_s <= TOLERANCE * fault.deadline_s, f"{fault.name}: said after {took_s:.1f} s"
        if fault.acts:
            assert world.acts(fault.acts) == acts, f"{fault.name}: it acted all the same"
    again = RECOVERS.get(fault.name, fault.ask)
    await until(lambda: again(world), fault.well)
    await world.say("never mind")
    return took_s


async def survived(faults: Sequence[Fault]) -> dict[str, str]:
    """Why each fault was not survived; empty where it was."""
    outcome: dict[str, str] = {}
    for kind in dict.fromkeys(fault.kind for fault in faults):
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(opened(kind))
            for fault in (fault for fault in faults if fault.kind == kind):
                try:
                    took_s = await survive(world, fault)
                    outcome[fault.name] = ""
                    sys.stdout.write(f"{fault.name}: survived, {fault.stage} named after {took_s:.1f} s\n")
                except Exception as error:  # noqa: BLE001 - each is a line of the table, whatever it is
                    outcome[fault.name] = f"{type(error).__name__}: {error}"
                    sys.stdout.write(f"{fault.name}: NOT SURVIVED: {outcome[fault.name]}\n")
                sys.stdout.flush()
    return outcome


def main() -> int:
    """All of them, or those named; the row is recorded when all ran."""
    wanted = [fault for fault in FAULTS if not sys.argv[1:] or fault.name in sys.argv[1:]]
    outcome = asyncio.run(survived(wanted))
    well = sum(not why for why in outcome.values())
    sys.stdout.write(f"faults survived: {well} of {len(outcome)}\n")
    if not sys.argv[1:]:
        how = (
            "each made with the real process: the stage named in time, no act twice, well again without a restart;"
            " python -m tests.trust.faults"
        )
        record("faults", [Row("faults survived", f"{well} of {len(outcome)}", "all", well == len(outcome), how)])
    return well != len(outcome)


if __name__ == "__main__":
    sys.exit(main())
