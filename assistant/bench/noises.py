"""What a house sounds like when nobody speaks: synthesized sounds by class, each from a seed.

Every maker gets how many samples and a generator, and returns float64 at 16 kHz with a peak of at most 1; what has no
loudness of its own has an RMS of about 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from assistant.bench.shaping import Wave, pink, room_tone
from assistant.ports import SAMPLE_RATE_HZ as RATE

Maker = Callable[[int, np.random.Generator], Wave]

_SEMITONE: Final = 2 ** (1 / 12)


def digital_silence(samples: int, rng: np.random.Generator) -> Wave:
    return np.zeros(samples)


def quiet_room(samples: int, rng: np.random.Generator) -> Wave:
    return room_tone(samples, -60, rng)


def white(samples: int, rng: np.random.Generator) -> Wave:
    return _peaking(rng.standard_normal(samples) * 0.1)


def pink_noise(samples: int, rng: np.random.Generator) -> Wave:
    return _peaking(pink(samples, rng) * 0.1)


def hum(mains_hz: float) -> Maker:
    """The mains and its harmonics, as of a transformer, with a little hiss."""

    def make(samples: int, rng: np.random.Generator) -> Wave:
        t = np.arange(samples) / RATE
        strengths = [1, 0.6, 0.35, 0.4, 0.15, 0.2, 0.08, 0.1]
        tones = [
            strength * np.sin(2 * np.pi * mains_hz * n * t + rng.uniform(0, 2 * np.pi))
            for n, strength in enumerate(strengths, 1)
        ]
        return _peaking(np.sum(tones, axis=0) * 0.12 + rng.standard_normal(samples) * 0.003)

    return make


def fan(samples: int, rng: np.random.Generator) -> Wave:
    """Air and blades: low noise that swells with the turning, and the blades' tone."""
    t = np.arange(samples) / RATE
    air = _lowpass(rng.standard_normal(samples), 900)
    swell = 1 + 0.25 * np.sin(2 * np.pi * rng.uniform(6, 11) * t)
    blades = 0.15 * np.sin(2 * np.pi * rng.uniform(90, 140) * t)
    return _peaking(0.12 * (_normal(air) * swell + blades))


def chords(samples: int, rng: np.random.Generator) -> Wave:
    """A slow organ: four chords, each half a bar."""
    out = np.zeros(samples)
    roots = rng.permutation([0, 5, 7, -3, 2])
    length = round(1.2 * RATE)
    for n, start in enumerate(range(0, samples, length)):
        root = 220 * _SEMITONE ** int(roots[n % roots.size])
        third = rng.choice([3, 4])
        for step in (0, int(third), 7, 12):
            _put(out, start, _note(root * _SEMITONE**step, length * 1.1, 0.05, slow=True))
    return _peaking(out)


def melody_with_drums(samples: int, rng: np.random.Generator) -> Wave:
    """A plucked tune over a bass, a kick, a snare and a hat, at 100 to 130 beats a minute."""
    out = np.zeros(samples)
    beat = round(RATE * 60 / rng.uniform(100, 130))
    scale = [0, 2, 4, 7, 9, 12, 14]
    for n, start in enumerate(range(0, samples, beat // 2)):
        if rng.random() < 0.8:
            _put(out, start, _note(440 * _SEMITONE ** scale[rng.integers(len(scale))], beat * 0.6, 0.16))
        _put(out, start, _burst(round(0.03 * RATE), 6000, rng) * 0.08)
        if n % 4 == 0:
            _put(out, start, _kick(rng) * 0.5)
            _put(out, start, _note(110 * _SEMITONE ** scale[rng.integers(3)], beat * 1.5, 0.2))
        if n % 4 == 2:
            _put(out, start, _burst(round(0.12 * RATE), 1500, rng) * 0.3)
    return _peaking(out)


def keyboard(samples: int, rng: np.random.Generator) -> Wave:
    """Somebody types: two short clicks a key, in runs."""
    out = rng.standard_normal(samples) * 0.0005
    at = 0.2
    while (start := round(at * RATE)) < samples:
        down = _burst(round(rng.uniform(0.004, 0.009) * RATE), rng.uniform(1500, 4000), rng)
        _put(out, start, down * rng.uniform(0.15, 0.4))
        _put(out, start + round(rng.uniform(0.05, 0.09) * RATE), down[::-1] * rng.uniform(0.05, 0.15))
        at += rng.uniform(0.09, 0.22) if rng.random() < 0.85 else rng.uniform(0.5, 0.9)
    return _peaking(out)


def clicks(samples: int, rng: np.random.Generator) -> Wave:
    """Single clicks, as of a switch or a bad plug."""
    out = rng.standard_normal(samples) * 0.0005
    for start in np.sort(rng.integers(0, samples, max(2, samples // RATE * 2))):
        _put(out, int(start), _burst(round(rng.uniform(0.001, 0.004) * RATE), 3000, rng) * rng.uniform(0.3, 0.9))
    return _peaking(out)


def knocks(samples: int, rng: np.random.Generator) -> Wave:
    """Knuckles on a door: groups of two to four dull thuds."""
    out = room_tone(samples, -62, rng)
    at = 0.4
    while (start := round(at * RATE)) < samples:
        for n in range(int(rng.integers(2, 5))):
            wood = _ring([rng.uniform(150, 260), rng.uniform(350, 520), rng.uniform(700, 900)], 0.045, 0.12)
            tap = wood * rng.uniform(0.35, 0.6)
            tap[:60] += rng.standard_normal(60) * 0.1
            _put(out, start + round(n * 0.19 * RATE), tap)
        at += rng.uniform(1.2, 1.8)
    return _peaking(out)


def barks(samples: int, rng: np.random.Generator) -> Wave:
    """A dog: bursts of 0.15 to 0.25 s whose pitch rises and falls, rough, through the resonances of a muzzle."""
    out = room_tone(samples, -62, rng)
    at, pitch = 0.3, rng.uniform(250, 600)
    while (start := round(at * RATE)) < samples:
        for n in range(int(rng.integers(1, 4))):
            _put(out, start + round(n * rng.uniform(0.3, 0.4) * RATE), _bark(pitch, rng) * rng.uniform(0.5, 0.8))
        at += rng.uniform(1.0, 1.8)
    return _peaking(out)


def breathing(samples: int, rng: np.random.Generator) -> Wave:
    """In and out, close to a microphone."""
    out = room_tone(samples, -62, rng)
    start = round(0.2 * RATE)
    while start < samples:
        for length_s, low, loud in ((rng.uniform(0.8, 1.2), 700, 0.05), (rng.uniform(1.0, 1.6), 400, 0.08)):
            length = round(length_s * RATE)
            puff = _normal(_lowpass(rng.standard_normal(length), 2200) - _lowpass(rng.standard_normal(length), low))
            _put(out, start, puff * np.hanning(length) * loud)
            start += length + round(rng.uniform(0.15, 0.4) * RATE)
    return _peaking(out)


def phone(samples: int, rng: np.random.Generator) -> Wave:
    """A telephone's bell: two tones in turn, 1 s on and 1.5 s off."""
    t = np.arange(samples) / RATE
    high, low = rng.uniform(900, 1100), rng.uniform(750, 850)
    tone = np.where(np.floor(t * 20) % 2 == 0, np.sin(2 * np.pi * high * t), np.sin(2 * np.pi * low * t))
    return _peaking(0.3 * tone * ((t % 2.5) < 1) + room_tone(samples, -62, rng))


def beeps(samples: int, rng: np.random.Generator) -> Wave:
    """A microwave or a smoke detector that wants a battery."""
    out = room_tone(samples, -62, rng)
    hertz, length = rng.uniform(1800, 3100), rng.uniform(0.08, 0.4)
    for start in range(round(0.3 * RATE), samples, round(rng.uniform(0.7, 1.2) * RATE)):
        _put(out, start, _note(hertz, length * RATE, 0.3, pure=True))
    return _peaking(out)


def earcons(samples: int, rng: np.random.Generator) -> Wave:
    """Two or three soft tones up or down, as an assistant that has heard its name makes them."""
    out = room_tone(samples, -62, rng)
    for start in range(round(0.4 * RATE), samples, round(1.3 * RATE)):
        steps = sorted(rng.choice([0, 4, 7, 12], 3, replace=False), reverse=bool(rng.random() < 0.5))
        for n, step in enumerate(steps):
            tone = _note(660 * _SEMITONE ** int(step), 0.12 * RATE, 0.2, pure=True)
            _put(out, start + round(n * 0.1 * RATE), tone)
    return _peaking(out)


MAKERS: Mapping[str, tuple[tuple[str, Maker], ...]] = {
    "silence": (("digital", digital_silence), ("room", quiet_room)),
    "white": (("white", white),),
    "pink": (("pink", pink_noise),),
    "hum": (("50hz", hum(50)), ("60hz", hum(60))),
    "fan": (("fan", fan),),
    "music": (("chords", chords), ("drums", melody_with_drums)),
    "clicks": (("keyboard", keyboard), ("clicks", clicks)),
    "knocks": (("knocks", knocks),),
    "barks": (("barks", barks),),
    "breathing": (("breathing", breathing),),
    "phone": (("bell", phone), ("beeps", beeps)),
    "earcons": (("earcons", earcons),),
}
"""Class → the makers of its sounds, by name."""


def make(noise: str, maker: str, seconds: float, seed: int) -> Wave:
    """One sound of the class; the same arguments give the same samples. Raises KeyError."""
    rng = np.random.default_rng([seed, *f"{noise}/{maker}".encode()])
    return dict(MAKERS[noise])[maker](round(seconds * RATE), rng)


def _peaking(wave: Wave) -> Wave:
    peak = float(np.abs(wave).max(initial=0))
    return wave if peak <= 0.95 else wave * (0.95 / peak)


def _normal(wave: Wave) -> Wave:
    return np.asarray(wave / max(float(np.sqrt(np.mean(wave**2))), 1e-9))


def _lowpass(wave: Wave, hertz: float) -> Wave:
    spectrum = np.fft.rfft(wave)
    at = np.fft.rfftfreq(wave.size, 1 / RATE)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(1 + (at / hertz) ** 4), wave.size))


def _put(out: Wave, start: int, sound: Wave) -> None:
    """Add a sound; what is past the end is lost."""
    fits = max(0, min(sound.size, out.size - start))
    out[start : start + fits] += sound[:fits]


def _note(hertz: float, length: float, loudness: float, *, slow: bool = False, pure: bool = False) -> Wave:
    t = np.arange(round(length)) / RATE
    partials = [1.0] if pure else [1, 0.5, 0.3, 0.15, 0.08]
    tone = np.sum([a * np.sin(2 * np.pi * hertz * n * t) for n, a in enumerate(partials, 1)], axis=0)
    attack = np.minimum(1, t / (0.08 if slow else 0.004))
    decay = np.minimum(1, (t[-1] - t) / 0.05) if slow or pure else np.exp(-t * 6)
    return np.asarray(loudness * tone * attack * np.maximum(decay, 0))


def _burst(length: int, above_hz: float, rng: np.random.Generator) -> Wave:
    noise = rng.standard_normal(max(8, length))
    bright = noise - _lowpass(noise, above_hz)
    return np.asarray(bright * np.exp(-np.arange(noise.size) / (noise.size / 4)) / 3)


def _kick(rng: np.random.Generator) -> Wave:
    t = np.arange(round(0.25 * RATE)) / RATE
    return np.asarray(np.sin(2 * np.pi * (45 * t + 6 * (1 - np.exp(-t * 30)))) * np.exp(-t * 14))


def _ring(hertz: list[float], decay_s: float, length_s: float) -> Wave:
    t = np.arange(round(length_s * RATE)) / RATE
    return np.asarray(
        np.sum([np.sin(2 * np.pi * f * t) / n for n, f in enumerate(hertz, 1)], axis=0) * np.exp(-t / decay_s)
    )


def _bark(pitch: float, rng: np.random.Generator) -> Wave:
    t = np.arange(round(rng.uniform(0.15, 0.25) * RATE)) / RATE
    bend = pitch * (0.75 + 0.5 * np.sin(np.pi * t / t[-1]))
    phase = 2 * np.pi * np.cumsum(bend * (1 + 0.04 * rng.standard_normal(t.size))) / RATE
    voice = np.sum([np.sin(n * phase) / n**0.7 for n in range(1, 12)], axis=0) + rng.standard_normal(t.size) * 0.8
    spectrum = np.fft.rfft(voice)
    at = np.fft.rfftfreq(t.size, 1 / RATE)
    muzzle = sum(np.exp(-(((at - f) / w) ** 2)) for f, w in ((700, 350), (1500, 500), (2800, 700)))
    shaped = np.fft.irfft(spectrum * (0.05 + muzzle), t.size) * np.sqrt(np.abs(np.sin(np.pi * t / t[-1])))
    return np.asarray(shaped / np.abs(shaped).max())
