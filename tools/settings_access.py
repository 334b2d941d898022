"""Settings of who may do what: roles, and the role that each door and room has at most. Pure.

``tools/access.py`` makes them into what the policy decides by; ``docs/access.md`` is their page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from tools.contract import Door, Level
from tools.settings_base import Frozen

RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]

BUILT_IN_ROLES = ("guest", "member", "owner")
"""Weakest first; no role of one's own has such a name."""

Grant = Annotated[str, Field(pattern=r"^(tool|service|backup|vm|area|device|server):\S.{0,99}$")]
"""What something is limited to: ``vm:windows``, ``service:jellyfin``, ``backup:photos``, ``area:kitchen``,
``device:garage door``, ``tool:check_backups``, ``server:notes`` (an outside MCP server); ``vm:*`` is every machine."""


class RoleSettings(Frozen):
    """``[roles.NAME]``: a role beside guest, member and owner."""

    may: Level = Field(
        default=Level.READ,
        description="read: look; operate: also what can be undone; destructive: also what wants a yes.",
    )
    protected: bool = Field(default=False, description="May change what is protected, where voices may not.")
    only: tuple[Grant, ...] = Field(default=(), description="Limited to these, e.g. vm:windows; empty: no limit.")


class AccessSettings(Frozen):
    """``[access]``: who is who, and the most that a door or a room is good for."""

    doors: dict[Door, RoleName] = Field(
        default_factory=dict, description="The most that a door is good for, whoever asks there: a role's name."
    )
    rooms: dict[str, RoleName] = Field(
        default_factory=dict, description="The most that a room is good for, whoever asks there: a role's name."
    )
    audit_days: float = Field(
        default=1100.0, ge=0, description="Days that the lines of the audit are kept; 0: for ever."
    )
    pin_file: Path | None = Field(
        default=None, description="File with the digits to say with the yes to what is destructive, mode 0600."
    )
    tailscale: bool = Field(
        default=False,
        description="Believe the identity headers of Tailscale Serve; only while the server binds loopback.",
    )
    tailscale_users: dict[str, RoleName] = Field(
        default_factory=dict, description="Roles by Tailscale login; who is not named comes in as nobody."
    )
    user_jwt_secret_file: Path | None = Field(
        default=None, description="Secret with which a chat page signs who its user is (Open WebUI), mode 0600."
    )
    user_jwt_header: str = Field(
        default="X-OpenWebUI-User-Jwt", min_length=1, description="Header in which it says so."
    )
    user_jwt_roles: dict[str, RoleName] = Field(
        default_factory=dict,
        description="Roles by that user's e-mail, or by role:admin, role:user; never more than the token's own.",
    )
