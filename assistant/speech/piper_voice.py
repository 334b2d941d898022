"""A Piper voice that begins to sound before its sentence is finished. Blocking; for one thread.

The model is cut before its vocoder (:mod:`assistant.speech.onnx_cut`). The front makes the frames of a whole sentence,
a quarter of the work; the vocoder makes sound of them stretch by stretch, and each stretch is heard while the next is
made. The samples are those that the uncut model gives. A model that cannot be cut gives sentences whole, and begins a
long one with its first clause.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.speech.clauses import Phonemes, first_clause, join_fragments
from assistant.speech.onnx_cut import SPEAKER, Halves, cut_before_vocoder
from assistant.speech.vocoder import Sound, Vocoder
from assistant.text.sentences import split_sentences

log = logging.getLogger(__name__)

LONG_WHOLE, LONG_STREAMED = 40, 100
"""Phonemes beyond which a sentence begins with its first clause: some 2 s of speech for a voice that gives sentences
whole, 5 s for one that is streamed."""

WARM_UP = "All services are up, and the backup is ok."
"""Said in silence while loading: the first sentence in earnest is then no slower than the others."""

SILENCE = 0.01
"""Below this a sample of the model is no speech."""

MAX_THREADS = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of sound. ``starts`` and ``ends``: of a sentence or clause; ``joins``: a clause of the same sentence
    follows the end."""

    sound: Sound
    starts: bool
    ends: bool
    joins: bool = False


class PiperVoice:
    """A loaded voice. Make it with ``load``."""

    def __init__(self, voice: Any, vocoder: Vocoder | None) -> None:
        self._voice = voice
        self._vocoder = vocoder
        self.sample_rate_hz = int(voice.config.sample_rate)
        self.loudness = 0.0
        """Of its speech: root mean square of the samples that are not silence, 0–1."""

    @classmethod
    def load(cls, path: Path) -> PiperVoice:
        """Load ``path`` and the ``.json`` beside it, and say WARM_UP. Raises OSError, ValueError, KeyError, and
        onnxruntime's own exceptions for a model that is none."""
        config = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
        model = path.read_bytes()
        try:
            voice = cls._cut(cut_before_vocoder(model), config)
        except ValueError as reason:
            log.info("the voice %s is not streamed: %s", path.name, reason)
            voice = cls(_piper(model, config), None)
            voice._warm_up()
        return voice

    @classmethod
    def _cut(cls, halves: Halves, config: dict[str, Any]) -> PiperVoice:
        """Raises ValueError where stretches would not make the whole."""
        front = _piper(halves.front, config)
        voice = cls(front, Vocoder(_session(halves.back), halves, int(front.config.sample_rate)))
        voice._warm_up()
        return voice

    @property
    def streamed(self) -> bool:
        """Whether a sentence comes in stretches."""
        return self._vocoder is not None

    def say(self, text: str, *, speed: float = 1.0) -> Iterator[Piece]:
        """Speech sentence by sentence, each in as many pieces as sound early. Raises what onnxruntime raises."""
        for sentence in split_sentences(text):
            clauses = self.clauses(sentence)
            for number, clause in enumerate(clauses, start=1):
                yield from self._clause(clause, speed, joins=number < len(clauses))

    def clauses(self, sentence: str) -> list[Phonemes]:
        """What is synthesized at once of a sentence; nothing for one without a sound."""
        # espeak-ng reads what stands in double square brackets as phonemes, and text is never meant so
        phonemes = join_fragments(self._voice.phonemize(sentence.replace("[", " ").replace("]", " ")))
        if not any(sign.isalpha() for sign in phonemes):
            return []
        return first_clause(phonemes, longer_than=LONG_STREAMED if self.streamed else LONG_WHOLE)

    def _clause(self, phonemes: Phonemes, speed: float, *, joins: bool) -> Iterator[Piece]:
        inputs = self._inputs(phonemes, speed)
        made = self._voice.session.run(None, inputs)[0]
        if self._vocoder is None:
            yield Piece(made.reshape(-1), starts=True, ends=True, joins=joins)
            return
        left = made.shape[2]
        starts = True
        for sound in self._vocoder.stretches(made, inputs):
            left -= len(sound) // self._vocoder.samples_per_frame
            yield Piece(sound, starts=starts, ends=not left, joins=joins and not left)
            starts = False

    def _inputs(self, phonemes: Phonemes, speed: float) -> dict[str, Any]:
        """As ``piper.PiperVoice.phoneme_ids_to_audio`` gives them."""
        config = self._voice.config
        ids = np.array([self._voice.phonemes_to_ids(phonemes)], dtype=np.int64)
        scales = [config.noise_scale, config.length_scale / speed, config.noise_w_scale]
        inputs: dict[str, Any] = {
            "input": ids,
            "input_lengths": np.array([ids.shape[1]], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if config.num_speakers > 1:
            inputs[SPEAKER] = np.array([config.default_speaker_id], dtype=np.int64)
        return inputs

    def _warm_up(self) -> None:
        """Learn how loud the voice is. Raises ValueError where its stretches would not make the whole."""
        inputs = self._inputs(join_fragments(self._voice.phonemize(WARM_UP)), 1.0)
        made = self._voice.session.run(None, inputs)[0]
        if self._vocoder is not None:
            self._vocoder.check(made, inputs)
            made = np.concatenate(list(self._vocoder.stretches(made, inputs)))
        loud = made[np.abs(made) > SILENCE]
        self.loudness = float(np.sqrt(np.mean(loud**2))) if len(loud) else 0.0


def _piper(model: bytes, config: dict[str, Any]) -> Any:
    """Piper's own voice: phonemes by espeak-ng, their numbers, and a session."""
    import piper  # takes a second: only where a mouth is wanted
    from piper.config import PiperConfig

    return piper.PiperVoice(session=_session(model), config=PiperConfig.from_dict(config))


def _session(model: bytes) -> Any:
    """onnxruntime session. Its threads do not spin: the ears and the language model want the cores, too; without an
    arena what a long sentence took is given back (60 MB, at no cost in time)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(os.cpu_count() or 1, MAX_THREADS)
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
