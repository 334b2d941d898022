"""The text of the units. Pure: what it says follows from a :class:`UnitSpec` alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assistant.service.hardening import COMMON, HOUSE, NO_DEVICES, SOUND, SYSTEM_ONLY
from assistant.service.needs import in_a_home

Scope = Literal["system", "user"]

NAME = "jarvis.service"
REFRESH = "jarvis-addresses.service"
TIMER = "jarvis-addresses.timer"
MARK = "# Written by `jarvis service install`; another install overwrites it. docs/operation.md tells what it says."
"""First line of every file of ours: what lacks it is somebody else's, and neither overwritten nor removed."""

WATCHDOG_S = 60
START_S = 300
"""For migrations of a database of years on a slow disk; the models are loaded behind the open doors."""

STOP_S = 45
"""Ten seconds for turns, three for answers (``assistant/server/run.py``), the rest for what has to be closed."""

MENDED_BY_A_PERSON = "3 4"
"""Exit codes after which starting again is of no use: the configuration, the model files (``assistant/errors.py``)."""

STATE = Path("/var/lib/jarvis")
CACHE = Path("/var/cache/jarvis")
"""StateDirectory of a dynamic user, CacheDirectory of every system unit."""


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """``user``: whom a system unit runs as, None: a dynamic user of its own; ``state``: where its state is;
    ``addresses``: outside ones that may be reached; ``groups``: it is in besides; ``whisper``: ears of its own."""

    scope: Scope
    python: Path
    state: Path
    user: str | None = None
    listen: bool = False
    whisper: bool = True
    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    addresses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def dynamic(self) -> bool:
        """Whether systemd makes up the user and owns the folders."""
        return self.scope == "system" and self.user is None


def service(spec: UnitSpec) -> str:
    """``jarvis.service``."""
    sections = {
        "Unit": [
            ("Description", "Jarvis, the assistant of this house"),
            ("StartLimitIntervalSec", "0"),  # a house wants it back, however often it fell over
            *([("Wants", "network-online.target"), ("After", "network-online.target")] if _is_system(spec) else []),
        ],
        "Service": [*_running(spec), *_whose(spec), *_environment(spec), *_walls(spec)],
        "Install": [("WantedBy", "multi-user.target" if _is_system(spec) else "default.target")],
    }
    return _text(sections)


def refresh(python: Path, environment: Mapping[str, str]) -> str:
    """``jarvis-addresses.service``: looks the allowed names up again."""
    lines = [
        ("Type", "oneshot"),
        ("ExecStart", f"{quoted(str(python))} -P -m assistant service refresh"),
        *(("Environment", quoted(f"{key}={value}", command=False)) for key, value in sorted(environment.items())),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "read-only"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("ReadWritePaths", "/etc/systemd/system"),
    ]
    return _text({"Unit": [("Description", "Look up the hosts that Jarvis may reach outside")], "Service": lines})


def timer() -> str:
    """``jarvis-addresses.timer``."""
    lines = [("OnActiveSec", "1h"), ("OnUnitActiveSec", "1h"), ("RandomizedDelaySec", "5min")]
    return _text(
        {
            "Unit": [("Description", "Look up the hosts that Jarvis may reach outside, every hour")],
            "Timer": lines,
            "Install": [("WantedBy", "timers.target")],
        }
    )


def address_lines(addresses: Iterable[str]) -> str:
    """The drop-in that ``jarvis service refresh`` writes: the whole list anew."""
    allow = " ".join([*HOUSE, *addresses])
    return _text({"Service": [("IPAddressAllow", ""), ("IPAddressAllow", allow)]})


def state_in(text: str) -> Path | None:
    """The state folder that a unit of ours names; None for any other text."""
    if MARK not in text.splitlines():
        return None
    named = [word for line in text.splitlines() if line.startswith("Environment=") for word in [line[12:].strip('"')]]
    found = [word.removeprefix("JARVIS_STATE=") for word in named if word.startswith("JARVIS_STATE=")]
    return Path(found[0].replace("%%", "%").replace('\\"', '"').replace("\\\\", "\\")) if found else None


def quoted(text: str, *, command: bool = True) -> str:
    """A word as systemd.syntax(7) reads it back; ``command``: in ExecStart, where ``$`` means something, too.

    Raises ValueError for a line break, which no unit can hold in a path.
    """
    if any(not character.isprintable() for character in text):
        raise ValueError(f"{text!r} cannot stand in a unit")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        escaped = escaped.replace("$", "$$")
    return f'"{escaped}"' if escaped != text or set(text) & set(" ';#") else text


def _is_system(spec: UnitSpec) -> bool:
    return spec.scope == "system"


def _running(spec: UnitSpec) -> Iterator[tuple[str, str]]:
    yield "Type", "notify"
    yield "NotifyAccess", "main"
    yield "ExecStart", f"{quoted(str(spec.python))} -P -m assistant {'listen' if spec.listen else 'serve'}"
    if spec.listen:
        yield "StandardOutput", "null"  # the conversation on the screen is nothing for a journal
    yield "WatchdogSec", str(WATCHDOG_S)
    yield "TimeoutStartSec", str(START_S)
    yield "TimeoutStopSec", str(STOP_S)
    yield "Restart", "on-failure"
    yield "RestartSec", "5"
    yield "RestartPreventExitStatus", MENDED_BY_A_PERSON
    yield "KillMode", "process"  # a backup of hours outlives a restart (docs/jobs.md)
    yield "OOMPolicy", "continue"  # out of memory costs the model, and not the ears
    yield "TasksMax", "1024"


def _whose(spec: UnitSpec) -> Iterator[tuple[str, str]]:
    groups = (*spec.groups, *(("audio",) if spec.listen and _is_system(spec) else ()))
    if spec.dynamic:
        yield "DynamicUser", "yes"
        yield "User", "jarvis"
        yield "StateDirectory", "jarvis"
        yield "StateDirectoryMode", "0700"
    elif spec.user is not None:
        yield "User", spec.user
    yield "CacheDirectory", "jarvis jarvis/tmp" if _is_system(spec) else "jarvis/tmp"
    yield "CacheDirectoryMode", "0700"
    if groups:
        yield "SupplementaryGroups", " ".join(dict.fromkeys(groups))


def _environment(spec: UnitSpec) -> Iterator[tuple[str, str]]:
    """TMPDIR: a job's files stay where they are when the service ends, which those in PrivateTmp's folder would not."""
    known = {"PYTHONDONTWRITEBYTECODE": "1", "JARVIS_STATE": str(spec.state), **spec.environment}
    if spec.dynamic:
        known |= {"HOME": str(STATE), "XDG_CACHE_HOME": str(CACHE)}
    yield "Environment", f"TMPDIR={CACHE / 'tmp' if _is_system(spec) else '%C/jarvis/tmp'}"
    for key, value in sorted(known.items()):
        yield "Environment", quoted(f"{key}={value}", command=False)


def _walls(spec: UnitSpec) -> Iterator[tuple[str, str]]:
    yield from COMMON
    if not spec.whisper:  # CTranslate2 writes its code when it runs; onnxruntime and llama.cpp do not
        yield "MemoryDenyWriteExecute", "yes"
    if _is_system(spec):
        yield from _walls_of_root(spec)


def _walls_of_root(spec: UnitSpec) -> Iterator[tuple[str, str]]:
    yield from SYSTEM_ONLY
    yield from SOUND if spec.listen else NO_DEVICES
    if spec.dynamic:
        yield "RemoveIPC", "yes"
    yield "IPAddressDeny", "any"
    yield "IPAddressAllow", " ".join([*HOUSE, *spec.addresses])
    writes = (*spec.write, *(() if spec.dynamic else (spec.state,)))
    for path in writes:
        yield "ReadWritePaths", _maybe(path)
    yield from _into_the_empty_home(spec.read, writes)


def _into_the_empty_home(read: Iterable[Path], write: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for key, paths in (("BindReadOnlyPaths", read), ("BindPaths", write)):
        for path in filter(in_a_home, paths):
            yield key, _maybe(path).replace(":", "\\:")


def _maybe(path: Path) -> str:
    """With the dash that lets it be missing: a disk that is unplugged keeps nothing from starting."""
    return quoted(f"-{path}", command=False)


def _text(sections: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    parts = [MARK]
    for name, lines in sections.items():
        parts += ["", f"[{name}]", *(f"{key}={value}" for key, value in lines)]
    return "\n".join(parts) + "\n"
