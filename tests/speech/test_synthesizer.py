"""Piper on a tiny voice: early, whole, the same with and without stretches, ended with whoever listens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk
from assistant.speech.piper_voice import PiperVoice
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.vocoder import FIRST_S
from tests.speech.tiny_voice import RATE_HZ, tiny_voice

BACKUP = "The backup of the photos is ok. All services are up, nothing is wrong."
LONG = (
    "The backup of the photos ran last night at twenty past three, was verified this morning, and was restored four "
    "days ago without any difference between the files that were there and the files that came back from the disk."
)


async def said(voice: PiperSynthesizer, text: str) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.synthesize(text)]


def samples(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.frombuffer(b"".join(chunk.pcm for chunk in chunks), dtype="<i2").astype(float)


@pytest.fixture
async def voice(tmp_path: Path) -> AsyncIterator[PiperSynthesizer]:
    made = PiperSynthesizer(tiny_voice(tmp_path))
    await made.load()
    yield made
    made.close()


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> PiperVoice:
    return PiperVoice.load(tiny_voice(tmp_path_factory.mktemp("voice")))


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> PiperVoice:
    return PiperVoice.load(tiny_voice(tmp_path_factory.mktemp("uncut"), weight="of.another.vocoder"))


async def test_the_first_chunk_is_short_and_the_others_grow(voice: PiperSynthesizer) -> None:
    chunks = await said(voice, "All services are up and the backup of the photos is ok.")
    lengths = [len(chunk.pcm) / 2 / chunk.sample_rate_hz for chunk in chunks]
    assert {chunk.sample_rate_hz for chunk in chunks} == {RATE_HZ}
    assert lengths[0] <= FIRST_S < lengths[1]


@pytest.mark.parametrize("speakers", [1, 3])
def test_the_stretches_are_what_the_uncut_voice_says(tmp_path: Path, speakers: int) -> None:
    cut = PiperVoice.load(tiny_voice(tmp_path, speakers=speakers))
    uncut = PiperVoice.load(tiny_voice(tmp_path, speakers=speakers, weight="of.another.vocoder"))
    assert (cut.streamed, uncut.streamed) == (True, False)
    pieces, whole = list(cut.say(BACKUP)), list(uncut.say(BACKUP))
    assert [(piece.starts, piece.ends) for piece in whole] == [(True, True)] * 2
    assert [piece.starts for piece in pieces].count(True) == [piece.ends for piece in pieces].count(True) == 2
    assert len(pieces) > 4
    expected = np.concatenate([piece.sound for piece in whole])
    assert np.allclose(np.concatenate([piece.sound for piece in pieces]), expected, atol=1e-6)
    assert np.abs(expected).max() > 0.1


def test_a_voice_whose_vocoder_reaches_too_far_is_said_whole(tmp_path: Path) -> None:
    wide = PiperVoice.load(tiny_voice(tmp_path, reach=60))
    assert not wide.streamed
    assert len(list(wide.say("All services are up."))) == 1


def test_a_voice_that_cannot_be_cut_begins_with_the_first_clause(tmp_path: Path) -> None:
    whole = PiperVoice.load(tiny_voice(tmp_path, weight="of.another.vocoder"))
    pieces = list(whole.say(LONG))
    assert [piece.joins for piece in pieces] == [True, False]
    assert len(pieces[0].sound) < len(pieces[1].sound)


WORDS = [
    "the",
    "backup",
    "3.5",
    "10.2",
    "Dr.",
    "photos",
    "ok,",
    "and",
    "but;",
    "verified:",
    "a.m.",
    "1,234",
    "[[x]]",
    "é",
]


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_cutting_never_changes_what_is_pronounced(streamed: PiperVoice, uncut: PiperVoice, words: list[str]) -> None:
    """The one cuts long sentences early, the other late: together the clauses are the same phonemes."""
    text = " ".join(words)
    early, late = uncut.clauses(text), streamed.clauses(text)
    assert len(early) >= len(late)
    assert [sign for clause in early for sign in clause] == [sign for clause in late for sign in clause]


@pytest.mark.parametrize(
    ("text", "sounds"),
    [("It is 3.5 degrees, Dr. Smith says.", "θɹˈiː pɔɪnt fˈaɪv"), ("Ask Dr. Smith.", "dˈɑːktɚ smˈɪθ.")],
)
def test_numbers_and_abbreviations_stay_whole(streamed: PiperVoice, text: str, sounds: str) -> None:
    [clause] = streamed.clauses(text)
    assert sounds in "".join(clause)


def test_the_clauses_of_a_long_sentence_are_its_phonemes(streamed: PiperVoice) -> None:
    clauses = streamed.clauses(LONG)
    assert len(clauses) == 2
    assert "".join(clauses[0]).endswith("θɹˈiː, ")
    [alone] = streamed.clauses(LONG.partition(",")[0] + ",")
    assert clauses[0][: len(alone)] == alone


def test_square_brackets_are_no_way_to_inject_phonemes(streamed: PiperVoice) -> None:
    assert streamed.clauses("it is [[haha]] up") == streamed.clauses("it is haha up")


@pytest.mark.parametrize("text", ["", " …! ", "\n", "🙂"])
async def test_text_without_words_is_silence(voice: PiperSynthesizer, text: str) -> None:
    assert await said(voice, text) == []


async def test_sentences_follow_one_another_after_a_breath_and_without_a_click(voice: PiperSynthesizer) -> None:
    one, two = await said(voice, "All is well."), await said(voice, "Nothing is wrong.")
    both = samples(await said(voice, "All is well. Nothing is wrong."))
    assert np.array_equal(both, np.concatenate([samples(one), samples(two)]))
    edge = len(samples(one))
    assert np.abs(both[edge - 2 : edge + 2]).max() < 100


async def test_twice_the_volume_is_louder_and_never_clipped(tmp_path: Path) -> None:
    soft, loud = (PiperSynthesizer(tiny_voice(tmp_path), volume=volume) for volume in (0.25, 0.5))
    quiet, louder = samples(await said(soft, BACKUP)), samples(await said(loud, BACKUP))
    assert np.abs(louder).mean() / np.abs(quiet).mean() == pytest.approx(2, rel=0.1)
    shouting = PiperSynthesizer(tiny_voice(tmp_path), volume=2.0)
    assert np.abs(samples(await said(shouting, BACKUP))).max() < 32767
    for made in (soft, loud, shouting):
        made.close()


async def test_whoever_stops_listening_ends_the_synthesis(voice: PiperSynthesizer) -> None:
    chunks = voice.synthesize(LONG * 5)
    await anext(chunks)
    await chunks.aclose()
    assert await said(voice, "All is well.")  # the thread is free again and the voice as before


async def test_a_voice_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    tiny_voice(tmp_path)
    missing = PiperSynthesizer(tmp_path / "amy.onnx")
    with pytest.raises(SynthesisError) as refused:
        await missing.load()
    assert refused.value.code == "voice_missing"
    assert "tiny.onnx" in refused.value.detail
    missing.close()


@pytest.mark.parametrize("damage", [b"", b"no model", b"\x3a\x02\x0a\x00"])
async def test_a_damaged_voice_is_said_with_the_mend(tmp_path: Path, damage: bytes) -> None:
    tiny_voice(tmp_path).write_bytes(damage)
    damaged = PiperSynthesizer(tmp_path / "tiny.onnx")
    with pytest.raises(SynthesisError) as refused:
        await said(damaged, "Hello.")
    assert refused.value.code == "voice_unusable"
    assert "jarvis models verify" in refused.value.mend
    damaged.close()


async def test_a_failure_in_the_middle_is_a_synthesis_error(tmp_path: Path) -> None:
    file = tiny_voice(tmp_path)
    config = file.with_name("tiny.onnx.json")
    voice = PiperSynthesizer(file)
    await voice.load()
    made = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(made | {"espeak": {"voice": "no-such-language"}}), encoding="utf-8")
    deaf = PiperSynthesizer(file)
    with pytest.raises(SynthesisError):
        await said(deaf, "Hello.")
    assert await said(voice, "Hello.")
    deaf.close()
    voice.close()


async def test_a_closed_voice_says_so(voice: PiperSynthesizer) -> None:
    voice.close()
    voice.close()
    with pytest.raises(SynthesisError) as refused:
        await said(voice, "Hello.")
    assert refused.value.code == "synthesizer_closed"
