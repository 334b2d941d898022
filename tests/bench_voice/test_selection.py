"""Which clips a part hears, and where they are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.clips import MANIFEST, Clip, Kind
from assistant.bench.corpus import MADE_BY
from assistant.bench.folder import made_corpus
from assistant.bench.selection import SHORT, choose, spread
from assistant.errors import AudioError
from tests.fakes_bench import clip

KINDS: tuple[Kind, ...] = ("command", "pause", "names", "human", "no_speech")

corpora = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(["", "fan"]), st.sampled_from(["piper", "flite"])), max_size=40
).map(
    lambda rows: [
        clip(f"{n}", kind=kind, noise=noise, engine=engine, wake=kind in ("command", "pause"))
        for n, (kind, noise, engine) in enumerate(rows)
    ]
)


@given(corpora, st.integers(1, 20))
def test_a_selection_is_as_long_as_wanted_in_order_and_of_every_kind(clips: list[Clip], count: int) -> None:
    chosen = spread(clips, count)
    assert len(chosen) == min(count, len(clips))
    assert list(chosen) == [clip for clip in clips if clip in chosen]
    kinds = {(clip.kind, clip.noise) for clip in clips}
    assert len({(clip.kind, clip.noise) for clip in chosen}) == min(count, len(kinds))


def test_where_there_is_room_every_voice_speaks() -> None:
    clips = [clip(f"a{n}", engine="piper") for n in range(20)] + [clip("b", engine="flite")]
    assert {chosen.engine for chosen in spread(clips, 2)} == {"piper", "flite"}


@given(corpora)
def test_each_part_hears_what_it_is_about(clips: list[Clip]) -> None:
    chosen = choose(clips)
    assert all(clip.kind in ("command", "pause") and not clip.noise for clip in chosen.turns)
    assert all(clip.kind != "no_speech" and not clip.noise for clip in chosen.stt)
    assert {clip.id for clip in chosen.wake} | {clip.id for clip in chosen.without_wake} == {clip.id for clip in clips}
    assert {clip.id for clip in chosen.silence} == {clip.id for clip in clips if clip.kind == "no_speech"}


@given(corpora, st.integers(1, 5))
def test_short_and_limited_forms_hear_no_more_than_they_say(clips: list[Clip], limit: int) -> None:
    short, limited = choose(clips, short=True), choose(clips, limit=limit)
    for part, most in SHORT.items():
        assert len(getattr(short, part)) <= most
        assert len(getattr(limited, part)) <= limit


def corpus(folder: Path, recipe: str, age_s: float, clips: int = 2) -> Path:
    folder.mkdir()
    (folder / MADE_BY).write_text(json.dumps({"recipe": recipe}))
    (folder / MANIFEST).write_text("{}\n" * clips)
    os.utime(folder / MANIFEST, (1e9 - age_s, 1e9 - age_s))
    return folder


def test_the_largest_full_corpus_is_taken_and_of_those_the_newest(tmp_path: Path) -> None:
    corpus(tmp_path / "old", "full", 100)
    new = corpus(tmp_path / "new", "full", 50)
    corpus(tmp_path / "limited", "full", 20, clips=1)
    short = corpus(tmp_path / "short", "short", 10)
    (tmp_path / "half made").mkdir()
    assert made_corpus(among=tmp_path) == new
    assert made_corpus(short=True, among=tmp_path) == short


def test_without_one_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    corpus(tmp_path / "short", "short", 10)
    with pytest.raises(AudioError, match="no full corpus") as failure:
        made_corpus(among=tmp_path)
    assert "jarvis bench clips" in failure.value.mend
