"""A PostgreSQL server of our own for one proof, and dumps loaded into it."""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from tools.backups.kinds.plain_sql import opened, take, unreadable
from tools.backups.kinds.postgres_client import COUNTING, counted, program
from tools.backups.kinds.target import not_run
from tools.backups.kinds.throwaway import SOCKETS, as_user, data_folder, last_line, server, temporary, user_for
from tools.backups.port import BackupError, Fault
from tools.program import Ended, ProgramError, run, started

DATABASE = "jarvis_proof"
INITDB_S = 120.0
CLUSTER_BYTES = 300_000_000
"""An empty cluster (about 40 MB) and its write-ahead log at most (twice max_wal_size), rounded up."""

_CONFIGURATION = (
    "listen_addresses=", "fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal",
    "max_wal_senders=0", "max_wal_size=100MB", "shared_buffers=64MB", "autovacuum=off", "logging_collector=off",
    "log_min_messages=panic",
)  # fmt: skip
"""No network; nothing here has to outlive a power cut."""

RESTRICTS_SINCE = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
r"""The first minor version of each major whose psql has ``\restrict`` (CVE-2025-8714); 18 has it always."""

ROLES = "roles.sql"
"""Beside dumps without a manifest: what ``pg_dumpall --roles-only`` wrote."""

_ELSEWHERE = (
    (
        r'could not open extension control file|extension "([^"]+)" is not available',
        "the extension {} is not installed",
    ),
    (r'could not access file "([^"]+)"', "the extension {} is not installed"),
    (r'collation "([^"]+)" for encoding', "the collation {} is not known"),
    (r"unsupported version|unrecognized configuration parameter", "PostgreSQL is older than what made the dump"),
)
"""What keeps a dump from being loaded here, and says nothing against the dump."""


class Throwaway:
    """The running server. ``environment``: by it the clients reach the database of the proof."""

    def __init__(self, sockets: Path, timeout_s: float) -> None:
        self.environment = {
            "PGHOST": str(sockets),
            "PGPORT": "5432",
            "PGUSER": "postgres",
            "PGDATABASE": DATABASE,
            "PGCLIENTENCODING": "UTF8",
            "PGPASSFILE": "/dev/null",
            "LC_ALL": "C",
        }
        self._timeout_s = timeout_s

    async def answers(self) -> bool:
        """Whether it lets one in yet."""
        argv = [program("pg_isready"), "-q", "-d", "postgres"]
        return (await run(argv, timeout_s=30.0, environment=self.environment)).code == 0

    async def prepare(self, roles: Sequence[str]) -> None:
        """An empty database, and the roles that own and use what the dump holds."""
        sql = "".join(f"CREATE ROLE {quoted(role)};\n" for role in roles if role != "postgres")
        sql += f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8';\n"
        ended = await self._client(["psql", *_PSQL], stdin=sql.encode(), environment={"PGDATABASE": "postgres"})
        if ended.code:
            raise _refused(ended.complaints) or BackupError(
                Fault.FAILED, f"the throwaway PostgreSQL refused: {last_line(ended.complaints)}"
            )

    async def load_archive(self, dump: Path) -> str:
        """pg_restore of a custom or tar archive. Returns the first error in words, empty where there was none.

        Raises BackupError for what is not the dump's fault.
        """
        argv = ["pg_restore", "--exit-on-error", "--no-password", "--no-tablespaces", "-d", DATABASE, str(dump)]
        return first_error(await self._client(argv))

    async def load_sql(self, dump: Path) -> str:
        """psql of a plain dump (``.gz`` or not), as ``load_archive``; it may change nothing but the database."""
        await _check_restricts()
        lines = _restricted(dump)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                started([program("psql"), *_PSQL], environment=self.environment, feeds=True, quiet=True) as psql,
            ):
                assert psql.input is not None  # noqa: S101 - started so
                with suppress(BrokenPipeError, ConnectionResetError):  # it stopped at an error, and says which
                    while block := await asyncio.to_thread(take, lines):
                        psql.input.write(block)
                        await psql.input.drain()
                return first_error(await psql.ended())
        except TimeoutError as error:
            raise BackupError(Fault.TIMED_OUT, "the dump could not be loaded in time") from error
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(error, dump.name) from error
        except ProgramError as error:
            raise not_run(error) from error

    async def counts(self) -> dict[str, int]:
        """Rows of each table in the database of the proof."""
        ended = await self._client(["psql", *_PSQL, "-A", "-t"], stdin=COUNTING.encode())
        if ended.code:
            raise BackupError(Fault.FAILED, f"the restored database does not answer: {last_line(ended.complaints)}")
        return dict(counted(line) for line in ended.output.decode(errors="replace").splitlines())

    async def lines(self, sql: str) -> list[str]:
        """The rows of an answer of one column; none where the table is not there."""
        ended = await self._client(["psql", *_PSQL, "-A", "-t"], stdin=f"{sql};\n".encode())
        return ended.output.decode(errors="replace").splitlines() if not ended.code else []

    async def _client(
        self, argv: Sequence[str], *, stdin: bytes | None = None, environment: Mapping[str, str] | None = None
    ) -> Ended:
        try:
            return await run(
                [program(argv[0]), *argv[1:]],
                timeout_s=self._timeout_s,
                environment=self.environment | dict(environment or {}),
                stdin=stdin,
                quiet=True,
            )
        except ProgramError as error:
            raise not_run(error) from error


_PSQL = ("-X", "-q", "-w", "-v", "ON_ERROR_STOP=1")


@asynccontextmanager
async def throwaway_postgres(scratch: Path, timeout_s: float) -> AsyncIterator[Throwaway]:
    """A server on a new cluster below ``scratch``; stopped and removed afterwards. Raises BackupError."""
    user = user_for("postgres")
    async with AsyncExitStack() as stack:
        _, descriptor = await stack.enter_async_context(data_folder(scratch, "postgres", user))
        sockets = await stack.enter_async_context(temporary(SOCKETS, user))
        here = f"/proc/self/fd/{descriptor}"
        await _initdb(here, descriptor, user)
        made = Throwaway(sockets, timeout_s)
        options = [part for setting in _CONFIGURATION for part in ("-c", setting)]
        argv = [program("postgres"), "-D", here, "-c", f"unix_socket_directories={sockets}", *options]
        await stack.enter_async_context(
            server(
                [*as_user(user, ends_with_us=signal.SIGQUIT), *argv],
                name="PostgreSQL",
                answers=made.answers,
                environment={"LC_ALL": "C"},
                pass_fds=[descriptor],
                ended_by=signal.SIGQUIT,  # at once: there is nothing to keep
            )
        )
        yield made


async def _initdb(here: str, descriptor: int, user: str | None) -> None:
    argv = [program("initdb"), "-D", here, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        async with (
            asyncio.timeout(INITDB_S),
            started(
                [*as_user(user), *argv],
                environment={"LC_ALL": "C"},
                folder=Path("/"),  # not a folder that its user may not enter
                quiet=True,
                pass_fds=[descriptor],
            ) as running,
        ):
            ended = await running.ended()
    except TimeoutError as error:
        raise BackupError(Fault.TIMED_OUT, "initdb was not done in time") from error
    except ProgramError as error:
        raise not_run(error) from error
    if ended.code:
        raise _refused(ended.complaints) or BackupError(
            Fault.FAILED, f"initdb made no cluster: {last_line(ended.complaints)}"
        )


def _refused(said: str) -> BackupError | None:
    """What is this machine's fault, and not the dump's."""
    if "no space left on device" in said.casefold() or "disk quota exceeded" in said.casefold():
        return BackupError(Fault.DISK_FULL, "the scratch folder's disk is full")
    for pattern, words in _ELSEWHERE:
        found = re.search(pattern, said)
        if found:
            named = next((group for group in found.groups() if group), "") or _extension(said)
            return BackupError(Fault.NOT_INSTALLED, f"it cannot be loaded here: {words.format(named)}")
    return None


def _extension(said: str) -> str:
    found = re.search(r'extension/([^"./]+)\.control', said)
    return found.group(1) if found else "that it needs"


def first_error(ended: Ended) -> str:
    """Why a load stopped, in words; empty where it did not. Raises BackupError for what is not the dump's fault."""
    if ended.code == 0:
        return ""
    refused = _refused(ended.complaints)
    if refused is not None:
        raise refused
    role = re.search(r'role "([^"]+)" does not exist', ended.complaints)
    if role:
        return f"it needs the role {role.group(1)}, which the backup does not bring; keep {ROLES} of pg_dumpall with it"
    text = ended.complaints
    if "end of file" in text or "could not read from input file" in text or "unexpected end" in text:
        return "it is cut off"
    error = next((line for line in text.splitlines() if "error" in line.casefold()), "") or last_line(text)
    return "PostgreSQL refused it: " + re.sub(r"^.*?(ERROR|error): *", "", error)[:200].rstrip(".")


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""').replace("\0", "") + '"'


_OURS = re.compile(rb"\\(un)?restrict \S+\s*$|\\connect [^\\]*$")


async def _check_restricts() -> None:
    """A plain dump may hold psql's own commands, one of which runs programs: the psql has to be able to refuse them."""
    try:
        said = (await run([program("psql"), "--version"], timeout_s=30.0)).output.decode(errors="replace")
    except ProgramError as error:
        raise not_run(error) from error
    found = re.search(r"(\d+)\.(\d+)", said)
    major, minor = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if major < 18 and minor < RESTRICTS_SINCE.get(major, 1 << 30):
        raise BackupError(Fault.NOT_INSTALLED, "this psql is too old to load a plain dump safely; update PostgreSQL")


def _restricted(dump: Path) -> Iterator[bytes]:
    r"""A plain dump below our own ``\restrict``, so that psql's commands in it are errors.

    pg_dump's own restriction is taken out, since they do not nest; and a dump with ``--create``, which connects to
    what it made, goes into our database: both outside of a table's data, where such a line is data.
    """
    key = secrets.token_hex(16).encode()
    yield b"\\restrict " + key + b"\n"
    in_data = False
    for line in opened(dump):
        if in_data:
            in_data = line.rstrip(b"\r\n") != b"\\."
        elif line.startswith(b"COPY ") and line.rstrip().lower().endswith(b"from stdin;"):
            in_data = True
        elif _OURS.match(line):
            continue
        yield line
    yield b"\\unrestrict " + key + b"\n"
