"""Beszel, by a server that speaks PocketBase's records as they are documented (not the real one)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tools.alerts.answering import look, site
from tools.contract import Severity, ToolResult

LOGIN = "/api/collections/users/auth-with-password"
SYSTEMS, ALERTS = "/api/collections/systems/records", "/api/collections/alerts/records"


def stamp(**ago: float) -> str:
    """PocketBase's way to write a time."""
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%d %H:%M:%S.123Z")


def system(name: str, status: str = "up", updated: str | None = None, **info: float) -> dict[str, Any]:
    return {
        "id": f"id-{name}",
        "name": name,
        "status": status,
        "host": f"{name}.lan",
        "port": "45876",
        "updated": updated or stamp(seconds=30),
        "info": {"cpu": 3.1, "mp": 40.0, "dp": 30.0, "v": "0.12.3", **info},
    }


def alert(system: str, name: str, value: float = 80.0, triggered: bool = True) -> dict[str, Any]:
    return {
        "system": f"id-{system}", "name": name, "value": value, "min": 10, "triggered": triggered,
        "updated": stamp(hours=2),
    }  # fmt: skip


def records(*items: dict[str, Any], pages: int = 1) -> dict[str, Any]:
    return {"page": 1, "perPage": 200, "totalItems": len(items), "totalPages": pages, "items": list(items)}


async def ask(tmp_path: Path, bodies: dict[str, Any], **options: Any) -> ToolResult:
    password = tmp_path / "password"
    password.write_text("hunter2")
    async with site({LOGIN: {"token": "a.b.c", "record": {}}, ALERTS: records(), **bodies}, **options) as server:
        result = await look(
            watchers={
                "beszel": {
                    "kind": "beszel", "url": server.url, "username": "jarvis@lan", "password_file": str(password)
                }
            },
            services={"files": {"host": "nas"}, "media": {"host": "nuc"}},
        )  # fmt: skip
    assert "hunter2" not in result.model_dump_json()
    if SYSTEMS in bodies and not result.data["not_reached"]:
        assert '{"identity":"jarvis@lan","password":"hunter2"}' in server.asked[0]
        assert "Authorization: a.b.c" in server.asked[1]
    return result


async def test_a_system_that_is_down_is_said_once_with_its_age(tmp_path: Path) -> None:
    down = system("nas", "down", updated=stamp(hours=2))
    result = await ask(tmp_path, {SYSTEMS: records(down), ALERTS: records(alert("nas", "Status"))})
    assert result.spoken == "Nas is down, for two hours."
    assert [finding.severity for finding in result.findings] == [Severity.CRITICAL]
    assert not result.tainted  # nas is a name of ours


@pytest.mark.parametrize(
    "name, said",
    [
        ("CPU", "The processor of nuc is busier than 80 per cent, for two hours."),
        ("Temperature", "Nuc is hotter than 80 degrees, for two hours."),
        ("LoadAvg15", "The load of nuc is above 80, for two hours."),
    ],
)
async def test_what_is_triggered_is_said_in_our_words(tmp_path: Path, name: str, said: str) -> None:
    result = await ask(tmp_path, {SYSTEMS: records(system("nuc")), ALERTS: records(alert("nuc", name))})
    assert result.spoken == said
    assert not result.tainted


async def test_what_is_not_triggered_paused_or_of_nobody_is_not_said(tmp_path: Path) -> None:
    alerts = records(alert("nuc", "CPU", triggered=False), alert("nas", "CPU"), alert("gone", "CPU"))
    result = await ask(tmp_path, {SYSTEMS: records(system("nuc"), system("nas", "paused")), ALERTS: alerts})
    assert result.spoken.startswith("Nothing fires.")


async def test_a_name_and_an_alert_that_we_do_not_know_taint_the_answer(tmp_path: Path) -> None:
    bodies = {SYSTEMS: records(system("pi!\nIgnore.")), ALERTS: records(alert("pi!\nIgnore.", "Fan {speed}"))}
    result = await ask(tmp_path, bodies)
    assert result.spoken == "The alert fan speed is on for pi ignore, for two hours."
    assert result.tainted


async def test_disk_and_memory_are_judged_by_our_limits_and_a_disk_known_twice_is_one(tmp_path: Path) -> None:
    bodies = {SYSTEMS: records(system("nas", dp=97.3)), ALERTS: records(alert("nas", "Disk", 90.0))}
    result = await ask(tmp_path, bodies)
    assert result.spoken == "The disk of nas is 97 per cent full, for two hours."


async def test_what_beszel_saw_long_ago_is_said_to_be_old_and_not_believed(tmp_path: Path) -> None:
    result = await ask(tmp_path, {SYSTEMS: records(system("nas", updated=stamp(hours=3), dp=99.0))})
    assert result.spoken.endswith("I couldn't look at nas, because beszel saw it three hours ago for the last time.")


async def test_a_system_that_never_told_anything_is_unknown(tmp_path: Path) -> None:
    result = await ask(tmp_path, {SYSTEMS: records(system("nas", "pending"))})
    assert [finding.severity for finding in result.findings] == [Severity.UNKNOWN]


async def test_every_page_is_read(tmp_path: Path) -> None:
    bodies = {
        f"{SYSTEMS}?page=1&perPage=200": records(system("nuc"), pages=2),
        f"{SYSTEMS}?page=2&perPage=200": records(system("nas", "down"), pages=2),
    }
    assert (await ask(tmp_path, bodies)).spoken.startswith("Nas is down")


@pytest.mark.parametrize(
    "bodies",
    [
        {LOGIN: {}},
        {LOGIN: {"token": "a\nb"}},
        {SYSTEMS: {"items": 3}},
        {SYSTEMS: records({"id": "x"})},
        {SYSTEMS: records(), ALERTS: records({"system": 1})},
        {SYSTEMS: []},
    ],
    ids=range(6),
)
async def test_nonsense_is_said(tmp_path: Path, bodies: dict[str, Any]) -> None:
    result = await ask(tmp_path, bodies)
    assert result.data["not_reached"] == [{"source": "beszel", "reason": "its answer is not in the form that I know"}]


@pytest.mark.parametrize("status", [400, 401])
async def test_a_wrong_password_is_said_as_such(tmp_path: Path, status: int) -> None:
    result = await ask(tmp_path, {}, status=status)
    assert result.data["not_reached"] == [{"source": "beszel", "reason": "it refuses the credentials"}]


async def test_without_credentials_it_says_what_it_wants() -> None:
    result = await look(watchers={"beszel": {"kind": "beszel", "url": "http://127.0.0.1:1"}})
    assert result.spoken.endswith("I couldn't ask beszel, because it wants a username and a password_file.")
