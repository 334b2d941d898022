"""The generated part of ``docs/spoken-text.md``: what is said how.

``python -m tests.text.spoken_page`` writes it.
"""

from __future__ import annotations

from pathlib import Path

from assistant.text.spoken import to_spoken
from tests.text.spoken_examples import EXAMPLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spoken-text.md"
MARK = "<!-- generated: python -m tests.text.spoken_page -->\n"


def tables() -> str:
    """A table a topic; what is said is what the code says now."""
    parts = []
    for topic, pairs in EXAMPLES.items():
        rows = [f"| {_code(written)} | {_plain(to_spoken(written))} |" for written, _ in pairs]
        parts.append("\n".join([f"## {topic}", "", "| written | said |", "| --- | --- |", *rows]))
    return "\n" + "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    shown = text.replace("\n", "⏎").replace("|", "\\|")
    fence = "```" if "``" not in shown and "`" in shown else "`````" if "`" in shown else "`"
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _plain(said: str) -> str:
    return said or "*(nothing)*"


def write() -> None:
    """Put the tables below the mark."""
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + (mark or MARK) + tables(), encoding="utf-8")


if __name__ == "__main__":
    write()
