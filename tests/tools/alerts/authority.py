"""A certificate authority for tests, and TLS servers with certificates of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.tools.alerts.answering import listening

MARGIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Authority:
    """``folder / "ca.pem"`` is what trusts it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> Path:
        return self.folder / "ca.pem"

    def context(
        self, days: float, name: str = "127.0.0.1", *, begins: float = -90.0, signed: bool = True
    ) -> ssl.SSLContext:
        """For a server whose certificate begins and ends so many days from now; ``signed``: by this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC) + MARGIN
        subject = _named(name)
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        builder = (
            x509.CertificateBuilder(self.certificate.subject if signed else subject, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        )
        certificate = builder.sign(self.key if signed else key, hashes.SHA256())
        pem = self.folder / f"{name}-{days}-{signed}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context


def authority(folder: Path) -> Authority:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(_named("ca"), _named("ca"), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return Authority(folder, key, certificate)


@asynccontextmanager
async def tls(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that shakes hands and waits; its port."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(wait, ssl=context) as port:
        yield port


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
