"""Who may connect."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.wyoming.admission import Admission


def test_this_machine_may_always_come_in() -> None:
    nobody = Admission()
    assert nobody.admits("127.0.0.1")
    assert nobody.admits("::1")
    assert nobody.admits("::ffff:127.0.0.1")
    assert not nobody.admits("192.168.1.20")


def test_addresses_and_networks_that_are_named_may_come_in() -> None:
    some = Admission(["192.168.1.20", "10.0.0.0/24", "fd00::/64"])
    assert some.admits("192.168.1.20")
    assert some.admits("::ffff:192.168.1.20")
    assert some.admits("10.0.0.77")
    assert some.admits("fd00::5%eth0")
    assert not some.admits("192.168.1.21")
    assert not some.admits("fd01::5")


@pytest.mark.parametrize("entry", ["kitchen.lan", "192.168.1.300", "", "0.0.0.0/0", "::/0"])
def test_what_names_nobody_or_everybody_is_refused_with_the_mend(entry: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Admission([entry])
    assert refused.value.code == "wyoming_bad_client"
    assert "192.168.1.20" in refused.value.mend


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_nobody_to_be_named(host: str) -> None:
    Admission().check_binding(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "jarvis.lan"])
def test_other_addresses_need_somebody_to_be_named(host: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Admission().check_binding(host)
    assert "allow_clients" in refused.value.mend
    Admission(["192.168.1.20"]).check_binding(host)


@given(st.text(max_size=60))
def test_text_that_is_no_address_is_not_let_in(text: str) -> None:
    try:
        ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        assert not Admission(["10.0.0.0/8", "fd00::/8"]).admits(text)


@given(st.ip_addresses().filter(lambda address: getattr(address, "ipv4_mapped", None) is None))
def test_who_is_let_in_is_in_a_network_that_was_named(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    everybody = [str(ipaddress.ip_network(f"{address}/{address.max_prefixlen - 4}", strict=False))]
    assert Admission(everybody).admits(str(address))
    assert Admission().admits(str(address)) == address.is_loopback
