"""Loudness, waiting before the next try, what a satellite says about itself, what its lights are told, names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import Stage
from assistant.events import (
    ReplySentence,
    SpeechEnded,
    SpeechStarted,
    Transcribed,
    TurnEvent,
    TurnFailed,
    WakeDetected,
)
from assistant.ports import CHUNK_SAMPLES, Samples
from assistant.satellites.about import DEFAULT_RATE_HZ, About, read_about
from assistant.satellites.backoff import FIRST_S, LONGEST_S, STEADY_S, Backoff
from assistant.satellites.discovery import setting_name, urls_of
from assistant.satellites.lights import told
from assistant.satellites.loudness import Loudness
from assistant.satellites.satellites import free_name

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def sound(peak: float, seconds: float) -> list[Samples]:
    """Chunks of noise."""
    chance = np.random.default_rng(1)
    count = int(seconds * 12.5)
    return [(chance.uniform(-peak, peak, CHUNK_SAMPLES) * 32767).astype(np.int16) for _ in range(count)]


def over_noise_db(*chunks: Samples) -> float:
    loudness = Loudness()
    for chunk in chunks:
        loudness.feed(chunk)
    return loudness.over_noise_db


def test_how_loud_a_phrase_is_does_not_depend_on_how_sensitive_the_microphone_is() -> None:
    near = over_noise_db(*sound(0.001, 5), *sound(0.1, 1))
    sensitive = over_noise_db(*sound(0.005, 5), *sound(0.5, 1))
    far = over_noise_db(*sound(0.001, 5), *sound(0.02, 1))
    assert near == pytest.approx(40, abs=1)
    assert sensitive == pytest.approx(near, abs=1)
    assert far < near - 10


def test_of_two_silent_rooms_the_one_with_the_louder_phrase_is_louder() -> None:
    silence = [np.zeros(CHUNK_SAMPLES, dtype=np.int16)] * 60
    assert over_noise_db(*silence, *sound(0.1, 1)) > over_noise_db(*silence, *sound(0.05, 1)) + 5
    assert over_noise_db(*silence) == over_noise_db() == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_waits_grow_to_a_limit_and_are_never_nothing(chances: list[float]) -> None:
    drawn = iter(chances)
    backoff = Backoff(lambda: next(drawn))
    waits = [backoff.wait_s() for _ in chances]
    assert all(FIRST_S / 2 <= wait <= LONGEST_S for wait in waits)
    assert all(wait >= LONGEST_S / 2 for wait in waits[5:])


def test_after_a_connection_that_held_the_first_wait_is_short_again() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.wait_s() for _ in range(4)] == [1, 2, 4, 8]
    assert backoff.wait_s(held_s=STEADY_S) == FIRST_S


@given(st.dictionaries(st.sampled_from(["satellite", "mic", "snd", "asr"]), JSON) | JSON)
def test_whatever_a_satellite_says_about_itself_is_read_or_passed_over(data: object) -> None:
    about = read_about(data if isinstance(data, dict) else {"satellite": data, "mic": data, "snd": data})
    assert 8_000 <= about.rate_hz <= 96_000
    assert len(about.name) <= 100
    assert about.name.isprintable()


def test_what_a_newer_satellite_says_about_itself() -> None:
    about = read_about(
        {
            "satellite": {"name": "Kitchen", "area": "Kitchen", "description": "Pi\nzero", "version": "1.4.1"},
            "snd": [{"name": "snd", "snd_format": {"rate": 48_000, "width": 2, "channels": 2}}],
            "mic": [{"name": "mic", "mic_format": {"rate": 48_000, "width": 2, "channels": 2}}],
        }
    )
    assert about == About("Kitchen", "Kitchen", "Pi zero", "1.4.1", 48_000, (48_000, 2, 2), satellite=True)
    assert read_about({"asr": []}) == About(rate_hz=DEFAULT_RATE_HZ)


TURN: list[TurnEvent] = [
    WakeDetected(word="hey_jarvis", score=0.9, audio_ms=1000),
    SpeechStarted(audio_ms=1100),
    SpeechEnded(audio_ms=2300, speech_end_ms=2000, reason="silence"),
    Transcribed(text="is it up"),
    ReplySentence(text="It is up.", spoken="It is up."),
]


def test_lights_are_told_what_happens() -> None:
    events = [light for event in TURN for light in told(event, wakes_itself=False)]
    assert [event.type for event in events] == [
        "detection",
        "voice-started",
        "voice-stopped",
        "transcript",
        "synthesize",
    ]
    assert events[3].data == {"text": "is it up"}


def test_a_satellite_that_wakes_itself_is_not_told_so_and_gets_the_transcript_at_the_end() -> None:
    types = [light.type for event in TURN for light in told(event, wakes_itself=True)]
    assert types == ["voice-started", "voice-stopped", "synthesize"]


def test_a_failure_is_told_where_it_is_said_and_silence_is_none() -> None:
    failed = TurnFailed(stage=Stage.TOOLS, code="down", spoken="I can't.", detail="secret host")
    [error] = told(failed, wakes_itself=False)
    assert error.data["text"] == "I can't."
    assert list(told(TurnFailed(stage=Stage.ENDPOINT, code="nothing_heard", spoken=""), wakes_itself=False)) == []


def test_names_and_addresses_of_what_announces_itself() -> None:
    assert setting_name("Küche  Pi #2") == "k-che-pi-2"
    assert setting_name("☃") == "satellite"
    assert free_name("pi", {"pi", "pi-2"}) == "pi-3"
    assert urls_of(["fd00::1", "192.168.1.7", "8.8.8.8"], 10700) == (
        "tcp://192.168.1.7:10700",
        "tcp://[fd00::1]:10700",
    )
    assert urls_of(["192.168.1.7"], None) == ()
