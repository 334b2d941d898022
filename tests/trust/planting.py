"""Canaries: a value of its own for every setting that carries a secret, and the house that they are planted in.

The settings are enumerated by their types: a new one that looks like a secret is missing from ``PLANTED`` until
somebody plants it, and ``test_canaries.py`` fails until then.
"""

from __future__ import annotations

import hashlib
import importlib.util
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, HttpUrl

from assistant.config import Settings
from tools.known_secrets import FILE_SETTING, secret_forms

PIN = "739201846255"
OTEL = importlib.util.find_spec("opentelemetry.sdk")
"""The optional extra; without it the setting is refused."""

URL_NAMES = ("url", "repository")
CARRIES_NONE = {
    "satellites.NAME.url": "tcp://, which has no users",
    "heartbeat.NAME.url": "url_file is planted, and only one of them can be set",
    "ntfy.confirm_url": "the address of Jarvis itself",
}
"""Settings that look like secrets' carriers and are none, with the reason."""

if OTEL is None:
    CARRIES_NONE["telemetry.otlp_url"] = "refused without the extra"


def canary(setting: str) -> str:
    """The value that is planted there: no word, and the same in every run."""
    return "Cnry" + hashlib.sha256(setting.encode()).hexdigest()[:28]


def carriers(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Dotted names of all settings that can hold or name a secret; NAME: a key of the user's, []: an item."""
    for name, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        for section, by_name, listed in inner:
            yield from carriers(section, f"{prefix}{name}{'.NAME' if by_name else '[]' if listed else ''}.")
        dotted = prefix + name
        if dotted in CARRIES_NONE or inner:
            continue
        kinds = set(_leaves(field.annotation))
        names_file = Path in kinds and (FILE_SETTING.search(name) is not None or name.endswith("_file"))
        if names_file or (kinds & {str, HttpUrl} and (name in URL_NAMES or name.endswith("_url"))):
            yield dotted


def _models(annotation: Any, *, by_name: bool = False, listed: bool = False) -> Iterator[tuple[Any, bool, bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, by_name, listed
        return
    origin = typing.get_origin(annotation)
    for part in typing.get_args(annotation):
        yield from _models(part, by_name=by_name or origin is dict, listed=listed or origin is tuple)


def _leaves(annotation: Any) -> Iterator[Any]:
    parts = typing.get_args(annotation)
    if not parts or not typing.get_origin(annotation):
        yield annotation
    for part in parts:
        yield from _leaves(part)


class Planted:
    """A folder of secret files and the jarvis.toml that names them; ``here``: ``host:port`` of whoever answers."""

    def __init__(self, folder: Path, here: str) -> None:
        self.folder = folder
        self._here = here
        self.settings: set[str] = set()
        self.more: set[str] = set()
        """Canaries that stand in no setting: variables, arguments."""

    def file(self, setting: str, form: str = "{}") -> str:
        """A secret's file, for TOML."""
        self.settings.add(setting)
        path = self.folder / setting.replace(".", "-").replace("[]", "")
        path.write_text(form.format(canary(setting)) + "\n", encoding="utf-8")
        path.chmod(0o600)
        return f'"{path}"'

    def url(self, setting: str, scheme: str = "http", path: str = "") -> str:
        """An address with a password in it, for TOML."""
        self.settings.add(setting)
        return f'"{scheme}://me:{canary(setting)}@{self._here}{path}"'

    def other(self, name: str) -> str:
        """A canary of something that is no setting."""
        self.more.add(name)
        return canary(name)

    @property
    def canaries(self) -> dict[str, str]:
        """By what carries it."""
        return {name: canary(name) for name in sorted(self.settings | self.more)} | {"a spoken PIN": PIN}

    def found_in(self, where: str, data: bytes) -> list[str]:
        """``where: setting`` for each canary that stands there, in whatever form it travels."""
        return [
            f"{where}: {name}"
            for name, value in self.canaries.items()
            if any(form.encode() in data for form in secret_forms(value))
        ]


def house(planted: Planted) -> str:
    """A jarvis.toml in which everything that can carry a secret does, at servers that are somebody else's."""
    p = planted
    pin = p.folder / "pin"
    pin.write_text(f"{PIN}\n", encoding="utf-8")
    pin.chmod(0o600)
    p.settings.add("access.pin_file")
    telemetry = "" if OTEL is None else f"[telemetry]\notlp_url = {p.url('telemetry.otlp_url', path='/v1/traces')}"
    watchers = "".join(
        f"""
[watchers.{kind.replace("-", "")}]
kind = "{kind}"
url = {p.url("watchers.NAME.url")}
username = "me"
{"password" if kind in ("uptime-kuma", "beszel", "grafana") else "token"}_file = {
            p.file("watchers.NAME.password_file")
            if kind in ("uptime-kuma", "beszel", "grafana")
            else p.file("watchers.NAME.token_file")
        }
"""
        for kind in ("gatus", "uptime-kuma", "prometheus", "alertmanager", "beszel", "grafana", "loki")
    )
    backups = "".join(
        f"""
[backups.{name}]
kind = "{kind}"
repository = {p.url("backups.NAME.repository", scheme, "/x")}
password_file = {p.file("backups.NAME.password_file")}
credentials = {{ AWS_SECRET_ACCESS_KEY = {p.file("backups.NAME.credentials")} }}
config_file = {p.file("backups.NAME.config_file", "password: {}")}
paths = ["/etc/hostname"]
timeout_s = 5
"""
        for name, kind, scheme in (
            ("photos", "restic", "rest:http"),
            ("mail", "borg", "ssh"),
            ("music", "kopia", "http"),
            ("films", "borgmatic", "ssh"),
            ("papers", "rclone", "http"),
        )
    )
    return f"""
log_level = "debug"
local_engines = false
[privacy]
keep_transcripts = true
[server]
tokens_file = {p.file("server.tokens_file", "phone:owner:{}")}
[access]
pin_file = "{pin}"
user_jwt_secret_file = {p.file("access.user_jwt_secret_file")}
[model]
base_url = {p.url("model.base_url", path="/v1")}
name = "m"
api_key_file = {p.file("model.api_key_file")}
timeout_s = 5
[transcriber]
engine = "openai"
url = {p.url("transcriber.url", path="/v1")}
api_key_file = {p.file("transcriber.api_key_file")}
[synthesizer]
engine = "openai"
url = {p.url("synthesizer.url", path="/v1")}
api_key_file = {p.file("synthesizer.api_key_file")}
{telemetry}
[heartbeat.phone]
kind = "ntfy"
url_file = {p.file("heartbeat.NAME.url_file", f"http://me:{{}}@{planted._here}/beat")}
token_file = {p.file("heartbeat.NAME.token_file")}
every_s = 10
[services.gitea]
url = {p.url("services.NAME.url", path="/")}
engine = "box"
[services.minecraft]
tcp = "{planted._here}"
[services.minecraft.minecraft]
port = {planted._here.rpartition(":")[2]}
rcon_port = {planted._here.rpartition(":")[2]}
rcon_password_file = {p.file("services.NAME.minecraft.rcon_password_file")}
[engines.box]
kind = "portainer"
url = {p.url("engines.NAME.url")}
token_file = {p.file("engines.NAME.token_file")}
[hypervisors.pve]
kind = "proxmox"
url = {p.url("hypervisors.NAME.url")}
token_file = {p.file("hypervisors.NAME.token_file", "root@pam!jarvis={}")}
guacamole_url = {p.url("hypervisors.NAME.guacamole_url", path="/guacamole")}
[vms.windows]
hypervisor = "pve"
guacamole = "windows"
[home_assistant]
url = {p.url("home_assistant.url")}
token_file = {p.file("home_assistant.token_file")}
[ntfy]
url = {p.url("ntfy.url")}
token_file = {p.file("ntfy.token_file")}
[gotify]
url = {p.url("gotify.url")}
token_file = {p.file("gotify.token_file")}
client_token_file = {p.file("gotify.client_token_file")}
[announcements]
ntfy_topics = ["house"]
gotify = true
webhook_token_file = {p.file("announcements.webhook_token_file")}
[mcp_servers.notes]
url = {p.url("mcp_servers.NAME.url", path="/mcp")}
token_file = {p.file("mcp_servers.NAME.token_file")}
[mcp_servers.pages]
command = ["sh", "-c", "echo $0 $@ >&2; exit 1", "--api-key", "{p.other("an argument of mcp_servers.NAME.command")}"]
[wyoming]
enabled = true
port = 0
zeroconf = false
{watchers}{backups}
[[backups.photos.also]]
name = "the usb disk"
repository = {p.url("backups.NAME.also[].repository", "rest:http", "/y")}
password_file = {p.file("backups.NAME.also[].password_file")}
[backups.mail_db]
kind = "postgres-dump"
repository = "{p.folder}"
ssh_key = {p.file("backups.NAME.ssh_key")}
[backups.mail_db.database]
name = "mail"
host = "127.0.0.1"
port = 1
user = "me"
password_file = {p.file("backups.NAME.database.password_file")}
"""
