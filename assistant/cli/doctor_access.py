"""The doctor: who may come in. Secret files, tokens, the PIN, where it listens, and by which names it is reached."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from assistant.cli.common import House
from assistant.cli.doctor_check import Check, looks
from assistant.errors import JarvisError
from assistant.loopback import is_loopback

UNUSED_S = 90 * 86400.0
"""An owner's token that nobody used for so long is one that nobody would miss."""

_SECRET = re.compile(
    r"(token|password|api_key|pin|secret|client_token|url)_file$|^tokens_file$|^ssh_key$|^credentials$"
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:]+\]?")


@looks("secret files", "that every file with a secret is there, and that nobody else can read it")
def secret_files(house: House) -> Check:
    found = sorted(set(secrets_of(house.settings)))
    gone = [str(path) for path in found if not path.exists()]
    if gone:
        return Check("secret files", "broken", f"not there: {', '.join(gone)}", "Write it, or mend its path.")
    open_to_others = [str(path) for path in found if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if open_to_others:
        mend = f"chmod 600 {' '.join(open_to_others)}"
        return Check("secret files", "warning", f"others can read {', '.join(open_to_others)}", mend)
    return Check("secret files", "ok", f"{len(found)} of {len(found)} are for their owner only" if found else "none")


def secrets_of(settings: BaseModel) -> Iterator[Path]:
    """Every file that the settings name for a secret."""
    for name, value in settings:
        yield from _secrets(name, value)


def _secrets(name: str, value: object) -> Iterator[Path]:
    if isinstance(value, BaseModel):
        yield from secrets_of(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _secrets(name if name == "credentials" else str(key), item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets("", item)
    elif isinstance(value, Path) and _SECRET.search(name):
        yield value


@looks("configuration file", "that nobody else can write jarvis.toml, which says what is run")
def configuration_file(_: House) -> Check:
    from assistant.config_file import places

    file = next((place for place in places() if place.is_file()), None)
    if file is None:
        return Check("configuration file", "ok", "there is none")
    if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mend = f"chmod go-w {file}"
        return Check("configuration file", "broken", f"others can write {file}: they say what is run here", mend)
    return Check("configuration file", "ok", str(file.absolute()))


@looks("tokens", "tokens that have expired, and owners' tokens that nobody uses")
def tokens(house: House) -> Check:
    from assistant.tokens import FILE_NAME, TokenStore

    try:
        there = [token for token in TokenStore(house.state_dir / FILE_NAME).tokens() if token.revoked is None]
    except JarvisError as error:
        return Check("tokens", "broken", error.detail, error.mend)
    now = time.time()
    expired = [token.name for token in there if token.state(now) == "expired"]
    if expired:
        mend = f"jarvis token revoke {expired[0]!r}, and make a new one if it is still wanted."
        return Check("tokens", "warning", f"expired: {', '.join(expired)}", mend)
    idle = [
        token.name
        for token in there
        if token.role == "owner" and not token.only and now - max(token.last_used or 0.0, token.created) > UNUSED_S
    ]
    if idle:
        mend = f"jarvis token revoke {idle[0]!r}: it may do everything, and was not used for three months."
        return Check("tokens", "warning", f"owners' tokens that nobody uses: {', '.join(idle)}", mend)
    owners = sum(token.role == "owner" for token in there)
    return Check("tokens", "ok", f"{len(there)}, {owners} of them an owner's" if there else "none was ever made")


@looks("spoken PIN", "that the PIN's file holds one, for its owner only")
def spoken_pin(house: House) -> Check:
    file = house.settings.access.pin_file
    if file is None:
        return Check("spoken PIN", "ok", "none: a yes is enough, by voice as well")
    mend = f"Write four to twelve digits and nothing else into {file}, and chmod 600 it."
    try:
        digits, mode = file.read_text(encoding="ascii", errors="replace").strip(), file.stat().st_mode
    except OSError as error:
        return Check("spoken PIN", "broken", f"{file} cannot be read: {error.strerror}", mend)
    if mode & 0o077:
        return Check("spoken PIN", "broken", f"others can read {file}", f"chmod 600 {file}")
    if not re.fullmatch(r"[0-9]{4,12}", digits):
        return Check("spoken PIN", "broken", f"{file} does not hold a PIN", mend)
    return Check("spoken PIN", "ok", "it is asked for with a yes to what is destructive")


@looks("address", "where the server listens, and that nobody comes in there without a token")
def address(house: House) -> Check:
    from assistant.tokens import FILE_NAME

    settings = house.settings.server
    if is_loopback(settings.host):
        return Check("address", "ok", f"{settings.host}: only this machine reaches it")
    if not (house.state_dir / FILE_NAME).exists() and settings.tokens_file is None:
        mend = 'jarvis token create phone, or `host = "127.0.0.1"` in [server].'
        return Check("address", "broken", f"{settings.host} is reached from elsewhere, and there is no token", mend)
    if settings.host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        mend = "Bind the address of one network, or put Caddy or Traefik with TLS in front (docs/operation.md)."
        return Check("address", "warning", f"{settings.host}: every network of this machine reaches it", mend)
    return Check("address", "ok", f"{settings.host}, with tokens")


@looks("allowed hosts", "that `server.allowed_hosts` are names of hosts, and nothing wider")
def allowed_hosts(house: House) -> Check:
    named = house.settings.server.allowed_hosts
    odd = [name for name in named if not _HOST.fullmatch(re.sub(r":[0-9]{1,5}$", "", name))]
    if odd:
        mend = "Names only, such as jarvis.lan: no *, no http://, no path. A wildcard lets any page on the web in."
        return Check("allowed hosts", "broken", f"no names of hosts: {', '.join(odd)}", mend)
    return Check("allowed hosts", "ok", ", ".join(("localhost", *named)))
