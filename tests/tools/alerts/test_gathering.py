"""All sources at once, within one deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from tests.tools.alerts.answering import listening, look, site
from tools.alerts.gathering import gather
from tools.alerts.port import Alert, SourceError
from tools.alerts.tool import CheckAlerts
from tools.contract import Severity
from tools.settings import ToolSettings

ALERT = Alert(source="good", origin="rule", severity=Severity.WARNING, subject="x", said="x fires", key="x")


class Good:
    name = "good"

    async def alerts(self) -> Sequence[Alert]:
        return [ALERT]


class Down:
    name = "down"

    async def alerts(self) -> Sequence[Alert]:
        raise SourceError("it is asleep")


class Broken:
    name = "broken"

    async def alerts(self) -> Sequence[Alert]:
        raise ZeroDivisionError


class Hanging:
    name = "hanging"
    ended = False

    async def alerts(self) -> Sequence[Alert]:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True
        return []


async def test_one_that_hangs_breaks_or_is_down_costs_its_own_answer_only(caplog: pytest.LogCaptureFixture) -> None:
    hanging, started = Hanging(), time.monotonic()
    looked = await gather([hanging, Good(), Down(), Broken(), Good()], 0.1)
    assert time.monotonic() - started < 1.0
    assert looked.alerts == (ALERT, ALERT)
    assert looked.failed == (
        ("hanging", "it does not answer in time"),
        ("down", "it is asleep"),
        ("broken", "I stumbled over its answer; the log has the rest"),
    )
    assert hanging.ended
    assert "the alerts of broken could not be read" in caplog.text


async def test_a_cancelled_look_leaves_nothing_running() -> None:
    hanging = Hanging()
    task = asyncio.create_task(gather([hanging, Good()], 60.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hanging.ended


async def test_nothing_to_ask_is_nothing_seen() -> None:
    assert (await gather([], 1.0)).alerts == ()


async def test_forty_sources_are_asked_side_by_side() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")
        await writer.drain()

    async with listening(slow) as port:
        url = f"http://127.0.0.1:{port}"
        started = time.monotonic()
        result = await look(watchers={f"bell {n}": {"kind": "alertmanager", "url": url} for n in range(40)})
    assert result.data["not_reached"] == []
    assert time.monotonic() - started < 3.0


async def test_a_watcher_with_a_longer_time_limit_than_the_whole_look_is_said_at_the_deadline() -> None:
    async with site({"/api/v2/alerts": []}, hangs=frozenset({"/api/v2/alerts"})) as server:
        started = time.monotonic()
        result = await look(
            services_deadline_s=0.3,
            watchers={"bell": {"kind": "alertmanager", "url": server.url, "timeout_s": 30}},
        )
    assert time.monotonic() - started < 2.0
    assert result.spoken == (
        "Nothing fires as far as I can see. I couldn't ask bell, because it does not answer in time."
    )


def test_a_gatus_and_a_kuma_are_for_services_and_are_not_asked() -> None:
    watchers = {"a": {"kind": "gatus", "url": "http://x"}, "b": {"kind": "uptime-kuma", "url": "http://x"}}
    tool = CheckAlerts(ToolSettings.model_validate({"watchers": watchers}))
    assert [source.name for source in tool.sources] == ["this machine"]
