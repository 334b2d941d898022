"""Minecraft: the ping, RCON, and the hooks of a backup, against a server that speaks both protocols."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.backups.test_run import FakeKind, Script
from tests.tools.services.minecraft_server import Game, running, seven_bits
from tools.backups import kinds
from tools.backups.port import NOT_NOW
from tools.backups.records import BackupRecords
from tools.backups.run import run_backup
from tools.services.minecraft import hook, main, players, probe_minecraft, say_status
from tools.services.minecraft_ping import (
    MinecraftError,
    Status,
    legacy_status,
    modern_status,
    ping,
    read_varint,
    varint,
)
from tools.services.rcon import rcon
from tools.settings import BackupSettings
from tools.settings_house import MinecraftSettings
from tools.store import Store


@pytest.fixture
async def game() -> AsyncIterator[Game]:
    async with running(Game()) as started:
        yield started


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "rcon"
    file.write_text("craft-42\n")
    return file


def settings(game: Game, password: Path | None = None) -> MinecraftSettings:
    return MinecraftSettings(port=game.port, rcon_port=game.rcon_port, rcon_password_file=password)


def nowhere() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_ping_tells_version_players_and_their_names(game: Game) -> None:
    status = await ping("127.0.0.1", game.port, 2.0)

    assert status == Status("1.21.4", 2, 20, ("Alex", "Steve"), "A Minecraft Server")
    assert say_status("the craft server", status) == "the craft server is on, and two of 20 play: Alex and Steve."


async def test_the_handshake_is_the_documented_one_to_the_byte(game: Game) -> None:
    await ping("127.0.0.1", game.port, 2.0)

    version = b"\xff\xff\xff\xff\x0f"  # -1
    assert game.handshakes == [b"\x00" + version + b"\x09127.0.0.1" + game.port.to_bytes(2, "big") + b"\x01"]


async def test_a_server_of_before_1_7_is_asked_in_its_own_words(game: Game) -> None:
    game.old = True
    status = await ping("127.0.0.1", game.port, 2.0)

    assert (status.version, status.online, status.limit, status.said) == ("1.6.4", 2, 20, "An old server")
    host = "127.0.0.1".encode("utf-16-be")
    assert game.legacy == [
        b"\xfe\x01\xfa\x00\x0b" + "MC|PingHost".encode("utf-16-be") + (7 + len(host)).to_bytes(2, "big")
        + b"\x4a\x00\x09" + host + game.port.to_bytes(4, "big")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xff\xff\xff\xff\xff", b"\x05\x00\x03{]}", b"\x03\x07\x01\x01",
     b"\x04\x00\x02[]"],
)  # fmt: skip
async def test_what_is_no_such_server_is_said_to_be_none(game: Game, answer: bytes) -> None:
    game.raw = answer
    with pytest.raises(MinecraftError) as caught:
        await ping("127.0.0.1", game.port, 2.0)
    assert caught.value.reason == "it does not speak as a Minecraft server does"
    assert not caught.value.off


async def test_one_that_says_nothing_is_given_up_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        with pytest.raises(MinecraftError, match="does not answer in time"):
            await ping("127.0.0.1", server.sockets[0].getsockname()[1], 0.1)


async def test_where_nothing_listens_it_is_off() -> None:
    with pytest.raises(MinecraftError) as caught:
        await ping("127.0.0.1", nowhere(), 2.0)
    assert caught.value.off


async def test_names_that_the_ping_hides_come_from_rcon(game: Game, password: Path) -> None:
    del game.status["players"]["sample"]

    assert (await probe_minecraft(settings(game), "127.0.0.1")).names == ()
    assert (await probe_minecraft(settings(game, password), "127.0.0.1")).names == ("Alex", "Steve")


async def test_a_wrong_password_costs_the_names_and_not_the_answer(game: Game, password: Path) -> None:
    del game.status["players"]["sample"]
    game.password = "another"

    assert await probe_minecraft(settings(game, password), "127.0.0.1") == Status(
        "1.21.4", 2, 20, (), "A Minecraft Server"
    )


async def test_rcon_says_when_it_refuses_the_password(game: Game, password: Path) -> None:
    game.password = "another"
    with pytest.raises(MinecraftError, match="its RCON refuses the password"):
        async with rcon("127.0.0.1", game.rcon_port, password, 2.0):
            pass


async def test_a_long_answer_comes_in_several_packets_and_is_one(game: Game, password: Path) -> None:
    game.answers["help"] = "".join(chr(97 + at % 26) for at in range(10_000))
    async with rcon("127.0.0.1", game.rcon_port, password, 2.0) as session:
        assert await session.command("help") == game.answers["help"]
        assert await session.command("list") == game.answers["list"]


async def test_before_a_backup_the_world_is_written_out_and_held_still(game: Game, password: Path) -> None:
    assert await hook("save-off", "127.0.0.1", settings(game, password), 2.0) == (
        0, "the world is on the disk and held still",
    )  # fmt: skip
    assert game.commands == ["save-off", "save-all flush"]


async def test_after_it_the_server_saves_again(game: Game, password: Path) -> None:
    assert (await hook("save-on", "127.0.0.1", settings(game, password), 2.0))[0] == 0
    assert game.commands == ["save-on"]


async def test_where_the_world_cannot_be_written_out_saving_is_on_again(game: Game, password: Path) -> None:
    del game.answers["save-all flush"]
    code, said = await hook("save-off", "127.0.0.1", settings(game, password), 2.0)

    assert (code, said) == (1, "save-off: it does not know the command save-all")
    assert game.commands == ["save-off", "save-all flush", "save-all", "save-on"]


async def test_a_server_that_is_off_is_no_failure_and_nothing_to_copy(password: Path) -> None:
    off = MinecraftSettings(port=nowhere(), rcon_port=nowhere(), rcon_password_file=password)

    assert await hook("save-off", "127.0.0.1", off, 2.0) == (NOT_NOW, "the server is off")
    assert await hook("save-on", "127.0.0.1", off, 2.0) == (0, "the server is off")


async def test_a_server_that_is_on_without_rcon_is_not_taken_for_one_that_is_off(game: Game, password: Path) -> None:
    game.rcon_port = nowhere()
    assert await hook("save-off", "127.0.0.1", settings(game, password), 2.0) == (
        1, "save-off: nothing listens on its port",
    )  # fmt: skip


async def test_a_server_that_comes_up_and_refuses_the_password_is_not_taken_for_one_that_is_off(
    game: Game, password: Path
) -> None:
    game.port, game.password = nowhere(), "another"
    assert await hook("save-off", "127.0.0.1", settings(game, password), 2.0) == (
        1, "save-off: its RCON refuses the password",
    )  # fmt: skip


async def test_the_hook_is_a_command_with_exit_codes_and_without_the_password_in_it(game: Game, password: Path) -> None:
    argv = [sys.executable, "-m", "tools.services.minecraft", "save-off", "127.0.0.1", "--port", str(game.port),
            "--rcon-port", str(game.rcon_port), "--password-file", str(password)]  # fmt: skip
    child = await asyncio.create_subprocess_exec(*argv, stdout=-1, stderr=-1)
    out, err = await child.communicate()

    assert (child.returncode, out, err) == (0, b"the world is on the disk and held still\n", b"")
    assert game.commands == ["save-off", "save-all flush"]


@pytest.mark.parametrize("on", [True, False])
async def test_its_world_is_backed_up_only_when_it_is_on(
    on: bool, game: Game, password: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeKind, "script", Script(), raising=False)
    monkeypatch.setitem(kinds.ADAPTERS, "sqlite", "tests.tools.backups.test_run:FakeKind")
    port, rcon_port = (game.port, game.rcon_port) if on else (nowhere(), nowhere())
    where = ["127.0.0.1", "--port", str(port), "--rcon-port", str(rcon_port), "--password-file", str(password)]
    job = BackupSettings.model_validate(
        {
            "kind": "sqlite",
            "repository": "/copies",
            "before": [sys.executable, "-m", "tools.services.minecraft", "save-off", *where],
            "after": [sys.executable, "-m", "tools.services.minecraft", "save-on", *where],
        }
    )
    with Store(tmp_path / "jarvis.db") as store:
        records = BackupRecords(store)
        report = await run_backup("world", job, records, progress=lambda *_: None)
        entered = records.last_run("world")

    if on:
        assert game.commands == ["save-off", "save-all flush", "save-on"]
        assert (report.ok, report.skipped, FakeKind.script.done[0]) == (True, False, ("copy", "main"))
        assert entered is not None
    else:
        assert (game.commands, FakeKind.script.done, entered) == ([], [], None)
        assert (report.ok, report.skipped) == (True, True)
        assert report.spoken == (
            "The world backup was left out: the command before it says that there is nothing to copy now."
        )


def test_without_a_password_it_says_so_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["save-off", "127.0.0.1", "--rcon-port", str(nowhere())]) == 1
    assert capsys.readouterr().err == "the password of RCON is missing\n"


def test_the_status_of_one_that_is_off_is_a_line_and_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "127.0.0.1", "--port", str(nowhere())]) == 1
    assert capsys.readouterr().err == "the server is not on: nothing listens on its port\n"


@pytest.mark.parametrize(
    "answer, names",
    [
        ("There are 2 of a max of 20 players online: Alex, Steve", ("Alex", "Steve")),
        ("There are 0 of a max of 20 players online: ", ()),
        ("There are 1/20 players online:\nNotch", ("Notch",)),
        ("Unknown command", ()),
    ],
)
def test_the_names_in_the_answer_to_list(answer: str, names: tuple[str, ...]) -> None:
    assert players(answer) == names


def test_advertisements_in_place_of_names_are_no_players() -> None:
    raw = b'{"players": {"online": 1, "max": 5, "sample": [{"name": "\\u00a7aVisit our shop!"}, {"name": "Alex"}]}}'
    assert modern_status(raw).names == ("Alex",)


def test_a_beta_server_tells_three_things() -> None:
    assert legacy_status("A §server§3§10") == Status("", 3, 10, said="A erver")


@given(st.integers(0, 2**21 - 1))
def test_a_number_of_up_to_three_bytes_is_written_as_documented(number: int) -> None:
    assert varint(number) == seven_bits(number)


@given(st.integers(-(2**31), 2**31 - 1))
async def test_a_number_comes_back_as_it_was_written(number: int) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(varint(number))
    assert await read_varint(reader) == number


@given(st.binary(max_size=200))
def test_no_status_crashes_the_reader(raw: bytes) -> None:
    for read in (modern_status, lambda data: legacy_status(data.decode("latin-1"))):
        try:
            status = read(raw)
        except ValueError:
            continue
        assert isinstance(status, Status)
