"""The link to a machine's screen in Guacamole. Pure."""

from __future__ import annotations

import base64

DEFAULT_SOURCE = "default"
"""Guacamole's data source of ``user-mapping.xml``, where a connection's id is its name."""


def link(guacamole_url: str, connection: str) -> str:
    """``connection``: its name, or ``ID@SOURCE`` (``7@postgresql``) where Guacamole keeps connections in a database.

    Guacamole's client addresses a connection by base64 of id, ``c`` for connection, and data source, with zero bytes
    between (its ``ClientIdentifier``).
    """
    identifier, _, source = connection.partition("@")
    raw = "\0".join((identifier, "c", source or DEFAULT_SOURCE)).encode()
    return f"{guacamole_url.rstrip('/')}/#/client/{base64.b64encode(raw).decode().rstrip('=')}"
