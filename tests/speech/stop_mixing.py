"""A room around synthetic speech: loudness, echo of the assistant's own voice, noise, reverberation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import soxr
from numpy.typing import NDArray

from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.echo_canceller import BLOCK, EchoCanceller
from tests.speech.noises import MAKERS

Wave = NDArray[np.float32]
Rng = np.random.Generator

SPOKEN_FOR_S = (1.0, 4.0)
"""How long a reply goes on before the scene begins, in a room that the canceller has never heard before."""

LATE_S = (0.005, 0.03)
"""From what is sent to the loudspeaker to what is heard."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A recording; ``end_s``: where the word "stop" ends in it, None where nobody says it; ``around``: what else is
    heard, with its distance from the voice in dB. ``sent``: what the loudspeaker was sent meanwhile, as long as the
    audio; both have ``lead`` samples more before the scene begins, in which the echo may be learned."""

    audio: Samples
    end_s: float | None = None
    around: str = ""
    sent: Samples | None = None
    lead: int = 0

    @property
    def heard(self) -> Samples:
        """As the microphone gives it."""
        return self.audio[self.lead :]

    @property
    def cancelled(self) -> Samples | None:
        """Without the loudspeaker's echo; None where there is none in it."""
        if self.sent is None:
            return None
        whole = len(self.audio) // BLOCK * BLOCK
        return EchoCanceller().process(self.audio[:whole], self.sent[:whole])[self.lead :]


def stop_scene(word: Wave, rng: Rng, own: Callable[[], Wave], other: Callable[[], Wave], end: int = 0) -> Scene:
    """Somebody says ``word`` while it is quiet, or noisy, or the assistant speaks. "stop" ends before sample ``end`` of
    it; 0: with its last sound."""
    word, ratio = _another_throat(word if end else trimmed(word), rng)
    end_of_word = round(end * ratio) if end else len(word)
    head, tail = rng.uniform(0.5, 1.5), rng.uniform(0.7, 1.1)
    end_s = head + end_of_word / SAMPLE_RATE_HZ
    voice = np.zeros(_samples(head) + max(len(word), end_of_word + _samples(tail)), dtype=np.float32)
    voice[_samples(head) :][: len(word)] = _loud(word)
    if rng.random() < 0.25:  # goes on speaking: "stop it", "stop, I have got it"
        after = _loud(other())[: _samples(tail)]
        begin = min(_samples(end_s + rng.uniform(0.0, 0.15)), len(voice))
        voice[begin:][: len(after)] += after[: len(voice) - begin]
    return replace(_heard(_in_a_room(voice, rng), rng, own, other), end_s=end_s)


def speech_scene(voices: Sequence[Wave], rng: Rng, own: Callable[[], Wave], other: Callable[[], Wave]) -> Scene:
    """One after the other, as people speak; none of them says "stop"."""
    pieces = [np.zeros(_samples(0.6), dtype=np.float32)]
    for voice in voices:
        pieces += [_loud(_another_throat(voice, rng)[0]), np.zeros(_samples(rng.uniform(0.15, 0.9)), dtype=np.float32)]
    return _heard(_in_a_room(np.concatenate(pieces), rng), rng, own, other)


def own_scene(replies: Sequence[Wave], rng: Rng) -> Scene:
    """The assistant alone: its own voice out of the loudspeaker, through the room, into the microphone. One time in
    four it is the first that the canceller hears of it, as after a start."""
    pieces = [np.zeros(_samples(0.6), dtype=np.float32)]
    for reply in replies:
        pieces += [_loud(reply), np.zeros(_samples(rng.uniform(0.1, 0.6)), dtype=np.float32)]
    sent = np.concatenate(pieces)
    lead = 0 if rng.random() < 0.25 else _samples(rng.uniform(*SPOKEN_FOR_S))
    sent = np.concatenate([_filled(lambda: replies[int(rng.integers(len(replies)))], lead), sent]) if lead else sent
    audio = _out_of_the_loudspeaker(sent, rng)
    if rng.random() < 0.75:
        audio = _in_a_room(audio, rng)
    if rng.random() < 0.5:
        audio = audio + _noise(len(audio), rng) * _ratio(rng.uniform(15, 40))
    return Scene(_captured(audio, rng), sent=_as_sent(sent), lead=lead)


def noise_scene(seconds: float, rng: Rng) -> Scene:
    """Noise alone."""
    return Scene(_captured(_noise(_samples(seconds), rng), rng))


def _heard(voice: Wave, rng: Rng, own: Callable[[], Wave], other: Callable[[], Wave]) -> Scene:
    """The voice with what is around it: little noise, much noise, the assistant's reply, a radio."""
    kind, name, lead, sent = rng.random(), "quiet", 0, None
    around = np.zeros_like(voice)
    if kind < 0.45:
        decibels, lead = rng.uniform(-3, 20), _samples(rng.uniform(*SPOKEN_FOR_S))
        sent = _filled(own, lead + len(voice))
        voice = np.concatenate([np.zeros(lead, dtype=np.float32), voice])
        around = _in_a_room(_out_of_the_loudspeaker(sent, rng), rng) * _ratio(decibels)
        name = "reply, 8 to 20 dB softer" if decibels >= 8 else "reply, as loud"
    elif kind < 0.6:
        around = _in_a_room(_filled(other, len(voice)), rng) * _ratio(rng.uniform(8, 20))
        name = "somebody else"
    elif kind < 0.8:
        around = _noise(len(voice), rng) * _ratio(rng.uniform(3, 20))
        name = "noise"
    around = around + _noise(len(voice), rng) * _ratio(rng.uniform(25, 50))
    return Scene(_captured(voice + around, rng), None, name, None if sent is None else _as_sent(sent), lead)


def _out_of_the_loudspeaker(sent: Wave, rng: Rng) -> Wave:
    """Later, by the air and what the sound system's times are wrong by; half of the loudspeakers are small and driven
    hard, which bends the loud parts (of a tone at 0.3 of full scale, up to 9 % of third harmonic)."""
    driven = rng.uniform(1, 4)
    heard = (np.tanh(driven * sent) / driven).astype(np.float32) if rng.random() < 0.5 else sent
    late = _samples(rng.uniform(*LATE_S))
    return np.concatenate([np.zeros(late, dtype=np.float32), heard])[: len(sent)]


def _as_sent(wave: Wave) -> Samples:
    return np.asarray(np.clip(wave, -1, 1) * 32767, dtype=np.int16)


def _another_throat(voice: Wave, rng: Rng) -> tuple[Wave, float]:
    """Played faster or slower: another pitch, another length of the throat. With how much longer it is now."""
    factor = rng.uniform(0.84, 1.19) if rng.random() < 0.7 else 1.0
    again = np.asarray(soxr.resample(voice, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ), dtype=np.float32)
    return again, 1 / factor


def _in_a_room(voice: Wave, rng: Rng) -> Wave:
    """With the reverberation of a room: sound that decays by 60 dB in 0.15 to 0.6 s. One of three is said close by."""
    if rng.random() < 0.35:
        return voice
    decay_s = rng.uniform(0.15, 0.6)
    times = np.arange(_samples(decay_s)) / SAMPLE_RATE_HZ
    response = rng.normal(0, 1, len(times)) * 10 ** (-3 * times / decay_s) * rng.uniform(0.02, 0.09)
    response[0] = 1.0
    return _loud(_convolved(voice, response.astype(np.float32)))


def _captured(audio: Wave, rng: Rng) -> Samples:
    """By a microphone of its own timbre and loudness, at 16 bits."""
    tilt = rng.uniform(-0.35, 0.35)
    coloured = _convolved(audio, np.array([1.0, tilt], dtype=np.float32))
    peak = float(np.abs(coloured).max()) or 1.0
    loudness = 10 ** rng.uniform(-1.5, -0.05)
    return np.asarray(np.clip(coloured / peak * loudness, -1, 1) * 32767, dtype=np.int16)


def _noise(length: int, rng: Rng) -> Wave:
    """One class of noise, as loud as speech is here."""
    name = sorted(MAKERS)[rng.integers(len(MAKERS))]
    made = MAKERS[name](rng, length / SAMPLE_RATE_HZ + 1.0)
    return _loud(made[:length].astype(np.float32))


def _filled(make: Callable[[], Wave], length: int) -> Wave:
    pieces: list[Wave] = []
    while sum(map(len, pieces)) < length:
        pieces.append(_loud(make()))
    return np.concatenate(pieces)[:length]


def _loud(audio: Wave) -> Wave:
    """Of the same loudness where it sounds at all: root mean square 0.1 over its loud parts."""
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    energy = (frames**2).mean(axis=1) if len(frames) else np.zeros(1, dtype=np.float32)
    speaking = energy[energy > energy.max() * 1e-2]
    return audio * (0.1 / float(np.sqrt(speaking.mean()))) if speaking.size and energy.max() > 0 else audio


def trimmed(audio: Wave) -> Wave:
    """Without the silence around it: from and to the last 5 ms that are at least 1.5 % of the peak."""
    frames = np.abs(audio[: len(audio) // 80 * 80]).reshape(-1, 80).max(axis=1)
    loud = np.flatnonzero(frames >= 0.015 * frames.max())
    return audio[loud[0] * 80 : (loud[-1] + 1) * 80]


def _convolved(audio: Wave, response: Wave) -> Wave:
    size = 1 << (len(audio) + len(response) - 2).bit_length()  # powers of two are many times faster
    product = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return np.fft.irfft(product, size)[: len(audio)].astype(np.float32)


def _ratio(decibels: float) -> np.float32:
    return np.float32(10 ** (-decibels / 20))


def _samples(seconds: float) -> int:
    return int(seconds * SAMPLE_RATE_HZ)
