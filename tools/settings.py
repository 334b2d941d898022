"""Configuration of the tools: what the house is made of. Pure, frozen, shared with the assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator, model_validator

T = TypeVar("T")


class Frozen(BaseModel):
    """Base of every settings section: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


BackupKind = Literal[
    "restic",
    "borg",
    "borgmatic",
    "kopia",
    "rsync-snapshots",
    "rclone",
    "sqlite",
    "postgres-dump",
    "mariadb-dump",
    "home-assistant-tar",
    "gitea-dump",
    "report",
    "command",
]
"""Every kind a job may declare. Those this version cannot read get the verdict *unknown*, with that reason."""


class ServiceSettings(Frozen):
    """One service of the catalogue: ``[services.NAME]``."""

    url: HttpUrl = Field(description="What is asked: GET; an answer below 400 is up, unless expect_status says more.")
    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    expect_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = Field(
        default=(), description="HTTP status codes that mean up; empty: any below 400."
    )
    timeout_s: float = Field(default=2.0, gt=0, le=30, description="Seconds one probe may take.")
    verify_tls: bool = Field(default=True, description="Check the certificate; false for self-signed ones.")
    protected: bool = Field(default=False, description="Never stopped or restarted by voice.")


class BackupSettings(Frozen):
    """One backup job: ``[backups.NAME]``."""

    kind: BackupKind = Field(description="What made the backup.")
    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    repository: str | None = Field(default=None, description="Path or URL of the repository, as the program takes it.")
    password_file: Path | None = Field(default=None, description="File with the repository's password; never inline.")
    paths: tuple[str, ...] = Field(default=(), description="Only snapshots of these paths count; empty: any.")
    tags: tuple[str, ...] = Field(default=(), description="Only snapshots with all of these tags count; empty: any.")
    host: str | None = Field(default=None, description="Only snapshots of this host count.")
    max_age_h: float = Field(default=26.0, gt=0, description="Hours after which the last success is stale.")
    restore_test_max_age_h: float = Field(
        default=24.0 * 35, gt=0, description="Hours after which the last restore test no longer proves the backup."
    )
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="Seconds that reading the repository may take.")


class VmSettings(Frozen):
    """One virtual machine: ``[vms.NAME]``."""

    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    protected: bool = Field(default=False, description="Never changed by voice: a router, a firewall.")


class AreaSettings(Frozen):
    """One area of the home: ``[areas.NAME]``."""

    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    lights: tuple[str, ...] = Field(default=(), description="Its lights, as people say them, without the area.")
    devices: tuple[str, ...] = Field(default=(), description="What else can be read or switched there.")


class ToolSettings(Frozen):
    """All that the tools need; the assistant's configuration embeds it at its top level."""

    services: dict[str, ServiceSettings] = Field(default_factory=dict, description="The catalogue, by name.")
    backups: dict[str, BackupSettings] = Field(default_factory=dict, description="The backup jobs, by name.")
    vms: dict[str, VmSettings] = Field(default_factory=dict, description="The virtual machines, by name.")
    areas: dict[str, AreaSettings] = Field(default_factory=dict, description="The areas of the home, by name.")
    home_aliases: dict[str, str] = Field(
        default_factory=dict, description="What people say for a light or device, and its name."
    )
    services_deadline_s: float = Field(default=3.0, gt=0, le=30, description="Seconds that one check of all may take.")
    flapping_window_s: float = Field(
        default=900.0, gt=0, description="Window in which three changes of state make a service flapping."
    )

    @field_validator("services", "backups", "vms", "areas")
    @classmethod
    def _names_are_speakable(cls, value: dict[str, T]) -> dict[str, T]:
        for name in value:
            _check_speakable(name)
        return value

    @model_validator(mode="after")
    def _home_is_consistent(self) -> ToolSettings:
        known = {name for area in self.areas.values() for name in (*area.lights, *area.devices)}
        for name in known:
            _check_speakable(name)
        for said, meant in self.home_aliases.items():
            _check_speakable(said)
            if meant not in known:
                raise ValueError(f"home_aliases: {said!r} stands for {meant!r}, which is in no area")
        return self


def _check_speakable(name: str) -> None:
    if not name.strip() or name != name.strip() or any(not c.isprintable() for c in name):
        raise ValueError(f"the name {name!r} is empty, padded or has unprintable characters")
    if not any(c.isalnum() for c in name):
        raise ValueError(f"the name {name!r} has no letter or digit, so nobody can say it")
