"""This machine: its disks, memory, load and temperature, read from the system itself."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.alerts import judging, sensors
from tools.alerts.hosts import HERE, Host
from tools.alerts.port import Alert
from tools.settings_house import AlertSettings

THIS = Host(HERE, known=True)
DISK_S = 2.0
"""A file system whose server is gone answers never; a disk that has to spin up takes longer than this, and wakes."""


class ThisMachine:
    """See ``port.Source``. ``meminfo``, ``hwmon``: where Linux tells of memory and temperatures; other systems do not,
    and both are left out."""

    name = HERE

    def __init__(
        self,
        settings: AlertSettings,
        meminfo: Path = Path("/proc/meminfo"),
        hwmon: Path = Path("/sys/class/hwmon"),
    ) -> None:
        self._settings = settings
        self._meminfo = meminfo
        self._hwmon = hwmon
        self._asked: dict[Path, asyncio.Future[float]] = {}

    async def alerts(self) -> Sequence[Alert]:
        """Raises nothing: what cannot be read is an alert of its own."""
        disks = await asyncio.gather(*(self._disk(path) for path in self._settings.disks))
        return [*disks, *await asyncio.to_thread(self._memory), *self._load(), *await asyncio.to_thread(self._heat)]

    async def _disk(self, path: Path) -> Alert:
        subject = judging.disk_name(THIS, str(path))
        key = judging.disk_key(THIS, str(path))
        try:
            used = await self._used(path)
        except TimeoutError:
            return judging.untold(self.name, "disk", subject, "it does not answer in time", key)
        except OSError as error:
            reason = "it is not there" if isinstance(error, FileNotFoundError) else "it cannot be read"
            return judging.untold(self.name, "disk", subject, reason, key)
        return judging.disk(self._settings, self.name, THIS, str(path), used, ours=True)

    async def _used(self, path: Path) -> float:
        """Per cent. Raises OSError, TimeoutError. A question that hangs is not asked a second time: it waits in a
        thread that nothing can end."""
        asked = self._asked.get(path)
        if asked is None or asked.get_loop() is not asyncio.get_running_loop():
            asked = self._asked[path] = _in_a_thread(path)
        async with asyncio.timeout(DISK_S):
            try:
                return await asyncio.shield(asked)
            finally:
                if asked.done():
                    self._asked.pop(path, None)

    def _memory(self) -> list[Alert]:
        try:
            text = self._meminfo.read_text(encoding="ascii", errors="replace")
        except OSError:
            return []
        used = memory_used(text)
        return [] if used is None else [judging.memory(self._settings, self.name, THIS, used)]

    def _load(self) -> list[Alert]:
        try:
            fifteen = os.getloadavg()[2]
        except OSError:
            return []
        return [judging.load(self._settings, self.name, THIS, fifteen / (os.cpu_count() or 1))]

    def _heat(self) -> list[Alert]:
        found = sensors.hottest(self._hwmon)
        if found is None:
            return []
        return [judging.temperature(self._settings, self.name, THIS, found.degrees, found.critical)]


def memory_used(meminfo: str) -> float | None:
    """Per cent that is not available, out of ``/proc/meminfo``; None where it does not say, or nonsense. Pure."""
    found = {
        name: int(value) for name, value in re.findall(r"^(MemTotal|MemAvailable):\s+(\d+)", meminfo, re.MULTILINE)
    }
    total, available = found.get("MemTotal"), found.get("MemAvailable")
    if not total or available is None or available > total:
        return None
    return 100.0 * (1 - available / total)


def _in_a_thread(path: Path) -> asyncio.Future[float]:
    """A thread that nobody waits for at the end of the program: it may hang in the kernel for good."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[float] = loop.create_future()

    def settle(result: float | OSError) -> None:
        if future.done():
            return
        if isinstance(result, OSError):
            future.set_exception(result)
            future.exception()  # read once: whoever asked may have gone
        else:
            future.set_result(result)

    def look() -> None:
        try:
            result: float | OSError = _used_pct(path)
        except OSError as error:
            result = error
        try:
            loop.call_soon_threadsafe(settle, result)
        except RuntimeError:
            return  # the loop has ended meanwhile

    threading.Thread(target=look, name=f"disk {path}", daemon=True).start()
    return future


def _used_pct(path: Path) -> float:
    """As ``df`` counts: of what is not reserved for root. Raises OSError."""
    stat = os.statvfs(path)
    used = stat.f_blocks - stat.f_bfree
    return 100.0 * used / (used + stat.f_bavail) if used + stat.f_bavail else 0.0
