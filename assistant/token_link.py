"""The link that signs a phone in, and the QR code that it reads it from.

``http://nuc.lan:8765/#token=…``: what stands behind the ``#`` a browser keeps to itself, so that the token is in no
log of any server or proxy on the way.
"""

from __future__ import annotations

import io
import re
from itertools import zip_longest
from urllib.parse import urlsplit

import segno

from assistant.config import ServerSettings
from assistant.errors import ConfigError

MAX_URL_CHARACTERS = 300
QUIET_ZONE = 4
"""Modules of empty margin that readers need (ISO/IEC 18004)."""

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def check_url(url: str) -> str:
    """``http://HOST[:PORT][/PATH]`` without a slash at its end. Raises ConfigError."""
    mend = "As a phone reaches this server, e.g. http://nuc.lan:8765."
    try:
        parts = urlsplit(url.strip())
        fits = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") is not None
        fits = fits and parts.username is None and not parts.query and not parts.fragment and parts.port != 0
    except ValueError as error:
        raise ConfigError("bad_url", "That is no address of a server.", mend=mend) from error
    if not fits or len(url) > MAX_URL_CHARACTERS or not url.strip().isprintable() or " " in url.strip():
        raise ConfigError("bad_url", "That is no address of a server.", mend=mend)
    return url.strip().rstrip("/")


def usual_url(server: ServerSettings) -> str:
    """Where a phone most likely reaches it: its first name, else the address it binds."""
    name = server.allowed_hosts[0] if server.allowed_hosts else server.host
    name = "127.0.0.1" if name in _EVERYWHERE else name
    if name.count(":") > 1 and not name.startswith("["):
        name = f"[{name}]"
    has_port = re.search(r":\d+$", name.rpartition("]")[2] or name) is not None
    return f"http://{name}" if has_port else f"http://{name}:{server.port}"


def only_here(url: str) -> bool:
    """Whether no other machine gets there."""
    return urlsplit(url).hostname in _LOOPBACK


def sign_in_link(url: str, token: str) -> str:
    """With the token behind the ``#``."""
    return f"{url}/#token={token}"


def svg(link: str) -> str:
    """For a page or a file: dark on light in either theme, as readers want it."""
    out = io.BytesIO()
    segno.make_qr(link, error="m").save(
        out, kind="svg", scale=4, border=QUIET_ZONE, dark="#000", light="#fff", xmldecl=False
    )
    return out.getvalue().decode().strip()


def png(link: str) -> bytes:
    """For a screen or a printer."""
    out = io.BytesIO()
    segno.make_qr(link, error="m").save(out, kind="png", scale=8, border=QUIET_ZONE)
    return out.getvalue()


def half_blocks(link: str, *, coloured: bool) -> str:
    """Lines for a terminal, two modules to a character.

    ``coloured``: the terminal draws black on white; else the blocks are what is light, as on a dark screen.
    """
    rows = [[bool(dark) for dark in row] for row in segno.make_qr(link, error="l").matrix_iter(border=QUIET_ZONE)]
    if not coloured:
        rows = [[not dark for dark in row] for row in rows]
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=[False] * len(rows[0]))
    return "\n".join("".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs)


_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
