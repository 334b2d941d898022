"""systemd: the service units of the machine, or of the user, by ``systemctl`` and ``journalctl``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar

from tools.engines.port import EngineError, LogLine, Unit
from tools.engines.systemd_said import PROPERTIES, blocks, journal_line, unit_of
from tools.program import Ended, ProgramError, run
from tools.settings_house import EngineSettings

KINDS_OF_UNIT = (".service", ".socket", ".target", ".timer", ".mount", ".slice", ".scope", ".path", ".automount")

_REASONS = (
    (("authentication required", "access denied", "permission denied", "not permitted"),
     "systemd does not let this user do that; a polkit rule can allow it"),
    (("is masked",), "it is masked; systemctl unmask would free it"),
    (("operation refused", "refusing to"), "systemd does not start or stop it by hand"),
    (("failed to connect to", "not been booted"), "systemd cannot be asked here"),
)  # fmt: skip
"""What systemctl complains of (in the language C), and what that is in words."""

_BLIND = ("insufficient permissions", "not seeing messages")
"""What journalctl says where it shows less than there is."""


class Systemd:
    """Services only where all are listed; a unit of another kind is found by its whole name."""

    kind: ClassVar[str] = "systemd"

    def __init__(self, name: str, settings: EngineSettings) -> None:
        self.name = name
        self._timeout_s = settings.timeout_s
        self._user = settings.user

    async def units(self) -> Sequence[Unit]:
        """All services that systemd has in memory; one that is neither running nor wanted may not be."""
        return [unit_of(shown) for shown in blocks(await self._show("*.service")) if shown.get("LoadState") == "loaded"]

    async def find(self, name: str) -> Unit:
        """``name`` with or without ``.service``."""
        if not name or set(name) & set("*?[]/\\ "):
            raise EngineError(f"{name} is no name of a unit", unknown=True)
        whole = name if name.endswith(KINDS_OF_UNIT) else f"{name}.service"
        shown = next(blocks(await self._show(whole)), {})
        if shown.get("LoadState", "not-found") == "not-found":
            raise EngineError(f"it has no unit called {name}", unknown=True)
        return unit_of(shown)

    async def start(self, unit: Unit) -> None:
        """Queued; not waited for."""
        await self._order("start", unit)

    async def stop(self, unit: Unit) -> None:
        """Queued; not waited for."""
        await self._order("stop", unit)

    async def restart(self, unit: Unit) -> None:
        """Queued; not waited for."""
        await self._order("restart", unit)

    async def logs(self, unit: Unit, lines: int) -> Sequence[LogLine]:
        """Of the journal: what the unit wrote, and what systemd wrote about it."""
        kept: deque[LogLine] = deque(maxlen=lines)

        def take(raw: bytes) -> None:
            if (line := journal_line(raw)) is not None:
                kept.append(line)

        which = f"--{'user-' if self._user else ''}unit={unit.id}"
        fields = "--output-fields=MESSAGE,PRIORITY"
        ended = await self._run(["journalctl", which, f"--lines={lines}", "--output=json", fields, "--no-pager"], take)
        if not kept and any(text in ended.complaints.casefold() for text in _BLIND):
            raise EngineError("this user may not read the journal; who may, is in the group systemd-journal")
        if ended.code and not kept:
            raise EngineError("its journal cannot be read")
        return list(kept)

    async def _show(self, pattern: str) -> str:
        ended = await self._run([*self._systemctl(), "show", f"--property={','.join(PROPERTIES)}", "--", pattern])
        if ended.code:
            raise _refusal(ended)
        return ended.output.decode(errors="replace")

    async def _order(self, verb: str, unit: Unit) -> None:
        ended = await self._run([*self._systemctl(), "--no-ask-password", "--no-block", verb, "--", unit.id])
        if ended.code:
            raise _refusal(ended)

    def _systemctl(self) -> list[str]:
        return ["systemctl", "--user" if self._user else "--system", "--no-pager"]

    async def _run(self, argv: Sequence[str], on_line: Callable[[bytes], None] | None = None) -> Ended:
        environment = {"LC_ALL": "C", "TZ": "UTC", "SYSTEMD_COLORS": "0"}
        if self._user:
            environment["XDG_RUNTIME_DIR"] = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
        try:
            return await run(argv, timeout_s=self._timeout_s, environment=environment, on_line=on_line)
        except ProgramError as error:
            raise EngineError("it does not answer in time" if error.why == "timeout" else str(error)) from error


def _refusal(ended: Ended) -> EngineError:
    said = ended.complaints.casefold()
    for texts, reason in _REASONS:
        if any(text in said for text in texts):
            return EngineError(reason)
    if "not found" in said or "not loaded" in said:
        return EngineError("it has no such unit", unknown=True)
    return EngineError(f"systemctl ended with code {ended.code}")
