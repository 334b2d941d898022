"""Speaks into a sound server's room and listens to it, as ``jarvis listen`` does; prints what was heard as JSON.

Run with HOME and the sound server's variables set: PortAudio reads them when it starts. Arguments: the ALSA device, the
folder of the models.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from assistant.config import WakeWordSettings
from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.resources import resource
from assistant.speech.echo import EchoRemover
from assistant.speech.microphone import MicrophoneSource
from assistant.speech.player import SoundDevicePlayer
from assistant.speech.stop_word import StopWord
from assistant.speech.wake_models import find_wake_words
from assistant.speech.wake_word import OpenWakeWord
from tests.speech.said import said

REPLIES = (
    "Three services are down and the photo backup has not run since Monday evening.",
    "The restore test of the family photos passed this morning with all files intact.",
    "The media server answers in forty milliseconds and nothing is in the queue.",
)
CLIPS = Path(__file__).parents[1] / "speech" / "stop_clips.npz"
SPOKEN_FIRST_S = 1.2
PAUSE_S = 1.0
REFRACTORY_S = 2.0


class Ears:
    """One microphone that is read all the time, and a detector on what it gives."""

    def __init__(self, store: ModelStore, source: MicrophoneSource) -> None:
        words = find_wake_words({"hey_jarvis": WakeWordSettings()}, store)
        stop = StopWord(resource("prompts", "stop_word.npz"))
        folder = store.folder("hey-jarvis")
        self._detector = OpenWakeWord(words, features=folder, refractory_s=REFRACTORY_S, stop=stop)
        self._detector.listen_for_stop(True)
        self._source = source
        self.chunks: list[Samples] = []
        self.stops = 0

    async def listen(self) -> None:
        async for chunk in self._source.chunks():
            self.chunks.append(chunk)
            detection = await asyncio.to_thread(self._detector.process, chunk)
            self.stops += detection is not None and detection.word == "stop"

    def decibels(self) -> float:
        """Of what was heard since it was asked last."""
        heard, self.chunks = np.concatenate(self.chunks) / 32_768, []
        return float(10 * np.log10(np.square(heard).mean() + 1e-12))


def speech(samples: Samples) -> SpeechChunk:
    return SpeechChunk(samples.astype("<i2").tobytes(), SAMPLE_RATE_HZ)


async def main(device: str, store: ModelStore) -> dict[str, object]:
    jarvis, person = SoundDevicePlayer(device), SoundDevicePlayer(device)
    replies = [said(store.models_dir, text) for text in REPLIES]
    clips = np.load(CLIPS)
    with (
        MicrophoneSource(device) as plain,
        MicrophoneSource(device, echo=EchoRemover(lambda: jarvis.sent)) as cleaned,
    ):
        ears = Ears(store, plain), Ears(store, cleaned)
        listening = [asyncio.create_task(one.listen()) for one in ears]
        removed = []
        for reply in (*replies, *replies):
            for one in ears:
                one.chunks.clear()
            await jarvis.play(speech(reply))
            await jarvis.drain()
            there, left = (one.decibels() for one in ears)
            removed.append(round(there - left, 1))
            await asyncio.sleep(PAUSE_S)
        before = [one.stops for one in ears]
        for number, voice in enumerate(clips.files):
            reply, word = replies[number % len(replies)], clips[voice]
            await jarvis.play(speech(reply))
            await asyncio.sleep(SPOKEN_FIRST_S)
            await person.play(speech(_as_loud_as(reply, word)))
            await asyncio.gather(jarvis.drain(), person.drain())
            await asyncio.sleep(PAUSE_S)
        for task in listening:
            task.cancel()
    jarvis.close()
    person.close()
    return {
        "removed_db": removed,
        "own_voice_taken_for_stop": before[1],
        "said": len(clips.files),
        "heard_with_echo": ears[0].stops - before[0],
        "heard_without": ears[1].stops - before[1],
    }


def _as_loud_as(reply: Samples, word: Samples) -> Samples:
    """Root mean square over the loud parts."""
    loud = [float(np.sqrt(np.square(wave[np.abs(wave) > 1_000] / 32_768).mean())) for wave in (reply, word)]
    return np.asarray(np.clip(word * (loud[0] / loud[1]), -32_768, 32_767), dtype=np.int16)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], ModelStore(Path(sys.argv[2]))))))  # noqa: T201 - its answer
