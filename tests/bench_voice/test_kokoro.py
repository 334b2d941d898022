"""Kokoro: its notation of sounds, and its voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.kokoro import STYLES, Kokoro, phonemes, respelled_ipa, to_tokens
from assistant.bench.shaping import speech_bounds
from assistant.errors import ModelFilesError, SynthesisError
from assistant.models import ModelStore
from tests.fakes_clips import no_models


@pytest.mark.parametrize(
    ("ipa", "american", "british"),
    [
        ("hˈeɪ dʒˈɑːɹvɪs", "hˈA ʤˈɑɹvɪs", "hˈA ʤˈɑːɹvɪs"),
        ("tˈɜːn", "tˈɜɹn", "tˈɜːn"),
        ("tˈɜːɹn", "tˈɜɹn", "tˈɜːɹn"),
        ("lˈaɪts", "lˈIts", "lˈIts"),
        ("ˈoʊpən", "ˈOpən", "ˈoʊpən"),
        ("ˈəʊpən", "ˈəʊpən", "ˈQpən"),
        ("kˈɪtʃən", "kˈɪʧən", "kˈɪʧən"),
        ("wˈɔːɾɚ", "wˈɔTəɹ", "wˈɔːɹɚ"),
    ],
)
def test_sounds_are_written_as_kokoro_was_taught(ipa: str, american: str, british: str) -> None:
    assert respelled_ipa(ipa, british=False) == american
    assert respelled_ipa(ipa, british=True) == british


def test_a_sentence_keeps_its_punctuation() -> None:
    assert phonemes("Hey Jarvis, is it on?", british=False) == "hˈA ʤˈɑɹvɪs, ɪz ɪT ˈɔn?"


@given(st.text())
def test_only_what_the_vocabulary_knows_becomes_a_token_and_never_too_many(text: str) -> None:
    vocabulary = {letter: n for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz ,.?!", 1)}
    tokens = to_tokens(text * 20, vocabulary)
    assert set(tokens) <= set(vocabulary.values())
    assert len(tokens) < STYLES


def test_without_the_model_it_says_so() -> None:
    assert Kokoro(no_models).lacks() == "the model kokoro"


@pytest.fixture(scope="module")
def kokoro() -> Kokoro:
    store = ModelStore()
    try:
        store.folder("kokoro")
    except ModelFilesError:
        pytest.fail(f"{store.models_dir} lacks kokoro. Get it with `jarvis models pull kokoro`.", pytrace=False)
    return Kokoro(store.folder)


@pytest.mark.real_server
def test_it_says_the_same_samples_again_and_other_voices_say_others(kokoro: Kokoro) -> None:
    said = kokoro.say("turn off the kitchen lights", "af_heart")
    start, end = speech_bounds(said)
    assert 1 < (end - start) / 16_000 < 3
    assert np.array_equal(kokoro.say("turn off the kitchen lights", "af_heart"), said)
    assert not np.array_equal(kokoro.say("turn off the kitchen lights", "bm_george")[: said.size], said)


@pytest.mark.real_server
def test_it_knows_every_sound_of_every_sentence(kokoro: Kokoro) -> None:
    from assistant.bench.sentences import COMMANDS, NAMES, respelled

    kokoro.say("on", "af_heart")
    known = kokoro.vocabulary
    for text in [*COMMANDS, *NAMES.values()]:
        for british in (False, True):
            unknown = set(phonemes(respelled(text, "kokoro"), british=british)) - set(known)
            assert not unknown, text


@pytest.mark.real_server
def test_a_voice_that_is_not_there_is_an_error(kokoro: Kokoro) -> None:
    with pytest.raises(SynthesisError, match="voice xx_nobody") as caught:
        kokoro.say("on", "xx_nobody")
    assert caught.value.code == "synthesis_failed"


def test_a_model_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("no json")
    with pytest.raises(SynthesisError, match="Kokoro cannot be loaded"):
        Kokoro(lambda _: tmp_path).say("on", "af_heart")
