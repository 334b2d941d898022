"""How somebody stands when what they scheduled is done."""

from __future__ import annotations

from pathlib import Path

from assistant.standing import standing
from assistant.tokens import Token, TokenStore
from tools.contract import Caller

PHONE = Caller(name="phone", role="owner")


def test_whoever_has_no_token_of_the_house_stands_as_they_stood(tmp_path: Path) -> None:
    tokens = TokenStore(tmp_path / "tokens.db")
    assert standing(tokens)(PHONE) == PHONE
    tokens.create(Token("tablet", "guest"))
    assert standing(tokens)(PHONE) == PHONE


def test_a_token_stands_for_what_it_is_good_for_now_and_for_nothing_once_it_is_revoked(tmp_path: Path) -> None:
    tokens = TokenStore(tmp_path / "tokens.db")
    tokens.create(Token("phone", "member", only=("vm:windows",)))
    now = standing(tokens)(PHONE)
    assert now is not None
    assert (now.role, now.only) == ("member", ("vm:windows",))
    tokens.revoke("phone", "owner")
    assert standing(tokens)(PHONE) is None
    tokens.create(Token("phone", "guest"))
    again = standing(tokens)(PHONE)
    assert again is not None
    assert again.role == "guest"


def test_one_that_has_expired_or_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    tokens = TokenStore(tmp_path / "tokens.db")
    tokens.create(Token("phone", "owner", expires=1000.0))
    assert standing(tokens, lambda: 999.0)(PHONE) is not None
    assert standing(tokens, lambda: 1000.0)(PHONE) is None
    (tmp_path / "tokens.db").write_bytes(b"nothing" * 200)
    assert standing(tokens, lambda: 0.0)(PHONE) is None
