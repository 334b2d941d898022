"""The link that signs a phone in, and its QR code."""

from __future__ import annotations

from contextlib import suppress

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from assistant.config import ServerSettings
from assistant.errors import ConfigError
from assistant.token_link import QUIET_ZONE, check_url, half_blocks, only_here, png, sign_in_link, svg, usual_url

LINK = "http://nuc.lan:8765/#token=jarvis_0123456789012345678901234567890123456789012"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://nuc.lan:8765", "http://nuc.lan:8765"),
        (" https://jarvis.home.example/ ", "https://jarvis.home.example"),
        ("http://[fd00::5]:8765/", "http://[fd00::5]:8765"),
        ("https://nuc.lan/jarvis/", "https://nuc.lan/jarvis"),
    ],
)
def test_an_address_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    assert check_url(url) == kept


@pytest.mark.parametrize(
    "url",
    ["", "nuc.lan", "ftp://nuc.lan", "http://", "http://me:pw@nuc.lan", "http://nuc.lan/?a=1", "http://nuc.lan/#x",
     "http://nuc.lan:99999", "http://nuc.lan:0", "http://[::1", "http://a b/", "javascript:alert(1)",
     "http://" + "x" * 300],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_url(url)
    assert refused.value.code == "bad_url"


@given(st.text(max_size=40))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    for url in (text, f"http://{text}"):
        with suppress(ConfigError):
            assert check_url(url) in url


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ({}, "http://127.0.0.1:8765"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8765"),
        ({"host": "192.168.1.5", "port": 9000}, "http://192.168.1.5:9000"),
        ({"host": "fd00::5"}, "http://[fd00::5]:8765"),
        ({"allowed_hosts": ("nuc.lan",)}, "http://nuc.lan:8765"),
        ({"allowed_hosts": ("[fd00::5]:80",)}, "http://[fd00::5]:80"),
        ({"allowed_hosts": ("nuc.lan:8080", "other")}, "http://nuc.lan:8080"),
    ],
)
def test_the_usual_address_is_the_first_name_else_what_is_bound(server: dict[str, object], url: str) -> None:
    found = usual_url(ServerSettings.model_validate(server))
    assert found == url
    assert check_url(found) == found
    assert only_here(found) == ("127.0.0.1" in url)


def test_the_token_stands_behind_the_hash_where_no_server_sees_it() -> None:
    assert sign_in_link("http://nuc.lan:8765", "jarvis_x") == "http://nuc.lan:8765/#token=jarvis_x"


def test_the_blocks_are_the_modules_dark_on_light_in_either_way() -> None:
    modules = [[bool(dark) for dark in row] for row in segno.make_qr(LINK, error="l").matrix_iter(border=QUIET_ZONE)]
    for coloured in (True, False):
        drawn: list[list[bool]] = []
        for line in half_blocks(LINK, coloured=coloured).splitlines():
            drawn.append([(block in "▀█") == coloured for block in line])
            drawn.append([(block in "▄█") == coloured for block in line])
        assert drawn[: len(modules)] == modules


def test_pictures_are_whole_and_stand_alone() -> None:
    assert svg(LINK).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert svg(LINK).endswith("</svg>")
    assert "token=" not in svg(LINK)
    assert png(LINK).startswith(b"\x89PNG")
