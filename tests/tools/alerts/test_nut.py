"""NUT by a server that speaks its protocol, well and badly (the real upsd is in tests/real/alerts)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.alerts.answering import listening, look
from tools.alerts import nut_said
from tools.alerts.port import SourceError
from tools.contract import Severity, ToolResult

ONE = 'BEGIN LIST UPS\nUPS rack "A \\"dummy\\""\nEND LIST UPS\n'


def variables(ups: str = "rack", **values: str) -> str:
    lines = "".join(f'VAR {ups} {name.replace("__", ".")} "{value}"\n' for name, value in values.items())
    return f"BEGIN LIST VAR {ups}\n{lines}END LIST VAR {ups}\n"


@asynccontextmanager
async def upsd(answers: Mapping[str, str]) -> AsyncIterator[str]:
    """By the line that asks; its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().strip():
            writer.write(answers[line].encode())
            await writer.drain()

    async with listening(serve) as port:
        yield f"tcp://127.0.0.1:{port}"


async def ask(answers: Mapping[str, str], **more: str) -> ToolResult:
    async with upsd(answers) as url:
        return await look(watchers={"cellar": {"kind": "nut", "url": url, **more}})


@pytest.mark.parametrize(
    "status, severity, said",
    [
        ("OB DISCHRG", Severity.WARNING, "The UPS is on battery, with ten minutes left."),
        ("OB LB", Severity.CRITICAL, "The UPS is on battery and its battery is low, with ten minutes left."),
        ("FSD OB LB", Severity.CRITICAL, "The UPS is shutting everything down, with ten minutes left."),
        ("OL LB", Severity.WARNING, "The battery of the UPS is low, with ten minutes left."),
        ("OL RB", Severity.WARNING, "The UPS needs a new battery."),
        ("OL OVER", Severity.WARNING, "The UPS is overloaded."),
        ("OL BYPASS", Severity.WARNING, "The UPS is bypassed and protects nothing."),
        ("OL OFF", Severity.CRITICAL, "The UPS is switched off."),
        ("OL ALARM", Severity.WARNING, "The UPS raises an alarm."),
    ],
)
async def test_every_state_of_a_ups_is_said(status: str, severity: Severity, said: str) -> None:
    result = await ask({"LIST UPS": ONE, "LIST VAR rack": variables(ups__status=status, battery__runtime="600")})
    assert result.spoken == said
    assert [finding.severity for finding in result.findings] == [severity]
    assert not result.tainted


async def test_without_a_runtime_the_charge_is_said() -> None:
    result = await ask({"LIST UPS": ONE, "LIST VAR rack": variables(ups__status="OB", battery__charge="41.5")})
    assert result.spoken == "The UPS is on battery, at 42 per cent."


async def test_an_alarm_in_the_ups_own_words_is_cleaned_and_taints_the_answer() -> None:
    values = variables(ups__status="OL", ups__alarm='Replace battery! \\"now\\"\x1b[2J')
    result = await ask({"LIST UPS": ONE, "LIST VAR rack": values})
    assert result.spoken == 'The UPS raises an alarm: Replace battery! "now" [2J.'
    assert result.tainted


@pytest.mark.parametrize("status", ["", "WAIT", "CHRG"])
async def test_a_status_that_says_nothing_of_the_mains_is_not_taken_for_well(status: str) -> None:
    result = await ask({"LIST UPS": ONE, "LIST VAR rack": variables(ups__status=status)})
    assert result.spoken.endswith("I couldn't look at the UPS, because it does not say whether it is on mains power.")
    assert [finding.severity for finding in result.findings] == [Severity.UNKNOWN]


async def test_several_are_told_apart_by_name_and_one_can_be_chosen() -> None:
    answers = {
        "LIST UPS": 'BEGIN LIST UPS\nUPS rack "A"\nUPS desk "B"\nEND LIST UPS\n',
        "LIST VAR rack": variables(ups__status="OL"),
        "LIST VAR desk": variables("desk", ups__status="OB"),
    }
    both = await ask(answers)
    assert both.spoken == "The UPS desk is on battery."
    assert both.tainted  # upsd gave it that name
    chosen = await ask(answers, ups="desk")
    assert chosen.spoken == "The UPS is on battery."
    assert not chosen.tainted


@pytest.mark.parametrize(
    "listed, reason",
    [
        ("ERR ACCESS-DENIED\n", "it denies access"),
        ("ERR WHATEVER\n", "it says no"),
        ("SSH-2.0-OpenSSH_9.2\n", "its answer is not NUT's"),
        ("BEGIN LIST UPS\nEND LIST UPS\n", "it has no UPS"),
        ("BEGIN LIST UPS\nUPS rack\nEND LIST UPS\n", "its answer is not NUT's"),
        ("x" * 10_000 + "\n", "its answer is too long"),
        ("BEGIN LIST UPS\n" + 'UPS rack "A"\n' * 2_000, "its answer is too long"),
    ],
    ids=range(7),
)
async def test_what_is_no_answer_of_nut_is_said(listed: str, reason: str) -> None:
    result = await ask({"LIST UPS": listed})
    assert result.data["not_reached"] == [{"source": "cellar", "reason": reason}]


@pytest.mark.parametrize("word", ["DATA-STALE", "DRIVER-NOT-CONNECTED"])
async def test_a_ups_that_is_not_heard_is_a_warning(word: str) -> None:
    result = await ask({"LIST UPS": ONE, "LIST VAR rack": f"ERR {word}\n"})
    assert result.spoken == "The UPS is not heard any more, what is known of it is stale."


async def test_a_upsd_that_hangs_up_or_hangs_is_said_within_its_time_limit() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with listening(hang_up) as one, listening(hang) as other:
        started = time.monotonic()
        result = await look(
            watchers={
                "cellar": {"kind": "nut", "url": f"127.0.0.1:{one}"},
                "attic": {"kind": "nut", "url": f"tcp://127.0.0.1:{other}", "timeout_s": 0.2},
                "shed": {"kind": "nut", "url": "tcp://"},
                "barn": {"kind": "nut", "url": f"tcp://{'x' * 70}.lan"},
            }
        )
    assert time.monotonic() - started < 2.0
    assert result.data["not_reached"] == [
        {"source": "cellar", "reason": "it breaks off the connection"},
        {"source": "attic", "reason": "it does not answer in time"},
        {"source": "shed", "reason": "its address is not one that can be asked"},
        {"source": "barn", "reason": "its address is not one that can be asked"},
    ]


names = st.sampled_from(["ups.status", "ups.alarm", "battery.charge", "device.mfr", "input.voltage"])


@settings(max_examples=50)
@given(st.dictionaries(names, st.text(max_size=20), max_size=4))
def test_whatever_a_variable_holds_comes_back(values: dict[str, str]) -> None:
    values = {name: value.replace("\n", " ").replace("\r", " ") for name, value in values.items()}
    lines = [
        'VAR rack {} "{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in values.items()
    ]
    assert nut_said.variables(lines, "rack") == values


@settings(max_examples=50)
@given(st.lists(st.text(max_size=30), max_size=3), st.dictionaries(names, st.text(max_size=15), max_size=4))
def test_no_line_and_no_value_breaks_the_reading(lines: list[str], values: dict[str, str]) -> None:
    for read in (nut_said.upses, lambda some: nut_said.variables(some, "rack")):
        with suppress(SourceError):
            read(lines)
    assert nut_said.judge("cellar", "rack", "the UPS", values, known=True)
