"""The running server's view of the tokens: what others write is seen at the next request."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from assistant.config import Settings
from assistant.errors import ConfigError, StateError
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator, open_authenticator
from assistant.server.identity import Identity
from assistant.server.token_book import TokenBook
from assistant.tokens import Token, TokenStore


class Clock:
    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> TokenBook:
    return TokenBook(tmp_path / "tokens.db", clock)


@pytest.fixture
def elsewhere(tmp_path: Path) -> TokenStore:
    """The same file, as another process has it."""
    return TokenStore(tmp_path / "tokens.db")


async def who(book: TokenBook, token: str | None) -> Identity | tuple[int, str]:
    """The identity, or status and error code."""
    headers = Headers({"Authorization": f"Bearer {token}"} if token else {})
    try:
        return await Authenticator({}, book=book).identify(headers, "127.0.0.1")
    except RequestError as refused:
        return refused.answer.status_code, json.loads(bytes(refused.answer.body))["error"]["code"]


async def test_made_used_and_revoked_elsewhere_is_seen_at_once(book: TokenBook, elsewhere: TokenStore) -> None:
    assert await who(book, None) == Identity()
    _, phone = elsewhere.create(Token("phone", "member", ("vm:windows",), "kitchen"))
    assert await who(book, phone) == Identity("phone", "member", ("vm:windows",), "kitchen", counted=True)
    assert await who(book, None) == (401, "no_token")
    _, tablet = elsewhere.create(Token("tablet", "guest"))
    assert await who(book, tablet) == Identity("tablet", "guest", counted=True)
    elsewhere.revoke("phone", "a test")
    assert await who(book, phone) == (401, "token_revoked")
    assert await who(book, tablet) == Identity("tablet", "guest", counted=True)
    await book.close()


async def test_a_file_that_rests_is_not_read_again(
    book: TokenBook, elsewhere: TokenStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, phone = elsewhere.create(Token("phone", "member"))
    clock.ahead_s = 10.0
    assert await book.tokens() == elsewhere.by_hash()
    monkeypatch.setattr(book.store, "by_hash", lambda: pytest.fail("read again"))
    await book.tokens()
    monkeypatch.undo()
    elsewhere.revoke("phone", "a test")
    assert await who(book, phone) == (401, "token_revoked")


async def test_two_changes_within_one_tick_of_the_files_clock_are_both_seen(
    book: TokenBook, elsewhere: TokenStore
) -> None:
    _, phone = elsewhere.create(Token("phone", "member"))
    await book.tokens()
    before = elsewhere.path.stat()
    elsewhere.revoke("phone", "a test")
    os.utime(elsewhere.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await who(book, phone) == (401, "token_revoked")


async def test_an_expired_token_is_told_so_to_its_holder_only(
    book: TokenBook, elsewhere: TokenStore, clock: Clock
) -> None:
    _, phone = elsewhere.create(Token("phone", "member", expires=time.time() + 60))
    assert isinstance(await who(book, phone), Identity)
    clock.ahead_s = 61.0
    assert await who(book, phone) == (401, "token_expired")
    assert await who(book, phone[:-1]) == (401, "no_token")
    await book.close()


async def test_use_is_noted_behind_the_request(book: TokenBook, elsewhere: TokenStore) -> None:
    _, phone = elsewhere.create(Token("phone", "member"))
    await who(book, phone)
    await book.close()
    (kept,) = elsewhere.tokens()
    assert kept.last_used is not None
    await who(book, phone)
    await book.close()
    assert elsewhere.tokens()[0].last_used == kept.last_used


@pytest.mark.parametrize("damage", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_damage_keeps_everybody_out_whom_the_file_knew(
    book: TokenBook, elsewhere: TokenStore, damage: bytes
) -> None:
    _, phone = elsewhere.create(Token("phone", "owner"))
    assert isinstance(await who(book, phone), Identity)
    await book.close()
    elsewhere.path.write_bytes(damage)
    assert await who(book, phone) == (503, "tokens_unusable")
    assert await who(book, None) == (401, "no_token")
    by_command = Authenticator({}, book=book).with_local("the-local-token")
    headers = Headers({"Authorization": "Bearer the-local-token"})
    assert (await by_command.identify(headers, "127.0.0.1")).name == "local"


@pytest.mark.parametrize("how", ["emptied", "removed"])
async def test_a_file_that_is_lost_opens_nothing(book: TokenBook, elsewhere: TokenStore, how: str) -> None:
    _, phone = elsewhere.create(Token("phone", "owner"))
    await who(book, phone)
    await book.close()
    if how == "emptied":
        elsewhere.path.write_bytes(b"")
    else:
        elsewhere.path.unlink()
    assert await who(book, phone) == (401, "no_token")
    assert await who(book, None) == (401, "no_token")


def test_a_start_with_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokens.db").write_bytes(b"no database" * 500)
    with pytest.raises(StateError, match="cannot be used"):
        open_authenticator(Settings(), "127.0.0.1", tmp_path)


def test_a_token_of_the_state_folder_is_enough_to_bind_the_network(tmp_path: Path, elsewhere: TokenStore) -> None:
    with pytest.raises(ConfigError) as refused:
        open_authenticator(Settings(), "0.0.0.0", tmp_path)
    assert "jarvis token create" in refused.value.mend
    elsewhere.create(Token("phone", "member"))
    assert open_authenticator(Settings(), "0.0.0.0", tmp_path).required


def test_a_name_stands_in_one_place(tmp_path: Path, elsewhere: TokenStore) -> None:
    file = tmp_path / "tokens"
    file.write_text("Phone:guest:0123456789abcdef\n")
    file.chmod(0o600)
    settings = Settings.model_validate({"server": {"tokens_file": file}})
    authenticator = open_authenticator(settings, "127.0.0.1", tmp_path)
    assert [one.role for one in authenticator.names.values() if isinstance(one, Identity)] == ["guest"]
    elsewhere.create(Token("phone", "member"))
    with pytest.raises(ConfigError) as refused:
        open_authenticator(settings, "127.0.0.1", tmp_path)
    assert refused.value.code == "token_exists"
    elsewhere.revoke("phone", "a test")
    assert open_authenticator(settings, "127.0.0.1", tmp_path).required


@pytest.mark.parametrize("line", ["phone:boss:0123456789abcdef", "phone:guest:short"])
def test_a_line_with_an_unknown_role_or_a_short_token_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(line)
    file.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        open_authenticator(Settings.model_validate({"server": {"tokens_file": file}}), "127.0.0.1", tmp_path)
    assert "Line 1" in refused.value.detail
    assert "0123456789" not in str(refused.value)
    assert "boss" not in str(refused.value), "it may be the first half of a token with a colon in it"
