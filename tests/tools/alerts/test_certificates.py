"""Certificates, by real handshakes with servers that have good ones and bad ones."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.tools.alerts.answering import listening, look, settings_of
from tests.tools.alerts.authority import Authority, authority, tls
from tools.alerts import certificates
from tools.alerts.certificate_said import matches, read
from tools.contract import Severity, ToolResult


@pytest.fixture
def ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this machine trusts."""
    made = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.pem))
    return made


def service(port: int, **more: Any) -> dict[str, Any]:
    return {"services": {"nextcloud": {"url": f"https://127.0.0.1:{port}/", **more}}}


async def shown(ca: Authority, days: float, verify_tls: bool = True, **made: Any) -> ToolResult:
    async with tls(ca.context(days, **made)) as port:
        return await look(**service(port, verify_tls=verify_tls))


@pytest.mark.parametrize(
    "days, severity, said",
    [
        (20, Severity.WARNING, "The certificate of nextcloud expires in 20 days."),
        (3, Severity.CRITICAL, "The certificate of nextcloud expires in three days."),
        (0.4, Severity.CRITICAL, "The certificate of nextcloud expires in ten hours."),
        (-5, Severity.CRITICAL, "The certificate of nextcloud expired five days ago."),
    ],
)
async def test_a_certificate_that_ends_is_said(ca: Authority, days: float, severity: Severity, said: str) -> None:
    result = await shown(ca, days)
    assert result.spoken == said
    assert [finding.severity for finding in result.findings] == [severity]
    assert not result.tainted


async def test_a_good_certificate_is_no_finding_and_is_said_when_nothing_is_wrong(ca: Authority) -> None:
    result = await shown(ca, 45)
    assert result.findings == ()
    assert result.spoken.endswith("and the certificate is good for more than a month.")


async def test_two_good_ones_are_said_together(ca: Authority) -> None:
    async with tls(ca.context(45)) as one, tls(ca.context(300)) as other:
        result = await look(**service(one), alerts={"certificates": [f"127.0.0.1:{other}"]})
    assert result.spoken.endswith("and both certificates are good for more than a month.")


async def test_the_limits_are_the_configured_ones(ca: Authority) -> None:
    async with tls(ca.context(45)) as port:
        result = await look(**service(port), alerts={"certificate_warning_days": 60})
    assert result.spoken == "The certificate of nextcloud expires in 45 days."


async def test_a_certificate_for_another_name_is_a_finding_where_names_are_checked(ca: Authority) -> None:
    assert (await shown(ca, 45, name="other.lan")).spoken == (
        "The certificate of nextcloud is for another name than 127.0.0.1."
    )
    assert (await shown(ca, 45, name="other.lan", verify_tls=False)).findings == ()


async def test_a_self_signed_one_is_a_finding_where_it_is_checked_and_its_end_is_one_everywhere(ca: Authority) -> None:
    assert (await shown(ca, 45, signed=False)).spoken == "The certificate of nextcloud is not trusted on this machine."
    assert (await shown(ca, 45, signed=False, verify_tls=False)).findings == ()
    ending = await shown(ca, 3, signed=False, verify_tls=False)
    assert ending.spoken == "The certificate of nextcloud expires in three days."


async def test_one_that_has_not_begun_is_a_finding(ca: Authority) -> None:
    result = await shown(ca, 45, begins=2.0)
    assert result.spoken == "The certificate of nextcloud only begins in two days."


async def test_one_server_of_two_services_and_a_configured_place_is_looked_at_once(ca: Authority) -> None:
    async with tls(ca.context(3)) as port:
        url = f"https://127.0.0.1:{port}"
        result = await look(
            services={"lenient": {"url": f"{url}/a", "verify_tls": False}, "strict": {"url": f"{url}/b"}},
            alerts={"certificates": [f"127.0.0.1:{port}"]},
        )
    assert [alert["said"] for alert in result.data["alerts"]] == ["the certificate of strict expires in three days"]


async def test_what_cannot_be_reached_or_speaks_no_tls_is_said_and_costs_the_others_nothing(
    ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "HANDSHAKE_S", 0.3)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await reader.read()

    async with tls(ca.context(3)) as good, listening(hang) as hanging, listening(talk) as talking:
        started = time.monotonic()
        places = [f"127.0.0.1:{port}" for port in (1, hanging, talking)]
        result = await look(**service(good), alerts={"certificates": places})
    assert time.monotonic() - started < 2.0
    assert result.spoken.startswith("The certificate of nextcloud expires in three days. I couldn't look at the cert")
    reasons = {alert["said"].partition("because ")[2] for alert in result.data["alerts"][1:]}
    assert reasons == {
        "the connection is refused", "it does not answer in time", "it does not speak TLS that I understand"
    }  # fmt: skip


@pytest.mark.parametrize("place", ["nas:notaport", "nas:99999", "https://nas/x", "", "a b"])
def test_a_place_that_is_none_is_refused_when_the_configuration_is_read(place: str) -> None:
    with pytest.raises(ValidationError, match="neither a host nor host:port"):
        settings_of(alerts={"certificates": [place]})


@pytest.mark.parametrize(
    "host, names, good",
    [
        ("cloud.lan", ["cloud.lan"], True),
        ("CLOUD.lan", ["cloud.lan"], True),
        ("cloud.lan", ["*.lan"], True),
        ("a.cloud.lan", ["*.lan"], False),
        ("lan", ["*.lan"], False),
        ("lan", ["*."], False),
        ("cloud.lan", ["*"], False),
        ("127.0.0.1", ["*.0.0.1"], False),
        ("127.0.0.1", ["127.0.0.1"], True),
        ("0:0:0:0:0:0:0:1", ["::1"], True),
        ("cloud.lan", [], False),
    ],
)
def test_a_star_stands_for_one_whole_label(host: str, names: list[str], good: bool) -> None:
    assert matches(host, names) is good


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_said_to_be_none(der: bytes) -> None:
    with pytest.raises(ValueError):
        read(der)
