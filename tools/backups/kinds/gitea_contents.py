"""What lies in a dump of Gitea, and git's own check of a repository."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

from tools.backups.kinds.target import not_run
from tools.backups.kinds.throwaway import last_line
from tools.program import ProgramError, run

DATABASE = "gitea-db.sql"
OLD_REPOSITORIES = "gitea-repo.zip"
"""Before Gitea 1.13, an archive in the archive; since then the folder ``repos``."""

_REPOSITORY = re.compile(r"^(?:repos|[^/]*repositories)/(?P<name>(?:[^/]+/)+?[^/]+)\.git/(?P<rest>.*)$")

_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""Nobody's configuration, and no fetching of what a repository says is elsewhere."""


def repository_of(name: str) -> str | None:
    """``owner/name`` of the repository that a file of the archive belongs to."""
    found = _REPOSITORY.match(name)
    return found.group("name") if found else None


def repositories(names: Iterable[str]) -> dict[str, str]:
    """``owner/name`` → its folder in the archive, of all bare repositories (wikis are repositories of their own)."""
    there: dict[str, str] = {}
    for name in names:
        found = _REPOSITORY.match(name)
        if found and found.group("rest") == "HEAD":
            there[found.group("name")] = name.removesuffix("/HEAD")
    return there


async def check_repository(folder: Path, timeout_s: float) -> str:
    """``git fsck --full``; the first thing that is wrong, empty where nothing is. Raises BackupError."""
    await asyncio.to_thread(_complete, folder)
    argv = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", f"--git-dir={folder}"]
    try:
        ended = await run(
            [*argv, "fsck", "--full", "--no-dangling", "--no-progress"],
            timeout_s=timeout_s,
            environment=_ALONE,
            folder=folder,
            quiet=True,
        )
    except ProgramError as error:
        raise not_run(error) from error
    if not ended.code:
        return ""
    said = ended.complaints + ended.output.decode(errors="replace")
    first = next((line for line in said.splitlines() if line.startswith(("error", "fatal", "missing", "broken"))), "")
    return (first or last_line(said)).replace(str(folder), "…")[:200].rstrip(".")


def _complete(folder: Path) -> None:
    """A zip may have left the empty folders out by which git knows a repository."""
    for name in ("refs", "objects"):
        (folder / name).mkdir(exist_ok=True)
