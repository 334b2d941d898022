"""Whisper itself, by CTranslate2 with faster-whisper's features and tokenizer: samples in, text of one window out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import TranscriptionError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.whisper_window import FULL_S, Decoded, most_tokens

TEXT_LENGTH = 448
"""Whisper's text context in tokens, prompt included (openai/whisper, ``n_text_ctx``)."""

PROMPT_TOKENS = TEXT_LENGTH // 2 - 1
"""Of the prompt Whisper reads the last so many (openai/whisper, ``decoding.py``)."""

FRAME_SAMPLES = 160
"""Between two frames of the spectrogram: 10 ms."""

VAD_FRAME_SAMPLES = 512
SPEECH_PROBABILITY = 0.5
"""Silero's own threshold."""

NO_LOOP_NGRAM = 4
"""No row of so many tokens twice, where a text repeats itself."""


class WhisperModel:
    """One loaded model. Blocking; for one thread."""

    def __init__(self, folder: Path, *, compute_type: str, language: str, threads: int) -> None:
        """Raises TranscriptionError whisper_unusable, language_unknown."""
        import ctranslate2  # a second altogether: only where ears are wanted
        from faster_whisper import WhisperModel as FasterWhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens
        from faster_whisper.vad import get_vad_model

        try:
            self._model: Any = FasterWhisperModel(
                str(folder), device="cpu", compute_type=compute_type, cpu_threads=threads, local_files_only=True
            )
            self._vad: Any = get_vad_model()
        except (RuntimeError, ValueError, OSError) as error:
            detail = f"The Whisper model in {folder} cannot be loaded: {error}."
            raise TranscriptionError("whisper_unusable", detail, mend="Run `jarvis models verify`.") from error
        many = self._model.model.is_multilingual
        try:
            tokens = Tokenizer(self._model.hf_tokenizer, many, task="transcribe", language=language)
        except ValueError as error:
            mend = "Set transcriber.language to a code such as en, de or fr."
            raise TranscriptionError("language_unknown", f"Whisper knows no language {language}.", mend=mend) from error
        self._view = ctranslate2.StorageView
        self._tokens = tokens
        self._suppressed = list(get_suppressed_tokens(tokens, [-1]) or ())
        self._task = [*tokens.sot_sequence, tokens.no_timestamps]

    def prompt_tokens(self, text: str | None) -> list[int]:
        """What stands before the transcript, as if it had been said; the end of it where it is too long."""
        return self.text_tokens(text or "")[-PROMPT_TOKENS:]

    def speech_s(self, audio: Samples) -> float:
        """Seconds in which somebody speaks, by the silero VAD that comes with faster-whisper, 32 ms by 32 ms."""
        padded = np.pad(_floats(audio), (0, -len(audio) % VAD_FRAME_SAMPLES))
        return float(np.sum(self._vad(padded) > SPEECH_PROBABILITY)) * VAD_FRAME_SAMPLES / SAMPLE_RATE_HZ

    def text_tokens(self, text: str) -> list[int]:
        """As they stand at the beginning of a transcript."""
        return self._tokens.encode(" " + text.strip()) if text else []

    def decode(
        self, audio: Samples, prompt: list[int], window_s: float, *, opening: Sequence[int] = (), no_loops: bool = False
    ) -> Decoded:
        """The text of audio that is no longer than the window. Raises RuntimeError, ValueError of CTranslate2.

        ``opening``: tokens that the text begins with, whatever is heard (openai/whisper's ``prefix``).

        Silence fills the window before the spectrogram is taken, as openai/whisper does it. Greedy: five beams took 1.4
        times as long and heard no more.
        """
        duration_s = len(audio) / SAMPLE_RATE_HZ
        frames = 2 * round(min(window_s, FULL_S) * SAMPLE_RATE_HZ / FRAME_SAMPLES / 2)  # the encoder halves them
        samples = _floats(audio[: frames * FRAME_SAMPLES])
        filled = np.pad(samples, (0, frames * FRAME_SAMPLES - len(samples)))
        spectrogram = self._model.feature_extractor(filled, padding=0)
        before = [*([self._tokens.sot_prev, *prompt] if prompt else []), *self._task, *opening]
        most = min(most_tokens(duration_s), TEXT_LENGTH - len(before))
        result = self._model.model.generate(
            self._model.model.encode(self._view.from_array(np.ascontiguousarray(spectrogram[np.newaxis]))),
            [before],
            beam_size=1,
            max_length=len(before) + most,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
            no_repeat_ngram_size=NO_LOOP_NGRAM if no_loops else 0,
        )[0]
        ids = result.sequences_ids[0]
        return Decoded(
            text=self._tokens.decode(ids).strip(),
            tokens=len(ids),
            # CTranslate2's score is the sum over the tokens of the text by their number, the opening's being 0; Whisper
            # counts the end as one more
            average_log_probability=float(result.scores[0]) * len(ids) / (len(ids) - len(opening) + 1),
            no_speech_probability=float(result.no_speech_prob),
            cut_off=len(ids) >= most,
        )


def _floats(audio: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
    """−1…1, shape (n,)."""
    return audio.astype(np.float32) / np.float32(32768.0)
