"""Which clips each part of the voice benchmark hears. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from assistant.bench.clips import Clip

SHORT = {"turns": 6, "stt": 8, "wake": 8, "without_wake": 8, "silence": 6}
"""Clips of a part in the short form."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Clips by part. Turns and speech recognition hear clean ones; noise is mixed in for the wake word."""

    turns: tuple[Clip, ...]
    stt: tuple[Clip, ...]
    wake: tuple[Clip, ...]
    without_wake: tuple[Clip, ...]
    silence: tuple[Clip, ...]


def choose(clips: Sequence[Clip], *, short: bool = False, limit: int | None = None) -> Chosen:
    """All clips that a part is about, or a selection over all kinds, synthesizers and voices."""

    def part(name: str, wanted: Callable[[Clip], bool]) -> tuple[Clip, ...]:
        bounds = [bound for bound in (SHORT[name] if short else None, limit) if bound is not None]
        kept = [clip for clip in clips if wanted(clip)]
        return spread(kept, min(bounds)) if bounds else tuple(kept)

    return Chosen(
        turns=part("turns", lambda clip: clip.kind in ("command", "pause") and not clip.noise),
        stt=part("stt", lambda clip: clip.kind != "no_speech" and not clip.noise),
        wake=part("wake", lambda clip: clip.wake),
        without_wake=part("without_wake", lambda clip: not clip.wake),
        silence=part("silence", lambda clip: clip.kind == "no_speech"),
    )


def spread(clips: Sequence[Clip], count: int) -> tuple[Clip, ...]:
    """At most ``count`` clips in their order, taken in turn from every kind and noise, and there from every voice."""
    kinds = _groups(clips, lambda clip: (clip.kind, clip.noise))
    in_turn = _alternating([_alternating(_groups(kind, lambda clip: (clip.engine, clip.voice))) for kind in kinds])
    wanted = {clip.id for clip in in_turn[:count]}
    return tuple(clip for clip in clips if clip.id in wanted)


def _groups(clips: Sequence[Clip], key: Callable[[Clip], Hashable]) -> list[list[Clip]]:
    groups: dict[Hashable, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(key(clip), []).append(clip)
    return list(groups.values())


def _alternating(groups: Sequence[Sequence[Clip]]) -> list[Clip]:
    """The first of each group, the second of each, …"""
    return [clip for round_ in zip_longest(*groups) for clip in round_ if clip is not None]
