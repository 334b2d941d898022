"""Who a request comes from, once its token, header or address has said so."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import Headers

from tools.contract import Caller, Door


@dataclass(frozen=True, slots=True)
class Identity:
    """``name``: of the token or the person; ``role``: a role of the policy; ``only``: the targets it is limited to
    (none: no limit); ``room``: where its device stands; ``door``: where it came in, as ``caller`` says it unless it is
    told another; ``person``: what to call them, where a proxy or chat page says so; ``counted``: whether its requests
    a minute are limited, which those of this machine's own programs are not."""

    name: str = "owner"
    role: str = "owner"
    only: tuple[str, ...] = ()
    room: str | None = None
    door: Door = Door.HTTP
    person: str | None = None
    counted: bool = False

    def caller(self, door: Door | None = None, *, room: str | None = None) -> Caller:
        """As the policy sees it; ``room``: where it says it is, where its token does not."""
        return Caller(name=self.name, role=self.role, only=self.only, door=door or self.door, room=self.room or room)


NOBODY = Identity("anybody", "guest")
"""Whoever comes by a route that wants no token of ours."""

OWNER = Identity()

THROUGH_A_PROXY = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "tailscale-user-login")
"""Headers that say that somebody else asks through this machine."""


def through_a_proxy(headers: Headers) -> bool:
    """Whether a request that comes from this machine is somebody else's, as proxies say by themselves."""
    return any(name in headers for name in THROUGH_A_PROXY)


identity: ContextVar[Identity] = ContextVar("identity", default=OWNER)
"""Of the request under way."""
