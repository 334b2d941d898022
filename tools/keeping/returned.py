"""A database that is from before: what was true then and must not be believed now.

After a restore of the whole folder or a rollback after an upgrade: open questions are void, what was due since is not
done again, tokens that were revoked since stay revoked, and the audit says that there was a way back.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tools.contract import Door
from tools.keeping.copies import Copy, checked, copies_of, copy_online, folder_of, sync
from tools.keeping.recovery import hold_back
from tools.keeping.retention import JARVIS_DB
from tools.schema import MIGRATIONS
from tools.store import Store

ASIDE = "aside"


def settle(database: Path, how: str, told: Mapping[str, object], now: float) -> None:
    """Make a ``jarvis.db`` from before fit to go on with; brings it to this version's schema. Raises StoreError."""
    with Store(database) as store:
        store.write("DELETE FROM confirmations", [()])
        store.write("DELETE FROM links", [()])
        hold_back(store, now)
        store.audit(
            {
                "who": "jarvis", "role": "owner", "door": Door.CLI.value, "tool": "database",
                "arguments": json.dumps(told), "decision": how, "outcome": "ok",
            }
        )  # fmt: skip


def carry_revocations(old: Path, new: Path) -> int:
    """Revoke in ``new`` (a tokens.db) what is revoked in ``old``; how many there were. Without ``new`` the old one is
    taken over: that a token is needed is never forgotten. Raises sqlite3.Error, OSError."""
    if not old.exists():
        return 0
    if not new.exists():
        shutil.copy2(old, new)
        return 0
    with closing(sqlite3.connect(f"{old.absolute().as_uri()}?mode=ro", uri=True)) as before:
        revoked = before.execute("SELECT revoked, revoked_by, sha256 FROM tokens WHERE revoked IS NOT NULL").fetchall()
    with closing(sqlite3.connect(new)) as after, after:
        changed = after.executemany(
            "UPDATE tokens SET revoked = ?, revoked_by = ? WHERE sha256 = ? AND revoked IS NULL", revoked
        )
        return max(changed.rowcount, 0)


def before_upgrade(state_dir: Path) -> Copy | None:
    """The newest copy made before a migration that this version can read; None where there is none."""
    for copy in reversed(copies_of(state_dir / JARVIS_DB)):
        if copy.before is not None and copy.schema <= len(MIGRATIONS):
            return copy
    return None


def roll_back(state_dir: Path, copy: Copy, now: float) -> Path:
    """Put a copy in the place of ``jarvis.db``; where the other one is kept. For who owns the folder. Raises OSError,
    sqlite3.Error, StoreError."""
    database = state_dir / JARVIS_DB
    checked(copy.path)
    new = state_dir / ".jarvis-rollback.db"
    for left in (new, new.with_name(f"{new.name}-journal")):
        left.unlink(missing_ok=True)
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy_online(copy.path, new)
        settle(new, "rolled back", {"copy": copy.path.name}, now)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = state_dir / ASIDE / f"jarvis-{stamp}.db"
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        if database.exists():
            try:
                os.link(database, aside)
            except OSError:  # a file system without links
                shutil.copy2(database, aside)
        journal = database.with_name(f"{database.name}-journal")
        if journal.exists():
            journal.replace(aside.with_name(f"{aside.name}-journal"))
        new.replace(database)
        sync(state_dir)
    finally:
        for left in (new, *folder_of(database).glob(f"{new.stem}-*")):
            left.unlink(missing_ok=True)
    return aside
