"""The tokens of the house: what is kept of them, by whom, and what happens to a damaged file."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.errors import ConfigError, StateError
from assistant.tokens import MIGRATIONS, NOTED_EVERY_S, Token, TokenStore, hashed

PHONE = Token("Anna's phone", "member", ("vm:windows",), "kitchen", made_by="a test")


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> TokenStore:
    return TokenStore(tmp_path / "state" / "tokens.db", clock)


def test_a_token_is_known_by_its_hash_and_stands_nowhere(store: TokenStore, clock: Clock) -> None:
    made, secret = store.create(PHONE)
    assert store.by_hash() == {hashed(secret): made}
    assert (made.name, made.only, made.room, made.created) == ("Anna's phone", ("vm:windows",), "kitchen", clock.now)
    assert secret.encode() not in store.path.read_bytes()
    assert len(secret) == len("jarvis_") + 43  # 256 bits in base64


def test_the_file_is_its_owners_only_and_is_not_made_by_looking(store: TokenStore) -> None:
    assert not store.exists
    assert list(store.tokens()) == []
    with pytest.raises(ConfigError, match="no token 'phone'"):
        store.revoke("phone", "a test")
    assert not store.path.parent.exists()
    store.create(PHONE)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("said", ["Anna's phone", "anna phone", "ANNAS PHONE".replace("S P", "'S P")])
def test_a_name_is_there_once_however_it_is_said(store: TokenStore, said: str) -> None:
    store.create(PHONE)
    with pytest.raises(ConfigError) as refused:
        store.create(Token(said, "owner"))
    assert refused.value.code == "token_exists"
    assert "revoke" in refused.value.mend
    assert store.revoke(said, "a test").name == "Anna's phone"


def test_a_revoked_token_stays_known_as_such_and_its_name_is_free(store: TokenStore, clock: Clock) -> None:
    _, first = store.create(PHONE)
    store.revoke("anna's phone", "a test")
    _, second = store.create(PHONE)
    kept = store.by_hash()
    assert [kept[hashed(one)].state(clock.now) for one in (first, second)] == ["revoked", "valid"]


def test_a_token_ends_at_its_moment() -> None:
    token = Token("phone", "member", expires=100.0)
    assert [token.state(now) for now in (99.9, 100.0)] == ["valid", "expired"]


def test_its_use_is_noted_once_a_minute(store: TokenStore, clock: Clock) -> None:
    made, secret = store.create(PHONE)
    used = []
    for wait_s in (0.0, NOTED_EVERY_S - 1, 1.0):
        clock.now += wait_s
        store.note_use(hashed(secret))
        used.append(store.by_hash()[hashed(secret)].last_used)
    assert used == [made.created, made.created, made.created + NOTED_EVERY_S]


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 500])
def test_a_damaged_file_is_said_with_its_place_and_the_mend(store: TokenStore, damage: bytes) -> None:
    store.create(PHONE)
    store.path.write_bytes(damage)
    for step in (store.tokens, lambda: store.create(PHONE), lambda: store.revoke("phone", "a test")):
        with pytest.raises(StateError) as refused:
            step()
        assert refused.value.code == "tokens_unusable"
        assert str(store.path) in refused.value.detail
        assert refused.value.mend


def test_rows_that_nobody_here_wrote_are_an_error_and_no_token(store: TokenStore) -> None:
    store.create(PHONE)
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE tokens SET only_grants = '{}'")
    db.close()
    with pytest.raises(StateError):
        store.by_hash()


def test_a_file_of_a_newer_version_is_left_alone(store: TokenStore) -> None:
    store.create(PHONE)
    with sqlite3.connect(store.path) as db:
        db.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StateError, match="newer version"):
        store.tokens()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, and no folder")
    with pytest.raises(StateError, match="cannot be used"):
        TokenStore(tmp_path / "state" / "tokens.db").create(PHONE)


def test_many_processes_make_tokens_at_once_and_none_is_lost(store: TokenStore) -> None:
    program = "import sys; from pathlib import Path; from assistant.tokens import *\n"
    program += "for n in range(5): TokenStore(Path(sys.argv[1])).create(Token(f'phone {sys.argv[2]} of {n}', 'guest'))"
    making = [subprocess.Popen([sys.executable, "-c", program, str(store.path), str(number)]) for number in range(3)]
    assert [one.wait(timeout=60) for one in making] == [0, 0, 0]
    assert len(store.tokens()) == 15
