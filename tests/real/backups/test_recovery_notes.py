"""The recovery notes, followed: their very commands, with the real programs, in a shell that knows nothing else."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.real.backups.ground import Ground
from tests.real.backups.ground_home_assistant import configure
from tests.real.backups.ground_mariadb import TheGround as MariaDb
from tests.real.backups.ground_postgres import POSTGRES_PASSWORD
from tests.real.backups.ground_postgres import TheGround as Postgres
from tests.real.backups.spoiling import needs, until_done
from tools.backups.kinds import make
from tools.backups.recovery import markdown
from tools.settings import BackupSettings

pytestmark = pytest.mark.real_server

FILES = ("restic", "borg", "borgmatic", "rsync", "rclone")
WITHIN_S = 90.0
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@asynccontextmanager
async def prepared(name: str, folder: Path) -> AsyncIterator[Ground]:
    await asyncio.to_thread(folder.mkdir)
    ground: Ground = importlib.import_module(f"tests.real.backups.ground_{name}").TheGround(folder)
    try:
        await ground.prepare()
        yield ground
    finally:
        await ground.close()


class Notes:
    """One page, and a shell to follow it in. ``variables``: what a person would set before."""

    def __init__(self, settings: BackupSettings, target: Path, **variables: str) -> None:
        self.text = markdown("the job", settings)
        self.blocks = dict(re.findall(r"^### (.+?)\n\n```sh\n(.*?)\n```$", self.text, re.MULTILINE | re.DOTALL))
        self._target = target
        self._variables = variables

    async def follow(self, *titles: str, **variables: str) -> str:
        """The blocks one after another, as they stand there; what they print."""
        script = "\n".join(["set -eu", *(self.blocks[title] for title in titles)])
        child = await asyncio.create_subprocess_exec(
            "sh", "-c", script,
            env={key: os.environ[key] for key in KEPT if key in os.environ}
            | {"TARGET": str(self._target), **self._variables, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(WITHIN_S):
            output, complaints = await child.communicate()
        assert child.returncode == 0, f"{script}\n\n{complaints.decode(errors='replace')}"
        return output.decode(errors="replace")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def below(target: Path, source: Path) -> Path:
    """Where a kind that keeps full paths puts a folder."""
    return target / str(source).lstrip("/")


@pytest.mark.parametrize("name", FILES)
async def test_everything_comes_back_and_so_does_one_file(name: str, tmp_path: Path) -> None:
    async with prepared(name, tmp_path / "ground") as ground:
        (source,) = (Path(path) for path in ground.settings.paths)
        wanted = {path: content for path, content in files(source).items() if not path.endswith(".tmp")}
        assert len(wanted) > 3
        all_of_it, one_of_it = tmp_path / "all of it", tmp_path / "one of it"
        notes = Notes(ground.settings, all_of_it)
        assert await notes.follow("Set up", "What there is")
        await notes.follow("Set up", "Everything")
        assert files(below(all_of_it, source)) == wanted
        chosen = source / "notes für später.txt"
        await Notes(ground.settings, one_of_it).follow("Set up", "One file", FILE=str(chosen))
        assert files(one_of_it) == {str(chosen).lstrip("/"): chosen.read_bytes()}


async def test_a_sqlite_database_comes_back_whole_and_one_table_of_it(tmp_path: Path) -> None:
    needs("sqlite3", "apt-get install sqlite3")
    database = tmp_path / "the vault.sqlite3"
    with closing(sqlite3.connect(database)) as made, made:
        made.execute("CREATE TABLE ciphers (id INTEGER PRIMARY KEY, words TEXT)")
        made.execute("CREATE TABLE folders (id INTEGER PRIMARY KEY)")
        made.executemany("INSERT INTO ciphers (words) VALUES (?)", [(f"it's {number}",) for number in range(300)])
    (tmp_path / "copies").mkdir()
    settings = BackupSettings(kind="sqlite", repository=str(tmp_path / "copies"), paths=(str(database),))
    await make(settings).back_up(lambda share, doing: None)
    notes = Notes(settings, tmp_path / "back")
    assert (await notes.follow("Set up", "Everything")).strip() == "ok"
    with closing(sqlite3.connect(tmp_path / "back" / "restored.db")) as restored:
        assert restored.execute("SELECT count(*), max(words) FROM ciphers").fetchone() == (300, "it's 99")
    await notes.follow("Set up", "One table", TABLE="ciphers")
    sql = (tmp_path / "back" / "ciphers.sql").read_text()
    assert sql.count("INSERT INTO ciphers") == 300
    assert "folders" not in sql


async def test_a_postgresql_dump_is_loaded_beside_the_old_database(tmp_path: Path) -> None:
    async with prepared("postgres", tmp_path / "ground") as ground:
        assert isinstance(ground, Postgres)
        owner = {"PGUSER": "postgres", "PGPASSWORD": POSTGRES_PASSWORD}
        notes = Notes(ground.settings, tmp_path / "back", **owner)
        shown = await notes.follow("Set up", "Everything", DATABASE="after the fire")
        assert "users" in shown
        count = await ground.sql("SELECT count(*) FROM users", user="postgres", database="after the fire")
        assert count.strip() == (await ground.sql("SELECT count(*) FROM users")).strip() == "500"
        await notes.follow("Set up", "One table", TABLE="users")
        assert "COPY public.users" in (tmp_path / "back" / "users.sql").read_text()


async def test_a_mariadb_dump_is_loaded_beside_the_old_database(tmp_path: Path) -> None:
    async with prepared("mariadb", tmp_path / "ground") as ground:
        assert isinstance(ground, MariaDb)
        notes = Notes(ground.settings, tmp_path / "back", DBUSER="root", MYSQL_PWD="")
        tables = (await notes.follow("Set up", "Everything", DATABASE="after the fire")).splitlines()[1:]
        assert tables == (await ground.sql("SHOW TABLES")).splitlines()
        shown = await ground.sql("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        real = [line.split("\t")[0] for line in shown.splitlines()]
        assert len(real) > 1
        for table in real:  # a view is its definer's, who has no rights in the new database
            count = f"SELECT count(*) FROM `{table.replace('`', '``')}`"  # noqa: S608 - a test's own table
            assert await ground.sql(count, database="after the fire") == await ground.sql(count)
        base = next(table for table in real if table.isalnum())
        await notes.follow("Set up", "One table", TABLE=base)
        sql = (tmp_path / "back" / f"{base}.sql").read_text(errors="replace")
        assert f"CREATE TABLE `{base}`" in sql
        assert sql.count("CREATE TABLE") == 1


async def test_home_assistants_configuration_comes_out_of_its_tar(tmp_path: Path) -> None:
    source = tmp_path / "config"
    configure(source)
    (tmp_path / "backups").mkdir()
    settings = BackupSettings(kind="home-assistant-tar", repository=str(tmp_path / "backups"), paths=(str(source),))
    await make(settings).back_up(lambda share, doing: None)
    await Notes(settings, tmp_path / "back").follow("Set up", "Everything")
    restored = tmp_path / "back" / "homeassistant" / "data"
    assert (restored / "configuration.yaml").read_bytes() == (source / "configuration.yaml").read_bytes()
    await Notes(settings, tmp_path / "one").follow("Set up", "One file", FILE="data/configuration.yaml")
    one = tmp_path / "one" / "data" / "configuration.yaml"
    assert one.read_bytes() == (source / "configuration.yaml").read_bytes()


async def test_a_repository_is_cloned_out_of_a_dump_of_gitea(tmp_path: Path) -> None:
    needs("unzip", "apt-get install unzip")
    async with prepared("gitea", tmp_path / "ground") as ground:
        notes = Notes(ground.settings, tmp_path / "all")
        assert "gitea-db.sql" in await notes.follow("Set up", "Everything")
        found = sorted((tmp_path / "all").rglob("*.git"))
        name = f"{found[0].parent.name}/{found[0].stem}"
        await Notes(ground.settings, tmp_path / "one").follow("Set up", "One repository", REPOSITORY=name)
        log = ["git", "log", "--all", "--format=%H"]
        here = await until_done(log, {"GIT_DIR": str(tmp_path / "one" / "clone" / ".git")})
        assert here == await until_done(log, {"GIT_DIR": str(found[0])})
