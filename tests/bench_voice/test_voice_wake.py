"""The wake word measured: misses beside openWakeWord's own, and what a count of false accepts allows."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assistant.bench.clips import Clip
from assistant.bench.figures import upper_bound
from assistant.bench.wake import (
    CHUNK_MS,
    Accepts,
    StockWakeWord,
    WakeBench,
    WakeHeard,
    chunks,
    false_accepts,
    phrase_end_ms,
    rows,
)
from assistant.errors import WakeWordError
from assistant.models import ModelStore
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Detection, Samples
from assistant.resources import resource
from tests.fakes_bench import CLIP, clip

LOUD = 20_000


class LoudWord:
    """A detector, and a stock one, of loud chunks: a word is heard at the first of a run."""

    def __init__(self, threshold: int = 1_000) -> None:
        self._threshold = threshold
        self._before = False

    def hears(self, chunk: Samples) -> bool:
        assert len(chunk) == CHUNK_SAMPLES
        loud = int(np.abs(chunk).max()) >= self._threshold
        new, self._before = loud and not self._before, loud
        return new

    def process(self, chunk: Samples) -> Detection | None:
        return Detection("hey_jarvis", 0.9) if self.hears(chunk) else None

    def listen_for_stop(self, listen: bool) -> None:
        """It knows one word."""


def write(folder: Path, made: Clip, audio: Samples) -> None:
    with wave.open(str(folder / made.file), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(audio.astype("<i2").tobytes())


def tones(*spans: tuple[float, float], length_s: float = 2.6, level: int = LOUD) -> Samples:
    """Loud between these seconds, silent elsewhere."""
    audio = np.zeros(int(length_s * SAMPLE_RATE_HZ), dtype=np.int16)
    for start, end in spans:
        audio[int(start * SAMPLE_RATE_HZ) : int(end * SAMPLE_RATE_HZ)] = level
    return audio


def bench(folder: Path, *, stock: Callable[[], LoudWord] = LoudWord) -> WakeBench:
    return WakeBench(folder, LoudWord, stock)  # type: ignore[arg-type]


def test_a_detection_is_timed_in_the_audio_from_the_end_of_the_phrase_where_that_is_seen(tmp_path: Path) -> None:
    write(tmp_path, CLIP, tones((0.4, 1.0), (1.2, 2.0)))
    heard = bench(tmp_path).utterance(CLIP)
    assert heard.heard_ms == 6 * CHUNK_MS  # the chunk in which it becomes loud
    assert heard.phrase_end_ms == 1000.0
    assert heard.latency_ms == 480.0 - 1000.0


def test_each_utterance_comes_to_detectors_that_have_heard_nothing(tmp_path: Path) -> None:
    write(tmp_path, CLIP, tones((0.0, 2.6)))
    both = bench(tmp_path)
    assert both.utterance(CLIP).heard_ms == both.utterance(CLIP).heard_ms == CHUNK_MS


def test_what_only_stock_misses_is_its_own_miss(tmp_path: Path) -> None:
    write(tmp_path, CLIP, tones((0.4, 1.0), level=5_000))
    heard = bench(tmp_path, stock=lambda: LoudWord(10_000)).utterance(CLIP)
    (row,) = rows([heard])
    assert (row.clips, row.missed, row.missed_stock) == (1, 0, 1)


@pytest.mark.parametrize(
    ("spans", "end_ms"),
    [
        ([(0.4, 1.1), (1.25, 2.0)], 1100.0),
        ([(0.4, 2.0)], None),  # one breath
        ([(0.4, 0.7), (0.85, 2.0)], None),  # too early: inside the phrase
        ([(0.4, 1.1), (1.15, 2.0)], None),  # too short: a stop consonant
        ([(0.4, 1.6), (1.8, 2.0)], None),  # too late: inside the sentence
    ],
)
def test_the_phrase_ends_at_a_gap_that_can_be_no_other(spans: list[tuple[float, float]], end_ms: float | None) -> None:
    assert phrase_end_ms(tones(*spans), CLIP) == end_ms


@pytest.mark.parametrize("other", [{"kind": "pause"}, {"noise": "fan"}, {"wake": False}])
def test_where_a_gap_may_be_anything_nobody_guesses(other: dict[str, object]) -> None:
    assert phrase_end_ms(tones((0.4, 1.1), (1.25, 2.0)), clip("x", **other)) is None


def test_rows_are_by_noise_and_loudness_clean_speech_first() -> None:
    def heard(noise: str, snr: float | None, ms: float | None) -> WakeHeard:
        return WakeHeard(clip("x", noise=noise, snr_db=snr), ms, True, None)

    found = rows([heard("fan", 5, None), heard("", None, 900.0), heard("fan", 20, 900.0), heard("fan", 5, 900.0)])
    assert [(row.noise, row.snr_db, row.clips, row.missed) for row in found] == [
        ("none", None, 1, 0),
        ("fan", 20, 1, 0),
        ("fan", 5, 2, 1),
    ]


def test_clips_without_the_wake_phrase_are_one_stream(tmp_path: Path) -> None:
    first, second = clip("a", kind="human", wake=False), clip("b", kind="human", wake=False)
    write(tmp_path, first, tones((2.4, 2.6)))
    write(tmp_path, second, tones((0.0, 0.5), (1.0, 1.5)))
    heard = list(bench(tmp_path).without_wake([first, second]))
    assert [(one.ours, one.stock) for one in heard] == [(1, 1), (1, 1)]  # the second begins in the first one's run


def test_false_accepts_stand_with_the_hours_and_the_rate_that_they_allow() -> None:
    person, noise = clip("a", kind="human", duration_s=1800.0), clip("b", kind="no_speech", duration_s=3600.0)
    people, quiet = false_accepts([Accepts(person, 0, 1), Accepts(person, 0, 0), Accepts(noise, 0, 0)])
    assert (people.audio, people.clips, people.hours, people.accepts) == ("recorded people", 2, 1.0, 0)
    assert people.at_most_per_hour == round(upper_bound(0, 1.0) or 0, 2)
    assert people.at_most_per_hour_stock == round(upper_bound(1, 1.0) or 0, 2)
    assert quiet.audio == "no speech"


def test_the_last_chunk_is_filled_up_with_silence() -> None:
    cut = list(chunks(np.ones(CHUNK_SAMPLES + 3, dtype=np.int16)))
    assert [len(chunk) for chunk in cut] == [CHUNK_SAMPLES] * 2
    assert int(cut[1].sum()) == 3


def test_stock_without_its_models_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WakeWordError, match="no usable model of hey_jarvis"):
        StockWakeWord(tmp_path, "hey_jarvis", 2.0)


@pytest.mark.real_models
def test_stock_hears_the_phrase_once_and_noise_never(model_store: ModelStore) -> None:
    def heard(name: str) -> int:
        stock = StockWakeWord(model_store.folder("hey-jarvis"), "hey_jarvis", 2.0)
        with wave.open(str(resource("audio_fixtures", name))) as file:
            audio = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
        return sum(stock.hears(chunk) for chunk in chunks(audio))

    assert heard("hey_jarvis_is_the_backup_ok.wav") == 1
    assert heard("noise_5s.wav") == 0
