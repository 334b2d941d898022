"""The kinds of backups, each an adapter of ``tools.backups.port.Kind`` in a module of its own.

A module is imported when a job of its kind is made, and not before: nobody needs borg's to look at a restic job.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from tools.backups.kinds.target import Target, targets
from tools.backups.port import Kind
from tools.settings import BackupSettings

ADAPTERS = {
    "restic": "tools.backups.kinds.restic:Restic",
    "borg": "tools.backups.kinds.borg:Borg",
    "borgmatic": "tools.backups.kinds.borgmatic:Borgmatic",
    "kopia": "tools.backups.kinds.kopia:Kopia",
    "rsync-snapshots": "tools.backups.kinds.rsync:RsyncSnapshots",
    "rclone": "tools.backups.kinds.rclone:Rclone",
    "sqlite": "tools.backups.kinds.sqlite:Sqlite",
    "postgres-dump": "tools.backups.kinds.postgres:PostgresDump",
    "mariadb-dump": "tools.backups.kinds.mariadb:MariaDbDump",
    "home-assistant-tar": "tools.backups.kinds.home_assistant:HomeAssistantTar",
    "gitea-dump": "tools.backups.kinds.gitea:GiteaDump",
    "report": "tools.backups.kinds.report:Report",
    "command": "tools.backups.kinds.command:Command",
}
"""By the kind of the configuration: module and class. The class takes ``(settings, target)``."""

__all__ = ["ADAPTERS", "Target", "make", "targets"]


def make(settings: BackupSettings, target: Target | None = None) -> Kind:
    """The adapter for a job, at its main destination or another one. Touches nothing."""
    module, _, name = ADAPTERS[settings.kind].partition(":")
    adapter = cast(Callable[[BackupSettings, Target], Kind], getattr(import_module(module), name))
    return adapter(settings, target if target is not None else targets(settings)[0])
