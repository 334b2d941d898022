"""Who may do what: roles, the most that a door or a room is good for, and what somebody is limited to. Pure.

    rights of a caller = the least of their role, their door's, their room's; every ``only`` has to permit

``tools/policy.py`` decides by it, ``docs/access.md`` tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tools.contract import Caller, CallOutcome, Door, Level, PlannedCall
from tools.names import NameIndex, plain
from tools.settings import ToolSettings
from tools.settings_access import BUILT_IN_ROLES
from tools.targets import EVERY, LEAST, kinds_of, touched
from tools.wording import listing

VOICE_DOORS = frozenset({Door.MICROPHONE, Door.SATELLITE})
"""Doors at which anybody in the room can speak: what is protected is not for them."""

DOOR_CEILINGS: Mapping[Door, str] = {Door.MCP: "member"}
"""Where ``access.doors`` says nothing: a model behind an outside client drives it, whoever's token it has."""

_INDEXED = {"service": "service", "backup": "job", "vm": "vm", "area": "area", "device": "device"}
"""Kind of a grant → kind of name in the resolver."""

_ASKED_FOR = {"job": "backup", "target": "device", "name": "service"}

_SPOKEN = {
    "service": "the service {}", "backup": "the backup {}", "vm": "the virtual machine {}", "area": "the {}",
    "device": "the {}", "server": "{}", "tool": "{}",
}  # fmt: skip
_SPOKEN_EVERY = {
    "service": "services", "backup": "backups", "vm": "virtual machines", "area": "the home", "device": "the home",
    "server": "other servers", "tool": "every tool",
}  # fmt: skip
SPOKEN_GRANTS = 4
"""Named in the sentence of a refusal."""


@dataclass(frozen=True, slots=True)
class Role:
    """``may``: the most that its calls can change; ``protected``: also what is protected, but never by voice;
    ``only``: limited to these grants, empty: no limit."""

    name: str
    may: Level
    protected: bool = False
    only: tuple[str, ...] = ()


GUEST = Role("guest", Level.READ)
MEMBER = Role("member", Level.DESTRUCTIVE)
OWNER = Role("owner", Level.DESTRUCTIVE, protected=True)
BUILT_IN = {role.name: role for role in (GUEST, MEMBER, OWNER)}


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may, all in all. ``limits``: lists of grants, each of which has to permit."""

    may: Level
    protected: bool
    limits: tuple[tuple[str, ...], ...] = ()

    def reaches(self, level: Level) -> bool:
        """Whether a call of that level is within it."""
        return _rank(level) <= _rank(self.may)


class Access:
    """Roles, ceilings and grants as configured. Raises nothing."""

    def __init__(self, settings: ToolSettings | None = None, names: NameIndex | None = None) -> None:
        """``names``: what people call things, so that a grant may say it like that, too."""
        settings = settings or ToolSettings()
        self._roles = BUILT_IN | {
            name: Role(name, role.may, role.protected, role.only)
            for name, role in settings.roles.items()
            if name not in BUILT_IN_ROLES
        }
        self._doors = {**DOOR_CEILINGS, **settings.access.doors}
        self._rooms = dict(settings.access.rooms)
        self._guests = frozenset(settings.guests)
        self._friends = frozenset(friend for vm in settings.vms.values() for friend in vm.friends)
        self._names = names

    @classmethod
    def of(cls, settings: ToolSettings, names: NameIndex | None = None) -> Access:
        """As these settings say."""
        return cls(settings, names)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The built-in ones first."""
        return tuple(self._roles.values())

    def treated(self, caller: Caller) -> Caller:
        """Under the role that the audit and the tools know it by: who is named a guest is one, whatever their token
        says. What they may is reckoned from the caller as it came: their own role may be limited to less."""
        return caller.model_copy(update={"role": GUEST.name}) if caller.name in self._guests else caller

    def rights(self, caller: Caller, allowed: Collection[str] = ()) -> Rights:
        """The least of all that bounds this caller. ``allowed``: guests, by name, who are as good as members here
        (:attr:`PlannedCall.allowed`); doors and rooms bound them all the same. An unknown role only looks."""
        own = [self._role(caller.role)]
        if caller.role == GUEST.name or caller.name in self._guests:
            as_guest = MEMBER if caller.name in allowed else GUEST
            own = [as_guest] if caller.role == GUEST.name else [*own, as_guest]
        bounds = [*own, *self._ceilings(caller)]
        limits = [role.only for role in bounds] + [caller.only]
        return Rights(
            may=min((role.may for role in bounds), key=_rank),
            protected=all(role.protected for role in bounds) and caller.door not in VOICE_DOORS,
            limits=tuple(dict.fromkeys(only for only in limits if only)),
        )

    def beyond(self, call: PlannedCall, caller: Caller, server: str | None = None) -> str:
        """What is said where a call touches what the caller is not limited to; empty where it is covered.

        What is scheduled has to be covered as if it were done now; the tool that schedules covers only what is said.
        """
        if call.schedules is not None:
            return self.beyond(call.schedules, caller)
        things = touched(call, server)
        for limit in self.rights(caller, call.allowed).limits:
            if not any(self._covers(grant, kind, name) for grant in limit for kind, name in things):
                return f"That is not among what you may use here: {_spoken(limit)}."
        return ""

    def may_ever(self, tool: str, level: Level, caller: Caller, server: str | None = None) -> bool:
        """Whether there is any call of this tool (of this level at most) that the caller may make, with a yes where one
        is wanted: whether it is worth listing. ``server``: the outside server that it is of."""
        befriended = tool == "vm_power" and caller.name in self._friends
        rights = self.rights(caller, (caller.name,) if befriended else ())
        if not rights.reaches(LEAST.get(tool, level)):
            return False
        kinds = kinds_of(tool, server)
        return all(any(self._concerns(grant, tool, kinds, server) for grant in limit) for limit in rights.limits)

    def may_see(self, kind: str, name: str, caller: Caller) -> bool:
        """Whether a name (of ``jarvis://names``, by its kind there) is any of the caller's business."""
        kind = _ASKED_FOR.get(kind, kind)
        return all(any(self._covers(grant, kind, name) for grant in limit) for limit in self.rights(caller).limits)

    def without_others(self, outcome: CallOutcome, caller: Caller) -> CallOutcome:
        """A question back ("do you mean …?") names nothing that the caller is not limited to."""
        if not outcome.candidates or not self.rights(caller).limits:
            return outcome
        kind = (outcome.detail or "").partition(":")[0]
        left = tuple(name for name in outcome.candidates if self.may_see(kind, name, caller))
        spoken = f"Do you mean {listing(left, 'or')}?" if left else "I know nothing of that name that you may use here."
        return outcome.model_copy(update={"candidates": left, "spoken": spoken})

    def _role(self, name: str) -> Role:
        return self._roles.get(name) or Role(name, Level.READ)

    def _ceilings(self, caller: Caller) -> Iterator[Role]:
        """Anybody who can send a request can say that it is from our page: that gives no more than any request."""
        doors = (Door.HTTP, Door.PAGE) if caller.door is Door.PAGE else (caller.door,)
        yield from (self._role(self._doors[door]) for door in doors if door in self._doors)
        if caller.room is not None:
            yield from (self._role(role) for room, role in self._rooms.items() if self._same_room(room, caller.room))

    def _same_room(self, written: str, said: str) -> bool:
        """Loosely, for a room only ever takes rights away."""
        return self._room(written) == self._room(said)

    def _room(self, said: str) -> str:
        area = self._names.exact("area", said) if self._names is not None else None
        return "".join(word for word in plain(area or said) if word not in ("the", "my", "our"))

    def _covers(self, grant: str, kind: str, name: str) -> bool:
        """As it is written, or as a name that means this and nothing else."""
        granted_kind, _, granted = grant.partition(":")
        if granted_kind != kind:
            return False
        if granted == EVERY or granted.casefold() == name.casefold():
            return True
        if name == EVERY or self._names is None or kind not in _INDEXED:
            return False
        return self._names.exact(_INDEXED[kind], granted) == name

    def _concerns(self, grant: str, tool: str, kinds: Collection[str], server: str | None) -> bool:
        kind, _, granted = grant.partition(":")
        if kind == "tool":
            return granted in (EVERY, tool)
        if kind == "server":
            return server is not None and granted in (EVERY, server)
        return kind in kinds


def _rank(level: Level) -> int:
    return list(Level).index(level)


def _spoken(grants: Collection[str]) -> str:
    words = []
    for grant in grants:
        kind, _, name = grant.partition(":")
        plainly = name.replace("_", " ") if kind == "tool" else name
        words.append(_SPOKEN_EVERY[kind] if name == EVERY else _SPOKEN[kind].format(plainly))
    more = ["more"] if len(words) > SPOKEN_GRANTS else []
    return listing([*dict.fromkeys(words[:SPOKEN_GRANTS]), *more])
