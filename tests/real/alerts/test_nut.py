"""``check_alerts`` over a real upsd whose UPS loses and gets back its power."""

from __future__ import annotations

import pytest

from tests.real.alerts.nut_server import Upsd, upsd
from tools.alerts.tool import CheckAlerts, CheckAlertsArguments
from tools.contract import Severity, ToolResult
from tools.settings import ToolSettings

pytestmark = pytest.mark.real_server


async def look(server: Upsd, **more: str) -> ToolResult:
    settings = ToolSettings.model_validate(
        {"watchers": {"rack": {"kind": "nut", "url": server.url, **more}}, "alerts": {"disks": ()}}
    )
    tool = CheckAlerts(settings)
    return await tool.execute(tool.plan(CheckAlertsArguments()))


async def test_power_goes_the_battery_runs_low_and_power_comes_back() -> None:
    with upsd() as server:
        well = await look(server)
        assert "the UPS is on mains power with its battery at 100 per cent" in well.spoken
        assert not well.findings
        assert not well.tainted

        server.set(ups__status="OB DISCHRG", battery__runtime="720")
        result = await look(server)
        assert result.spoken == "The UPS is on battery, with twelve minutes left."
        assert [finding.severity for finding in result.findings] == [Severity.WARNING]

        server.set(ups__status="OB LB", battery__runtime="90")
        result = await look(server)
        assert result.spoken == "The UPS is on battery and its battery is low, with two minutes left."
        assert [finding.severity for finding in result.findings] == [Severity.CRITICAL]

        server.set(ups__status="OL RB")
        result = await look(server)
        assert result.spoken == "The UPS needs a new battery."

        server.set(ups__status="OL")
        assert not (await look(server)).findings


async def test_a_ups_that_upsd_does_not_hear_any_more_is_a_finding() -> None:
    with upsd() as server:
        server.hang()
        stale = await look(server)
        server.driver.kill()
        server.driver.wait()
        gone = await look(server)
    for result in (stale, gone):
        assert result.spoken == "The UPS is not heard any more, what is known of it is stale."
        assert [finding.severity for finding in result.findings] == [Severity.WARNING]


async def test_a_name_that_upsd_does_not_know_and_a_upsd_that_is_gone_are_said() -> None:
    with upsd() as server:
        unknown = await look(server, ups="cellar")
    gone = await look(server)
    assert unknown.spoken.endswith("I couldn't ask rack, because it has no UPS of that name.")
    assert gone.spoken.endswith("I couldn't ask rack, because the connection is refused.")
