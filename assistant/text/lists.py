"""Lists and tables → sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.text import words
from assistant.text.rules import listing
from assistant.text.unit_words import counted

MAX_ITEMS = 8
MAX_ROWS = 5
MAX_LEVELS = 5
SHORT_ITEM_WORDS = 8
"""Items up to this length are said in one breath, "a, b and c"; longer ones are sentences."""

_STOP = (".", "!", "?", "…", ":", ";")


@dataclass(slots=True)
class Item:
    """A list's item with those below it. ``mark``: its number where the list has an order, else empty."""

    mark: str
    text: str
    indent: int = 0
    below: list[Item] = field(default_factory=list)


def tree_of(items: Sequence[Item]) -> list[Item]:
    """The items, each below the one that it is indented under."""
    roots: list[Item] = []
    above: list[Item] = []
    for item in items:
        while above and above[-1].indent >= item.indent:
            above.pop()
        (above[-1].below if above else roots).append(item)
        if len(above) < MAX_LEVELS:
            above.append(item)
    return roots


def say_list(items: Sequence[Item]) -> str:
    """ "a, b and c" where the items are short; else a sentence for each, "1: Stop it. 2: Start it."."""
    shown = [item for item in items if item.text or item.below]
    left = len(shown) - MAX_ITEMS
    said = [_say_item(item) for item in shown[:MAX_ITEMS]]
    if all(_is_short(item) for item in shown):
        if left > 0:
            return f"{', '.join(said)} {words.AND} {counted(left, words.MORE)}"
        return listing(said, words.AND)
    more = [f"{words.AND.capitalize()} {counted(left, words.MORE)}"] if left > 0 else []
    return as_sentences([*said, *more])


def _say_item(item: Item) -> str:
    text = f"{item.mark}: {item.text}" if item.mark else item.text
    if not item.below:
        return text
    return f"{text.rstrip(': .')}: {say_list(item.below)}"


def _is_short(item: Item) -> bool:
    return (
        not item.mark
        and not item.below
        and len(item.text.split()) <= SHORT_ITEM_WORDS
        and not item.text.endswith(_STOP)
        and not re.search(r"[,;:]", item.text)
    )


def as_sentences(parts: Sequence[str]) -> str:
    """The parts with a stop behind each but the last."""
    kept = [part.strip() for part in parts if part.strip()]
    return " ".join(part if part.endswith(_STOP) or n == len(kept) - 1 else f"{part}." for n, part in enumerate(kept))


# ── tables ────────────────────────────────────────────────────────────────────────────────────────────────────────


def cells_of(line: str) -> list[str]:
    """The cells of a row; ``\\|`` is no border."""
    bare = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", " ").strip() for cell in re.split(r"(?<!\\)\|", bare)]


def say_table(rows: Sequence[Sequence[str]], *, headed: bool) -> str:
    """ "Jellyfin: up. Gitea: down."; with more columns each value after its head, "Jellyfin: state up, port 8096."."""
    heads = [_small(cell) for cell in rows[0]] if headed and rows else []
    body = [[_cell(cell) for cell in row] for row in (rows[1:] if headed else rows)]
    body = [row for row in body if any(row)]
    if not body:
        return ", ".join(cell for cell in heads if cell)
    said = [_say_row(row, heads) for row in body[:MAX_ROWS]]
    left = len(body) - MAX_ROWS
    if left > 0:
        more = counted(left, words.MORE_ROWS)
        said.append(more[0].upper() + more[1:])
    return as_sentences(said)


def _say_row(row: Sequence[str], heads: Sequence[str]) -> str:
    first, *others = row
    if len(row) <= 2 or len(heads) != len(row):
        rest = ", ".join(cell for cell in others if cell)
    else:
        rest = ", ".join(f"{head} {cell}".strip() for head, cell in zip(heads[1:], others, strict=True) if cell)
    return f"{first}: {rest}" if first and rest else first or rest


def _cell(cell: str) -> str:
    return words.MARKS.get(cell.strip("\ufe0f "), cell)


def _small(head: str) -> str:
    """Without the large letter of a heading; "IP" keeps its own."""
    return head[:1].lower() + head[1:] if head[1:2].islower() else head
