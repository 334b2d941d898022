"""Settings of what Jarvis is connected to: watchers, engines, hypervisors, the home, push services, digest. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, field_validator, model_validator

from tools.settings_base import Frozen

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""Local time of day, ``HH:MM``."""

Topic = Annotated[str, Field(pattern=r"^[-_A-Za-z0-9]{1,64}$")]
"""A topic of ntfy."""

WatcherKind = Literal["gatus", "uptime-kuma", "prometheus", "alertmanager", "beszel", "nut", "grafana", "loki"]
"""What can be asked about services, alerts, or both."""


class WatcherSettings(Frozen):
    """Something that watches the house already: ``[watchers.NAME]``."""

    kind: WatcherKind = Field(description="What it is.")
    url: str = Field(description="Its address: http(s)://host:port, for nut tcp://host:3493.")
    username: str | None = Field(default=None, description="Where it wants one (beszel, nut, basic auth).")
    password_file: Path | None = Field(default=None, description="File with that user's password, or Kuma's API key.")
    token_file: Path | None = Field(default=None, description="File with a bearer token.")
    status_page: str | None = Field(default=None, description="uptime-kuma: slug of a status page, without a password.")
    ups: str | None = Field(default=None, description="nut: name of the UPS; empty: all it has.")
    query: str | None = Field(
        default=None, description="loki: LogQL that gives one count; empty: lines of the last hour that say error."
    )
    verify_tls: bool = Field(default=True, description="Check its certificate; false for self-signed ones.")
    timeout_s: float = Field(default=2.5, gt=0, le=30, description="Seconds it may take.")
    stale_after_s: float = Field(
        default=600.0, gt=0, description="What it saw longer ago is said to be old, and not believed."
    )


EngineKind = Literal["docker", "podman", "portainer", "systemd", "launchd"]
"""What runs services."""


class EngineSettings(Frozen):
    """What runs services: ``[engines.NAME]``."""

    kind: EngineKind = Field(description="What it is.")
    url: str | None = Field(
        default=None,
        description="docker, podman: unix:///path or http(s)://host:port; empty: the usual socket. portainer: its URL.",
    )
    token_file: Path | None = Field(default=None, description="portainer: file with an API key.")
    endpoint: int | None = Field(default=None, ge=1, description="portainer: id of the environment; empty: the first.")
    user: bool = Field(default=False, description="systemd, launchd: the units of the user, not of the system.")
    verify_tls: bool = Field(default=True, description="Check its certificate; false for self-signed ones.")
    timeout_s: float = Field(default=2.5, gt=0, le=30, description="Seconds one question may take.")


class MinecraftSettings(Frozen):
    """A Minecraft server: ``[services.NAME.minecraft]``."""

    port: int = Field(default=25565, ge=1, le=65535, description="Port of the game, for the status ping.")
    rcon_port: int = Field(default=25575, ge=1, le=65535, description="Port of RCON.")
    rcon_password_file: Path | None = Field(default=None, description="File with RCON's password; empty: not used.")


class HypervisorSettings(Frozen):
    """What runs virtual machines: ``[hypervisors.NAME]``."""

    kind: Literal["libvirt", "proxmox"] = Field(default="libvirt", description="What it is.")
    url: str = Field(
        default="qemu:///system", description="libvirt: a URI, as qemu+ssh://me@nuc/system. proxmox: https://host:8006."
    )
    token_file: Path | None = Field(default=None, description="proxmox: file with user@realm!token=secret.")
    node: str | None = Field(default=None, description="proxmox: only machines of this node.")
    verify_tls: bool = Field(default=True, description="Check its certificate; false for self-signed ones.")
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="Seconds one question may take.")
    shutdown_wait_s: float = Field(
        default=60.0, gt=0, le=600, description="Seconds to wait for a machine that was asked to shut down."
    )
    guacamole_url: HttpUrl | None = Field(default=None, description="Guacamole, for a link to a machine's screen.")


class HomeAssistantSettings(Frozen):
    """Home Assistant: ``[home_assistant]``."""

    url: HttpUrl = Field(description="Its address, http://homeassistant.local:8123.")
    token_file: Path = Field(description="File with a long-lived access token.")
    exposed_only: bool = Field(default=True, description="Only what is exposed to Assist there.")
    verify_tls: bool = Field(default=True, description="Check its certificate; false for self-signed ones.")
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="Seconds one question may take.")


class AlertSettings(Frozen):
    """What is looked at besides watchers: ``[alerts]``."""

    certificates: tuple[str, ...] = Field(
        default=(), description="host[:port] whose certificate is looked at, besides the https services."
    )
    certificate_warning_days: float = Field(default=30.0, gt=0, description="Days before the end that are a warning.")
    certificate_critical_days: float = Field(default=7.0, ge=0, description="Days before the end that are critical.")
    disks: tuple[Path, ...] = Field(
        default=(Path("/"),), description="File systems of this machine that are looked at."
    )
    disk_warning_pct: float = Field(default=85.0, gt=0, le=100, description="Used, in per cent, that is a warning.")
    disk_critical_pct: float = Field(default=95.0, gt=0, le=100, description="Used, in per cent, that is critical.")
    memory_warning_pct: float = Field(default=92.0, gt=0, le=100, description="Memory used that is a warning.")
    load_warning: float = Field(
        default=4.0, gt=0, description="Load of this machine per core, over 15 minutes, that is a warning."
    )
    temperature_warning_c: float = Field(
        default=85.0, gt=0, description="Degrees of this machine's hottest sensor that are a warning."
    )
    log_errors_warning: int = Field(default=100, gt=0, description="Errors that loki counts that are a warning.")
    reports: tuple[Path, ...] = Field(
        default=(), description="Folders of agents' reports, each with NAME/latest.json in it."
    )
    report_max_age_h: float = Field(default=26.0, gt=0, description="Hours after which a report is stale.")

    @field_validator("certificates")
    @classmethod
    def _are_places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            host_and_port(place)
        return value


_PLACE = re.compile(r"(?:https://)?(\[[0-9a-fA-F:]+\]|[^\s/:@\[\]]+)(?::(\d{1,5}))?/?")


def host_and_port(place: str, port: int = 443) -> tuple[str, int]:
    """Out of ``host[:port]``, with ``https://`` before it or not; ``port`` where it has none. Raises ValueError."""
    match = _PLACE.fullmatch(place)
    if match is None or not 1 <= int(match.group(2) or port) <= 65_535:
        raise ValueError(f"{place!r} is neither a host nor host:port")
    return match.group(1).strip("[]"), int(match.group(2) or port)


class NtfySettings(Frozen):
    """Push messages by ntfy: ``[ntfy]``."""

    url: HttpUrl = Field(description="The server, in your own network.")
    topic: Topic = Field(default="home-alerts", description="Topic to publish on.")
    token_file: Path | None = Field(default=None, description="File with an access token.")
    confirm_url: HttpUrl | None = Field(
        default=None,
        description="How the phone reaches `jarvis serve` (http://jarvis.lan:8765): questions get buttons. Empty: off.",
    )


class GotifySettings(Frozen):
    """Push messages by Gotify: ``[gotify]``."""

    url: HttpUrl = Field(description="The server, in your own network.")
    token_file: Path = Field(description="File with an application's token, to send with.")
    client_token_file: Path | None = Field(default=None, description="File with a client's token, to listen with.")


class AnnouncementSettings(Frozen):
    """What others send is said aloud: ``[announcements]``."""

    ntfy_topics: tuple[Topic, ...] = Field(
        default=(), description="Topics of [ntfy] that are listened to; one it publishes on is told apart."
    )
    gotify: bool = Field(default=False, description="Listen to [gotify], with its client token.")
    webhook_token_file: Path | None = Field(
        default=None, description="File with the token that Alertmanager's webhook brings; empty: no webhook."
    )
    room: str | None = Field(default=None, description="Room whose loudspeaker says it; empty: this machine's.")
    min_priority: int = Field(default=3, ge=1, le=5, description="Priority (ntfy's, 1 to 5) from which it is said.")
    quiet_from: Clock | None = Field(default=None, description="Quiet hours begin: only priority 5 is said.")
    quiet_to: Clock | None = Field(default=None, description="Quiet hours end: what came meanwhile is said together.")
    group_s: float = Field(default=20.0, ge=0, le=600, description="Seconds in which messages are gathered into one.")

    @model_validator(mode="after")
    def _both_ends(self) -> AnnouncementSettings:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet hours need both quiet_from and quiet_to")
        return self


class DigestSettings(Frozen):
    """The daily summary: ``[digest]``."""

    at: Clock | None = Field(default=None, description="When it is made and told each day; empty: only when asked.")
    notes: Path | None = Field(default=None, description="Folder where each is kept as a markdown note.")
    push: bool = Field(default=True, description="Send it to the phone too, when it is made by itself.")
