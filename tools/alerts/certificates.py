"""Certificates by handshake: every https service of the catalogue, and the places that the configuration names."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.alerts import asking
from tools.alerts.certificate_said import Shown, judge, read
from tools.alerts.judging import untold
from tools.alerts.port import Alert
from tools.settings import ToolSettings
from tools.settings_house import AlertSettings, host_and_port

HANDSHAKE_S = 2.0
"""For both handshakes with one server."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server. ``called``: the service's name, else host or host:port as configured."""

    host: str
    port: int
    called: str
    checked: bool = True

    @property
    def subject(self) -> str:
        """As it is said."""
        return f"the certificate of {self.called}"


def places(settings: ToolSettings) -> list[Place]:
    """One for each host and port; a service that is not checked loses against one that is."""
    found: dict[tuple[str, int], Place] = {}
    for name, service in settings.services.items():
        if service.url is not None and service.url.scheme == "https" and service.url.host:
            place = Place(service.url.host.strip("[]"), service.url.port or 443, name, service.verify_tls)
            known = found.setdefault((place.host, place.port), place)
            if place.checked and not known.checked:
                found[place.host, place.port] = place
    for address in settings.alerts.certificates:
        host, port = host_and_port(address)
        found.setdefault((host, port), Place(host, port, address.removeprefix("https://").rstrip("/")))
    return list(found.values())


class Certificates:
    """See ``port.Source``."""

    name = "the certificates"

    def __init__(self, limits: AlertSettings, places: Sequence[Place], clock: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._places = places
        self._clock = clock

    async def alerts(self) -> Sequence[Alert]:
        """Raises nothing: a server that cannot be reached is an alert of its own."""
        checking = await asyncio.to_thread(_checking)
        found = await asyncio.gather(*(self._one(place, checking) for place in self._places))
        return [alert for alerts in found for alert in alerts]

    async def _one(self, place: Place, checking: ssl.SSLContext) -> list[Alert]:
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                shown = await _shown(place)
                trusted = not place.checked or await _trusted(place, checking)
        except (OSError, TimeoutError) as error:
            return [_untold(self.name, place, asking.why(error))]
        except UnicodeError:
            return [_untold(self.name, place, "its address is not one that can be asked")]
        except ValueError:
            return [_untold(self.name, place, "what it shows is no certificate")]
        where = f"{place.host}:{place.port}"
        return judge(
            self._limits, self.name, place.subject, where, place.host, shown, self._clock(),
            checked=place.checked, trusted=trusted,
        )  # fmt: skip


def _checking() -> ssl.SSLContext:
    """Takes what this machine trusts, for whatever name; names are compared by ``certificate_said``. Reading the
    system's certificates takes a while."""
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


async def _shown(place: Place) -> Shown:
    """Whatever it is worth. Raises OSError, TimeoutError, ValueError."""
    lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lenient.check_hostname = False
    lenient.verify_mode = ssl.CERT_NONE
    return read(await _handshake(place, lenient))


async def _trusted(place: Place, checking: ssl.SSLContext) -> bool:
    """Whether this machine takes it. Raises OSError, TimeoutError, but not for a certificate that it does not take."""
    try:
        await _handshake(place, checking)
    except ssl.SSLCertVerificationError:
        return False
    return True


async def _handshake(place: Place, context: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection(place.host, place.port, ssl=context, server_hostname=place.host)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()  # nothing is sent after the handshake, so nothing has to be closed in order
    return bytes(shown or b"")


def _untold(source: str, place: Place, reason: str) -> Alert:
    return untold(source, "certificate", place.subject, reason, f"certificate:{place.host}:{place.port}:end")
