"""The doctor: this machine. Python, its packages, the clock, memory and disk, sound, and programs that are needed."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import socket
import sys
import time
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assistant.cli.common import House
from assistant.cli.doctor_check import Check, Examination, looks

MIN_FREE_BYTES = 2_000_000_000
MIN_MEMORY_BYTES = 3_500_000_000
ENOUGH_MEMORY_BYTES = 8_000_000_000
"""With that much, nobody misses swap."""

EARLIEST_CLOCK = 1_767_225_600.0
"""2026-01-01: a clock before that is not set, and every age of a backup would be wrong."""

TIME_ERROR = 5
"""What adjtimex(2) answers while the clock is not synchronized."""

MEMINFO = Path("/proc/meminfo")
LOCALTIME = Path("/etc/localtime")


@looks("python", "the version of Python")
def python(_: House) -> Check:
    fine = sys.version_info >= (3, 11)
    return Check("python", "ok" if fine else "broken", platform.python_version(), "Install Python 3.11 or newer.")


@looks("packages", "every package that is required, by name and version; nothing is imported")
def packages(_: House) -> Check:
    missing = [requirement for requirement in requires("jarvis-homeserver") or () if not _installed(requirement)]
    if missing:
        return Check("packages", "broken", f"missing: {', '.join(missing)}", "make setup")
    return Check("packages", "ok", "all that are required are installed")


def _installed(requirement: str) -> bool:
    if "extra ==" in requirement:
        return True
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


@looks("clock", "whether the clock is set at all")
def clock(_: House) -> Check:
    fine = time.time() > EARLIEST_CLOCK
    return Check("clock", "ok" if fine else "broken", time.strftime("%Y-%m-%d %H:%M"), "Set the clock (NTP).")


@looks("clock sync", "whether the kernel says that something keeps the clock right")
def clock_sync(_: House) -> Check:
    state = kernel_clock()
    if state is None:
        return Check("clock sync", "ok", "this system does not tell")
    if state == TIME_ERROR:
        mend = "timedatectl set-ntp true, or install chrony: schedules and ages of backups go by this clock."
        return Check("clock sync", "warning", "nothing synchronizes it", mend)
    return Check("clock sync", "ok", "synchronized")


def kernel_clock() -> int | None:
    """What adjtimex(2) answers; None where there is none."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))  # modes 0: it only reads
    except (OSError, AttributeError):
        return None


@looks("timezone", "that there is a time zone, so that “at seven” is seven here")
def timezone(_: House) -> Check:
    named = os.environ.get("TZ", "").removeprefix(":")
    if named and not named.startswith("/"):
        try:
            ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            mend = "Set TZ to a name such as Europe/Berlin, or take it out."
            return Check("timezone", "broken", f"TZ names no zone: {named[:40]}", mend)
    elif not Path(named or LOCALTIME).exists():
        return Check("timezone", "warning", "none is set: times are UTC", "timedatectl set-timezone Europe/Berlin")
    return Check("timezone", "ok", time.strftime("%Z (UTC%z)"))


@looks("disk", "free space for the state folder")
def disk(house: House) -> Check:
    usage = shutil.disk_usage(existing(house.state_dir))
    fine = usage.free > MIN_FREE_BYTES
    mend = f"Free some space on the disk of {house.state_dir}."
    return Check("disk", "ok" if fine else "warning", f"{usage.free / 1e9:.1f} GB free", mend)


@looks("memory", "the memory of this machine")
def memory(_: House) -> Check:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    fine = total > MIN_MEMORY_BYTES
    return Check("memory", "ok" if fine else "warning", f"{total / 1e9:.1f} GB", "Use --small, or a model server.")


@looks("swap", "whether there is any where memory is small, and how much of it is used")
def swap(_: House) -> Check:
    told = _meminfo()
    if "SwapTotal" not in told:
        return Check("swap", "ok", "this system does not tell")
    total, free, all_memory = told["SwapTotal"], told.get("SwapFree", 0), told.get("MemTotal", 0)
    if not total:
        short = all_memory < ENOUGH_MEMORY_BYTES
        mend = "Add some (fallocate, mkswap, swapon), so that a large model is slow and not killed."
        return Check("swap", "warning" if short else "ok", "none", mend)
    used = total - free
    mend = "Something uses more memory than there is: use --small, a model server, or add memory."
    crowded = used > total / 2
    return Check("swap", "warning" if crowded else "ok", f"{used / 1e9:.1f} of {total / 1e9:.1f} GB used", mend)


def _meminfo() -> dict[str, int]:
    """Bytes by name; empty where the system has none."""
    try:
        lines = MEMINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    found = (re.fullmatch(r"(\w+):\s+(\d+) kB", line) for line in lines)
    return {match[1]: int(match[2]) * 1024 for match in found if match}


@looks("dns", "that names can be looked up: this machine's own, and the hosts that the configuration names")
def dns(house: House) -> Check:
    names = sorted({"localhost", *named_hosts(house)})
    lost = [name for name in names if not _resolves(name)]
    if lost:
        mend = "See that the name is right, and that the resolver of this machine knows it (resolvectl query NAME)."
        return Check("dns", "warning", f"cannot be looked up: {', '.join(lost)}", mend)
    return Check("dns", "ok", f"{len(names)} of {len(names)} names found")


def named_hosts(house: House) -> set[str]:
    """Hosts of the servers that are configured; none of them leaves the house but those of ``allow_hosts``."""
    from urllib.parse import urlsplit

    settings = house.settings
    urls: list[object] = [settings.model.base_url, settings.transcriber.url, settings.synthesizer.url]
    urls += [part.url for part in (settings.home_assistant, settings.ntfy, settings.gotify) if part is not None]
    urls += [watcher.url for watcher in settings.watchers.values()]
    urls += [satellite.url for satellite in settings.satellites.values()]
    return {host for url in urls if url and (host := urlsplit(str(url)).hostname)}


def _resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except (OSError, UnicodeError):
        return False


@looks("restic", "the program restic, where a job needs it")
def restic(house: House) -> Check:
    return _program(house, "restic", {"restic"}, "apt-get install restic (Debian), brew install restic (macOS)")


@looks("borg", "the program borg, where a job needs it")
def borg(house: House) -> Check:
    return _program(
        house, "borg", {"borg", "borgmatic"}, "apt-get install borgbackup (Debian), brew install borgbackup"
    )


def _program(house: House, name: str, kinds: set[str], mend: str) -> Check:
    shown = house.demo and name == "restic"
    wanted = shown or any(job.kind in kinds for job in house.settings.backups.values())
    found = shutil.which(name)
    if found:
        return Check(name, "ok", found)
    return Check(name, "broken" if wanted else "ok", "not installed", mend)


@looks("sound library", "PortAudio")
def portaudio(_: House) -> Check:
    from assistant.errors import AudioError
    from assistant.speech.microphone import load_sounddevice

    try:
        load_sounddevice()
    except AudioError as error:
        return Check("sound library", "warning", error.detail, error.mend)
    return Check("sound library", "ok", "PortAudio is there")


def _device(direction: Literal["input", "output"], name: str, setting: str) -> Examination:
    def look(house: House) -> Check:
        from assistant.speech.microphone import devices

        found = devices(direction)
        wanted = getattr(house.settings, setting)
        if wanted is not None and not any(wanted.casefold() in one.casefold() for one in found):
            mend = f"Plug it in, or mend `{setting}`; there is: {', '.join(found) or 'none'}."
            return Check(name, "broken", f"{wanted!r} is not there", mend)
        mend = "Plug one in, if you want to talk."
        return Check(name, "ok" if found else "warning", ", ".join(found) or "none", mend)

    return Examination(name, f"a {name}, and the one that `{setting}` names", look)


microphone = _device("input", "microphone", "microphone")
loudspeaker = _device("output", "loudspeaker", "loudspeaker")


def existing(path: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())
