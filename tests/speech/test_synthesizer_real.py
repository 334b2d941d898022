"""Piper's real voice: early, understood, evenly loud, without a jump where two chunks meet."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import numpy as np
import pytest
import soxr

from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.transcriber import FasterWhisper
from assistant.text.transcript import clean_transcript

pytestmark = pytest.mark.real_models

LONG = (
    "Jellyfin has been down for twelve minutes, the backup of the photos ran at half past three this morning, and it "
    "was restored two days ago; all other services are up, and nothing else is wrong in the house."
)
SHORT = ("The photos backup is ok.", "All services are up.", "Gitea was never restored.")


@pytest.fixture(scope="module")
def voice(model_store: ModelStore) -> Iterator[PiperSynthesizer]:
    made = PiperSynthesizer(model_store.resolve("piper-en-us-joe", ".onnx"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def whisper(model_store: ModelStore) -> Iterator[FasterWhisper]:
    made = FasterWhisper(
        model_store.folder("whisper-base"), compute_type="int8", language="en", names=["jellyfin", "gitea"]
    )
    yield made
    made.close()


async def said(voice: PiperSynthesizer, text: str) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.synthesize(text)]


def samples(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.frombuffer(b"".join(chunk.pcm for chunk in chunks), dtype="<i2").astype(float)


def plain(text: str) -> list[str]:
    return re.sub(r"[^\w' ]+", " ", text.casefold()).replace("okay", "ok").split()


async def understood(whisper: FasterWhisper, chunks: list[SpeechChunk]) -> list[str]:
    at_16_khz: Samples = soxr.resample(samples(chunks), chunks[0].sample_rate_hz, SAMPLE_RATE_HZ).astype(np.int16)
    return plain(clean_transcript((await whisper.transcribe(at_16_khz)).text))


@pytest.mark.parametrize("sentence", SHORT)
async def test_what_is_spoken_is_understood(voice: PiperSynthesizer, whisper: FasterWhisper, sentence: str) -> None:
    wanted = set(plain(sentence))
    assert len(wanted & set(await understood(whisper, await said(voice, sentence)))) >= len(wanted) - 1


async def test_a_sentence_that_was_cut_for_an_early_beginning_is_understood(
    voice: PiperSynthesizer, whisper: FasterWhisper
) -> None:
    words, wanted = await understood(whisper, await said(voice, LONG)), plain(LONG.replace("twelve", "12"))
    missing = [word for word in wanted if word not in words]
    assert len(missing) <= 4, (missing, words)  # numbers and times may be written otherwise


async def test_the_first_sound_is_early_and_the_voice_stays_ahead_of_the_listener(voice: PiperSynthesizer) -> None:
    """Ratios of one run: the first chunk beside the whole sentence, and synthesis beside the time to listen."""
    firsts, wholes = [], []
    await said(voice, LONG)
    for _ in range(3):
        started = time.perf_counter()
        chunks = [(time.perf_counter() - started, chunk) async for chunk in voice.synthesize(LONG)]
        firsts.append(chunks[0][0])
        wholes.append(chunks[-1][0])
    assert statistics.median(firsts) < 0.5 * statistics.median(wholes)
    length = len(samples([chunk for _, chunk in chunks])) / chunks[0][1].sample_rate_hz
    assert statistics.median(wholes) < length


async def test_sentences_are_equally_loud(voice: PiperSynthesizer) -> None:
    levels = []
    for sentence in (*SHORT, "Is it?", "I heard nothing.", LONG):
        loud = samples(await said(voice, sentence))
        loud = loud[np.abs(loud) > 500]
        levels.append(20 * np.log10(np.sqrt(np.mean(loud**2)) / 32768))
    assert max(levels) - min(levels) < 5  # dB; with each sentence scaled to full range they differ by 6 and more
    assert statistics.mean(levels) == pytest.approx(-16.5, abs=3)


async def test_where_two_chunks_meet_there_is_no_jump(voice: PiperSynthesizer) -> None:
    chunks = [np.frombuffer(chunk.pcm, dtype="<i2").astype(float) for chunk in await said(voice, f"{LONG} {SHORT[0]}")]
    assert len(chunks) > 8
    assert chunks[0][0] == chunks[-1][-1] == 0
    for before, after in pairwise(chunks):
        around = np.concatenate([np.abs(np.diff(before[-220:])), np.abs(np.diff(after[:220]))])
        assert abs(after[0] - before[-1]) <= around.max() + 100


async def test_twice_the_speed_is_much_shorter_and_half_the_volume_half_as_loud(model_store: ModelStore) -> None:
    file = model_store.resolve("piper-en-us-joe", ".onnx")

    async def spoken(**options: float) -> np.ndarray:
        voice = PiperSynthesizer(file, **options)
        sound = samples(await said(voice, "Everything is fine in the whole house today."))
        voice.close()
        return sound

    normal, fast, soft = await spoken(), await spoken(speed=2.0), await spoken(volume=0.5)
    assert 0.4 < len(fast) / len(normal) < 0.75  # a phoneme has whole frames, and the pause stays as it is
    assert np.sqrt(np.mean(soft**2)) / np.sqrt(np.mean(normal**2)) == pytest.approx(0.5, abs=0.12)


async def test_whoever_stops_listening_frees_the_voice_at_once(voice: PiperSynthesizer) -> None:
    """After an interruption nothing goes on: what comes next waits for one chunk at most."""
    await said(voice, SHORT[0])

    async def first_after(stream: AsyncIterator[SpeechChunk]) -> float:
        started = time.perf_counter()
        await anext(stream)
        return time.perf_counter() - started

    interrupted = voice.synthesize(LONG * 5)
    await anext(interrupted)
    await interrupted.aclose()
    after = await first_after(voice.synthesize(SHORT[0]))
    started = time.perf_counter()
    await said(voice, LONG)
    assert after < time.perf_counter() - started
