"""``service_logs``: the last errors of one service, from its engine or its log file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from tools.contract import Candidates, Finding, JsonObject, Level, PlannedCall, Severity, ToolResult
from tools.engines.port import Engine, EngineError, LogLine, Unit
from tools.engines.tail import tail
from tools.names import NameIndex
from tools.services.log_sayings import Errors, gather, say
from tools.services.log_words import Said, read
from tools.services.placing import NotPlacedError, place
from tools.services.power_sayings import ending
from tools.settings import ToolSettings
from tools.tool import Arguments, UnavailableError, resolve_required
from tools.wording import sentence

LINES = 1_000
"""That are read, of the log's end."""

SHOWN = 20
"""Errors in ``data``, the newest."""

NO_LOG = "I can't read logs; set up an engine that runs services, as Docker or systemd, or name the log file of {}."


_Log = tuple[Sequence[LogLine], str, Unit | None, bool]
"""Lines, where they come from, the unit, and whether the engine's mark of an error is believed."""


class ServiceLogsArguments(Arguments):
    """Input of ``service_logs``."""

    service: str


class ServiceLogs:
    """The last errors of one service. What stands in a log may come from anybody: the result is tainted."""

    name: ClassVar[str] = "service_logs"
    description: ClassVar[str] = "Last errors from a service's log: why it failed."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = ServiceLogsArguments
    deadline_s = 15.0

    def __init__(self, settings: ToolSettings, names: NameIndex, engines: Mapping[str, Engine]) -> None:
        self._settings = settings
        self._names = names
        self._engines = engines

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service's name."""
        wanted = ServiceLogsArguments.model_validate(arguments.model_dump())
        service = resolve_required(self._names, "service", "a service", wanted.service)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(tool=self.name, arguments={"service": service}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: it has no log file, and no engine is set up. A log that cannot be read is said."""
        name = str(call.arguments["service"])
        file = self._settings.services[name].logs
        if file is None and not self._engines:
            raise UnavailableError(NO_LOG.format(name))
        try:
            lines, source, unit, marks = await (self._of_engine(name) if file is None else _of_file(file))
        except (NotPlacedError, EngineError, OSError) as error:
            return _unread(name, error)
        now = time.time()
        errors = await asyncio.to_thread(_errors, lines, now, marks)  # a thousand lines take a tenth of a second
        state = ""
        if unit is not None and not unit.running:
            state = sentence(f"{name} is not running{ending(unit)}")
        spoken = say(name, errors, now, state)
        return ToolResult(
            spoken=spoken,
            data={"source": source, **_data(errors, now)},
            findings=_findings(name, errors, spoken if state else ""),
            tainted=True,
        )

    async def _of_engine(self, name: str) -> _Log:
        found = await place(name, self._settings.services[name], self._engines)
        lines = await found.engine.logs(found.unit, LINES)
        return lines, found.engine.name, found.unit, found.engine.kind == "systemd"


def _errors(lines: Sequence[LogLine], now: float, marks: bool) -> Errors:
    return gather([read(line, now, None, marks=marks) for line in lines], now, full=len(lines) >= LINES)


async def _of_file(path: Path) -> _Log:
    """Its end; where it has just been begun anew, that of the one before it (``.1``) too. Raises OSError."""
    lines = await asyncio.to_thread(tail, path, LINES)
    before = path.with_name(f"{path.name}.1")
    if len(lines) < LINES and await asyncio.to_thread(before.is_file):
        lines = [*await asyncio.to_thread(tail, before, LINES - len(lines)), *lines]
    return [LogLine(None, line) for line in lines], "file", None, False


def _unread(name: str, error: NotPlacedError | EngineError | OSError) -> ToolResult:
    if isinstance(error, NotPlacedError):
        spoken = error.spoken
    elif isinstance(error, EngineError):
        spoken = f"I couldn't read the log of {name}: {error.reason}."
    elif isinstance(error, FileNotFoundError):
        spoken = f"The log file of {name} is not there."
    elif isinstance(error, PermissionError):
        spoken = f"I may not read the log file of {name}."
    else:
        spoken = f"The log file of {name} can't be read."
    finding = Finding(severity=Severity.UNKNOWN, subject=name, message=spoken)
    return ToolResult(spoken=spoken, findings=(finding,), tainted=True)


def _data(errors: Errors, now: float) -> JsonObject:
    shown: dict[str, JsonObject] = {}
    for line in reversed(errors.found):  # the same error again and again is one entry, with its newest time
        entry = shown.setdefault(line.text, {"text": line.text, "at": _iso(line), "age_s": _age(line, now), "times": 0})
        entry["times"] += 1
    return {
        "errors_last_hour": errors.lately,
        "more_before": errors.more,
        "lines_read": errors.lines,
        "errors": list(shown.values())[:SHOWN],
    }


def _iso(line: Said) -> str | None:
    return datetime.fromtimestamp(line.at, UTC).isoformat(timespec="seconds") if line.at is not None else None


def _age(line: Said, now: float) -> int | None:
    return round(now - line.at) if line.at is not None else None


def _findings(name: str, errors: Errors, state: str) -> tuple[Finding, ...]:
    if not state and (not errors.found or errors.lately == 0):
        return ()
    newest = errors.found[-1] if errors.found else None
    message = newest.text if newest is not None else state
    since = _iso(newest) if newest is not None else None
    return (Finding(severity=Severity.WARNING, subject=name, message=message, since=since),)
