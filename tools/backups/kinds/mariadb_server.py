"""A MariaDB server of our own for one proof, and dumps loaded into it."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import signal
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from tools.backups.kinds.mariadb_client import COUNTING, client, counted, program
from tools.backups.kinds.plain_sql import opened, take, unreadable
from tools.backups.kinds.target import not_run
from tools.backups.kinds.throwaway import SOCKETS, as_user, data_folder, last_line, server, temporary, user_for
from tools.backups.port import BackupError, Fault
from tools.program import Ended, ProgramError, run, started

DATABASE = "jarvis_proof"
INSTALL_S = 120.0
SERVER_BYTES = 250_000_000
"""An empty data folder, its logs and its temporary tablespace, rounded up."""

_NO_AIO = "--innodb-use-native-aio=OFF"
"""The kernel's own is rationed over all programs of a user (locked memory): next to others there may be none left."""

_CONFIGURATION = (
    _NO_AIO, "--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=16M",
    "--innodb-doublewrite=OFF", "--innodb-buffer-pool-size=64M", "--max-allowed-packet=1G", "--log-warnings=0",
    "--character-set-server=utf8mb4", "--event-scheduler=OFF", "--local-infile=OFF",
)  # fmt: skip
"""No network, no events run; nothing here has to outlive a power cut."""


class Throwaway:
    """The running server, reached through its socket."""

    def __init__(self, socket: Path, timeout_s: float) -> None:
        self._options = ["--no-defaults", f"--socket={socket}", "--protocol=socket", "--user=root"]
        self._timeout_s = timeout_s

    async def answers(self) -> bool:
        """Whether it lets one in yet."""
        return (await client(self._options, "SELECT 1;", timeout_s=30.0)).code == 0

    async def load(self, dump: Path) -> str:
        """Load a dump (``.gz`` or not) into an empty database. Returns the first error in words, empty where there
        was none. Raises BackupError for what is not the dump's fault.

        The client is in its sandbox: commands of its own in a dump, one of which runs programs, are errors.
        """
        made = await client(self._options, f"CREATE DATABASE {DATABASE};", timeout_s=self._timeout_s)
        if made.code:
            raise BackupError(Fault.FAILED, f"the throwaway MariaDB refused: {last_line(made.complaints)}")
        argv = [program("mariadb", "mysql"), *self._options, "--batch", "--default-character-set=utf8mb4"]
        argv += [await _sandbox(argv[0]), "--max-allowed-packet=1G", f"--database={DATABASE}"]
        try:
            async with asyncio.timeout(self._timeout_s), started(argv, feeds=True, quiet=True) as loading:
                assert loading.input is not None  # noqa: S101 - started so
                lines = opened(dump)
                with suppress(BrokenPipeError, ConnectionResetError):  # it stopped at an error, and says which
                    while block := await asyncio.to_thread(take, lines):
                        loading.input.write(block)
                        await loading.input.drain()
                return first_error(await loading.ended())
        except TimeoutError as error:
            raise BackupError(Fault.TIMED_OUT, "the dump could not be loaded in time") from error
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(error, dump.name) from error
        except ProgramError as error:
            raise not_run(error) from error

    async def counts(self) -> dict[str, int]:
        """Rows of each table in the database of the proof, or in the one that the dump made for itself."""
        asked = await self._ask("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA;")
        own = {"information_schema", "mysql", "performance_schema", "sys", "test", DATABASE}
        brought = sorted(set(asked.output.decode(errors="replace").splitlines()) - own)
        counts: dict[str, int] = {}
        for database in [DATABASE, *brought]:
            statements = (await self._ask(COUNTING, database)).output.decode(errors="replace")
            counts |= counted((await self._ask(statements, database)).output)
        return counts

    async def lines(self, sql: str) -> list[str]:
        """The rows of an answer of one column; none where the table is not there."""
        ended = await client(self._options, f"{sql};", timeout_s=self._timeout_s, database=DATABASE)
        return ended.output.decode(errors="replace").splitlines() if not ended.code else []

    async def _ask(self, sql: str, database: str = DATABASE) -> Ended:
        ended = await client(self._options, sql, timeout_s=self._timeout_s, database=database)
        if ended.code:
            raise BackupError(Fault.FAILED, f"the restored database does not answer: {last_line(ended.complaints)}")
        return ended


@asynccontextmanager
async def throwaway_mariadb(scratch: Path, timeout_s: float) -> AsyncIterator[Throwaway]:
    """A server on a new data folder below ``scratch``; ended and removed afterwards. Raises BackupError."""
    user = user_for("mysql")
    if user is not None and not await asyncio.to_thread(_reaches, user, scratch):
        user = None  # mariadbd follows the real path of its data, which its own user cannot pass here
    async with AsyncExitStack() as stack:
        data, _ = await stack.enter_async_context(data_folder(scratch, "mariadb", user))
        # A server removes the temporary tables of all others from the folder that they share: this one has its own.
        temporaries, _ = await stack.enter_async_context(data_folder(scratch, "mariadb-temporary", user))
        sockets = await stack.enter_async_context(temporary(SOCKETS, user))
        options = ["--user=root"] if os.geteuid() == 0 and user is None else []
        options.append(f"--tmpdir={temporaries}")
        await _install(data, user, options)
        made = Throwaway(sockets / "s", timeout_s)
        argv = [
            program("mariadbd", "mysqld"), "--no-defaults", f"--datadir={data}", f"--socket={sockets / 's'}",
            f"--pid-file={sockets / 'pid'}", f"--secure-file-priv={sockets}", *options, *_CONFIGURATION,
        ]  # fmt: skip
        await stack.enter_async_context(
            server(
                [*as_user(user, ends_with_us=signal.SIGKILL), *argv],
                name="MariaDB",
                answers=made.answers,
                ended_by=signal.SIGKILL,  # at once: there is nothing to keep
            )
        )
        yield made


async def _install(data: Path, user: str | None, options: list[str]) -> None:
    argv = [program("mariadb-install-db", "mysql_install_db"), "--no-defaults", f"--datadir={data}", *options]
    argv += ["--auth-root-authentication-method=normal", "--skip-test-db", _NO_AIO]
    try:
        ended = await run([*as_user(user), *argv], timeout_s=INSTALL_S, folder=Path("/"), quiet=True)
    except ProgramError as error:
        raise not_run(error) from error
    if ended.code:
        said = ended.complaints + ended.output.decode(errors="replace")
        if "no space left on device" in said.casefold() or "errno: 28" in said.casefold():
            raise BackupError(Fault.DISK_FULL, "the scratch folder's disk is full")
        why = next((line for line in said.splitlines() if "ERROR" in line or "FATAL" in line), last_line(said))
        raise BackupError(Fault.FAILED, f"mariadb-install-db made no data folder: {last_line(why)}")


def _reaches(user: str, folder: Path) -> bool:
    """Whether a user that owns none of them may pass all the folders down to this one."""
    entry = pwd.getpwnam(user)
    for one in (folder.resolve(), *folder.resolve().parents):
        status = one.stat()
        bit = 0o100 if status.st_uid == entry.pw_uid else 0o010 if status.st_gid == entry.pw_gid else 0o001
        if not status.st_mode & bit:
            return False
    return True


async def _sandbox(mariadb: str) -> str:
    """The option that keeps the client from running programs; old clients have none, and load no dump."""
    try:
        said = (await run([mariadb, "--no-defaults", "--help"], timeout_s=30.0)).output
    except ProgramError as error:
        raise not_run(error) from error
    if b"--sandbox" not in said:
        raise BackupError(Fault.NOT_INSTALLED, "this mariadb client is too old to load a dump safely; update MariaDB")
    return "--sandbox"


def first_error(ended: Ended) -> str:
    """Why a load stopped, in words; empty where it did not. Raises BackupError for what is not the dump's fault."""
    if ended.code == 0:
        return ""
    error = next((line for line in ended.complaints.splitlines() if "ERROR" in line), "") or last_line(ended.complaints)
    if re.search(r"ERROR (1021|3675)|errno: 28|No space left", error):
        raise BackupError(Fault.DISK_FULL, "the scratch folder's disk is full")
    missing = re.search(r"ERROR (?:1286|1524).*'([^']+)'", error)
    if missing:
        raise BackupError(Fault.NOT_INSTALLED, f"it cannot be loaded here: {missing.group(1)} is not installed")
    return "MariaDB refused it: " + re.sub(r"^.*?ERROR \d+ \([^)]*\)( at line \d+)?: *", "", error)[:200].rstrip(".")
