"""The whole main job on real models under strace, in a house that has no way out: nobody tries to leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo_said import BACKUPS_SAID
from tests.trust.offbox import Tried, run_in, tries

pytestmark = pytest.mark.real_server

HOUSE = "a house without a way out"


@pytest.mark.timeout(600)
def test_nothing_leaves_the_house_and_every_door_answers(tmp_path: Path) -> None:
    job = run_in(HOUSE, tmp_path)
    assert {door for door, answer in job.answers.items() if answer.startswith(BACKUPS_SAID)} == {
        "clip",
        "text",
        "wav",
        "mcp",
    }
    assert job.answers["model"]
    assert job.tried, "the embedded model is spoken to over loopback: strace has to have seen it"
    assert job.left == ()


def test_what_would_leave_is_seen() -> None:
    log = """
7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("8.8.8.8")}, 16) = -1 ENETUNREACH
8 sendto(4, "x", 1, MSG_NOSIGNAL, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.168.1.1")}, 16) = 1
8 connect(4, {sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "2001:db8::1")}, 28 <unfinished ...>
8 sendmmsg(5, [{msg_hdr={msg_name={sa_family=AF_INET, sin_port=htons(5353), sin_addr=inet_addr("224.0.0.251")}}}], 1)
9 connect(5, {sa_family=AF_UNIX, sun_path="/run/nscd/socket"}, 110) = -1 ENOENT
9 bind(5, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("0.0.0.0")}, 16) = 0
"""
    seen = list(tries(log.splitlines()))
    assert [one for one in seen if one.leaves] == [
        Tried("connect", "8.8.8.8", 443),
        Tried("sendto", "192.168.1.1", 53),
        Tried("connect", "2001:db8::1", 80),
    ]
    assert len(seen) == 4
