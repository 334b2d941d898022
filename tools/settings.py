"""Configuration of the tools: what the house is made of. Pure, frozen, shared with the assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, HttpUrl, field_validator, model_validator

from tools.settings_access import BUILT_IN_ROLES, AccessSettings, RoleName, RoleSettings
from tools.settings_base import Frozen as Frozen
from tools.settings_house import (
    AlertSettings,
    AnnouncementSettings,
    DigestSettings,
    EngineSettings,
    GotifySettings,
    HomeAssistantSettings,
    HypervisorSettings,
    MinecraftSettings,
    WatcherSettings,
)
from tools.settings_house import NtfySettings as NtfySettings
from tools.settings_outside import McpServerSettings as McpServerSettings
from tools.settings_outside import ServerName
from tools.settings_retention import RetentionSettings

T = TypeVar("T")


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
    """One service of the catalogue: ``[services.NAME]``, or a YAML file of that name in ``catalog``."""

    url: HttpUrl | None = Field(
        default=None, description="What is asked: GET; an answer below 400 is up, unless expect_status says more."
    )
    tcp: str | None = Field(
        default=None, pattern=r"^[^\s/]+:\d{1,5}$", description="host:port that has to accept a connection."
    )
    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    expect_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = Field(
        default=(), description="HTTP status codes that mean up; empty: any below 400."
    )
    timeout_s: float = Field(default=2.0, gt=0, le=30, description="Seconds one probe may take.")
    verify_tls: bool = Field(default=True, description="Check the certificate; false for self-signed ones.")
    protected: bool = Field(default=False, description="Never stopped or restarted by voice.")
    watched_as: dict[str, str] = Field(
        default_factory=dict, description="By watcher or engine: what it is called there, where it is called otherwise."
    )
    engine: str | None = Field(default=None, description="Name of the engine that runs it; empty: whichever has it.")
    unit: str | None = Field(
        default=None, description="Container, systemd unit or launchd label; empty: the service's name."
    )
    logs: Path | None = Field(default=None, description="Log file, where no engine keeps its log.")
    minecraft: MinecraftSettings | None = Field(default=None, description="It is a Minecraft server.")
    host: str | None = Field(default=None, description="Machine that it runs on.")
    ip: str | None = Field(default=None, description="Address of that machine.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Port; empty: that of url or tcp.")
    dns: str | None = Field(default=None, description="Name under which people reach it.")
    description: str = Field(default="", description="What it is for.")
    owner: str | None = Field(default=None, description="Who looks after it.")
    group: str | None = Field(default=None, description="What it belongs to.")
    icon: str | None = Field(default=None, description="Picture for pages: a file name or a URL.")
    restore: str = Field(default="", description="How it is restored, in a sentence or two.")


Medium = Literal["disk", "nas", "usb", "cloud", "tape", "other"]
"""What a copy lies on, for the 3-2-1 count."""


class KeepSettings(Frozen):
    """What pruning leaves: ``[backups.NAME.keep]``. 0 is none of them; all 0: nothing is ever pruned."""

    last: int = Field(default=0, ge=0, description="The newest so many.")
    daily: int = Field(default=7, ge=0, description="One a day for so many days.")
    weekly: int = Field(default=4, ge=0, description="One a week for so many weeks.")
    monthly: int = Field(default=12, ge=0, description="One a month for so many months.")
    days: int = Field(default=14, ge=0, description="Kind rsync-snapshots and dumps: everything younger than that.")


class DestinationSettings(Frozen):
    """One more place where a job's backups go: ``[[backups.NAME.also]]``. What is not said is as for the job."""

    name: str = Field(description='What it is called: "the usb disk".')
    repository: str = Field(description="Path or URL, as the program takes it.")
    password_file: Path | None = Field(default=None, description="File with its password.")
    mount: Path | None = Field(default=None, description="Has to be a mount point, or the place is not there.")
    medium: Medium = Field(default="disk", description="What it lies on.")
    offsite: bool = Field(default=False, description="In another building.")
    offline: bool = Field(default=False, description="Unplugged when no backup runs.")
    immutable: bool = Field(default=False, description="Cannot be changed or deleted from the house.")
    max_age_h: float | None = Field(
        default=None, gt=0, description="Hours after which the newest backup there is stale; empty: as for the job."
    )


class DatabaseSettings(Frozen):
    """Which database a dump is of: ``[backups.NAME.database]``; its password stands in a file, or in none (peer)."""

    name: str = Field(description="Name of the database.")
    host: str | None = Field(default=None, description="Host or folder of the socket; empty: the local one.")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(default=None, description="Port; empty: the usual one.")
    user: str | None = Field(default=None, description="Database user.")
    password_file: Path | None = Field(default=None, description="File with the user's password.")


class BackupSettings(Frozen):
    """One backup job: ``[backups.NAME]``."""

    kind: BackupKind = Field(description="What makes the backup.")
    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    repository: str | None = Field(
        default=None, description="Where it goes: path or URL of the repository, or folder of the dumps and snapshots."
    )
    password_file: Path | None = Field(default=None, description="File with the repository's password; never inline.")
    credentials: dict[str, Path] = Field(
        default_factory=dict,
        description="Environment variables of the program, and the file that holds each one's value (S3 keys).",
    )
    ssh_key: Path | None = Field(default=None, description="Private key for ssh; it is used in BatchMode, no other is.")
    known_hosts: Path | None = Field(default=None, description="known_hosts file for ssh; empty: the user's.")
    ssh_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=22, description="Port of the ssh server.")
    config_file: Path | None = Field(default=None, description="The program's own configuration (borgmatic, rclone).")
    mount: Path | None = Field(
        default=None, description="Has to be a mount point: an unplugged disk must not look like an empty repository."
    )
    paths: tuple[str, ...] = Field(
        default=(), description="What is backed up; only backups of these paths count. Empty: any."
    )
    exclude: tuple[str, ...] = Field(default=(), description="Patterns left out, as the program takes them.")
    options: tuple[str, ...] = Field(default=(), description="More options for the program's backup command.")
    tags: tuple[str, ...] = Field(default=(), description="Only snapshots with all of these tags count; empty: any.")
    host: str | None = Field(default=None, description="Only snapshots of this host count.")
    database: DatabaseSettings | None = Field(default=None, description="Kinds postgres-dump and mariadb-dump.")
    before: tuple[str, ...] = Field(default=(), description="Command before the backup (dump, pause); an argv.")
    after: tuple[str, ...] = Field(default=(), description="Command after it, whatever came of it; an argv.")
    command: tuple[str, ...] = Field(default=(), description="Kind command: the program and its arguments.")
    report: Path | None = Field(
        default=None, description="Kind report: the file that the job writes when it checks in."
    )
    unplugged_within_h: float | None = Field(
        default=None, gt=0, description="Kind report: hours after which the disk has to be unplugged again."
    )
    keep: KeepSettings = Field(default_factory=KeepSettings, description="What pruning leaves.")
    verify: Literal["none", "metadata", "data"] = Field(
        default="metadata", description="What is checked after each run: nothing, the structure, or data as well."
    )
    max_age_h: float = Field(default=26.0, gt=0, description="Hours after which the last success is stale.")
    restore_test_max_age_h: float = Field(
        default=24.0 * 35, gt=0, description="Hours after which the last restore test no longer proves the backup."
    )
    tiny_below_pct: float = Field(
        default=50.0, ge=0, lt=100, description="Per cent of its usual size below which a backup is suddenly tiny."
    )
    huge_above_pct: float = Field(
        default=500.0, gt=100, description="Per cent of its usual size above which a backup is suddenly huge."
    )
    unchanged_after_h: float | None = Field(
        default=None, gt=0, description="Hours without a new or changed file after which something is wrong."
    )
    min_free_pct: float = Field(
        default=5.0, ge=0, lt=100, description="Free space below which the destination is full."
    )
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="Seconds that reading the repository may take.")
    run_timeout_h: float = Field(default=12.0, gt=0, le=168, description="Hours that a run may take.")
    also: tuple[DestinationSettings, ...] = Field(default=(), description="More places where its backups go.")
    data_class: str | None = Field(default=None, description="For the scorecard; empty: the job's name.")
    source_medium: Medium = Field(default="disk", description="What the original lies on, for the scorecard.")
    medium: Medium = Field(default="disk", description="What the destination lies on.")
    offsite: bool = Field(default=False, description="The destination is in another building.")
    offline: bool = Field(default=False, description="It is unplugged when no backup runs.")
    immutable: bool = Field(default=False, description="It cannot be changed or deleted from the house.")


class CalendarSettings(Frozen):
    """How often restores are practised: ``[restore_calendar]``. 0 is never."""

    file_days: float = Field(default=31.0, ge=0, description="Days until each job has to give back a random file.")
    application_days: float = Field(
        default=92.0, ge=0, description="Days until each database or application has to be restored and checked."
    )
    nas_gone_days: float = Field(
        default=366.0,
        ge=0,
        description='Days until "the NAS is gone": all of one job, from a place that is not in the house.',
    )


class VmSettings(Frozen):
    """One virtual machine: ``[vms.NAME]``."""

    aliases: tuple[str, ...] = Field(default=(), description="Other things people call it.")
    protected: bool = Field(default=False, description="Never changed by voice: a router, a firewall.")
    hypervisor: str | None = Field(
        default=None, description="Name of the hypervisor that runs it; empty: whichever has it."
    )
    domain: str | None = Field(default=None, description="What it is called there; empty: its name.")
    snapshot_before: bool = Field(
        default=False, description="Take a snapshot before it is shut down, rebooted or forced off."
    )
    friends: tuple[str, ...] = Field(
        default=(), description="Guests, by the names of their tokens, who may start and shut down this one."
    )
    guacamole: str | None = Field(default=None, description="Its connection in Guacamole: its name, or ID@postgresql.")


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
    restore_calendar: CalendarSettings = Field(
        default_factory=CalendarSettings, description="How often restores are practised."
    )
    catalog: Path | None = Field(default=None, description="Folder of the catalogue: one YAML file a service.")
    watchers: dict[str, WatcherSettings] = Field(
        default_factory=dict, description="What watches the house already, by name."
    )
    engines: dict[str, EngineSettings] = Field(default_factory=dict, description="What runs services, by name.")
    local_engines: bool = Field(
        default=True, description="Without [engines]: use this machine's own Docker socket, systemd or launchd."
    )
    hypervisors: dict[str, HypervisorSettings] = Field(
        default_factory=dict, description="What runs virtual machines, by name."
    )
    home_assistant: HomeAssistantSettings | None = Field(default=None, description="Home Assistant.")
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="What is looked at besides watchers.")
    ntfy: NtfySettings | None = Field(default=None, description="Push messages by ntfy.")
    gotify: GotifySettings | None = Field(default=None, description="Push messages by Gotify.")
    announcements: AnnouncementSettings = Field(
        default_factory=AnnouncementSettings, description="What others send is said aloud."
    )
    digest: DigestSettings = Field(default_factory=DigestSettings, description="The daily summary.")
    guests: tuple[str, ...] = Field(
        default=(),
        description="Names of tokens whose holders are guests: they may look, and do what friends of a machine may.",
    )
    roles: dict[RoleName, RoleSettings] = Field(
        default_factory=dict, description="Roles beside guest, member and owner, by name."
    )
    access: AccessSettings = Field(default_factory=AccessSettings, description="Who may do what, by door and room.")
    mcp_servers: dict[ServerName, McpServerSettings] = Field(
        default_factory=dict, description="Outside MCP servers, by name."
    )
    retention: RetentionSettings = Field(default_factory=RetentionSettings, description="How much of what was is kept.")
    outside_tokens: int = Field(
        default=600, ge=0, description="Tokens that the tools of outside servers may cost a model together."
    )
    restore_scratch: Path | None = Field(
        default=None, description="Folder for restore tests; empty: in the state folder. Never a source."
    )
    restore_scratch_max_gb: float = Field(default=20.0, gt=0, description="What a restore test may write, in GB.")
    services_deadline_s: float = Field(default=3.0, gt=0, le=30, description="Seconds that one check of all may take.")
    flapping_window_s: float = Field(
        default=900.0, gt=0, description="Window in which three changes of state make a service flapping."
    )

    @property
    def connected(self) -> bool:
        """Whether anything of a house is configured, that can be asked about."""
        parts = (self.services, self.backups, self.watchers, self.engines, self.hypervisors)
        return any(parts) or self.catalog is not None or self.home_assistant is not None

    @field_validator("services", "backups", "vms", "areas", "watchers", "engines", "hypervisors")
    @classmethod
    def _names_are_speakable(cls, value: dict[str, T]) -> dict[str, T]:
        for name in value:
            _check_speakable(name)
        return value

    @property
    def role_names(self) -> tuple[str, ...]:
        """Every role that there is, the built-in ones first."""
        return (*BUILT_IN_ROLES, *self.roles)

    @model_validator(mode="after")
    def _roles_are_known(self) -> ToolSettings:
        for name in BUILT_IN_ROLES:
            if name in self.roles:
                raise ValueError(f"roles.{name}: that role is built in and cannot be changed; choose another name")
        access = self.access
        named = {
            **{f"access.doors.{door.value}": role for door, role in access.doors.items()},
            **{f"access.rooms.{room}": role for room, role in access.rooms.items()},
            **{f"access.tailscale_users.{user}": role for user, role in access.tailscale_users.items()},
            **{f"access.user_jwt_roles.{user}": role for user, role in access.user_jwt_roles.items()},
        }
        for key, role in named.items():
            if role not in self.role_names:
                raise ValueError(f"{key}: there is no role {role!r}; there are {', '.join(self.role_names)}")
        return self

    @model_validator(mode="after")
    def _home_is_consistent(self) -> ToolSettings:
        known = {name for area in self.areas.values() for name in (*area.lights, *area.devices)}
        for name in known:
            _check_speakable(name)
        for said, meant in self.home_aliases.items():
            _check_speakable(said)
            if meant not in known and self.home_assistant is None:
                raise ValueError(f"home_aliases: {said!r} stands for {meant!r}, which is in no area")
        return self


def _check_speakable(name: str) -> None:
    if not name.strip() or name != name.strip() or any(not c.isprintable() for c in name):
        raise ValueError(f"the name {name!r} is empty, padded or has unprintable characters")
    if not any(c.isalnum() for c in name):
        raise ValueError(f"the name {name!r} has no letter or digit, so nobody can say it")
