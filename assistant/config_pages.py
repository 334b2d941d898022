"""Settings for people: the generated example, the reference table, and what is in force."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from assistant.config_file import Loaded, every_setting
from tools.known_secrets import KNOWN

SAMPLES: Mapping[str, Any] = {
    "state_dir": "/var/lib/jarvis",
    "models_dir": "/srv/models/jarvis",
    "guests": ["ben"],
    "roles.NAME.only": ["area:nursery", "tool:check_services"],
    "access.doors": {"microphone": "member"},
    "access.rooms": {"nursery": "guest"},
    "access.pin_file": "pin",
    "access.tailscale_users": {"anna@example.com": "owner"},
    "access.user_jwt_secret_file": "open-webui.secret",
    "access.user_jwt_roles": {"role:admin": "owner"},
    "satellites.NAME.url": "tcp://kitchen.lan:10700",
    "satellites.NAME.room": "kitchen",
    "wyoming.allow_clients": ["192.168.1.20"],
    "telemetry.otlp_url": "http://tempo.lan:4318/v1/traces",
    "heartbeat.NAME.kind": "healthchecks",
    "heartbeat.NAME.url": "http://healthchecks.lan:8000/ping/UUID",
    "heartbeat.NAME.url_file": "healthchecks.url",
    "heartbeat.NAME.token_file": "ntfy.token",
    "debug_recording.folder": "/var/lib/jarvis-debug",
    "microphone": "USB Audio",
    "loudspeaker": "USB Audio",
    "services.NAME.url": "http://127.0.0.1:8096/health",
    "services.NAME.aliases": ["the media server"],
    "backups.NAME.kind": "restic",
    "backups.NAME.aliases": ["the photo library", "pictures"],
    "backups.NAME.repository": "/mnt/backup/photos",
    "backups.NAME.password_file": "photos.password",
    "backups.NAME.host": "nas",
    "backups.NAME.ssh_key": "photos.key",
    "backups.NAME.known_hosts": "known_hosts",
    "backups.NAME.config_file": "/etc/borgmatic/config.yaml",
    "backups.NAME.mount": "/mnt/backup",
    "backups.NAME.database": {"name": "nextcloud", "user": "nextcloud", "password_file": "nextcloud.password"},
    "backups.NAME.report": "/var/lib/jarvis/time-machine.json",
    "backups.NAME.unplugged_within_h": 4.0,
    "backups.NAME.unchanged_after_h": 168.0,
    "backups.NAME.data_class": "pictures",
    "services.NAME.tcp": "127.0.0.1:8096",
    "services.NAME.watched_as": {"gatus": "media_jellyfin"},
    "services.NAME.engine": "docker",
    "services.NAME.unit": "jellyfin",
    "services.NAME.logs": "/var/log/jellyfin/jellyfin.log",
    "services.NAME.minecraft": {"port": 25565},
    "services.NAME.host": "nas",
    "services.NAME.ip": "192.168.1.10",
    "services.NAME.port": 8096,
    "services.NAME.dns": "jellyfin.lan",
    "services.NAME.description": "films and series",
    "services.NAME.owner": "anna",
    "services.NAME.group": "media",
    "services.NAME.icon": "jellyfin.svg",
    "services.NAME.restore": "Restore the config backup, then start the container.",
    "watchers.NAME.kind": "gatus",
    "watchers.NAME.url": "http://127.0.0.1:8080",
    "watchers.NAME.username": "jarvis",
    "watchers.NAME.password_file": "kuma.key",
    "watchers.NAME.token_file": "grafana.token",
    "watchers.NAME.status_page": "home",
    "watchers.NAME.ups": "ups",
    "watchers.NAME.query": 'sum(count_over_time({job="containers"} |= "level=error" [1h]))',
    "engines.NAME.kind": "docker",
    "engines.NAME.url": "unix:///var/run/docker.sock",
    "engines.NAME.token_file": "portainer.key",
    "engines.NAME.endpoint": 2,
    "hypervisors.NAME.token_file": "proxmox.token",
    "hypervisors.NAME.node": "pve",
    "hypervisors.NAME.guacamole_url": "http://guacamole.lan:8080/guacamole",
    "vms.NAME.hypervisor": "nuc",
    "vms.NAME.domain": "win11",
    "vms.NAME.friends": ["tom"],
    "vms.NAME.guacamole": "windows",
    "home_assistant": {"url": "http://homeassistant.local:8123", "token_file": "home-assistant.token"},
    "gotify": {"url": "http://gotify.lan", "token_file": "gotify.token"},
    "announcements.webhook_token_file": "webhook.token",
    "announcements.room": "kitchen",
    "announcements.quiet_from": "22:00",
    "announcements.quiet_to": "07:00",
    "digest.at": "07:30",
    "digest.notes": "/srv/notes/house",
    "catalog": "catalog",
    "ntfy": {"url": "http://ntfy.lan", "topic": "home-alerts"},
    "restore_scratch": "/srv/scratch",
    "vms.NAME.aliases": ["the windows box"],
    "areas.NAME.aliases": ["the lounge"],
    "areas.NAME.lights": ["ceiling light", "reading lamp"],
    "areas.NAME.devices": ["television", "thermostat"],
    "home_aliases": {"the heating": "thermostat"},
    "model.base_url": "http://127.0.0.1:11434/v1",
    "model.name": "qwen2.5-coder:7b",
    "model.api_key_file": "model.key",
    "server.tokens_file": "tokens",
    "transcriber.url": "http://127.0.0.1:8000/v1",
    "transcriber.api_key_file": "speech.key",
    "synthesizer.url": "http://127.0.0.1:8880/v1",
    "synthesizer.api_key_file": "speech.key",
    "wake.inbox": "/var/lib/jarvis/false-wakes",
    "wake.words.NAME.model": "/srv/models/hey_jarvis.onnx",
    "mcp_servers.NAME.command": ["notes-mcp", "--read-only"],
    "mcp_servers.NAME.url": "http://127.0.0.1:9000/mcp",
    "mcp_servers.NAME.token_file": "notes.token",
    "mcp_servers.NAME.levels": {"search": "read", "add_page": "operate"},
    "mcp_servers.NAME.rename": {"search": "find_note"},
    "mcp_servers.NAME.describe": {"search": "Search the notes."},
}
"""Shown in the example where a setting has no default that teaches anything."""

SAMPLE_NAMES = {
    "services": "jellyfin",
    "backups": "photos",
    "vms": "windows",
    "roles": "child",
    "satellites": "kitchen",
    "watchers": "gatus",
    "engines": "docker",
    "hypervisors": "nuc",
    "areas": "living room",
    "mcp_servers": "notes",
    "heartbeat": "healthchecks",
    "wake.words": "hey_jarvis",
}

_HEAD = """\
# Jarvis: every setting. Copy this file to jarvis.toml (here, or in ~/.config/jarvis/) and take the # off what you
# change: lines with a # and no space behind it are settings, at their default unless the line above says otherwise.
# Paths are relative to the file. `jarvis config check` says what is wrong, `jarvis config show` what is in force.
# Each setting can also be a variable: JARVIS_SERVER__PORT=8765. Secrets stand in files of their own, never here.
# This file is generated: `jarvis config example`.
"""
_WIDTH = 118


def example() -> str:
    """``jarvis.example.toml``: as it stands it changes nothing; with the ``#`` off every line is a valid setting."""
    lines = [_HEAD]
    for section, fields in _sections().items():
        if section:
            lines.append(_table_head(section))
        for key, field in fields:
            dotted = f"{section}.{key}" if section else key
            lines += _wrapped(f"{(field.description or key).rstrip('.')}{_range(field)}.{_state(field)}")
            lines.append(f"#{key} = {as_toml(SAMPLES.get(dotted, _default(field)))}")
        lines.append("")
    return "\n".join(lines)


def markdown() -> str:
    """The table of ``docs/configuration.md``: every setting, its type and range, its default, what it is."""
    rows = []
    for section, fields in _sections().items():
        rows += ["", f"### `[{section}]`" if section else "### Top level", ""]
        rows += ["| setting | type | default | what it is |", "|---|---|---|---|"]
        for key, field in fields:
            default = _default(field)
            shown = "required" if field.is_required() else "not set" if default is None else f"`{as_toml(default)}`"
            kind = _type_name(field.annotation) + _range(field)
            rows.append(f"| `{key}` | {kind} | {shown} | {field.description} |")
    return "\n".join(rows).strip() + "\n"


def in_force(loaded: Loaded) -> Iterator[tuple[str, Any, str]]:
    """(dotted setting, value as JSON has it, where it came from) of all settings; passwords inside URLs and arguments
    are hidden."""
    KNOWN.learn(loaded.settings)
    for dotted, value in _flat(loaded.settings.model_dump(mode="json")):
        origin = next(
            (origin for known, origin in loaded.origins.items() if f"{dotted}.".startswith(f"{known}.")), "default"
        )
        yield dotted, KNOWN.hide_in(hidden(value)), origin


def hidden(value: Any) -> Any:
    """Without the passwords that URLs may carry: ``rest:https://me:secret@nas/`` → ``rest:https://me:…@nas/``."""
    if isinstance(value, str):
        return re.sub(r"(://[^/\s:@]*):[^/\s@]+@", r"\1:…@", value)
    if isinstance(value, list):
        return [hidden(item) for item in value]
    return {key: hidden(item) for key, item in value.items()} if isinstance(value, dict) else value


def as_toml(value: Any) -> str:
    """A value as TOML (JSON's forms are TOML's for what settings hold)."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_key(str(key))} = {as_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps("" if value is None else str(value), ensure_ascii=False)


def toml_key(key: str) -> str:
    """Bare where TOML allows it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else as_toml(key)


def _table_head(section: str) -> str:
    """``[server]``; behind a ``#`` where a name has to be chosen, with one that teaches: ``#[backups.photos.keep]``."""
    parts: list[str] = []
    for part in section.split("."):
        parts.append(toml_key(SAMPLE_NAMES[".".join(parts)]) if part == "NAME" else part)
    return f"{'#' if 'NAME' in section.split('.') else ''}[{'.'.join(parts)}]"


def _sections() -> dict[str, list[tuple[str, FieldInfo]]]:
    """Section → its settings; the top level first, as TOML wants it."""
    sections: dict[str, list[tuple[str, FieldInfo]]] = {"": []}
    for name, field, _ in every_setting():
        section, _, key = name.rpartition(".")
        sections.setdefault(section, []).append((key, field))
    return sections


def _flat(dumped: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in dumped.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return None if value is PydanticUndefined else value


def _state(field: FieldInfo) -> str:
    if field.is_required():
        return " Required."
    return " Not set by default." if _default(field) is None else ""


def _range(field: FieldInfo) -> str:
    """`` (0–65535)``, `` (above 0, up to 30)`` from the field's constraints."""
    bounds = {name: bound for m in field.metadata for name in _BOUNDS if (bound := getattr(m, name, None)) is not None}
    words = [f"{_BOUNDS[name]} {bound:g}" for name, bound in bounds.items()]
    return f" ({', '.join(words)})" if words else ""


_BOUNDS = {"ge": "from", "gt": "above", "le": "up to", "lt": "below"}


def _wrapped(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + len(word) >= _WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line


def _type_name(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(part) for part in typing.get_args(annotation) if part is not type(None))
    if origin is tuple:
        return f"list of {_type_name(typing.get_args(annotation)[0])}s"
    if origin is dict:
        return f"table of {_type_name(typing.get_args(annotation)[1])}"
    if origin is typing.Annotated:
        return _type_name(typing.get_args(annotation)[0])
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}
    return names.get(getattr(annotation, "__name__", ""), "URL").replace("list of texts", "list of text")
