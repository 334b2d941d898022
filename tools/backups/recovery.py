"""Recovery notes: one page for each job, for the day on which neither this machine nor Jarvis is there.

Generated from the configuration alone: what, where, which secret, the exact commands, and what to do when the NAS or
this machine is gone. Markdown that prints well. The commands are in ``recovery_commands.py``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tools.backups.kinds.target import Target, targets
from tools.backups.recovery_commands import Commands, commands
from tools.backups.scorecard import ENCRYPTED, NAMED, VERSIONED, Failure, Holding
from tools.settings import BackupSettings

_ON = {
    "disk": "a disk",
    "nas": "the NAS",
    "usb": "a USB disk",
    "cloud": "a cloud",
    "tape": "a tape",
    "other": "another medium",
}


class ExportError(Exception):
    """The notes were not written; the text says why, and what to do."""


def markdown(job: str, settings: BackupSettings) -> str:
    """The page of a job."""
    parts = [f"# Recovery: {job}", *_facts(settings)]
    for target in targets(settings):
        made = commands(job, settings, target)
        where = f" from {target.name}" if target.name else ""
        parts += _steps(where, made) if made is not None else [f"## Get it back{where}", _by_hand(settings)]
    parts += ["## When something is gone", *_gone(job, settings)]
    return "\n\n".join(parts) + "\n"


def _facts(settings: BackupSettings) -> Iterator[str]:
    rows = [("made by", f"`{settings.kind}`")]
    if settings.paths:
        rows.append(("what", ", ".join(f"`{path}`" for path in settings.paths)))
    if settings.database is not None:
        rows.append(("database", f"`{settings.database.name}`"))
    for target in targets(settings):
        label = f"where ({target.name})" if target.name else "where"
        rows.append((label, f"`{target.shown}`{_properties(target)}" if target.repository else "nothing is configured"))
        if target.mount is not None:
            rows.append(("mount first", f"`{target.mount}`"))
    rows += [(label, f"`{path}`") for label, path in _secrets(settings)]
    if settings.config_file is not None:
        rows.append(("the program's configuration", f"`{settings.config_file}`"))
    yield "| | |\n|---|---|\n" + "\n".join(
        f"| {label} | {value.replace('|', chr(92) + '|')} |" for label, value in rows
    )
    if any("…@" in target.shown for target in targets(settings)):
        yield "The address has a password, which is not printed here: it stands in jarvis.toml. Put it where the … is."


def _properties(target: Target) -> str:
    said = [f"on {_ON[target.medium]}"]
    said += ["in another building"] if target.offsite else []
    said += ["unplugged between runs"] if target.offline else []
    said += ["cannot be changed from the house"] if target.immutable else []
    return ", " + ", ".join(said)


def _secrets(settings: BackupSettings) -> list[tuple[str, Path]]:
    """(what it is, its file), each once."""
    found = [("password file", target.password_file) for target in targets(settings)]
    found += [(f"value of {name}", path) for name, path in settings.credentials.items()]
    found += [("ssh key", settings.ssh_key), ("known_hosts", settings.known_hosts)]
    if settings.database is not None:
        found.append(("password of the database user", settings.database.password_file))
    return list(dict.fromkeys((label, path) for label, path in found if path is not None))


def _steps(where: str, made: Commands) -> Iterator[str]:
    yield f"## Get it back{where}"
    yield f"Install {', '.join(f'`{program}`' for program in made.programs)}. All blocks go into the same shell."
    for title, block in (
        ("Set up", made.setup),
        ("What there is", made.listing),
        ("Everything", made.everything),
        (
            "One table" if "TABLE=" in made.one else "One repository" if "REPOSITORY=" in made.one else "One file",
            made.one,
        ),
    ):
        yield f"### {title}\n\n```sh\n{block}\n```"
    if made.hint:
        yield made.hint


def _by_hand(settings: BackupSettings) -> str:
    if settings.kind == "command" and settings.command:
        return f"The job runs `{' '.join(settings.command)}`: what that makes, and how to get it back, it has to say."
    if settings.report is not None:
        return f"The job only checks in at `{settings.report}`. Get it back with the program that makes it."
    return "Get it back with the program that makes it."


def _gone(job: str, settings: BackupSettings) -> Iterator[str]:
    secrets = [f"`{path}`" for label, path in _secrets(settings) if label != "known_hosts"]
    text = "**This machine.** Install the programs above on another one"
    local = [f"`{target.shown}`" for target in targets(settings) if target.folder is not None]
    text += f"; bring the disk with {', '.join(local)} there, and put its path into the commands" if local else ""
    if secrets:
        text += f". You need what stands in {', '.join(secrets)}: keep a copy of it on paper or on a stick, today"
    yield text + "."
    for failure in (Failure.DEAD_NAS, Failure.FIRE, Failure.RANSOMWARE, Failure.LOST_ACCOUNT):
        left = [held.name for held in _holdings(job, settings) if held.survives(failure)]
        said = f"What is left of the backups: {', '.join(left)}." if left else "None of these backups is left."
        if failure is Failure.DEAD_NAS and settings.source_medium != "nas":
            said += " The original is not on the NAS, and stays."
        yield f"**After {NAMED[failure]}.** {said}"


def _holdings(job: str, settings: BackupSettings) -> Iterator[Holding]:
    for target in targets(settings):
        yield Holding(
            job=job,
            destination=target.name,
            medium=target.medium,
            offsite=target.offsite,
            offline=target.offline,
            immutable=target.immutable,
            versions=settings.kind in VERSIONED,
            needs_key=settings.kind in ENCRYPTED,
        )


def export_notes(pages: Mapping[str, str], jobs: Mapping[str, BackupSettings], folder: Path) -> tuple[Path, ...]:
    """Write each page to ``folder``, readable for its owner only; the paths.

    Raises ExportError, above all where the folder lies where a backup goes: the notes would be gone with it.
    """
    try:
        real = folder.resolve()
        for job, settings in jobs.items():
            for target in targets(settings):
                _check_independent(real, job, target)
        real.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tuple(_write(real / f"recovery-{_file_name(name)}.md", text) for name, text in pages.items())
    except OSError as error:
        raise ExportError(f"The notes cannot be written to {folder}: {error.strerror}.") from error


def _check_independent(folder: Path, job: str, target: Target) -> None:
    """Raises ExportError for a folder on the disk or share of a destination."""
    places = [path for path in (target.mount, target.folder) if path is not None]
    if target.folder is not None and (mount := _mount_of(target.folder)) is not None:
        places.append(mount)
    for place in places:
        if folder.is_relative_to(place.resolve()):
            raise ExportError(
                f"{folder} lies on {place}, where the {job} backup goes: the notes would be gone with it. "
                "Name a folder on a stick, or on another machine."
            )


def _mount_of(path: Path) -> Path | None:
    """Where its file system is mounted; None for the root's, which everything lies on."""
    for folder in (path.resolve(), *path.resolve().parents):
        if folder != Path("/") and os.path.ismount(folder):
            return folder
    return None


def _file_name(job: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", job).strip("-.") or "job"


def _write(path: Path, text: str) -> Path:
    """Whole or not at all: the stick may be pulled out."""
    part = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path
