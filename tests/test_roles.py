"""What roles are worth beside each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.roles import Power, check_role, lesser, powers
from tools.contract import Level
from tools.settings_access import RoleSettings

HOUSE = powers(
    {
        "child": RoleSettings(only=("area:nursery",)),
        "helper": RoleSettings(may=Level.OPERATE),
        "nurse": RoleSettings(may=Level.OPERATE, only=("area:nursery", "area:bath")),
    }
)


@pytest.mark.parametrize(
    ("one", "other", "less"),
    [
        ("owner", "member", "member"),
        ("guest", "owner", "guest"),
        ("member", "member", "member"),
        ("helper", "member", "helper"),
        ("child", "nurse", "child"),
        ("child", "guest", "child"),
        ("nurse", "guest", None),
        ("member", "nobody knows", None),
    ],
)
def test_the_lesser_is_the_one_that_may_nothing_more(one: str, other: str, less: str | None) -> None:
    assert lesser(one, other, HOUSE) == less
    assert lesser(other, one, HOUSE) == less


def test_no_role_of_ones_own_stands_in_for_a_built_in_one() -> None:
    assert powers({"guest": RoleSettings(may=Level.DESTRUCTIVE, protected=True)})["guest"].may is Level.READ


def test_an_unknown_role_is_refused_with_those_there_are() -> None:
    assert check_role("child", HOUSE) == "child"
    with pytest.raises(ConfigError) as refused:
        check_role("boss", HOUSE)
    assert "child, guest, helper, member, nurse, owner" in refused.value.mend


POWERS = st.builds(
    Power, st.sampled_from(Level), st.booleans(), st.frozensets(st.sampled_from(["vm:a", "vm:b", "area:c"]))
)


@given(POWERS, POWERS, POWERS)
def test_within_is_an_order(a: Power, b: Power, c: Power) -> None:
    assert a.within(a)
    assert not (a.within(b) and b.within(c)) or a.within(c)
    assert not (a.within(b) and b.within(a)) or a == b
    assert a.within(Power(Level.DESTRUCTIVE, protected=True))
