"""What backs up on this machine already: crontabs, systemd units, env files, borgmatic, Home Assistant, Time Machine.

Everything is read below ``root``, so that a test has a machine of its own; nothing is run and nothing is changed. No
secret is taken along: a password that stands in the open is a note, and its file is named.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import ValidationError

from tools.backups.command_lines import COMPUTED, Found, backup_commands, environment_of
from tools.backups.schedules_found import calendar_interval_h, cron_interval_h, max_age_h, span_h
from tools.settings import BackupSettings

MAX_BYTES = 256_000
"""Of a crontab, a unit or a script; what is larger was not written by a person."""

HOME_ASSISTANT = (
    "config/backups", "backup", "usr/share/hassio/backup", "var/lib/homeassistant/backups", "homeassistant/backups",
    "opt/homeassistant/config/backups", "srv/homeassistant/backups",
)  # fmt: skip
"""Folders that installations of Home Assistant keep their backups in, below the root."""

_UNIT_FOLDERS = ("etc/systemd/system", "usr/local/lib/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")
_ENV_FILES = ("etc/restic*", "etc/restic/*", "etc/default/restic*", "etc/default/borg*", "etc/borg/*")
_HOME_ENV_FILES = (".config/restic/*", ".restic*", ".config/borg/*.env", ".borg*")
_BORGMATIC = ("etc/borgmatic/config.yaml", "etc/borgmatic.d/*.yaml")
_HOME_BORGMATIC = (".config/borgmatic/config.yaml", ".config/borgmatic.d/*.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A job that could be configured. ``settings``: keys of ``[backups.NAME]``; ``where``: the files it was found in;
    ``notes``: what a person has to know or do; ``problem``: why it cannot be a job as it stands, empty where it can."""

    name: str
    settings: Mapping[str, Any]
    where: str
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """``unread``: files that only another user may read, so that there may be more."""

    proposals: tuple[Proposal, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sighting:
    found: Found
    where: str
    interval_h: float | None = None
    title: str = ""


def discover(root: Path, home: Path, configured: Mapping[str, BackupSettings]) -> Discovery:
    """Look. ``home``: the user's home, below ``root``; ``configured``: jobs that there are, which are left out."""
    machine = _Machine(root, home)
    sightings = [
        *_borgmatic(machine), *_cron(machine), *_systemd(machine), *_home_assistant(machine), *_time_machine(machine),
    ]  # fmt: skip
    taken = {name.casefold() for name in configured}
    known = {_key(job.kind, job.model_dump()) for job in configured.values()}
    merged: dict[tuple[object, ...], _Sighting] = {}
    for sighting in sightings:
        key = _key(sighting.found.kind, sighting.found.settings)
        if key not in known:
            merged[key] = _merged(merged[key], sighting) if key in merged else sighting
    proposals = []
    for sighting in merged.values():
        proposals.append(_proposal(sighting, taken))
        taken.add(proposals[-1].name.casefold())
    return Discovery(tuple(proposals), tuple(sorted(machine.unread)))


def _merged(one: _Sighting, other: _Sighting) -> _Sighting:
    """A job that two places tell of: a timer how often, a configuration what."""
    where = one.where if other.where in one.where else f"{one.where}, {other.where}"
    settings = {**other.found.settings, **one.found.settings}
    notes = tuple(dict.fromkeys([*one.found.notes, *other.found.notes]))
    return replace(
        one,
        found=replace(one.found, settings=settings, notes=notes),
        where=where,
        interval_h=one.interval_h if one.interval_h is not None else other.interval_h,
    )


@dataclass(slots=True)
class _Machine:
    root: Path
    home: Path
    unread: set[str] = field(default_factory=set)

    def glob(self, patterns: Iterable[str], folder: Path | None = None) -> Iterator[Path]:
        for pattern in patterns:
            try:
                yield from sorted(path for path in (folder or self.root).glob(pattern) if path.is_file())
            except OSError:
                self.unread.add(str(PurePosixPath("/") / pattern))

    def read(self, path: Path) -> str:
        """Empty for what is no text, too large or not ours to read."""
        try:
            if path.stat().st_size > MAX_BYTES:
                return ""
            return path.read_text(encoding="utf-8")
        except PermissionError:
            self.unread.add(self.shown(path))
        except (OSError, UnicodeDecodeError):
            pass
        return ""

    def shown(self, path: Path) -> str:
        """As it is called on the machine itself."""
        return "/" + str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def real(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    @property
    def environment(self) -> dict[str, str]:
        """What env files of restic and borg set; the user's last, so that they win."""
        known = {"HOME": self.shown(self.home)}
        for path in [*self.glob(_ENV_FILES), *self.glob(_HOME_ENV_FILES, self.home)]:
            if path.suffix in ("", ".env", ".conf", ".sh"):
                known |= environment_of(self.read(path))
        return known

    def commands(self, text: str, environment: Mapping[str, str]) -> Iterator[Found]:
        """Of a line or unit, and of the scripts that it calls."""
        yield from backup_commands(text, environment)
        for word in re.findall(r"(?<![\w.])(/[\w./@+-]+)", text):
            script = self.real(word)
            if script.is_file() and (inner := self.read(script)).startswith("#!"):
                yield from backup_commands(inner, environment)


def _cron(machine: _Machine) -> Iterator[_Sighting]:
    environment = machine.environment
    with_user = [*machine.glob(("etc/crontab", "etc/cron.d/*"))]
    for folder in ("var/spool/cron/crontabs", "var/spool/cron"):
        if machine.real(folder).is_dir() and not _listable(machine.real(folder)):
            machine.unread.add(f"/{folder}")
    for path in [*with_user, *machine.glob(("var/spool/cron/crontabs/*", "var/spool/cron/*"))]:
        for line in machine.read(path).splitlines():
            if (entry := _cron_line(line.strip(), user=path in with_user)) is not None:
                interval, command = entry
                for found in machine.commands(command, environment):
                    yield _Sighting(found, machine.shown(path), interval, path.stem)
    for often, interval in (("hourly", 1.0), ("daily", 24.0), ("weekly", 168.0), ("monthly", 744.0)):
        for path in machine.glob((f"etc/cron.{often}/*",)):
            for found in backup_commands(machine.read(path), environment):
                yield _Sighting(found, machine.shown(path), interval, path.stem)


def _listable(folder: Path) -> bool:
    try:
        next(folder.iterdir(), None)
    except OSError:
        return False
    return True


def _cron_line(line: str, *, user: bool) -> tuple[float | None, str] | None:
    """Interval and command of a line of a crontab (crontab(5)); None for what is none."""
    if not line or line.startswith("#") or re.match(r"[A-Za-z_]\w*\s*=", line):
        return None
    fields = 1 if line.startswith("@") else 5
    parts = line.split(None, fields + user)
    if len(parts) <= fields + user:
        return None
    return cron_interval_h(" ".join(parts[:fields])), parts[-1].replace(r"\%", "%")


def _systemd(machine: _Machine) -> Iterator[_Sighting]:
    units = {path.name: path for path in machine.glob(f"{folder}/*.service" for folder in reversed(_UNIT_FOLDERS))}
    units |= {path.name: path for path in machine.glob((".config/systemd/user/*.service",), machine.home)}
    for path in units.values():
        text = machine.read(path).replace("\\\n", " ")
        environment = machine.environment
        for file in _values(text, "EnvironmentFile"):
            environment |= environment_of(machine.read(machine.real(file.lstrip("-"))))
        for assignment in _values(text, "Environment"):
            environment |= environment_of(assignment)
        interval = _timer(machine, path)
        for command in [*_values(text, "ExecStartPre"), *_values(text, "ExecStart")]:
            for found in machine.commands(command.lstrip("@-:+!"), environment):
                yield _Sighting(found, machine.shown(path), interval, path.stem.partition("@")[0])


def _timer(machine: _Machine, service: Path) -> float | None:
    text = machine.read(service.with_suffix(".timer")) if service.with_suffix(".timer").is_file() else ""
    intervals = [calendar_interval_h(value) for value in _values(text, "OnCalendar")]
    intervals += [span_h(value) for value in _values(text, "OnUnitActiveSec")]
    return min((interval for interval in intervals if interval), default=None)


def _values(unit: str, key: str) -> list[str]:
    return re.findall(rf"^\s*{key}\s*=\s*(.*?)\s*$", unit, re.MULTILINE)


def _borgmatic(machine: _Machine) -> Iterator[_Sighting]:
    for path in [*machine.glob(_BORGMATIC), *machine.glob(_HOME_BORGMATIC, machine.home)]:
        try:
            config = yaml.safe_load(machine.read(path))
        except yaml.YAMLError:
            continue
        if not isinstance(config, dict):
            continue
        location = config.get("location")
        place = location if isinstance(location, dict) else config  # a section of its own before borgmatic 1.8
        paths = [str(one) for one in place.get("source_directories") or []]
        places = [one.get("path") if isinstance(one, dict) else one for one in place.get("repositories") or []]
        if not places:
            continue
        settings = {"config_file": machine.shown(path), "repository": str(places[0]), "paths": tuple(paths)}
        more = (f"it writes to {len(places)} repositories; only the first is proposed",) if len(places) > 1 else ()
        yield _Sighting(Found(kind="borgmatic", settings=settings, notes=more), machine.shown(path), None, path.stem)


def _home_assistant(machine: _Machine) -> Iterator[_Sighting]:
    inside = [machine.home / ".homeassistant/backups", machine.home / "homeassistant/backups"]
    for folder in [*(machine.root / place for place in HOME_ASSISTANT), *inside]:
        newest = sorted(machine.glob(("*.tar",), folder), key=lambda path: path.stat().st_mtime)
        if newest:
            settings = {"repository": machine.shown(folder)}
            note = "a backup in Home Assistant's own folder dies with its disk: copy it somewhere else, too"
            found = Found(kind="home-assistant-tar", settings=settings, notes=(note,))
            yield _Sighting(found, machine.shown(folder), None, "home assistant")


def _time_machine(machine: _Machine) -> Iterator[_Sighting]:
    path = machine.real("Library/Preferences/com.apple.TimeMachine.plist")
    try:
        destinations = plistlib.loads(path.read_bytes()).get("Destinations") or []
    except PermissionError:
        machine.unread.add(machine.shown(path))
        return
    except (OSError, plistlib.InvalidFileException, ValueError, AttributeError):
        return
    if destinations:
        note = 'Time Machine cannot be read from here: let it check in with `jarvis backups report "time machine"`'
        yield _Sighting(
            Found(kind="report", settings={"report": "time-machine.json"}, notes=(note,)),
            machine.shown(path),
            None,
            "time machine",
        )


def _key(kind: str, settings: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two findings the same job."""
    repository = str(settings.get("repository") or "").rstrip("/")
    if kind == "borgmatic":
        return kind, str(settings.get("config_file") or "/etc/borgmatic/config.yaml")
    tags = tuple(sorted(settings.get("tags") or ()))
    return kind, repository, tuple(sorted(str(path).rstrip("/") for path in settings.get("paths") or ())), tags


def _proposal(sighting: _Sighting, taken: set[str]) -> Proposal:
    found = sighting.found
    settings = {**found.settings, "max_age_h": max_age_h(sighting.interval_h)}
    return Proposal(
        name=_name(sighting, taken),
        settings={"kind": found.kind, **settings},
        where=sighting.where,
        notes=found.notes,
        problem=_problem(found, settings),
    )


def _problem(found: Found, settings: Mapping[str, Any]) -> str:
    if found.kind == "rsync":
        return "a mirror keeps no earlier state"
    if found.kind in ("restic", "borg", "borgmatic", "rsync-snapshots", "rclone") and not settings.get("repository"):
        return "nothing says where it backs up to"
    if COMPUTED in str(settings.get("repository", "")) or any(COMPUTED in path for path in settings.get("paths", ())):
        return "where it backs up to, or what, is computed by a script"
    try:
        BackupSettings.model_validate({"kind": found.kind, **settings})
    except ValidationError as error:
        return "it cannot be described: " + "; ".join(problem["msg"] for problem in error.errors())
    return ""


def _name(sighting: _Sighting, taken: set[str]) -> str:
    """After what is backed up: /srv/photos → photos; else after the file that says so. Never one that is taken."""
    paths = [PurePosixPath(path).name for path in sighting.found.settings.get("paths") or () if COMPUTED not in path]
    words = re.sub(r"[^a-z0-9]+", " ", (paths[0] if len(paths) == 1 and paths[0] else sighting.title).casefold())
    said = " ".join(word for word in words.split() if word not in ("backup", "backups", *_PROGRAM_WORDS)) or "backup"
    return next(name for name in (said, *(f"{said} {number}" for number in range(2, 1000))) if name not in taken)


_PROGRAM_WORDS = ("restic", "borg", "borgmatic", "config", "rsync", "rclone", "crontab", "root", "cron")
