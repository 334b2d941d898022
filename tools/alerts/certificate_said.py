"""What a server's certificate comes to: its days, its name, and whether it is trusted. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from tools.alerts.port import Alert
from tools.contract import Severity
from tools.settings_house import AlertSettings
from tools.wording import ago, duration

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server showed. Times in Unix seconds; ``names``: as in the certificate, small."""

    begins: float
    ends: float
    names: tuple[str, ...]


def read(der: bytes) -> Shown:
    """Raises ValueError for what is no certificate."""
    certificate = x509.load_der_x509_certificate(der)
    return Shown(
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        tuple(name.casefold() for name in _names(certificate)),
    )


def _names(certificate: x509.Certificate) -> list[str]:
    """RFC 6125: the common name counts only where there is no alternative name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [str(attribute.value) for attribute in common]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def matches(host: str, names: Sequence[str]) -> bool:
    """Whether the certificate is for that host; a star stands for one whole label, the first (RFC 6125, 6.4.3)."""
    wanted = host.casefold().rstrip(".")
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        rest = wanted.partition(".")[2]
        return any(name == wanted or (name.startswith("*.") and bool(rest) and name[2:] == rest) for name in names)
    return str(address) in names


def judge(
    limits: AlertSettings, source: str, subject: str, place: str, host: str, shown: Shown, now: float, *,
    checked: bool, trusted: bool,
) -> list[Alert]:  # fmt: skip
    """``subject``: "the certificate of nextcloud"; ``checked``: the configuration wants its name and its issuer
    checked; ``trusted``: this machine trusts who issued it."""

    def alert(severity: Severity, said: str, about: str, since: float | None = None) -> Alert:
        return Alert(
            source=source,
            origin="certificate",
            severity=severity,
            subject=subject,
            said=said,
            key=f"certificate:{place}:{about}",
            since=since,
            value=(shown.ends - now) / DAY_S,
        )

    left_s = shown.ends - now
    found: list[Alert] = []
    if left_s <= 0:
        found.append(alert(Severity.CRITICAL, f"{subject} expired {ago(-left_s)}", "end"))
    elif left_s <= limits.certificate_critical_days * DAY_S:
        found.append(alert(Severity.CRITICAL, f"{subject} expires in {duration(left_s)}", "end"))
    elif left_s <= limits.certificate_warning_days * DAY_S:
        found.append(alert(Severity.WARNING, f"{subject} expires in {duration(left_s)}", "end"))
    elif shown.begins > now:
        found.append(alert(Severity.WARNING, f"{subject} only begins in {duration(shown.begins - now)}", "end"))
    if checked and not matches(host, shown.names):
        found.append(alert(Severity.WARNING, f"{subject} is for another name than {host}", "name"))
    elif checked and not trusted and left_s > 0 and shown.begins <= now:
        found.append(alert(Severity.WARNING, f"{subject} is not trusted on this machine", "trust"))
    return found or [alert(Severity.OK, f"{subject} is good for {duration(left_s)}", "end")]
