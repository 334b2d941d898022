"""Speaking with MariaDB or MySQL by their own programs: the password by file, their refusals as faults."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import shutil
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from tools.backups.kinds.dump_files import os_fault
from tools.backups.kinds.target import not_run
from tools.backups.kinds.throwaway import PASSWORDS, last_line, temporary
from tools.backups.port import BackupError, Fault
from tools.program import Ended, ProgramError, read_secret, run
from tools.settings import DatabaseSettings

CONNECT_S = 10
COUNTING = r"""
SELECT CONCAT('SELECT JSON_ARRAY(', QUOTE(TABLE_NAME), ', COUNT(*)) FROM `', REPLACE(TABLE_NAME, '`', '``'), '`;')
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME;
"""
"""Gives the statements that count: each answers a line of JSON, ``["table", rows]``."""


def program(*names: str) -> str:
    """The first of these that is installed. Raises BackupError not_installed."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if found is not None:
            return found
    raise BackupError(Fault.NOT_INSTALLED, f"{names[0]} is not installed; it comes with MariaDB")


@asynccontextmanager
async def connection(database: DatabaseSettings) -> AsyncIterator[Path]:
    """An options file (0600) by which the programs find the database, for --defaults-extra-file. Raises BackupError."""
    async with temporary(PASSWORDS) as folder:
        yield await asyncio.to_thread(_write_options, folder / "options.cnf", database)


def _write_options(file: Path, database: DatabaseSettings) -> Path:
    options: dict[str, str] = {}
    if database.password_file is not None:
        try:
            options["password"] = read_secret(database.password_file)
        except (OSError, ValueError) as error:
            reason = "the file with the database's password cannot be read"
            raise BackupError(Fault.PASSWORD_UNREADABLE, reason) from error
    if database.user:
        options["user"] = database.user
    if database.host:
        options["socket" if database.host.startswith("/") else "host"] = database.host
    if database.port:
        options["port"] = str(database.port)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write("[client]\n" + "".join(f"{name}={_quoted(value)}\n" for name, value in options.items()))
    except OSError as error:
        raise os_fault(error, "the folder for temporary files cannot be used") from error
    return file


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def client(options: Sequence[str], sql: str, *, timeout_s: float, database: str = "") -> Ended:
    """The client with statements on its standard input; rows come as lines, unescaped. Raises BackupError."""
    argv = [program("mariadb", "mysql"), *options, f"--connect-timeout={CONNECT_S}"]
    argv += ["--default-character-set=utf8mb4", "--batch", "--raw", "--skip-column-names"]
    try:
        return await run(
            [*argv, f"--database={database}"] if database else argv,
            timeout_s=timeout_s,
            stdin=sql.encode(),
            environment={"MYSQL_HISTFILE": "/dev/null"},
            quiet=True,
        )
    except ProgramError as error:
        raise not_run(error) from error


def counted(output: bytes) -> dict[str, int]:
    """What the statements of COUNTING answered. Raises BackupError nonsense."""
    try:
        return {str(table): int(rows) for table, rows in map(json.loads, output.splitlines())}
    except (ValueError, TypeError, RecursionError) as error:
        raise BackupError(Fault.NONSENSE, "the database counted its rows in a form that is not known") from error


def refusal(said: str, database: str) -> BackupError:
    """What a client complained of, as a fault; by MariaDB's error numbers, which have no language."""
    numbers = {int(number) for number in re.findall(r"(?:ERROR|error:?) (\d{4})\b", said)}
    if numbers & {1045, 1698}:
        return BackupError(Fault.WRONG_PASSWORD, "the database's user or password is wrong")
    if numbers & {1049}:
        return BackupError(Fault.SOURCE_MISSING, f"there is no database {database}")
    if numbers & {1044, 1142, 1143, 1227, 1449} or "insufficient privileges" in said:
        return BackupError(Fault.DENIED, "the database's user may not read all of it")
    if numbers & {2002, 2003, 2005, 2006, 2013, 2026}:
        return BackupError(Fault.UNREACHABLE, "the database server can't be reached")
    if numbers & {1021} or "no space left on device" in said.casefold():
        return BackupError(Fault.DISK_FULL, "the disk is full")
    return BackupError(Fault.FAILED, f"MariaDB refused: {last_line(said)}")


class Packing:
    """A gzip file (0600) that is written piece by piece, in threads; made with the first. Raises OSError. It has to be
    closed, which waits for a piece that is still being written, and nothing is written after it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._packed: gzip.GzipFile | None = None
        self._closed = False
        self.unpacked = 0
        self.last = b""

    def write(self, block: bytes) -> None:
        with self._lock:
            if self._closed:
                return
            if self._file is None or self._packed is None:
                self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
                self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=6, filename="")
            self._packed.write(block)
            self.unpacked += len(block)
            self.last = (self.last + block)[-4096:]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            try:
                if self._packed is not None:
                    self._packed.close()
            finally:
                if self._file is not None:
                    self._file.close()
