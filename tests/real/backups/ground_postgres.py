"""A real PostgreSQL server with a database as people have them, dumps of it, and ways to spoil them."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, needs, until_done
from tools.backups.kinds.postgres import PostgresDump
from tools.backups.kinds.postgres_client import program
from tools.backups.kinds.target import targets
from tools.program import run
from tools.settings import BackupSettings, DatabaseSettings, KeepSettings

PASSWORD = r"p:ss\w0rd 4711"  # what a password file has to have escaped
POSTGRES_PASSWORD = "the owner of the server"

DATABASE = r"""
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL UNIQUE, avatar bytea);
INSERT INTO users (name, avatar) SELECT 'user ' || n, sha512(n::text::bytea) FROM generate_series(1, 500) n;
CREATE TABLE "The ""Shopping"" List" (id int PRIMARY KEY, owner int REFERENCES users, what text);
INSERT INTO "The ""Shopping"" List" SELECT n, n, E'milk\\\n\\.\n\\! touch nothing\t' || n FROM generate_series(1, 40) n;
CREATE TABLE readings (at date NOT NULL, value float) PARTITION BY RANGE (at);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE readings_2 PARTITION OF readings FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
INSERT INTO readings SELECT '2026-01-01'::date + n, n FROM generate_series(0, 363) n;
CREATE SCHEMA private;
CREATE TABLE private.empty (id int);
CREATE VIEW newest AS SELECT max(id) FROM users;
CREATE FUNCTION double(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
GRANT SELECT ON users TO reader;
"""


class TheGround:
    kind: ClassVar[str] = "postgres-dump"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "locked": "a folder of dumps has no lock",
        "sources_unread": "pg_dump makes no dump at all where it may not read a table: the run fails",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "dumps"
        self.password = folder / "password"
        self.spoiling = Spoiling(folder)
        self._server: asyncio.subprocess.Process | None = None
        self._root = Path(tempfile.mkdtemp(prefix="pg-ground-"))  # short, and not below a folder of root's alone
        self._settings = BackupSettings(
            kind="postgres-dump",
            repository=str(self.place),
            database=DatabaseSettings(
                name="nextcloud", host=str(self._root), port=5433, user="nextcloud", password_file=self.password
            ),
            keep=KeepSettings(last=2, daily=0, weekly=0, monthly=0, days=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {
            "wrong_password": self._wrong_password,
            "no_repository": self._no_repository,
            "not_mounted": self._not_mounted,
            "damaged": self._damaged,
            "truncated": self._truncated,
            "source_missing": self._source_missing,
            "prune_failed": self._prune_failed,
            "disk_full": self._disk_full,
        }

    async def prepare(self) -> None:
        needs("pg_dump", "apt-get install postgresql")
        self.password.write_text(PASSWORD + "\n")
        self.place.mkdir()
        await self._start()
        for statement in (
            f"CREATE ROLE nextcloud LOGIN PASSWORD '{PASSWORD}'",
            "CREATE ROLE reader",
            "CREATE DATABASE nextcloud OWNER nextcloud",
        ):
            await self.sql(statement, user="postgres", database="postgres")
        await self.sql(DATABASE)
        await self.back_up()

    async def back_up(self) -> str:
        """One more dump, by the adapter; its name."""
        kind = PostgresDump(self._settings, targets(self._settings)[0])
        return (await kind.back_up(lambda share, doing: None)).id

    async def sql(self, text: str, *, user: str = "nextcloud", database: str = "nextcloud") -> str:
        """In the source, through psql; the rows of the answer."""
        argv = [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text]
        return await until_done(argv, self.environment(user) | {"PGDATABASE": database})

    def environment(self, user: str = "nextcloud") -> dict[str, str]:
        password = PASSWORD if user == "nextcloud" else POSTGRES_PASSWORD
        return {"PGHOST": str(self._root), "PGPORT": "5433", "PGUSER": user, "PGPASSWORD": password}

    def newest(self) -> Path:
        return max(self.place.glob("*.dump"))

    async def close(self) -> None:
        if self._server is not None:
            if self._server.returncode is None:
                os.kill(self._server.pid, signal.SIGQUIT)
            await self._server.wait()
            self._server = None
        await self.spoiling.close()
        shutil.rmtree(self._root, ignore_errors=True)

    async def _start(self) -> None:
        """A server with passwords, on a socket only."""
        data, secret = self._root / "data", self._root / "secret"
        secret.write_text(POSTGRES_PASSWORD)
        secret.chmod(0o600)
        user: list[str] = []
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            for one in (self._root, secret):
                os.chown(one, entry.pw_uid, entry.pw_gid)
            user = ["setpriv", "--reuid=postgres", f"--regid={entry.pw_gid}", "--clear-groups", "--"]
        options = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync"]
        await until_done([*user, program("initdb"), "-D", str(data), *options], {"LC_ALL": "C"})
        argv = [*user, program("postgres"), "-D", str(data), "-p", "5433", "-c", "fsync=off", "-c", "listen_addresses="]
        self._server = await asyncio.create_subprocess_exec(
            *argv,
            "-c",
            f"unix_socket_directories={self._root}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        ready = [program("pg_isready"), "-q", "-h", str(self._root), "-p", "5433"]
        async with asyncio.timeout(30):
            while (await run(ready, timeout_s=10)).code:
                assert self._server.returncode is None, "the source's PostgreSQL ended"
                await asyncio.sleep(0.05)

    async def _wrong_password(self) -> None:
        self.password.write_text("another one\n")

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self._change(mount=mount, repository=str(mount / "dumps"))

    async def _damaged(self) -> None:
        flip(self.newest(), self.newest().stat().st_size // 2)

    async def _truncated(self) -> None:
        cut(self.newest())

    async def _source_missing(self) -> None:
        await self.sql("DROP DATABASE nextcloud;", user="postgres", database="postgres")

    async def _prune_failed(self) -> None:
        """Old dumps that cannot be removed."""
        for _ in range(2):
            await self.back_up()
        self.spoiling.irremovable(*self.place.glob("*.dump"))

    async def _disk_full(self) -> None:
        """The dumps move to a disk with no room left."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 2)
        shutil.copytree(self.place, disk / "dumps")
        fill(disk)
        self._change(mount=disk, repository=str(disk / "dumps"))

    def _change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)
