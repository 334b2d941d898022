"""What the synthesizer gets to say."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.spoken import to_spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("**Jellyfin** is `up`.", "Jellyfin is up."),
        ("See [the docs](http://x.y/z).", "See the docs."),
        ("http://nas.lan:8096/web/index.html", "nas.lan port 8096"),
        ("It runs on 192.168.1.20:8096.", "It runs on 192 dot 168 dot 1 dot 20 port 8096."),
        ("12 ms, 3.5 GiB, 21 °C and 99%.", "12 milliseconds, 3 point 5 gibibytes, 21 degrees and 99 percent."),
        ("1 GB left", "1 gigabyte left"),
        ("version 2.14.3", "version 2 point 14 point 3"),
        ("-5 °C outside", "minus 5 degrees outside"),
        ("- one\n- two", "one two"),
        ("# Backups\nfine", "Backups fine"),
        ("done ✅ 🎉", "done"),
        ("/var/lib/restic/photos is full", "photos is full"),
        ("```\ncode\n```after", "after"),
        ("a &amp b", "a and amp b"),
        ("The backup is ok: two hours old.", "The backup is ok: two hours old."),
    ],
)
def test_examples(text: str, spoken: str) -> None:
    assert to_spoken(text) == spoken


@given(st.text(max_size=200))
def test_it_never_raises_and_says_no_control_characters(text: str) -> None:
    spoken = to_spoken(text)
    assert all(unicodedata.category(c)[0] != "C" for c in spoken)
    assert spoken == " ".join(spoken.split())


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=120) | st.from_regex(r"[\d./:%° a-zGMiB*`#\-]{0,60}"))
def test_saying_it_twice_changes_nothing(text: str) -> None:
    once = to_spoken(text)
    assert to_spoken(once) == once
