"""A conversation on the real models: what the loudspeaker says is not answered, and "stop" stops it."""

from __future__ import annotations

import asyncio
import io
import subprocess
import wave
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import soxr

from assistant.app_speech import turn_model_maker, wake_word_maker
from assistant.config import EndpointSettings, WakeSettings
from assistant.conversation import Conversation
from assistant.events import ReplySentence, TurnEvent, TurnFailed, TurnFinished
from assistant.models import ModelStore
from assistant.own_voice import OwnVoice
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from assistant.speech.listener import EarListener
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.transcriber import FasterWhisper
from assistant.speech.vad import SileroVad
from assistant.turn import Stages, TurnRequest, run_turn
from tests.fakes import FakeReplier
from tools.contract import Caller

pytestmark = pytest.mark.real_models

QUESTION = "Do you mean the kitchen or the bedroom?"


@dataclass
class Microphone:
    """As fast as it is read: the sound, then silence for ever, unless it ``ends``."""

    sound: Samples
    endless: bool = True
    paced: bool = False
    ends: bool = False
    at: int = 0

    async def chunks(self) -> AsyncIterator[Samples]:
        while not self.ends or self.at < len(self.sound):
            chunk = self.sound[self.at : self.at + CHUNK_SAMPLES]
            self.at += CHUNK_SAMPLES
            yield np.concatenate([chunk, np.zeros(CHUNK_SAMPLES - len(chunk), dtype=np.int16)])


@dataclass
class Room:
    """Ears and mouth, and what was asked of the brain."""

    ears: EarListener
    whisper: FasterWhisper
    piper: PiperSynthesizer
    replier: FakeReplier = field(default_factory=FakeReplier)

    async def said(self, text: str) -> Samples:
        """The assistant's own voice, as the microphone hears it."""
        chunks: list[SpeechChunk] = [chunk async for chunk in self.piper.synthesize(text)]
        pcm = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), dtype="<i2").astype(np.float32)
        heard = soxr.resample(pcm, chunks[0].sample_rate_hz, SAMPLE_RATE_HZ)
        return np.asarray(np.clip(heard, -32768, 32767), dtype=np.int16)

    async def turn(self, microphone: Microphone, own: OwnVoice, *, wake: bool) -> TurnEvent:
        stages = Stages(self.replier, self.ears, self.whisper, own_voice=own)
        request = TurnRequest(
            turn_id="t", utterance=microphone, caller=Caller(), wake=wake, follow_up_s=None if wake else 6.0
        )
        return [event async for event in run_turn(request, stages, Conversation())][-1]


@pytest.fixture(scope="module")
def room(model_store: ModelStore) -> Iterator[Room]:
    vad = model_store.file("silero-vad", "silero_vad.onnx")
    ears = EarListener(
        wake_word_maker(WakeSettings(), model_store, stop=True),
        lambda: SileroVad(vad),
        WakeSettings(),
        EndpointSettings(),
        turn_model_maker(EndpointSettings(), model_store),
    )
    whisper = FasterWhisper(model_store.folder("whisper-base"), compute_type="int8", language="en")
    piper = PiperSynthesizer(model_store.file("piper-en-us-joe", "en_US-joe-medium.onnx"))
    yield Room(ears, whisper, piper, FakeReplier([ReplySentence(text="Yes.", spoken="Yes.")]))
    for part in (ears, whisper, piper):
        part.close()


def person_says(text: str) -> Samples:
    """Somebody else, by espeak-ng, without silence around it. It is installed by deploy/setup.sh dev."""
    wav = subprocess.run(
        ["espeak-ng", "-v", "en-gb", "--stdout", text], capture_output=True, check=True, timeout=30
    ).stdout
    with wave.open(io.BytesIO(wav)) as file:
        pcm = np.frombuffer(wav[44:], dtype="<i2").astype(np.float32)
        rate = file.getframerate()
    voice = soxr.resample(pcm[: len(pcm) // 2 * 2], rate, SAMPLE_RATE_HZ)
    loud = np.nonzero(np.abs(voice) > np.abs(voice).max() * 0.02)[0]
    return np.asarray(voice[loud[0] : loud[-1]], dtype=np.int16)


async def test_after_its_question_it_does_not_answer_itself(room: Room) -> None:
    own = OwnVoice(asyncio.get_running_loop().time)
    own.saying(QUESTION)  # the loudspeaker still plays while the microphone is listened to
    failed = await room.turn(Microphone(await room.said(QUESTION)), own, wake=False)
    assert isinstance(failed, TurnFailed)
    assert (failed.code, failed.spoken) == ("own_voice", "")


async def test_what_a_person_answers_is_heard(room: Room) -> None:
    own = OwnVoice(asyncio.get_running_loop().time)
    own.saying("The photos backup is a week old. Shall I run it now?")
    answer = np.concatenate([np.zeros(8000, dtype=np.int16), await room.said("No, turn off the kitchen lights.")])
    finished = await room.turn(Microphone(answer), own, wake=False)
    assert isinstance(finished, TurnFinished)
    assert "kitchen lights" in room.replier.asked[-1][0].casefold()


@pytest.mark.parametrize("share", [0.05, 0.1])
async def test_stop_is_heard_while_it_speaks_and_its_own_reply_is_not(room: Room, share: float) -> None:
    """``share``: how loud the loudspeaker is at the microphone, of the voice itself."""
    reply = (await room.said("One of two backups is proven. Gitea was never restored.")).astype(np.float64)
    silence = np.zeros(SAMPLE_RATE_HZ, dtype=np.int16)
    stop = person_says("Stop!")
    mixed = np.concatenate([reply * share, silence])
    begins = SAMPLE_RATE_HZ
    mixed[begins : begins + len(stop)] += stop
    microphone = Microphone(np.clip(mixed, -32768, 32767).astype(np.int16), ends=True)
    heard = [(woken.detection.word, microphone.at - begins) async for woken in room.ears.overhear(microphone)]
    assert [word for word, _ in heard] == ["stop"]
    assert 0 < heard[0][1] / SAMPLE_RATE_HZ < len(stop) / SAMPLE_RATE_HZ + 0.2

    alone = Microphone(np.concatenate([reply.astype(np.int16), silence]), ends=True)
    assert [woken.detection async for woken in room.ears.overhear(alone)] == []


async def test_a_wake_word_in_one_breath_with_the_order_loses_no_word(room: Room) -> None:
    clip = await read_clip(resource("audio_fixtures", "hey_jarvis_is_the_backup_ok.wav"), max_clip_s=30)
    finished = await room.turn(Microphone(clip), OwnVoice(lambda: 0.0), wake=True)
    assert isinstance(finished, TurnFinished)
    assert room.replier.asked[-1][0].casefold().replace("okay", "ok").strip("?. ") == "is the backup ok"
