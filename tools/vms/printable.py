"""Text from a hypervisor as one short line. Pure."""

from __future__ import annotations

import unicodedata

MAX_CHARACTERS = 200


def printable(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Without control, format and private-use characters (Unicode category C), white space as single spaces, cut."""
    spaced = "".join(" " if c.isspace() else c for c in text[: limit * 8])
    return " ".join("".join(c for c in spaced if not unicodedata.category(c).startswith("C")).split())[:limit].strip()
