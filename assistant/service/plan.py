"""What an install would write and why it may not work: made before anything is touched."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.config_file import SPECIAL, Loaded
from assistant.errors import ServiceError
from assistant.models import ModelStore
from assistant.service import unit
from assistant.service.addresses import Allowed, allowed, look_up, outside_resolvers
from assistant.service.files import ServiceFile
from assistant.service.needs import Needs, needs, program
from assistant.service.unit import MARK, NAME, REFRESH, TIMER, Scope, UnitSpec
from assistant.state import APP, default_state_dir

FOLDERS: dict[Scope, Path] = {
    "system": Path("/etc/systemd/system"),
    "user": Path("~/.config/systemd/user").expanduser(),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line said. ``user``: whom a system unit runs as; ``read_write``: folders to be written besides;
    ``groups``: to be in besides; ``listen``: at this machine's microphone instead of serving."""

    scope: Scope = "user"
    user: str | None = None
    listen: bool = False
    read_write: tuple[Path, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """``files``: the unit first; ``state``: the folder that the service keeps; ``owner``: whose that is, None: the
    manager makes it; ``doubts``: what a person should know before."""

    files: tuple[ServiceFile, ...]
    state: Path
    owner: str | None
    doubts: tuple[str, ...]


def plan(
    loaded: Loaded,
    wishes: Wishes,
    *,
    folder: Path | None = None,
    resolve: Callable[[str], Iterable[str]] = look_up,
    python: Path = Path(sys.executable),
) -> Plan:
    """For systemd. ``folder``: where the units go, the manager's own where none is named.

    Blocking: names are looked up. Raises ServiceError.
    """
    if wishes.scope == "user" and (wishes.user or wishes.groups):
        raise ServiceError("system_only", "`--as` and `--group` are for a system unit.", mend="Add --system.")
    where = folder or FOLDERS[wishes.scope]
    settings = loaded.settings
    models = ModelStore(settings.models_dir).models_dir
    outside = allowed(settings.privacy.allow_hosts, resolve) if wishes.scope == "system" else Allowed()
    state, owner = _state(loaded, wishes)
    if wishes.scope == "system" and wishes.user is None:
        _check_models(models)
    reached = needs(settings, file=loaded.file, models=models, more=wishes.read_write)
    environment = {"JARVIS_MODELS": str(models)} | ({"JARVIS_CONFIG": str(loaded.file)} if loaded.file else {})
    spec = UnitSpec(
        wishes.scope, python, state, wishes.user, wishes.listen, settings.transcriber.engine == "whisper",
        reached.read, reached.write, outside.addresses, wishes.groups, environment,
    )  # fmt: skip
    files = [ServiceFile(where / NAME, unit.service(spec), MARK)]
    hourly = bool(outside.names) and not _others_write(program())
    if hourly:
        files.append(ServiceFile(where / REFRESH, unit.refresh(python, environment), MARK))
        files.append(ServiceFile(where / TIMER, unit.timer(), MARK))
    doubts = [*_doubts(loaded, wishes, outside, reached), *_about_names(outside, hourly=hourly)]
    return Plan(tuple(files), state, owner, tuple(doubts))


def _state(loaded: Loaded, wishes: Wishes) -> tuple[Path, str | None]:
    """The folder, and whose it is; that of the user's own commands, so that they find the service. Raises
    ServiceError."""
    named = loaded.settings.state_dir
    if wishes.scope == "user":
        return (named or default_state_dir()).resolve(), pwd.getpwuid(os.getuid()).pw_name
    if wishes.user is None:
        return unit.STATE, None
    try:
        home = Path(pwd.getpwnam(wishes.user).pw_dir)
    except KeyError as error:
        mend = f"`useradd --system --create-home {wishes.user}` makes it."
        raise ServiceError("unknown_user", f"There is no user {wishes.user!r} on this machine.", mend=mend) from error
    return named or home / ".local" / "state" / APP, wishes.user


def _check_models(models: Path) -> None:
    """They are pulled for one user, and a dynamic one is somebody else. Raises ServiceError."""
    found = [path for path in (models, *models.glob("*"), *models.glob("*/*")) if path.exists()]
    hidden = [path for path in found if not path.name.startswith(".") and not path.stat().st_mode & stat.S_IROTH]
    if hidden:
        raise ServiceError(
            "models_unreadable",
            f"The models in {models} can be read by their owner alone, and the service has a user of its own.",
            mend=f"`chmod -R a+rX {models}` (nothing of yours is in them), or `--as` their owner.",
        )


def _doubts(loaded: Loaded, wishes: Wishes, outside: Allowed, reached: Needs) -> Iterator[str]:
    if loaded.file is None:
        yield "There is no jarvis.toml: the service would show the demo homelab."
    if variables := [name for name in loaded.variables if name not in SPECIAL]:
        yield f"Not passed on to the service: {', '.join(variables)}. Write these settings into jarvis.toml."
    if wishes.scope == "user":
        yield "A user's service has no filter in the kernel for what leaves the house; the guard in the process stands."
        return
    for path in _unreadable(reached, loaded, wishes):
        yield f"The service may not be able to read {path}; see `--as` in docs/operation.md."
    if loaded.settings.state_dir is not None and wishes.user is None:
        yield f"`state_dir` is not used: a system unit without `--as` keeps its state in {unit.STATE}."
    if wishes.user is None and loaded.settings.backups and any(job.paths for job in loaded.settings.backups.values()):
        yield "What it backs up has to be readable for everybody, or the unit needs `--as` somebody who may."
    if resolvers := outside_resolvers():
        yield (
            f"/etc/resolv.conf names {', '.join(resolvers)}, outside of the house: the service could look up no name. "
            "Use a resolver in the house (your router, systemd-resolved), or allow it in `privacy.allow_hosts`."
        )


def _about_names(outside: Allowed, *, hourly: bool) -> Iterator[str]:
    for name in outside.unknown:
        yield f"{name} of `privacy.allow_hosts` has no address now: it cannot be reached until a refresh finds one."
    if outside.names and not hourly:
        yield (
            "Somebody besides root can write this installation, so no timer of root's runs it: when an allowed host "
            "gets another address, run `sudo jarvis service refresh`."
        )


def _unreadable(reached: Needs, loaded: Loaded, wishes: Wishes) -> Iterator[Path]:
    """Files that the dynamic user is nobody to. Whether a named user may read them, its own start says."""
    if wishes.user is not None:
        return
    for path in (*reached.secrets, *([loaded.file] if loaded.file else [])):
        try:
            if not path.stat().st_mode & stat.S_IROTH:
                yield path
        except OSError:
            yield path


def _others_write(paths: Sequence[Path]) -> bool:
    """Whether anybody but root may change what stands there, or put something in its place."""
    for path in {place for start in paths for place in (start.resolve(), *start.resolve().parents)}:
        try:
            found = path.stat()
        except OSError:
            return True
        shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if found.st_uid != 0 or shared:
            return True
    return False
