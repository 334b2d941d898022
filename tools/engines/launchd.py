"""launchd (macOS): agents of the user and daemons of the system, by ``launchctl``.

Written from launchctl(1) and launchd.plist(5); tried with a stand-in for ``launchctl``, not on a Mac.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tools.engines.launchd_said import fields, services, unit_of
from tools.engines.port import EngineError, LogLine, Unit
from tools.engines.tail import tail
from tools.program import Ended, ProgramError, run
from tools.settings_house import EngineSettings

NOT_FOUND = 113
"""Exit code of ``launchctl print`` for a service that is not loaded."""


class Launchd:
    """With ``user`` the agents of the one who is logged in at the screen (``gui/UID``), else the system's daemons.

    launchd starts again what ends while its plist says so; stopping therefore unloads (``bootout``), and starting
    loads what stands in the usual folder (``bootstrap``).
    """

    kind: ClassVar[str] = "launchd"

    def __init__(self, name: str, settings: EngineSettings) -> None:
        self.name = name
        self._timeout_s = settings.timeout_s
        self._domain = f"gui/{os.getuid()}" if settings.user else "system"
        self._folders = (
            (Path.home() / "Library" / "LaunchAgents", Path("/Library/LaunchAgents"))
            if settings.user
            else (Path("/Library/LaunchDaemons"),)
        )

    async def units(self) -> Sequence[Unit]:
        """All that is loaded."""
        ended = await self._launchctl("print", self._domain)
        if ended.code:
            raise _refusal(ended)
        return list(services(self._domain, ended.output.decode(errors="replace")))

    async def find(self, name: str) -> Unit:
        """By its label. What is not loaded is known by its plist."""
        if not name or "/" in name:
            raise EngineError(f"{name} is no label", unknown=True)
        target = f"{self._domain}/{name}"
        ended = await self._launchctl("print", target)
        if not ended.code:
            return unit_of(target, name, ended.output.decode(errors="replace"))
        if ended.code != NOT_FOUND and "could not find" not in ended.complaints.casefold():
            raise _refusal(ended)
        if await asyncio.to_thread(self._plist, name) is None:
            raise EngineError(f"it has no service called {name}", unknown=True)
        return Unit(id=target, name=name, running=False, said="not loaded")

    async def start(self, unit: Unit) -> None:
        """Loaded first, where it is not."""
        if unit.said == "not loaded":
            await self._load(unit)
        await self._order("kickstart", unit.id)

    async def stop(self, unit: Unit) -> None:
        """Unloaded: it would be started again otherwise."""
        await self._order("bootout", unit.id)

    async def restart(self, unit: Unit) -> None:
        """Killed and started in one order."""
        if unit.said == "not loaded":
            await self._load(unit)
        await self._order("kickstart", "-k", unit.id)

    async def logs(self, unit: Unit, lines: int) -> Sequence[LogLine]:
        """The ends of the files that its plist names for stdout and stderr; they have no times."""
        ended = await self._launchctl("print", unit.id)
        found = fields(ended.output.decode(errors="replace")) if not ended.code else {}
        paths = {key: found[key] for key in ("stdout path", "stderr path") if found.get(key)}
        if not paths:
            raise EngineError("launchd keeps no log of it, and its plist names no file")
        read: list[LogLine] = []
        for key, path in paths.items():
            try:
                said = await asyncio.to_thread(tail, Path(path), lines)
            except OSError as error:
                raise EngineError("its log file cannot be read") from error
            read += [LogLine(None, text, error=key == "stderr path") for text in said]
        return read

    def _plist(self, label: str) -> Path | None:
        files = (folder / f"{label}.plist" for folder in self._folders)
        return next((file for file in files if file.is_file()), None)

    async def _load(self, unit: Unit) -> None:
        plist = await asyncio.to_thread(self._plist, unit.name)
        if plist is None:
            raise EngineError(f"it has no service called {unit.name}", unknown=True)
        await self._order("bootstrap", self._domain, str(plist))

    async def _order(self, *words: str) -> None:
        ended = await self._launchctl(*words)
        if ended.code:
            raise _refusal(ended)

    async def _launchctl(self, *words: str) -> Ended:
        try:
            return await run(["launchctl", *words], timeout_s=self._timeout_s, environment={"LC_ALL": "C"})
        except ProgramError as error:
            raise EngineError("it does not answer in time" if error.why == "timeout" else str(error)) from error


def _refusal(ended: Ended) -> EngineError:
    said = ended.complaints.casefold()
    if "not permitted" in said or "not privileged" in said or "permission denied" in said:
        return EngineError("launchd does not let this user do that; the system's daemons are for root")
    if "could not find" in said:
        return EngineError("launchd has no such service", unknown=True)
    if "disabled" in said:
        return EngineError("it is disabled; launchctl enable would free it")
    return EngineError(f"launchctl ended with code {ended.code}")
