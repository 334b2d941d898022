"""What is said: transcripts, typed lines, texts that are spoken and shown."""

from __future__ import annotations

import unicodedata
from functools import cache

from assistant.cli.common import escape
from assistant.cli.render import printable
from assistant.ports import DeviceName, Names
from assistant.sentences.matcher import HassilMatcher
from assistant.text.spoken import to_spoken
from assistant.text.transcript import clean_transcript
from tests.fuzz.target import Target
from tools.names import NameIndex

SAID = (
    "hey jarvis, is the photos backup ok?",
    "turn off all the lights in the kitchen but not the lamp",
    "remind me in ten minutes to check the oven every second tuesday",
    "shut down windows and start gitea, no, restart it",
    "[BLANK_AUDIO] (music) *sighs* thank you.",
    "**Bold** [link](http://nas.lan:8080/?a=b) `code` 3.5 GB, 12:30, 192.168.1.20, #5, ½ °C",
    "a\u202eb\u2066c\x1b[31md\x07\x00e\ufeff 🔥",
)
NAMES = Names(
    {
        "service": {"gitea": ("git", "the git server"), "jellyfin": ()},
        "job": {"photos": ("pictures",)},
        "vm": {"windows": ("the windows box",)},
        "area": {"kitchen": ()},
    },
    (DeviceName("lamp", "kitchen", "light"),),
)


@cache
def _matcher() -> HassilMatcher:
    return HassilMatcher(NAMES)


def run_transcript(data: bytes) -> None:
    """Cleaning, matching and resolving take any text, and a call that was read is one with text for arguments."""
    text = data.decode("utf-8", "replace")[:2_000]
    cleaned = clean_transcript(text)
    for said in (text, cleaned):
        found = _matcher().match(said)
        assert found is None or isinstance(found.arguments, dict)
    NameIndex({"vm": {"windows": ["the windows box"]}}).resolve("vm", text[:200])


def run_spoken(data: bytes) -> None:
    """What is spoken has no control characters and is settled; what is shown has none either, whatever a tool says."""
    text = data.decode("utf-8", "replace")[:2_000]
    spoken = to_spoken(text)
    assert spoken.isprintable()
    assert to_spoken(spoken) == spoken
    for shown in (escape(text).replace("\n", ""), printable(text, "utf-8"), printable(text, "ascii")):
        assert not any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in shown)


TARGETS = (
    Target(
        "transcripts",
        "any text is cleaned, matched and resolved, or not understood",
        run_transcript,
        lambda: [text.encode() for text in SAID],
        2,
    ),
    Target(
        "spoken-text",
        "nothing that is spoken or shown has a control character, a bidi mark or a line break of its own",
        run_spoken,
        lambda: [text.encode() for text in SAID],
        40,
    ),
)
