"""From a recipe's entry to samples, and to what is true of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from assistant.bench import noises
from assistant.bench.clips import Clip
from assistant.bench.engines import Engine
from assistant.bench.hesitation import PAUSE_S, boundary, with_pause
from assistant.bench.recipe import BABBLE, Noise, Said
from assistant.bench.recordings import Recording, read
from assistant.bench.sentences import HESITATION, plain, respelled
from assistant.bench.shaping import Wave, at_level, room_tone, silence, speech_bounds, trimmed, with_noise
from assistant.ports import SAMPLE_RATE_HZ

LEAD_S: Final = 0.5
TAIL_S: Final = 0.6
NOISY_LEAD_S: Final = 1.5
"""Before speech in noise: the wake word has heard the noise for a while."""

SPEECH_DB: Final = -22.0
"""RMS of active speech in dB of full scale, before ``louder_db``."""

ROOM_DB: Final = -66.0
"""Every clip of a synthesizer stands in a very quiet room: no microphone hears digital silence."""

LEAST_SOUND_S: Final = 3.0
"""A shorter sound is repeated with a second between."""

_BABBLE: Final = (
    ("rms", "we went down to the harbour in the morning and watched the boats come in with the tide"),
    ("slt", "she said that the train had been late again and that nobody knew when the next one would come"),
    ("awb", "there was nothing left in the cupboard but rice and onions so they made soup out of it"),
)
_BABBLE_ENGINE: Final = "flite"


@dataclass(frozen=True, slots=True)
class Made:
    """A clip and its samples."""

    clip: Clip
    wave: Wave


class Maker:
    """Makes clips with the engines that are here. Safe to call from several threads."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines
        self._in_process = threading.Lock()  # one model in memory at work at a time, with its own threads
        self._kept: dict[str, tuple[Wave, tuple[float, float]]] = {}

    def lacks(self, said: Said) -> str:
        """The engine that this needs and that is not here, or an empty text."""
        needs = {said.voice.engine, *([_BABBLE_ENGINE] if said.noise == BABBLE else [])}
        return next((name for name in sorted(needs) if name not in self._engines), "")

    def said(self, said: Said) -> Made:
        """A sentence. Raises SynthesisError, ModelFilesError."""
        speech, (pause_start, pause_end) = self._speech(said)
        rng = _seeded(said.id)
        lead = NOISY_LEAD_S if said.noise else LEAD_S
        start, end = speech_bounds(speech)
        wave = np.concatenate([silence(lead), speech, silence(TAIL_S)])
        wave = wave + room_tone(wave.size, ROOM_DB, rng)
        if said.snr_db is not None:
            wave = with_noise(wave, self._noise(said, wave.size), said.snr_db, speech)
        clip = Clip(
            id=said.id,
            file=f"{said.id}.wav",
            kind=said.kind,
            said=said.spoken,
            wake=said.wake,
            speech_start_s=_rounded(lead + start / SAMPLE_RATE_HZ),
            speech_end_s=_rounded(lead + end / SAMPLE_RATE_HZ),
            duration_s=_rounded(wave.size / SAMPLE_RATE_HZ),
            engine=said.voice.engine,
            voice=said.voice.name,
            names=said.names,
            noise=said.noise,
            snr_db=said.snr_db,
            pause_start_s=_rounded(lead + pause_start) if pause_end else 0.0,
            pause_end_s=_rounded(lead + pause_end) if pause_end else 0.0,
        )
        return Made(clip, wave)

    def noise(self, noise: Noise) -> Made:
        """A synthesized sound."""
        wave = noises.make(noise.noise, noise.maker, noise.seconds, noise.seed) * noise.gain
        return Made(_no_speech(noise.id, noise.noise, noise.maker, wave, ""), wave)

    def person(self, recording: Recording) -> Made:
        """Somebody who was recorded, in a quiet room. Raises AudioError."""
        wave = read(recording)
        wave = wave * min(1.0, 0.98 / max(float(np.abs(wave).max()), 1e-9))
        start, end = speech_bounds(wave, room=True)
        rng = _seeded(recording.name)
        around = [room_tone(round(s * SAMPLE_RATE_HZ), ROOM_DB, rng) for s in (LEAD_S, TAIL_S)]
        wave = np.concatenate([around[0], wave, around[1]])
        name = f"human-{recording.name}"
        clip = Clip(
            id=name,
            file=f"{name}.wav",
            kind="human",
            said=recording.said,
            wake=False,
            speech_start_s=_rounded(LEAD_S + start / SAMPLE_RATE_HZ),
            speech_end_s=_rounded(LEAD_S + end / SAMPLE_RATE_HZ),
            duration_s=_rounded(wave.size / SAMPLE_RATE_HZ),
            engine="human",
            voice=recording.voice,
            licence=recording.licence,
        )
        return Made(clip, wave)

    def sound(self, recording: Recording) -> Made:
        """A recorded sound that is no speech, repeated until it is long enough. Raises AudioError."""
        once = read(recording)
        wave = once
        while wave.size < LEAST_SOUND_S * SAMPLE_RATE_HZ:
            wave = np.concatenate([wave, silence(1.0), once])
        wave = wave * min(1.0, 0.98 / max(float(np.abs(wave).max()), 1e-9))
        wave = np.concatenate([silence(0.3), wave, silence(0.3)])
        wave = wave + room_tone(wave.size, ROOM_DB, _seeded(recording.name))
        name = f"no_speech-{recording.voice}-{recording.name}"
        return Made(_no_speech(name, recording.voice, recording.name, wave, recording.licence), wave)

    def _speech(self, said: Said) -> tuple[Wave, tuple[float, float]]:
        """Trimmed speech at its level, and where its hesitation is in seconds; kept for the other noises."""
        key = f"{said.voice.slug}/{said.text}"
        if key in self._kept:
            return self._kept[key]
        whole = trimmed(self._say(plain(said.text), said))
        pause = (0.0, 0.0)
        if HESITATION in said.text:
            first, second = (self._say(part.strip(), said) for part in said.text.split(HESITATION))
            at = boundary(whole, trimmed(first), trimmed(second))
            whole = with_pause(whole, at)
            pause = (at / SAMPLE_RATE_HZ, at / SAMPLE_RATE_HZ + PAUSE_S)
        made = at_level(whole, SPEECH_DB + said.louder_db), pause
        if said.noise:
            self._kept[key] = made
        return made

    def _say(self, text: str, said: Said) -> Wave:
        engine = self._engines[said.voice.engine]
        text = respelled(text, engine.name)
        if engine.in_process:
            with self._in_process:
                return engine.say(text, said.voice.name)
        return engine.say(text, said.voice.name)

    def _noise(self, said: Said, samples: int) -> Wave:
        if said.noise != BABBLE:
            return noises.make(said.noise, said.maker, samples / SAMPLE_RATE_HZ, len(said.id))
        flite = self._engines[_BABBLE_ENGINE]
        talking = [at_level(trimmed(flite.say(text, voice)), SPEECH_DB) for voice, text in _BABBLE]
        return np.asarray(np.sum([np.resize(wave, samples) for wave in talking], axis=0))


def _no_speech(name: str, noise: str, maker: str, wave: Wave, licence: str) -> Clip:
    return Clip(
        id=name,
        file=f"{name}.wav",
        kind="no_speech",
        said="",
        wake=False,
        speech_start_s=0.0,
        speech_end_s=0.0,
        duration_s=_rounded(wave.size / SAMPLE_RATE_HZ),
        engine="recorded" if licence else "noises",
        voice=maker,
        noise=noise,
        licence=licence,
    )


def _rounded(seconds: float) -> float:
    return round(seconds, 4)


def _seeded(name: str) -> np.random.Generator:
    return np.random.default_rng([*name.encode()])
