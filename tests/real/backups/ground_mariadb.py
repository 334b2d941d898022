"""A real MariaDB server with a database as people have them, dumps of it, and ways to spoil them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, until_done
from tools.backups.kinds.mariadb import MariaDbDump
from tools.backups.kinds.mariadb_client import program
from tools.backups.kinds.target import targets
from tools.backups.port import BackupError
from tools.program import run
from tools.settings import BackupSettings, DatabaseSettings, KeepSettings

PASSWORD = 'p#ss"w\\0rd 4711'  # what an options file has to have quoted

DATABASE = r"""
CREATE TABLE users (id int PRIMARY KEY AUTO_INCREMENT, name varchar(80) NOT NULL UNIQUE, avatar blob);
INSERT INTO users (name, avatar) SELECT CONCAT('user ', seq), RANDOM_BYTES(200) FROM seq_1_to_500;
CREATE TABLE `The ``Shopping`` List` (id int PRIMARY KEY, owner int REFERENCES users (id), what text);
INSERT INTO `The ``Shopping`` List` SELECT seq, seq, CONCAT('milk\n\\! touch nothing\n-- ', seq) FROM seq_1_to_40;
CREATE TABLE empty (id int);
CREATE VIEW newest AS SELECT MAX(id) FROM users;
CREATE TRIGGER named BEFORE INSERT ON users FOR EACH ROW SET NEW.name = TRIM(NEW.name);
CREATE FUNCTION twice (n int) RETURNS int DETERMINISTIC RETURN 2 * n;
"""


class TheGround:
    kind: ClassVar[str] = "mariadb-dump"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "locked": "a folder of dumps has no lock",
        "sources_unread": "mariadb-dump makes no dump at all where it may not read a table: the run fails",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "dumps"
        self.password = folder / "password"
        self.spoiling = Spoiling(folder)
        self._server: asyncio.subprocess.Process | None = None
        self._root = Path(tempfile.mkdtemp(prefix="maria-ground-"))  # short: it is a socket's
        self._socket = self._root / "s"
        self._settings = BackupSettings(
            kind="mariadb-dump",
            repository=str(self.place),
            database=DatabaseSettings(
                name="photos", host=str(self._socket), user="photos", password_file=self.password
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
        self.password.write_text(PASSWORD + "\n")
        self.place.mkdir()
        await self._start()
        escaped = PASSWORD.replace("\\", "\\\\")
        await self.sql(
            f"CREATE DATABASE photos; CREATE USER photos@localhost IDENTIFIED BY '{escaped}';"
            "GRANT ALL ON photos.* TO photos@localhost; SET GLOBAL log_bin_trust_function_creators = 1;",
            database="mysql",
        )
        await self.sql(DATABASE, user="photos")
        await self.back_up()

    async def back_up(self) -> str:
        """One more dump, by the adapter; its name."""
        kind = MariaDbDump(self._settings, targets(self._settings)[0])
        return (await kind.back_up(lambda share, doing: None)).id

    async def sql(self, text: str, *, user: str = "root", database: str = "photos") -> str:
        """In the source; the rows of the answer."""
        argv = [program("mariadb"), *self.options(user), "--batch", "--skip-column-names", f"--database={database}"]
        return await until_done([*argv, f"--execute={text}"], {"MYSQL_PWD": PASSWORD if user != "root" else ""})

    def options(self, user: str = "root") -> list[str]:
        """For MariaDB's own programs."""
        return ["--no-defaults", f"--socket={self._socket}", f"--user={user}"]

    def newest(self) -> Path:
        return max(self.place.glob("*.sql.gz"))

    async def close(self) -> None:
        if self._server is not None:
            if self._server.returncode is None:
                os.kill(self._server.pid, signal.SIGKILL)
            await self._server.wait()
            self._server = None
        await self.spoiling.close()
        shutil.rmtree(self._root, ignore_errors=True)

    async def _start(self) -> None:
        data = self._root / "data"
        data.mkdir()
        (self._root / "tmp").mkdir()  # a server removes the temporary tables of others from a folder that they share
        root = [f"--tmpdir={self._root / 'tmp'}", *(["--user=root"] if os.geteuid() == 0 else [])]
        try:
            install, server = program("mariadb-install-db"), program("mariadbd")
        except BackupError as error:
            raise AssertionError(f"{error.reason}: apt-get install mariadb-server, or run `deploy/real.sh`.") from None
        argv = [install, "--no-defaults", f"--datadir={data}", *root, "--auth-root-authentication-method=normal"]
        await until_done([*argv, "--skip-test-db"], {})
        argv = [server, "--no-defaults", f"--datadir={data}", *root, f"--socket={self._socket}", "--skip-networking"]
        self._server = await asyncio.create_subprocess_exec(
            *argv,
            f"--pid-file={self._root / 'pid'}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        ready = [program("mariadb"), *self.options(), "--execute=SELECT 1"]
        async with asyncio.timeout(60):
            while (await run(ready, timeout_s=10)).code:
                assert self._server.returncode is None, "the source's MariaDB ended"
                await asyncio.sleep(0.1)

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
        await self.sql("DROP DATABASE photos;", database="mysql")

    async def _prune_failed(self) -> None:
        """Old dumps that cannot be removed."""
        for _ in range(2):
            await self.back_up()
        self.spoiling.irremovable(*self.place.glob("*.sql.gz"))

    async def _disk_full(self) -> None:
        """The dumps move to a disk with no room left."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 2)
        shutil.copytree(self.place, disk / "dumps")
        fill(disk)
        self._change(mount=disk, repository=str(disk / "dumps"))

    def _change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)
