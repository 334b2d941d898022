"""Why Home Assistant cannot be asked, or says no, in words for people. Pure."""

from __future__ import annotations

import ssl

from websockets.exceptions import ConnectionClosed

from tools.home.port import HomeError

NAME = "Home Assistant"
STARTING = f"{NAME} is still starting"
RESTARTING = f"{NAME} is restarting"
LOST = f"the connection to {NAME} broke off"
SLOW = f"{NAME} does not answer in time"
NONSENSE = f"what answers at the address of {NAME} does not speak its language"


class RefusedTokenError(HomeError):
    """The token is wrong, or was revoked: trying again soon is of no use."""


class RefusedCommandError(HomeError):
    """Home Assistant says no to one command. ``code``: its own word for why."""

    def __init__(self, code: str, reason: str, said: str) -> None:
        super().__init__(reason, said)
        self.code = code


class GoodbyeError(HomeError):
    """It ended an admitted connection in due form: most likely it restarts."""


_REFUSALS = {
    "not_found": f"{NAME} does not know how to do that",
    "unauthorized": f"the user whose token I have may not do that in {NAME}",
    "service_validation_error": f"{NAME} refuses that order as wrong",
    "invalid_format": f"{NAME} refuses that order as wrong",
    "home_assistant_error": f"{NAME} tried and failed",
    "timeout": f"{NAME} gave up waiting for the device",
    "unknown_command": f"this version of {NAME} does not know that question",
    "unknown_error": f"something broke inside {NAME}",
}
MAX_SAID = 160


def refusal(error: object) -> RefusedCommandError:
    """What a failed result says, in our words, and its own ones capped on one line. Pure."""
    found = error if isinstance(error, dict) else {}
    code, said = str(found.get("code", ""))[:40], str(found.get("message", ""))[: 4 * MAX_SAID]
    line = " ".join("".join(char if char.isprintable() else " " for char in said).split())[:MAX_SAID]
    return RefusedCommandError(code, _REFUSALS.get(code, f"{NAME} says no"), line)


def ended(error: ConnectionClosed) -> HomeError:
    """Who ended the connection, and how."""
    if error.sent is not None and not error.rcvd_then_sent:
        if error.sent.code == 1009:
            return HomeError(f"{NAME} sends more at once than I take")
        if error.sent.code == 1011:
            return HomeError(f"{NAME} does not answer any more")
        if error.sent.code == 1002:
            return HomeError(NONSENSE)
    if error.rcvd is not None:
        return GoodbyeError(RESTARTING)
    return HomeError(LOST)


def turned_away(status: int) -> HomeError:
    """An answer of HTTP where a websocket should begin."""
    if status in (502, 503, 504):
        return HomeError(f"{NAME} is not running behind its address (HTTP status {status})")
    if status in (401, 403):
        return HomeError(f"{NAME} refuses this machine (HTTP status {status}); it may have banned its address")
    return HomeError(f"{NAME} is not at its address (HTTP status {status})")


def unreachable(error: BaseException | None) -> HomeError:
    """No connection came about."""
    if getattr(error, "code", None) == "egress_refused":
        return HomeError(f"{NAME} is outside the private network, and I may not go there")
    if isinstance(error, TimeoutError):
        return HomeError(f"{NAME} does not answer")
    if isinstance(error, ConnectionRefusedError):
        return HomeError(f"{NAME} is not running, or not at its address: the connection is refused")
    if isinstance(error, ssl.SSLError):
        return HomeError(f"the certificate of {NAME} is not trusted")
    if type(error).__name__ == "gaierror":
        return HomeError(f"the name of the machine with {NAME} cannot be found")
    return HomeError(f"{NAME} cannot be reached")
