"""``jarvis service``: Jarvis as a service of this machine; install, refresh, status, logs, upgrade, uninstall."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import egress
from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, escape, out
from assistant.errors import ServiceError, StateError

if TYPE_CHECKING:
    from assistant.service.launchd import LaunchdService
    from assistant.service.plan import Plan
    from assistant.service.systemd import ServiceStatus, SystemdService
    from assistant.service.unit import Scope

service_app = typer.Typer(
    no_args_is_help=True, help="Jarvis as a service of this machine: started with it, watched, walled in."
)

NOT_RUNNING = 3
NOT_INSTALLED = 4
"""Exit codes of `status`, those of the LSB's init scripts."""

SystemOption = Annotated[
    bool | None,
    typer.Option(
        "--system/--user", help="Of the machine (as root), or of you alone. Without: as root the machine's.",
        show_default=False,
    ),
]  # fmt: skip


def _complete_user(incomplete: str) -> list[str]:
    import pwd

    return sorted(user.pw_name for user in pwd.getpwall() if user.pw_name.startswith(incomplete))


def _complete_group(incomplete: str) -> list[str]:
    import grp

    return sorted(group.gr_name for group in grp.getgrall() if group.gr_name.startswith(incomplete))


@service_app.command()
def install(
    system: SystemOption = None,
    as_user: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="USER", autocompletion=_complete_user, show_default=False,
            help="Whom a system unit runs as; without: a user that exists only while it runs.",
        ),
    ] = None,
    listen: Annotated[
        bool, typer.Option("--listen", help="Listen at this machine's microphone (jarvis listen) instead of serving.")
    ] = False,
    read_write: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="One more folder that it may write; may be said several times."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(autocompletion=_complete_group, help="One more group that it is in; docker's is as good as root."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    no_start: Annotated[bool, typer.Option("--no-start", help="Do not start it yet.")] = False,
    config: ConfigOption = None,
) -> None:  # fmt: skip
    """Write the unit, enable and start it. Again: what has changed is written, and it is restarted."""
    with errors_explained():
        if sys.platform == "darwin":
            _install_on_macos(config, listen=listen, dry_run=dry_run, start=not no_start)
            return
        manager = _systemd(_scope(system), check=not dry_run)
        plan = _plan(_scope(system), as_user, listen, read_write or [], group or [], config)
        _say_doubts(plan.doubts)
        if dry_run:
            for file in plan.files:
                out.print(f"[bold]{escape(str(file.path))}[/] ({file.change()})", soft_wrap=True)
                typer.echo(file.text)
            return
        for path, change in manager.install(plan, start=not no_start).items():
            out.print(f"{escape(str(path))}: {change}", soft_wrap=True)
        _say_started(manager.status(), started=not no_start, scope=_scope(system))


@service_app.command()
def refresh(config: ConfigOption = None) -> None:
    """Look up the hosts of `privacy.allow_hosts` again, and let the filter of the system unit have their addresses."""
    with errors_explained():
        from assistant.config_file import load
        from assistant.service.addresses import allowed

        manager = _systemd("system")
        if not manager.status().installed:
            raise _not_installed()
        hosts = load(config).settings.privacy.allow_hosts
        egress.install(hosts)
        found = allowed(hosts)
        for name in found.unknown:
            err.print(f"[yellow]{escape(name)} has no address now.[/]")
        if found.unknown and not found.addresses:
            raise ServiceError("nothing_found", "No address was found; the filter stays as it was.")
        out.print(f"{manager.refresh(found.addresses)}: {len(found.addresses)} outside addresses")


@service_app.command()
def status(system: SystemOption = None, as_json: JsonOption = False) -> None:
    """Whether it runs. Exit code 3 when it does not, 4 when it is not installed."""
    with errors_explained(as_json=as_json):
        found = _manager(_there(system)).status()
    if as_json:
        out.print_json(json.dumps(found.as_json()))
    else:
        for name, value in found.as_json().items():
            if value is not None:
                out.print(f"{name:>12}  {escape(str(value))}", soft_wrap=True)
    if not found.installed:
        raise typer.Exit(NOT_INSTALLED)
    if not found.running:
        raise typer.Exit(NOT_RUNNING)


@service_app.command()
def logs(
    system: SystemOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100_000, help="So many of the newest.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come, until Ctrl-C.")] = False,
) -> None:
    """What it wrote: no transcript and no secret stands there."""
    with errors_explained():
        command = _manager(_there(system)).logs_command(lines=lines, follow=follow)
        if shutil.which(command[0]) is None:
            raise ServiceError("no_log", f"{command[0]} is not on this machine.")
        ended = subprocess.run(command, check=False)
    raise typer.Exit(ended.returncode)


@service_app.command()
def uninstall(
    system: SystemOption = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Its state too: tokens, tasks, audit, restore tests. Asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --purge: do not ask.")] = False,
) -> None:
    """Stop it and remove every file that install wrote. The state stays, without --purge."""
    with errors_explained():
        scope = _there(system)
        manager = _manager(scope)
        state = _state_of(scope) if purge else None
        if state is not None and not yes:
            typer.confirm(f"Remove {state} for good, with tokens, tasks, audit and restore tests?", abort=True)
        removed = manager.uninstall(purge=purge)
        for path in removed:
            out.print(f"removed {escape(str(path))}", soft_wrap=True)
        if not removed:
            out.print("Nothing of it is installed.")
        if state is not None:
            _remove_state(state)


def _scope(system: bool | None) -> Scope:
    return "system" if (os.geteuid() == 0 if system is None else system) else "user"


def _there(system: bool | None) -> Scope:
    """The scope that is meant: what was said, else where it is installed."""
    if system is not None or sys.platform == "darwin":
        return _scope(system)
    from assistant.service.plan import FOLDERS
    from assistant.service.unit import NAME

    scopes: tuple[Scope, ...] = ("user", "system")
    installed = [scope for scope in scopes if (FOLDERS[scope] / NAME).exists()]
    return installed[0] if len(installed) == 1 else _scope(None)


def _systemd(scope: Scope, *, check: bool = True) -> SystemdService:
    """Raises ServiceError."""
    from assistant.service.systemd import SystemdService

    manager = SystemdService(scope)
    if check:
        manager.check()
    return manager


def _manager(scope: Scope) -> SystemdService | LaunchdService:
    if sys.platform == "darwin":
        from assistant.service.launchd import LaunchdService

        return LaunchdService()
    from assistant.service.systemd import SystemdService

    return SystemdService(scope)


def _plan(
    scope: Scope, user: str | None, listen: bool, folders: list[Path], groups: list[str], config: Path | None
) -> Plan:
    """Raises ConfigError, ServiceError."""
    from assistant.config_file import load
    from assistant.service.plan import Wishes, plan

    loaded = load(config)
    egress.install(loaded.settings.privacy.allow_hosts)
    read_write = tuple(folder.resolve() for folder in folders)
    return plan(loaded, Wishes(scope, user, listen, read_write, tuple(groups)))


def _install_on_macos(config: Path | None, *, listen: bool, dry_run: bool, start: bool) -> None:
    """Raises ConfigError, ServiceError."""
    from assistant.config_file import load
    from assistant.service.launchd import LaunchdService, agent

    manager = LaunchdService()
    file = agent(load(config), listen=listen)
    if dry_run:
        out.print(f"[bold]{escape(str(file.path))}[/] ({file.change()})", soft_wrap=True)
        typer.echo(file.text)
        return
    out.print(f"{escape(str(file.path))}: {manager.install(file, start=start)}", soft_wrap=True)
    out.print("It runs while you are logged in. docs/operation.md: what keeps the Mac awake, and the filter.")


def _say_doubts(doubts: tuple[str, ...]) -> None:
    for doubt in doubts:
        err.print(f"[yellow]{escape(doubt)}[/]", soft_wrap=True)


def _say_started(found: ServiceStatus, *, started: bool, scope: Scope) -> None:
    if started:
        out.print(f"{found.active}: {escape(found.status or '')}", soft_wrap=True)
    if scope == "user":
        out.print("It ends with your last login, unless you say once: loginctl enable-linger", soft_wrap=True)


def _state_of(scope: Scope) -> Path:
    """As the unit says it, which is what the service really used. Raises ServiceError when there is none."""
    from assistant.service.unit import state_in

    found = _manager(scope).status()
    text = Path(found.file).read_text(encoding="utf-8") if found.file else ""
    state = state_in(text)
    if state is None:
        raise _not_installed()
    return state


def _remove_state(state: Path) -> None:
    """Nothing but a folder that looks like one of ours. Raises StateError."""
    if not state.exists():
        out.print(f"removed {escape(str(state))}", soft_wrap=True)
        return
    if not (state / "lock").exists() and any(state.iterdir()):
        raise StateError("not_a_state", f"{state} does not look like a state folder.", mend="Remove it by hand.")
    shutil.rmtree(state)
    out.print(f"removed {escape(str(state))}", soft_wrap=True)


def _not_installed() -> ServiceError:
    return ServiceError("not_installed", "The service is not installed.", mend="`jarvis service install`.")
