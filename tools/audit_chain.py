"""The chain over the audit's lines: each carries a hash of itself and of the one before it. Pure.

A line that was changed or taken out no longer fits the next one; that the newest are gone is told by the head, which
stands beside the table. Lines from before there was a chain have no hash of their own, and the first one that has
covers them all. Who can write the database can reckon the whole chain anew: an export kept elsewhere tells that, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = (
    "id", "at", "who", "role", "door", "room", "turn_id", "tool", "arguments", "level", "decision", "outcome",
    "result_sha256",
)  # fmt: skip
"""What a line's hash is over, in this order; ``chain`` is the hash itself."""

BEGINNING = ""
"""Stands before the first line."""

RETENTION = "retention"
"""Decision of the line that says that old ones were dropped: the table's triggers let none go without it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written. ``line``: the id at which it shows."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain came to. ``head``: hash of the newest line, to be kept elsewhere."""

    lines: int
    head: str
    faults: tuple[Fault, ...]


def link(before: str, line: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over a line and the hash before it."""
    content = [before, *(line.get(column) for column in COLUMNS)]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def links(before: str, lines: Iterable[Mapping[str, Any]]) -> str:
    """The hash after these lines."""
    for line in lines:
        before = link(before, line)
    return before


def dropped(line: Mapping[str, Any]) -> tuple[int, str] | None:
    """Of a line about retention: the last id that was dropped, and the hash up to there."""
    if line.get("decision") != RETENTION:
        return None
    try:
        told = json.loads(str(line["arguments"]))
        return int(told["up_to"]), str(told["chain"])
    except (ValueError, KeyError, TypeError):
        return None


def verify(lines: Sequence[Mapping[str, Any]], head: tuple[int, str] | None) -> Verified:
    """Hold all lines, oldest first, against their hashes; ``head``: id and hash of the newest, as they were kept."""
    faults = list(_faults(lines))
    last_id = int(lines[-1]["id"]) if lines else 0
    last = str(lines[-1].get("chain") or "") if lines else BEGINNING
    if head is not None and head != (last_id, last):
        missing = f"the newest is #{last_id}, and #{head[0]} was written" if head[0] > last_id else "it was put there"
        faults.append(Fault(last_id, f"The end is not as it was left: {missing}."))
    elif head is None and any(line.get("chain") for line in lines):
        faults.append(Fault(last_id, "What says how it ended is gone."))
    return Verified(len(lines), last, tuple(faults))


def _faults(lines: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    gone, before = next((found for line in reversed(lines) if (found := dropped(line))), (0, BEGINNING))
    expected, unhashed = gone + 1, False
    for line in lines:
        number = int(line["id"])
        if number != expected:
            between = f"#{expected}" if number == expected + 1 else f"#{expected} to #{number - 1}"
            yield Fault(number, f"Missing before #{number}: {between}." if number > expected else f"#{number} is odd.")
        reckoned, written = link(before, line), line.get("chain")
        if written and written != reckoned and number == expected:
            about = f"#{number}, or a line before it that has no hash," if unhashed else f"#{number}"
            yield Fault(number, f"{about} is not as it was written.")
        before, unhashed, expected = str(written or reckoned), not written, number + 1
