"""A listening socket, bound before anything is loaded: a taken port is said at once."""

from __future__ import annotations

import socket

from assistant.errors import ConfigError

BACKLOG = 64
"""Connections that wait to be accepted."""


def bind(host: str, port: int, section: str) -> socket.socket:
    """``section``: of the configuration that names the port. Raises ConfigError cannot_bind."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only where the protocol is named: else each waits 40 ms for a delayed ACK
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        mend = f"Choose another `port` in [{section}], or end the program that has it."
        raise ConfigError("cannot_bind", f"{host}:{port} cannot be bound: {error.strerror}.", mend=mend) from error
    return listening
