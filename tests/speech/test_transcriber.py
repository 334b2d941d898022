"""Whisper itself: what is said is heard, short words too; what nobody said is nothing; damage is told with its mend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import soxr

from assistant.bench.word_errors import word_errors
from assistant.demo.homelab import read_homelab
from assistant.errors import TranscriptionError
from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.names_prompt import names_list, names_prompt
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.transcriber import FasterWhisper, loudest, loudest_dbfs
from assistant.speech.whisper_model import WhisperModel
from assistant.speech.whisper_window import FULL_S, WINDOWS, Decoded, compression_ratio, heard, most_tokens
from assistant.text.transcript import clean_transcript, is_nothing
from tests.speech.noises import MAKERS, mixed, sound

pytestmark = pytest.mark.real_models

HOMELAB = read_homelab()
NAMES = (*HOMELAB.services, *HOMELAB.backups, *HOMELAB.vms, *HOMELAB.home)
TELEVISION = (
    "The weather tomorrow will be sunny with some clouds in the afternoon.",
    "Our next guest has written a book about the history of bread.",
    "And now the results of the football matches on Saturday.",
    "You are listening to the news at nine o'clock this evening.",
    "He said that he would never come back to this town again.",
)
ANSWERS = ("Yes.", "No.", "Stop.", "Thanks.", "Thank you.", "Okay.", "Cancel.", "Yes, please.", "No, thanks.", "Do it.")


@pytest.fixture(scope="module")
def whisper(model_store: ModelStore) -> Iterator[FasterWhisper]:
    made = FasterWhisper(model_store.folder("whisper-base"), compute_type="int8", language="en", names=NAMES)
    yield made
    made.close()


class Voice:
    """Piper at 16 kHz, with a moment of silence around each sentence; the same sound in every run."""

    def __init__(self, store: ModelStore) -> None:
        ort.set_seed(4)  # Piper's melody is random
        self.synthesizer = PiperSynthesizer(store.file("piper-en-us-joe", "en_US-joe-medium.onnx"))

    async def say(self, text: str, silence_s: float = 0.3) -> Samples:
        chunks = [chunk async for chunk in self.synthesizer.synthesize(text)]
        pcm = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), dtype="<i2")
        speech = soxr.resample(pcm, chunks[0].sample_rate_hz, SAMPLE_RATE_HZ).astype(np.int16)
        return np.pad(speech, int(silence_s * SAMPLE_RATE_HZ))


@pytest.fixture(scope="module")
def voice(model_store: ModelStore) -> Voice:
    return Voice(model_store)


def words(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalpha() or character == " ").strip()


def louder(audio: Samples, factor: float) -> Samples:
    return (audio * factor).astype(np.int16)


@pytest.mark.parametrize("loudness", [0.003, 0.02, 0.15])
@pytest.mark.parametrize("kind", sorted(MAKERS))
async def test_sounds_that_are_no_speech_give_no_text(whisper: FasterWhisper, kind: str, loudness: float) -> None:
    for seed, seconds in enumerate((1.0, 3.0)):
        found = await whisper.transcribe(sound(kind, seconds=seconds, loudness=loudness, seed=seed))
        assert found.text == ""


async def test_silence_gives_no_text_however_long_it_is(whisper: FasterWhisper) -> None:
    for seconds in (0.0, 0.05, 1.0, 6.0, 70.0):
        assert (await whisper.transcribe(sound("silence", seconds=seconds))).text == ""
        assert (await whisper.transcribe(np.zeros(int(seconds * SAMPLE_RATE_HZ), dtype=np.int16))).text == ""


@pytest.mark.parametrize("talkers", [1, 3, 5])
async def test_a_television_in_another_room_gives_no_text(whisper: FasterWhisper, voice: Voice, talkers: int) -> None:
    babble = mixed([await voice.say(sentence) for sentence in TELEVISION[:talkers]]).astype(np.float64)
    far = babble / np.sqrt(np.mean(babble**2)) * 0.0003 * 32767
    assert (await whisper.transcribe(far.astype(np.int16))).text == ""


@pytest.mark.parametrize("loudness", [1.0, 0.05])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_short_answer_is_heard(whisper: FasterWhisper, voice: Voice, answer: str, loudness: float) -> None:
    found = await whisper.transcribe(louder(await voice.say(answer), loudness))
    assert words(clean_transcript(found.text)) == words(answer)


async def test_a_sentence_is_heard_in_a_short_window_and_in_the_full_one(
    model_store: ModelStore, whisper: FasterWhisper, voice: Voice
) -> None:
    said = await voice.say("Hey Jarvis, turn off the kitchen light.")
    short = await whisper.transcribe(said)
    full_whisper = FasterWhisper(
        model_store.folder("whisper-base"), compute_type="int8", language="en", names=NAMES, window=WINDOWS["full"]
    )
    full = await full_whisper.transcribe(said)
    full_whisper.close()
    for found in (short, full):
        assert words(clean_transcript(found.text)) == "turn off the kitchen light"
    assert (short.window_s, short.fell_back) == (WINDOWS["short"].seconds(len(said) / SAMPLE_RATE_HZ), "")
    assert (full.window_s, full.fell_back) == (FULL_S, "")


async def test_after_the_wake_word_the_text_begins_with_its_phrase(whisper: FasterWhisper, voice: Voice) -> None:
    said = await voice.say("Hay Charvis! Is the backup OK?")
    found = await whisper.transcribe(said, woken=True)
    assert found.text.startswith("Hey Jarvis.")
    assert words(clean_transcript(found.text, woken=True)).replace(" ", "") in ("isthebackupok", "isthebackupokay")


async def test_after_the_wake_word_alone_nothing_is_heard(whisper: FasterWhisper, voice: Voice) -> None:
    said = await voice.say("Hey Jarvis.", silence_s=1.0)
    assert clean_transcript((await whisper.transcribe(said, woken=True)).text, woken=True) == ""


def test_the_loudest_stretch_is_found_wherever_it_is() -> None:
    audio = np.full(4 * SAMPLE_RATE_HZ, 10, dtype=np.int16)
    audio[40_000:56_000] = 1000
    assert np.array_equal(loudest(audio, 1.0), audio[40_000:56_000])
    assert np.array_equal(loudest(audio[:100], 1.0), audio[:100])
    assert loudest_dbfs(audio) == pytest.approx(20 * np.log10(1000 / 32768))
    assert loudest_dbfs(audio[:0]) == -np.inf


class _Writes:
    """A Whisper that writes the same whatever it hears; ``certainty``: mean log probability."""

    def __init__(self, text: str, certainty: float) -> None:
        self._decoded = Decoded(text, len(text.split()), certainty, 0.0, cut_off=False)

    def __call__(self, *_: object, **__: object) -> _Writes:
        return self

    def text_tokens(self, _: str) -> list[int]:
        return []

    prompt_tokens = text_tokens

    def speech_s(self, audio: Samples) -> float:
        return len(audio) / SAMPLE_RATE_HZ

    def decode(self, *_: object, **__: object) -> Decoded:
        return self._decoded


@pytest.mark.parametrize(
    ("text", "certainty", "heard"),
    [
        ("Hey Jarvis. Puh!", -0.97, ""),  # what it made of a dog's bark
        ("Hey Jarvis. Puh. Puh.", -0.97, ""),
        ("Hey Jarvis. Ah!", -0.1, ""),
        ("Hey Jarvis. Stop!", -0.4, "Hey Jarvis. Stop!"),
        ("Hey Jarvis. Lights on.", -0.97, "Hey Jarvis. Lights on."),
        ("Yes!", -0.97, "Yes!"),
    ],
)
async def test_a_lone_word_after_the_wake_phrase_counts_where_whisper_is_sure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, certainty: float, heard: str
) -> None:
    monkeypatch.setattr("assistant.speech.transcriber.WhisperModel", _Writes(text, certainty))
    whisper = FasterWhisper(tmp_path, compute_type="int8", language="en")
    found = await whisper.transcribe(sound("barks"), woken=True)
    whisper.close()
    assert found.text == heard


class _WritesByWindow(_Writes):
    """One that writes something else in the full window."""

    def __init__(self, short: tuple[str, float], full: tuple[str, float]) -> None:
        super().__init__(*short)
        self._full = _Writes(*full)

    def decode(self, *given: object, **_: object) -> Decoded:
        return self._full._decoded if given[-1] == FULL_S else self._decoded


MISHEARD = ("Restart Jitki.", -0.66)


@pytest.mark.parametrize(
    ("short", "full", "heard", "why"),
    [
        (MISHEARD, ("Restart Gitea.", -0.23), "Restart Gitea.", "no name"),
        (MISHEARD, ("Restart Gitea.", -0.67), "Restart Jitki.", "no name"),  # no surer
        (MISHEARD, ("Jellyfin, Gitea, Immich, Paperless.", -0.1), "Restart Jitki.", "no name"),  # the prompt said back
        (MISHEARD, ("Restart Gitea. " * 9, -0.1), "Restart Jitki.", "no name"),  # a loop
        (("Restart Git Ea.", -0.66), ("Restart Immich.", -0.1), "Restart Git Ea.", ""),
        (("Restart Jitki.", -0.4), ("Restart Immich.", -0.1), "Restart Jitki.", ""),
        (("Thanks for watching.", -0.66), ("Restart Gitea.", -0.1), "", ""),  # silence stays silence
    ],
)
async def test_a_text_that_may_have_missed_a_name_is_heard_again_in_the_full_window(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    short: tuple[str, float],
    full: tuple[str, float],
    heard: str,
    why: str,
) -> None:
    monkeypatch.setattr("assistant.speech.transcriber.WhisperModel", _WritesByWindow(short, full))
    whisper = FasterWhisper(tmp_path, compute_type="int8", language="en", names=NAMES)
    found = await whisper.transcribe(sound("barks"))
    whisper.close()
    assert (found.text, found.fell_back) == (heard, why)


async def test_what_is_understood_as_it_stands_is_not_heard_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    writes = _WritesByWindow(MISHEARD, ("Restart Gitea.", -0.1))
    monkeypatch.setattr("assistant.speech.transcriber.WhisperModel", writes)
    whisper = FasterWhisper(
        tmp_path, compute_type="int8", language="en", names=NAMES, settled=lambda text: text == "Restart Jitki."
    )
    found = await whisper.transcribe(sound("barks"))
    whisper.close()
    assert (found.text, found.fell_back) == ("Restart Jitki.", "")


async def test_in_a_house_without_names_none_is_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    writes = _WritesByWindow(MISHEARD, ("Restart Gitea.", -0.1))
    monkeypatch.setattr("assistant.speech.transcriber.WhisperModel", writes)
    whisper = FasterWhisper(tmp_path, compute_type="int8", language="en")
    assert (await whisper.transcribe(sound("barks"))).text == "Restart Jitki."
    whisper.close()


async def test_with_two_wake_words_none_of_them_is_put_into_anybodys_mouth(
    model_store: ModelStore, voice: Voice
) -> None:
    both = FasterWhisper(
        model_store.folder("whisper-base"), compute_type="int8", language="en", wake_words=("hey_jarvis", "alexa")
    )
    found = await both.transcribe(await voice.say("Alexa, is the backup OK?"), woken=True)
    both.close()
    assert words(found.text).startswith("alexa")


def test_what_whisper_makes_up_over_noise_is_heard_again_in_the_full_window(model_store: ModelStore) -> None:
    """The VAD keeps noise from it otherwise."""
    model = WhisperModel(model_store.folder("whisper-base"), compute_type="int8", language="en", threads=2)
    noise = sound("white", seconds=3.0)
    found = heard(partial(model.decode, noise, model.prompt_tokens(None)), 3.0, WINDOWS["short"])
    assert (found.window_s, found.fell_back) == (FULL_S, "improbable")
    assert found.decoded.text
    assert is_nothing(found.decoded.text, found.decoded.no_speech_probability, found.decoded.average_log_probability)


@pytest.mark.parametrize("kind", ["white", "pink", "brown", "barks"])
def test_the_end_of_the_prompt_is_what_noise_becomes_and_that_is_nothing(model_store: ModelStore, kind: str) -> None:
    model = WhisperModel(model_store.folder("whisper-base"), compute_type="int8", language="en", threads=2)
    prompt = model.prompt_tokens(names_prompt(NAMES))
    assert clean_transcript(model.decode(sound(kind), prompt, 10.0).text) == ""


def test_a_loop_ends_and_may_be_forbidden(model_store: ModelStore) -> None:
    """A bare list of names as the prompt makes Whisper repeat the sound of barks."""
    model = WhisperModel(model_store.folder("whisper-base"), compute_type="int8", language="en", threads=2)
    barks, prompt = sound("barks", seconds=6.0), model.prompt_tokens(f"Hey Jarvis. {names_list(NAMES)}.")
    looping = model.decode(barks, prompt, 12.0)
    assert looping.cut_off
    assert looping.tokens <= most_tokens(6.0) + 1
    ended = model.decode(barks, prompt, 12.0, no_loops=True)
    assert compression_ratio(ended.text) < compression_ratio(looping.text)


async def test_of_audio_longer_than_any_window_nothing_is_lost(whisper: FasterWhisper, voice: Voice) -> None:
    parts = [await voice.say(sentence, silence_s=3.0) for sentence in TELEVISION]
    audio = np.concatenate(parts)
    assert len(audio) > 40 * SAMPLE_RATE_HZ
    found = await whisper.transcribe(audio)
    errors, said = word_errors(" ".join(TELEVISION), found.text)
    assert errors <= 0.05 * said
    assert found.window_s > len(audio) / SAMPLE_RATE_HZ / 2


async def test_several_utterances_at_once_wait_for_each_other(whisper: FasterWhisper, voice: Voice) -> None:
    yes, silence, no = await asyncio.gather(
        *(whisper.transcribe(audio) for audio in (await voice.say("Yes."), sound("silence"), await voice.say("No.")))
    )
    assert [words(one.text) for one in (yes, silence, no)] == ["yes", "", "no"]


async def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    whisper = FasterWhisper(tmp_path, compute_type="int8", language="en")
    with pytest.raises(TranscriptionError, match="cannot be loaded") as failed:
        await whisper.load()
    assert failed.value.code == "whisper_unusable"
    assert "jarvis models verify" in failed.value.mend
    whisper.close()


async def test_a_language_that_whisper_does_not_know_is_said(model_store: ModelStore) -> None:
    whisper = FasterWhisper(model_store.folder("whisper-base"), compute_type="int8", language="xx")
    with pytest.raises(TranscriptionError) as failed:
        await whisper.load()
    assert failed.value.code == "language_unknown"
    assert "transcriber.language" in failed.value.mend
    whisper.close()
