"""What roles are worth beside each other, for whoever gives one away or takes the lesser of two. Pure.

What a role may do is decided in one place only, ``tools/policy.py``; this is for questions about roles themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.errors import ConfigError
from tools.contract import Level
from tools.settings_access import RoleSettings

GUEST, MEMBER, OWNER = "guest", "member", "owner"

_RANK = {Level.READ: 0, Level.OPERATE: 1, Level.DESTRUCTIVE: 2}


@dataclass(frozen=True, slots=True)
class Power:
    """What a role is good for at most; ``only`` empty: no limit."""

    may: Level
    protected: bool = False
    only: frozenset[str] = frozenset()

    def within(self, other: Power) -> bool:
        """Whether it is no more than the other in anything."""
        limited = not other.only or bool(self.only and self.only <= other.only)
        return _RANK[self.may] <= _RANK[other.may] and self.protected <= other.protected and limited


BUILT_IN: Mapping[str, Power] = {
    GUEST: Power(Level.READ),
    MEMBER: Power(Level.DESTRUCTIVE),
    OWNER: Power(Level.DESTRUCTIVE, protected=True),
}


def powers(roles: Mapping[str, RoleSettings]) -> dict[str, Power]:
    """Of every role there is, by name."""
    own = {name: Power(role.may, role.protected, frozenset(role.only)) for name, role in roles.items()}
    return {**own, **BUILT_IN}


def check_role(name: str, known: Mapping[str, Power]) -> str:
    """The name, if there is such a role. Raises ConfigError."""
    if name in known:
        return name
    mend = f"Roles are {', '.join(sorted(known))}; [roles.{name}] in jarvis.toml would make one."
    raise ConfigError("unknown_role", f"There is no role {name!r}.", mend=mend)


def lesser(one: str, other: str, known: Mapping[str, Power]) -> str | None:
    """The role that is no more than either; None where each may something that the other may not, or is unknown."""
    if one not in known or other not in known:
        return None
    if known[one].within(known[other]):
        return one
    return other if known[other].within(known[one]) else None
