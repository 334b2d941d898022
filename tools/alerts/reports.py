"""Agents' reports: ``NAME/latest.json`` in a folder. What cannot be read, or is old, is a finding of its own."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.alerts import words
from tools.alerts.port import Alert, SourceError
from tools.alerts.report_said import Report, parse
from tools.contract import Severity
from tools.settings_house import AlertSettings
from tools.wording import duration

MAX_BYTES = 256_000
"""Of one report. Our own largest, check_backups of fifty jobs, has 150,000."""

MAX_REPORTS = 200
AHEAD_S = 300.0
"""Clocks differ; what is dated further ahead than this has a wrong date."""

ECHO = "check_alerts"
"""Our own last answer is no news."""


class Reports:
    """One folder. See ``port.Source``."""

    def __init__(self, folder: Path, limits: AlertSettings, clock: Callable[[], float] = time.time) -> None:
        self.name = f"the reports in {folder.name or folder}"
        self._folder = folder
        self._max_age_s = limits.report_max_age_h * 3600
        self._clock = clock

    async def alerts(self) -> Sequence[Alert]:
        """Reads the disk in a thread."""
        return await asyncio.to_thread(self._read_all)

    def _read_all(self) -> list[Alert]:
        try:
            with os.scandir(self._folder) as entries:
                names = sorted(
                    entry.name
                    for entry in entries
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
                )
        except OSError as error:
            reason = "their folder is not there" if isinstance(error, FileNotFoundError) else "they cannot be read"
            raise SourceError(reason) from error
        found: list[Alert] = []
        for name in names[:MAX_REPORTS]:
            found += self._one(name)
        return found

    def _one(self, name: str) -> list[Alert]:
        called = f"the report of {_spoken(name)}"
        try:
            text, written = _read(self._folder / name)
            report = parse(text, written)
        except FileNotFoundError:
            return [self._about(name, called, Severity.WARNING, f"{called} is missing")]
        except (OSError, UnicodeDecodeError):
            return [self._about(name, called, Severity.WARNING, f"{called} cannot be read")]
        except ValueError as error:
            return [self._about(name, called, Severity.WARNING, f"{called} makes no sense: {error}")]
        return [] if report.tool == ECHO else self._judge(name, called, report)

    def _judge(self, name: str, called: str, report: Report) -> list[Alert]:
        age_s = self._clock() - report.at
        if age_s < -AHEAD_S:
            return [self._about(name, called, Severity.WARNING, f"{called} is dated in the future")]
        if age_s > self._max_age_s:
            return [self._about(name, called, Severity.WARNING, f"{called} is {duration(age_s)} old")]
        bad = [told for told in report.told if told.severity is not Severity.OK]
        if not bad:
            return [self._about(name, called, Severity.OK, f"{called} is fine")]
        found = []
        for told in bad:
            about = ": ".join(part for part in (told.subject, told.message) if part) or told.severity.value
            said = f"{_spoken(name)} reports {about.rstrip('.!? ')}"
            # A report that knows nothing is not a source that could not be asked: it has answered.
            severity = Severity.WARNING if told.severity is Severity.UNKNOWN else told.severity
            found.append(self._about(f"{name}:{about}", told.subject or called, severity, said, told.since))
        return found

    def _about(self, key: str, subject: str, severity: Severity, said: str, since: float | None = None) -> Alert:
        return Alert(
            source=self.name,
            origin="report",
            severity=severity,
            subject=subject,
            said=said,
            key=f"report:{self._folder}:{key}",
            since=since,
            foreign=True,
        )


def _spoken(name: str) -> str:
    """A folder's name as people say it."""
    return words.name(name.replace("_", " "))


def _read(folder: Path) -> tuple[str, float]:
    """The text of ``latest.json`` there, and its time. Links are not followed: a report lies where it says. Blocks.

    Raises OSError, UnicodeDecodeError, and ValueError for what is too long.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # not blocking: a pipe of that name would wait for its writer
        file = os.open("latest.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
    finally:
        os.close(opened)
    with os.fdopen(file, "rb") as reading:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no file")
        raw = reading.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError("it is too long")
    return raw.decode("utf-8"), status.st_mtime
