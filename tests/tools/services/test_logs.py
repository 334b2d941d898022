"""``service_logs`` from an engine and from a file: what is said, what is kept, and what never leaves the log."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.tools.engines.fake_engine import FakeEngine
from tools.contract import Candidates, PlannedCall, Severity, ToolResult
from tools.engines.port import Engine, EngineError, LogLine
from tools.names import NameIndex
from tools.services.logs import ServiceLogs, ServiceLogsArguments
from tools.settings import ToolSettings
from tools.tool import UnavailableError


class FakeSystemd(FakeEngine):
    """Its marks of errors are believed."""

    kind: ClassVar[str] = "systemd"


def tool(*engines: FakeEngine, **service: Any) -> ServiceLogs:
    settings = ToolSettings.model_validate({"services": {"jellyfin": service}})
    known: dict[str, Engine] = {engine.name: engine for engine in engines}
    return ServiceLogs(settings, NameIndex.from_settings(settings), known)


async def logs(*engines: FakeEngine, **service: Any) -> ToolResult:
    return await tool(*engines, **service).execute(PlannedCall(tool="service_logs", arguments={"service": "jellyfin"}))


def engine(*texts: str, running: bool = True, kind: type[FakeEngine] = FakeEngine, **unit: Any) -> FakeEngine:
    made = kind("docker", lines=[LogLine(time.time() - 120, text, error=True) for text in texts])
    made.add("jellyfin", running=running, **unit)
    return made


async def test_the_last_errors_of_a_service(tmp_path: Path) -> None:
    told = await logs(engine("INFO started", "ERROR disk full", "ERROR disk full", "INFO done"))

    assert told.spoken == "Jellyfin logged two errors in the last hour. The newest, two minutes ago: disk full."
    assert told.tainted
    (entry,) = told.data["errors"]
    assert (entry["text"], entry["times"]) == ("disk full", 2)
    assert 119 <= entry["age_s"] <= 122
    assert (told.data["source"], told.data["errors_last_hour"], told.data["lines_read"]) == ("docker", 2, 4)
    assert [(one.severity, one.subject, one.message) for one in told.findings] == [
        (Severity.WARNING, "jellyfin", "disk full")
    ]


async def test_what_the_log_says_is_tainted_also_where_it_says_nothing() -> None:
    told = await logs(engine("INFO started"))
    assert (told.tainted, told.findings, told.data["errors"]) == (True, (), [])


async def test_the_journal_s_own_priorities_count() -> None:
    assert (await logs(engine("went wrong", kind=FakeSystemd))).data["errors_last_hour"] == 1
    assert (await logs(engine("went wrong"))).data["errors_last_hour"] == 0


async def test_why_it_does_not_run_is_said_first() -> None:
    told = await logs(engine("ERROR disk full", running=False, exit_code=3))
    assert told.spoken == (
        "Jellyfin is not running: it ended with exit code three. Its last error, two minutes ago: disk full."
    )


async def test_no_secret_leaves_it_in_any_form() -> None:
    told = await logs(engine("ERROR login failed: password=hunter2", "ERROR Authorization: Bearer abcdefgh1234"))
    dumped = told.model_dump_json()
    assert "hunter2" not in dumped
    assert "abcdefgh1234" not in dumped


async def test_what_is_kept_is_bounded() -> None:
    told = await logs(engine(*(f"ERROR number {at} {'x ' * 3_000}" for at in range(1_500))))

    assert told.spoken.startswith("Jellyfin logged at least 1000 errors in the last hour. The newest")
    assert len(told.data["errors"]) == 20
    assert len(told.model_dump_json()) < 10_000
    assert len(told.spoken) < 250


async def test_a_log_file_is_read_where_one_is_named(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - 180))
    log.write_text(f"{at},001 INFO starting\n{at},002 ERROR disk full\n")
    told = await logs(logs=log)

    assert told.spoken == "Jellyfin logged one error in the last hour. It was, three minutes ago: disk full."
    assert told.data["source"] == "file"


async def test_of_a_file_that_was_just_begun_anew_the_one_before_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "app.log.1").write_text("ERROR disk full\n")
    (tmp_path / "app.log").write_text("INFO starting\n")
    (tmp_path / "link.log").symlink_to(tmp_path / "app.log")

    told = await logs(logs=tmp_path / "app.log")
    assert told.spoken == "There is one error in the last two lines of jellyfin's log. It is: disk full."
    assert (await logs(logs=tmp_path / "link.log")).data["lines_read"] == 1


@pytest.mark.parametrize("name, said", [
    ("gone.log", "The log file of jellyfin is not there."), ("pipe", "The log file of jellyfin can't be read."),
    (".", "The log file of jellyfin can't be read."),
])  # fmt: skip
async def test_a_file_that_cannot_be_read_is_said_and_unknown(name: str, said: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    told = await logs(logs=tmp_path / name)
    assert told.spoken == said
    assert told.findings[0].severity is Severity.UNKNOWN


async def test_an_engine_that_cannot_be_asked_is_said_and_unknown() -> None:
    told = await logs(FakeEngine(error=EngineError("its socket may not be opened by this user")))
    assert told.spoken == (
        "I can't tell what runs jellyfin. I couldn't ask docker: its socket may not be opened by this user."
    )
    assert told.findings[0].severity is Severity.UNKNOWN


async def test_with_nothing_that_keeps_logs_it_says_what_to_set_up() -> None:
    with pytest.raises(UnavailableError) as caught:
        await logs()
    assert str(caught.value) == (
        "I can't read logs; set up an engine that runs services, as Docker or systemd, "
        "or name the log file of jellyfin."
    )


def test_the_name_is_resolved_as_it_was_said() -> None:
    planned = tool().plan(ServiceLogsArguments(service="jelly fin"))
    assert isinstance(planned, PlannedCall)
    assert planned.arguments == {"service": "jellyfin"}
    assert isinstance(tool().plan(ServiceLogsArguments(service="the moon")), Candidates)
