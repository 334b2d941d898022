"""Where a long sentence is cut so that its beginning is heard early. Pure.

What is cut are phonemes, not text: they were made of the whole sentence, so that no number, abbreviation or stress
comes out otherwise because of the cut.
"""

from __future__ import annotations

from collections.abc import Sequence

PAUSES = frozenset(",;:")
"""Phonemes (they are their own signs) at which a reader takes a breath."""

CLAUSE_PHONEMES = 24
"""Phonemes that a clause has at least, some 4 words: shorter ones sound chopped."""

Phonemes = list[str]


def join_fragments(fragments: Sequence[Phonemes]) -> Phonemes:
    """One sentence again where espeak-ng has cut it at the stop of an abbreviation ("Dr. Smith")."""
    joined: Phonemes = []
    for fragment in fragments:
        if not fragment:
            continue
        if joined and joined[-1] == ".":
            joined.pop()
        if joined and joined[-1] != " ":
            joined.append(" ")
        joined.extend(fragment)
    return joined


def first_clause(phonemes: Phonemes, *, longer_than: int) -> list[Phonemes]:
    """The sentence, or where it is longer than that its first clause and the rest: together they are the sentence."""
    if len(phonemes) <= longer_than:
        return [phonemes]
    for index in range(CLAUSE_PHONEMES, len(phonemes) - CLAUSE_PHONEMES):
        if phonemes[index] in PAUSES:
            end = index + 2 if phonemes[index + 1] == " " else index + 1
            return [phonemes[:end], phonemes[end:]]
    return [phonemes]


def stretches(frames: int, first: int, most: int) -> list[tuple[int, int]]:
    """Frames from 0 to ``frames`` in stretches: the first one ``first`` long, each half as long again, up to ``most``.

    A rest that is shorter than half of ``first`` goes with the stretch before it.
    """
    found: list[tuple[int, int]] = []
    start, length = 0, first
    while start < frames:
        end = start + min(length, most)
        if frames - end < first / 2:
            end = frames
        found.append((start, end))
        start, length = end, length + length // 2
    return found
