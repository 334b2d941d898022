"""What the corpus consists of."""

from __future__ import annotations

from collections import Counter

import pytest

from assistant.bench.recipe import BABBLE, MIXED, SNR_DB, Recipe, recipe
from assistant.bench.sentences import NAMES
from assistant.bench.voices import VOICES, Voice, among
from assistant.errors import ConfigError

FULL, SHORT = recipe(), recipe(short=True)
ENGINES = {"piper", "flite", "festival", "espeak-ng", "kokoro"}


@pytest.mark.parametrize("made", [FULL, SHORT], ids=["full", "short"])
def test_every_clip_has_an_id_of_its_own_that_is_a_file_name(made: Recipe) -> None:
    ids = [one.id for one in made.said] + [one.id for one in made.noises]
    assert len(set(ids)) == len(ids)
    assert all(character.isalnum() or character in "-_" for name in ids for character in name)


def test_the_full_corpus_is_as_large_as_the_benchmark_needs() -> None:
    quiet = [one for one in FULL.said if not one.noise]
    assert len(quiet) >= 150
    assert {one.voice.engine for one in quiet} == ENGINES
    assert len({one.voice for one in quiet}) >= 12
    assert len(FULL.noises) >= 40
    assert FULL.part == "full"


def test_each_of_ten_names_is_said_by_eight_voices_of_all_engines() -> None:
    said = [one for one in FULL.said if one.kind == "names"]
    voices = Counter(one.names for one in said)
    assert len(voices) == len(NAMES) >= 10
    assert min(voices.values()) >= 8
    assert {one.voice.engine for one in said} == ENGINES
    assert not any(one.wake for one in said)


def test_every_noise_is_mixed_with_the_same_commands_at_every_level() -> None:
    mixed = [one for one in FULL.said if one.noise]
    groups: dict[tuple[str, int | None], list[tuple[str, Voice]]] = {
        (noise, snr): [] for noise, _ in MIXED for snr in SNR_DB
    }
    for one in mixed:
        assert one.snr_db is not None
        assert one.id.endswith(f"-{one.noise}-{one.snr_db}")
        groups[one.noise, one.snr_db].append((one.text, one.voice))
    assert all(members == groups[BABBLE, 20] for members in groups.values())
    assert len({voice for _, voice in groups[BABBLE, 20]}) == 10
    assert {voice.engine for _, voice in groups[BABBLE, 20]} == ENGINES
    base = {one.id for one in FULL.said if not one.noise}
    assert all(one.id.removesuffix(f"-{one.noise}-{one.snr_db}") in base for one in mixed)


def test_commands_and_pauses_begin_with_the_wake_phrase_and_some_commands_take_a_breath_after_it() -> None:
    wakes = [one for one in FULL.said if one.kind != "names"]
    assert all(one.wake and one.spoken.startswith("hey jarvis ") for one in wakes)
    breaths = sum(one.text.startswith("Hey Jarvis,") for one in wakes)
    assert 0.2 * len(wakes) < breaths + sum(bool(one.noise) for one in wakes) < len(wakes)
    assert breaths >= 20


def test_the_short_corpus_has_every_kind_and_little_of_what_is_slow() -> None:
    assert 35 <= len(SHORT.said) <= 50
    assert 15 <= len(SHORT.noises) <= 20
    assert {one.kind for one in SHORT.said} == {"command", "pause", "names"}
    assert {one.voice.engine for one in SHORT.said} == ENGINES
    assert sum(one.voice.engine == "kokoro" for one in SHORT.said) <= 12
    assert SHORT.part == "short"


def test_the_same_arguments_give_the_same_recipe_and_hash() -> None:
    assert recipe() == FULL
    assert recipe().hash({"flite": "2.2"}) == FULL.hash({"flite": "2.2"})


def test_another_version_another_corpus_or_less_of_it_has_another_hash() -> None:
    hashes = [
        FULL.hash({"flite": "2.2"}),
        FULL.hash({"flite": "2.3"}),
        SHORT.hash({"flite": "2.2"}),
        recipe(engines=["flite"]).hash({"flite": "2.2"}),
        recipe(limit=3).hash({"flite": "2.2"}),
    ]
    assert len(set(hashes)) == len(hashes)


def test_some_engines_say_only_their_own_clips_under_the_same_ids() -> None:
    some = recipe(engines=["flite", "festival"])
    assert {one.voice.engine for one in some.said} == {"flite", "festival"}
    assert set(some.said) < set(FULL.said)
    assert some.part == "some"


def test_a_limit_is_for_each_kind() -> None:
    few = recipe(limit=2)
    assert Counter((one.kind, bool(one.noise)) for one in few.said) == {
        ("command", False): 2, ("command", True): 2, ("pause", False): 2, ("names", False): 2,
    }  # fmt: skip
    assert len(few.noises) == 2
    assert few.part == "some"


def test_a_hesitation_is_not_what_was_said() -> None:
    (pause, *_) = [one for one in FULL.said if one.kind == "pause"]
    assert pause.text == "Hey Jarvis is | the backup ok?"
    assert pause.spoken == "hey jarvis is the backup ok?"


def test_a_comma_after_the_wake_phrase_is_heard_and_not_written() -> None:
    commas = [one for one in FULL.said if one.text.startswith("Hey Jarvis,")]
    assert all(one.spoken.startswith("hey jarvis ") for one in commas)


def test_no_engine_named_means_all_and_an_unknown_one_is_an_error_with_those_there_are() -> None:
    assert among([], ENGINES) == ENGINES
    with pytest.raises(ConfigError, match="no synthesizer named 'sam'") as caught:
        among(["flite", "sam"], ENGINES)
    assert "espeak-ng, festival, flite, kokoro, piper" in caught.value.mend


def test_the_voices_are_no_two_alike() -> None:
    assert len({voice.slug for voice in VOICES}) == len(VOICES)
