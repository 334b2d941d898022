"""Why something is down, in words of ours: what a watcher wrote down itself is never said. Pure."""

from __future__ import annotations

_MARKS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("certificate", "x509", "ssl", "tls:"), "its certificate is not trusted"),
    (("refused",), "the connection is refused"),
    (("timeout", "timed out", "deadline exceeded", "etimedout"), "it does not answer in time"),
    (("no such host", "enotfound", "name resolution", "eai_again", "server misbehaving"), "its name cannot be found"),
    (("no route", "unreachable", "ehostunreach"), "it cannot be reached"),
    (("reset by peer", "econnreset", "socket hang up", "eof"), "it breaks off the connection"),
    (("no heartbeat", "push"), "it has not reported in"),
    (("keyword",), "its page does not have what it should"),
)


def reason_of(text: str = "", status: int | None = None) -> str:
    """A clause for what a watcher gives as an error, and the HTTP status that it got; "it does not answer as it
    should" where neither says more."""
    if status is not None and 400 <= status <= 599:
        return f"it answers with HTTP status {status}"
    low = text[:2000].casefold()
    for marks, said in _MARKS:
        if any(mark in low for mark in marks):
            return said
    return "it does not answer as it should"
