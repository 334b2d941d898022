"""``service_power`` over engines that do what a test says: what is done, and what is said to be true after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.tools.engines.fake_engine import FakeEngine
from tests.tools.services.http_server import Answer, Request, always, serving
from tools.contract import Level, PlannedCall, Severity, ToolResult
from tools.engines.port import Engine, EngineError, Unit
from tools.names import NameIndex
from tools.services import coming_back, power
from tools.services.power import ServicePower, ServicePowerArguments
from tools.services.power_sayings import after, ending
from tools.settings import ToolSettings
from tools.tool import UnavailableError


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for real here: everything settles at once."""
    monkeypatch.setattr(coming_back, "SETTLE_S", 0.02)
    monkeypatch.setattr(coming_back, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(coming_back, "LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr(power, "ANSWER_WITHIN_S", {"start": 0.3, "stop": 0.3, "restart": 0.6})


def tool(*engines: FakeEngine, **service: Any) -> ServicePower:
    settings = ToolSettings.model_validate({"services": {"jellyfin": service}})
    known: dict[str, Engine] = {engine.name: engine for engine in engines}
    return ServicePower(settings, NameIndex.from_settings(settings), known)


async def do(action: str, *engines: FakeEngine, **service: Any) -> ToolResult:
    arguments = {"service": "jellyfin", "action": action}
    return await tool(*engines, **service).execute(PlannedCall(tool="service_power", arguments=arguments))


def became(**changes: Any) -> Callable[[Unit], Unit]:
    return lambda unit: replace(unit, **changes)


@pytest.mark.parametrize(
    "action, level", [("start", Level.OPERATE), ("stop", Level.DESTRUCTIVE), ("restart", Level.DESTRUCTIVE)]
)
def test_only_a_start_goes_without_a_yes(action: Any, level: Level) -> None:
    planned = tool(protected=True).plan(ServicePowerArguments(service="jelly fin", action=action))

    assert isinstance(planned, PlannedCall)
    assert (planned.level, planned.protected, planned.readback) == (level, True, f"{action} jellyfin")


async def test_without_an_engine_it_says_what_to_set_up() -> None:
    with pytest.raises(UnavailableError, match=r"under \[engines\]\.$"):
        await do("start")


async def test_a_restart_that_went_well() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    told = await do("restart", engine)

    assert engine.orders == [("restart", "jellyfin")]
    assert told.spoken == "Jellyfin is running again, within a second."
    assert (told.findings, told.data["as_wanted"], told.tainted) == ((), True, False)


async def test_a_restart_is_not_believed_before_the_unit_has_been_started_anew() -> None:
    """systemd queues the order: for a moment the unit is still as it was."""
    engine = FakeEngine()
    engine.add("jellyfin")
    engine.after["restart"] = [became()] * 5 + [
        became(running=False, said="stopping"), became(running=False, said="starting", health="starting"),
        became(since=300.0),
    ]  # fmt: skip
    told = await do("restart", engine)

    assert told.spoken == "Jellyfin is running again, within a second."
    assert engine.known["jellyfin"].since == 300.0


async def test_one_that_never_was_started_anew_is_not_said_to_be() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    engine.after["restart"] = [became()]
    told = await do("restart", engine)

    assert told.spoken == "Jellyfin is running, and I can't see that it was restarted."
    assert told.data["as_wanted"] is False


async def test_it_is_back_when_it_answers_and_not_before() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    async with serving(always(b"hello")) as server:
        assert (await do("restart", engine, url=server.url)).data["answers"] is True
    told = await do("restart", engine, url=server.url)

    assert told.spoken == "Jellyfin is running again, but it does not answer yet: the connection is refused."
    assert told.findings[0].subject == "jellyfin"


async def test_one_that_answers_after_a_while_is_waited_for() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    asked = 0

    async def warming_up(_: Request) -> Answer:
        nonlocal asked
        asked += 1
        return Answer(b"", 200 if asked > 4 else 503)

    async with serving(warming_up) as server:
        told = await do("restart", engine, url=server.url)
    assert (told.spoken, told.data["answers"]) == ("Jellyfin is running again, within a second.", True)


async def test_an_answer_that_means_down_is_none() -> None:
    engine = FakeEngine()
    engine.add("jellyfin", running=False)
    async with serving(always(b"", 502)) as server:
        told = await do("start", engine, url=server.url)

    assert told.spoken == "Jellyfin is running, but it does not answer yet: it answers with HTTP status 502."


@pytest.mark.parametrize(
    "state, said",
    [
        ({"running": False, "said": "exited", "exit_code": 1}, "Jellyfin did not start: it ended with exit code one."),
        ({"running": False, "said": "exited", "exit_code": 137}, "Jellyfin did not start: it was killed."),
        ({"running": False, "said": "exited", "exit_code": 0},
         "Jellyfin was started, and has ended by itself without an error."),
        ({"running": False, "said": "failed"}, "Jellyfin did not start: it is not running."),
        ({"running": False, "said": "restarting", "exit_code": 78},
         "Jellyfin keeps restarting: it ended with exit code 78."),
        ({"running": False, "said": "starting", "health": "starting"}, "Jellyfin is still starting."),
        ({"running": False, "said": "masked"}, "Jellyfin did not start: its unit is masked."),
        ({"running": True, "said": "running", "health": "starting"}, "Jellyfin is running. It's still starting up."),
        ({"running": True, "said": "running", "health": "unhealthy"},
         "Jellyfin is running, but its own health check fails."),
    ],
)  # fmt: skip
async def test_what_is_true_after_a_start_is_what_is_said(state: dict[str, Any], said: str) -> None:
    engine = FakeEngine()
    engine.add("jellyfin", running=False)
    engine.after["start"] = [became(**state)]
    told = await do("start", engine)

    assert told.spoken == said
    assert told.data["as_wanted"] is False
    assert [finding.severity for finding in told.findings] == [
        Severity.NOTICE if "still starting" in said else Severity.WARNING
    ]


@pytest.mark.parametrize(
    "action, unit, said",
    [
        ("start", {"running": True}, "Jellyfin is running already."),
        ("start", {"running": True, "health": "starting"}, "Jellyfin is starting already."),
        ("start", {"running": True, "health": "unhealthy"},
         "Jellyfin is running already, but its own health check fails."),
        ("stop", {"running": False}, "Jellyfin is stopped already."),
    ],
)  # fmt: skip
async def test_what_is_so_already_is_said_and_nothing_is_done(action: str, unit: dict[str, Any], said: str) -> None:
    engine = FakeEngine()
    engine.add("jellyfin", **unit)
    told = await do(action, engine)

    assert told.spoken == said
    assert engine.orders == []
    assert told.data["acted"] is False


async def test_what_runs_already_and_does_not_answer_is_said_not_to() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    async with serving(always(b"hello")) as server:
        assert (await do("start", engine, url=server.url)).spoken == "Jellyfin is running already."
    told = await do("start", engine, url=server.url)

    assert told.spoken == "Jellyfin is running already, but it does not answer: the connection is refused."
    assert (engine.orders, len(told.findings)) == ([], 1)


async def test_an_engine_that_hangs_costs_only_its_share_of_the_time() -> None:
    class Hanging(FakeEngine):
        async def units(self) -> Sequence[Unit]:
            await asyncio.Event().wait()
            return []

    engine = FakeEngine()
    engine.add("jellyfin", running=False)
    assert (await do("start", engine, Hanging("nas"))).spoken == "Jellyfin is running, within a second."


async def test_what_restarts_again_and_again_can_be_stopped() -> None:
    engine = FakeEngine()
    engine.add("jellyfin", running=False, said="restarting")
    told = await do("stop", engine)

    assert (engine.orders, told.spoken) == ([("stop", "jellyfin")], "Jellyfin is stopped.")


async def test_what_is_gone_once_it_was_stopped_is_stopped() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    engine.after["stop"] = ()
    told = await do("stop", engine)

    assert (told.spoken, told.data["state"]) == ("Jellyfin is stopped.", "gone")


async def test_what_does_not_stop_in_time_is_said_to_be_stopping() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    engine.after["stop"] = [became(running=False, said="stopping")]
    assert (await do("stop", engine)).spoken == "Jellyfin is still stopping."


async def test_what_is_stopped_and_still_answers_is_said_to() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")
    async with serving(always(b"another one")) as server:
        told = await do("stop", engine, url=server.url)
    assert told.spoken == "Jellyfin is stopped, but something still answers at its address."


async def test_an_order_that_takes_too_long_is_said_to_be_under_way() -> None:
    engine = FakeEngine(hangs=True)
    engine.add("jellyfin", running=False)
    told = await do("start", engine)

    assert told.spoken == "I told docker to start jellyfin; it had not finished when I stopped waiting."
    assert (told.data["acted"], told.data["settled"]) == (True, False)


async def test_what_the_engine_refuses_is_said_with_its_reason() -> None:
    engine = FakeEngine(refusal=EngineError("its port is already taken"))
    engine.add("jellyfin", running=False)
    told = await do("start", engine)

    assert told.spoken == "I couldn't start jellyfin: its port is already taken."
    assert told.data["acted"] is False


async def test_an_engine_that_goes_silent_after_the_order_leaves_it_unknown() -> None:
    engine = FakeEngine()
    engine.add("jellyfin")

    def lost(unit: Unit) -> Unit:
        engine.error = EngineError("it does not answer in time")
        return unit

    engine.after["restart"] = [lost]
    told = await do("restart", engine)

    assert (
        told.spoken == "I told docker to restart jellyfin, and can't see what came of it: it does not answer in time."
    )
    assert told.findings[0].severity is Severity.UNKNOWN


def test_how_long_it_took_is_said_in_seconds() -> None:
    assert [after(s) for s in (0.2, 1.1, 4.4, 13)] == [
        "within a second", "after one second", "after four seconds", "after 13 seconds",
    ]  # fmt: skip


def test_of_an_engine_that_tells_no_exit_code_none_is_said() -> None:
    assert ending(Unit(id="x", name="x", running=False)) == ""
