"""What can stand on a token."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.token_terms import RESERVED, check_grants, check_name, check_room, expiry, name_key

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("12h", NOW + timedelta(hours=12)),
        ("90d", NOW + timedelta(days=90)),
        ("2 w", NOW + timedelta(days=14)),
        ("1y", NOW + timedelta(days=365)),
        ("2026-11-22", datetime(2026, 11, 23, tzinfo=NOW.tzinfo)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=NOW.tzinfo)),
    ],
)
def test_it_ends_after_a_term_or_with_a_day(said: str, ends: datetime) -> None:
    assert expiry(said, NOW) == ends


@pytest.mark.parametrize(
    "said", ["", "soon", "0d", "-3d", "90", "90 days", "2026-11-21", "2027-02-30", "99999y", "11y"]
)
def test_what_is_no_time_to_come_is_refused_with_examples(said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        expiry(said, NOW)
    assert refused.value.code == "bad_expiry"
    assert refused.value.mend


@given(st.text(max_size=20))
def test_whatever_is_said_it_ends_later_or_is_refused(said: str) -> None:
    with suppress(ConfigError):
        assert expiry(said, NOW.astimezone(UTC)) > NOW


@pytest.mark.parametrize("name", ["phone", " Anna's phone ", "Küche 2", "電話"])
def test_a_name_is_as_people_say_it(name: str) -> None:
    assert check_name(name) == name.strip()


@pytest.mark.parametrize(
    "name", ["", "   ", "!!", "a:b", "a/b", "anna@example.com", "#1", "x" * 41, "a\nb", "a\u202eb"]
)
def test_what_nobody_can_say_or_looks_like_somebodys_login_is_no_name(name: str) -> None:
    with pytest.raises(ConfigError, match="no name"):
        check_name(name)


@pytest.mark.parametrize("name", [*RESERVED, "Local", "the-owner".replace("the-", "")])
def test_the_names_of_jarvis_itself_are_taken(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_name(name)
    assert refused.value.code == "bad_token_name"


@given(st.text(max_size=60))
def test_a_name_that_is_taken_can_be_found_again(name: str) -> None:
    with suppress(ConfigError):
        assert name_key(check_name(name)) == name_key(check_name(name).upper().lower()) != ""


def test_limits_keep_their_order_and_stand_once() -> None:
    given = ["vm:windows", "area:kitchen", "vm:windows", "vm:*", "device:garage door"]
    assert check_grants(given) == ("vm:windows", "area:kitchen", "vm:*", "device:garage door")


@pytest.mark.parametrize(
    "grant", ["", "windows", "vm:", "vm: windows", "VM:windows", "host:nas", "vm:" + "x" * 200, "vm:a\tb"]
)
def test_what_is_no_limit_is_refused_and_never_dropped(grant: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_grants(["area:kitchen", grant])
    assert refused.value.code == "bad_grant"


def test_there_is_an_end_to_limits() -> None:
    with pytest.raises(ConfigError):
        check_grants(f"vm:{number}" for number in range(101))


@pytest.mark.parametrize(("said", "room"), [(None, None), ("", None), ("  ", None), (" kitchen ", "kitchen")])
def test_a_room_is_its_name_or_none(said: str | None, room: str | None) -> None:
    assert check_room(said) == room


@pytest.mark.parametrize("said", ["!", "x" * 61, "a\0b"])
def test_what_is_no_room_is_refused(said: str) -> None:
    with pytest.raises(ConfigError):
        check_room(said)
