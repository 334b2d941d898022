"""Speaking with PostgreSQL by its own programs: where they are, the password by file, their refusals as faults, and a
snapshot that pg_dump and our own counting share."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tools.backups.kinds.dump_files import os_fault
from tools.backups.kinds.target import not_run
from tools.backups.kinds.throwaway import PASSWORDS, last_line, temporary
from tools.backups.port import BackupError, Fault
from tools.program import ProgramError, Started, read_secret, started
from tools.settings import DatabaseSettings

CONNECT_S = 10
COUNTING = """
SELECT format('SELECT json_build_array(%L, count(*)) FROM ONLY %I.%I;', n.nspname || '.' || c.relname,
              n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1
\\gexec
"""
"""One line of JSON for each table, ``["schema.table", rows]``: those of people, partitions each for themselves; what
belongs to an extension is not dumped, and not counted."""

_DONE = "jarvis-is-done"
_SETTINGS = (
    "SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; "
    "SET LOCAL idle_in_transaction_session_timeout = 0;"
)
"""Rows hidden by a policy would make a dump of a part; pg_dump sets the first as well."""

_UNREACHABLE = (
    "connection refused", "is the server running", "could not translate host name", "timeout expired",
    "no route to host", "server closed the connection", "the database system is", "network is unreachable",
    "could not connect to server", "terminating connection",
)  # fmt: skip


def program(name: str) -> str:
    """One of PostgreSQL's programs, the newest that is installed: Debian keeps each version in a folder of its own.

    Raises BackupError not_installed.
    """
    versions = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if os.access(path, os.X_OK)]
    if versions:
        return str(max(versions, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parts[-3])]))
    found = shutil.which(name)
    if found is None:
        raise BackupError(Fault.NOT_INSTALLED, f"{name} is not installed; it comes with PostgreSQL")
    return found


@asynccontextmanager
async def connection(database: DatabaseSettings) -> AsyncIterator[dict[str, str]]:
    """The environment by which the programs find the database: no argument tells anything. Raises BackupError."""
    async with temporary(PASSWORDS) as folder:
        environment = {
            "PGDATABASE": database.name,
            "PGCONNECT_TIMEOUT": str(CONNECT_S),
            "PGAPPNAME": "jarvis",
            "PGCLIENTENCODING": "UTF8",
            "PGPASSFILE": str(folder / "pgpass"),  # also without a password: not the one of the user's home
            "LC_ALL": "C",
        }
        known = {"PGHOST": database.host, "PGPORT": database.port, "PGUSER": database.user}
        environment |= {name: str(value) for name, value in known.items() if value}
        if database.password_file is not None:
            await asyncio.to_thread(_write_password, folder / "pgpass", database.password_file)
        yield environment


def _write_password(pgpass: Path, password_file: Path) -> None:
    try:
        password = read_secret(password_file)
    except (OSError, ValueError) as error:
        raise BackupError(Fault.PASSWORD_UNREADABLE, "the file with the database's password cannot be read") from error
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    try:
        with os.fdopen(os.open(pgpass, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f"*:*:*:*:{escaped}\n")
    except OSError as error:
        raise os_fault(error, "the folder for temporary files cannot be used") from error


def refusal(said: str, database: str) -> BackupError:
    """What a client complained of, as a fault of the database that is read."""
    text = said.casefold()
    if "no password supplied" in text:
        return BackupError(Fault.NOT_CONFIGURED, "the database wants a password, and none is configured")
    if "password authentication failed" in text:
        return BackupError(Fault.WRONG_PASSWORD, "the database's password is wrong")
    if f'database "{database.casefold()}" does not exist' in text:
        return BackupError(Fault.SOURCE_MISSING, f"there is no database {database}")
    if "authentication failed" in text or "pg_hba.conf" in text or re.search(r'fatal: +role ".*" does not exist', text):
        return BackupError(Fault.DENIED, "the database does not let this user in")
    if "no space left on device" in text or "disk quota exceeded" in text:
        return BackupError(Fault.DISK_FULL, "the disk is full")
    if "server version mismatch" in text:
        return BackupError(Fault.NOT_INSTALLED, "pg_dump is older than the server; install the server's version of it")
    if "permission denied" in text or "row-level security" in text or "must be superuser" in text:
        return BackupError(Fault.DENIED, "the database's user may not read all of it")
    if any(words in text for words in _UNREACHABLE):
        return BackupError(Fault.UNREACHABLE, "the database server can't be reached")
    return BackupError(Fault.FAILED, f"PostgreSQL refused: {last_line(said)}")


class Session:
    """psql in a transaction that reads one state of the database, whatever is written meanwhile."""

    def __init__(self, psql: Started, database: str) -> None:
        self._psql = psql
        self._database = database

    async def ask(self, sql: str, timeout_s: float) -> list[str]:
        """The lines of the answer, one a row. Raises BackupError."""
        assert self._psql.input is not None  # noqa: S101 - started so
        try:
            async with asyncio.timeout(timeout_s):
                self._psql.input.write(f"{sql}\n\\echo {_DONE}\n".encode())
                await self._psql.input.drain()
                lines: list[str] = []
                while line := await self._psql.output.readline():
                    text = line.decode(errors="replace").rstrip("\n")
                    if text == _DONE:
                        return lines
                    lines.append(text)
        except TimeoutError as error:
            raise BackupError(Fault.TIMED_OUT, "the database did not answer in time") from error
        except (BrokenPipeError, ConnectionResetError):
            pass  # psql ended: it says why
        except ValueError as error:  # a line beyond the stream's limit
            raise BackupError(Fault.NONSENSE, "the database answered with a line that is too long") from error
        raise refusal((await self._psql.ended()).complaints, self._database)

    async def one(self, sql: str, timeout_s: float) -> str:
        """The one value of an answer."""
        lines = await self.ask(sql, timeout_s)
        if len(lines) != 1:
            raise BackupError(Fault.NONSENSE, "the database answered with something else than was asked for")
        return lines[0]

    async def counts(self, timeout_s: float) -> dict[str, int]:
        """Rows of each table of people: ``{"public.users": 12}``."""
        return dict(counted(line) for line in await self.ask(COUNTING, timeout_s))


def counted(line: str) -> tuple[str, int]:
    """One line of COUNTING's answer. Raises BackupError nonsense."""
    try:
        table, rows = json.loads(line)
        return str(table), int(rows)
    except (ValueError, TypeError, RecursionError) as error:
        raise BackupError(Fault.NONSENSE, "the database counted its rows in a form that is not known") from error


@asynccontextmanager
async def session(environment: Mapping[str, str]) -> AsyncIterator[Session]:
    """One that lasts as long as the block. Raises BackupError where the database cannot be read."""
    argv = [program("psql"), "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"]
    try:
        async with started(argv, environment=environment, feeds=True) as psql:
            opened = Session(psql, environment["PGDATABASE"])
            await opened.ask(f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_SETTINGS}", 3.0 * CONNECT_S)
            yield opened
    except ProgramError as error:
        raise not_run(error) from error
