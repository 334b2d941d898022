"""How the databases of a state folder are; nothing is changed. For ``jarvis doctor`` and ``jarvis state info``."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tools.database import DamagedError, Fault, fault_of, look
from tools.keeping.copies import copies_of
from tools.keeping.recovery import FOLDER as DAMAGED
from tools.keeping.recovery import recoveries
from tools.keeping.retention import JARVIS_DB
from tools.schema import MIGRATIONS

NEWEST: Mapping[str, int] = {JARVIS_DB: len(MIGRATIONS)}
"""Schema that this version writes."""


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """One file. ``schema``: its ``user_version``, None where it cannot be read; ``problem``: in words, empty where
    there is none; ``unread``: locked, broken off in the middle of a write, or too large for the time there was."""

    name: str
    bytes: int
    schema: int | None
    state: Literal["sound", "damaged", "unread"]
    problem: str = ""


def databases(state_dir: Path, within_s: float = 5.0) -> list[DatabaseHealth]:
    """Every database in the folder. Raises nothing."""
    return [_health(path, within_s) for path in sorted(state_dir.glob("*.db")) if not path.name.startswith(".")]


def _health(path: Path, within_s: float) -> DatabaseHealth:
    schema = None
    try:
        size = path.stat().st_size
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
            (schema,) = db.execute("PRAGMA user_version").fetchone()
            whole = look(db, within_s)
    except DamagedError as error:
        return DatabaseHealth(path.name, size, schema, "damaged", str(error))
    except (sqlite3.Error, OSError) as error:
        fault = fault_of(path, error)
        state: Literal["damaged", "unread"] = "damaged" if fault is Fault.DAMAGED else "unread"
        return DatabaseHealth(path.name, path.stat().st_size if path.exists() else 0, schema, state, str(error))
    if not whole:
        return DatabaseHealth(path.name, size, schema, "unread", f"it could not be read within {within_s:g} s")
    return DatabaseHealth(path.name, size, schema, "sound")


def newest_copy(state_dir: Path) -> tuple[float | None, int]:
    """When the newest nightly copy of ``jarvis.db`` was made (Unix seconds), and how many copies there are."""
    there = copies_of(state_dir / JARVIS_DB)
    daily = [copy.at for copy in there if copy.before is None]
    return (daily[-1] if daily else None), len(there)


def set_aside(state_dir: Path) -> list[str]:
    """Damaged databases that are kept, by name; the newest last."""
    return sorted(path.name for path in (state_dir / DAMAGED).glob("*.db"))


def last_recovery(state_dir: Path) -> str:
    """What was said of the newest recovery; empty where there was none."""
    there = recoveries(state_dir)
    return there[-1].spoken() if there else ""
