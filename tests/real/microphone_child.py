"""Listens to an ALSA device by PortAudio itself, pulls it out and plugs it in again; prints what happened as JSON.

Run with HOME set to a folder whose ``.asoundrc`` defines the devices: PortAudio reads it whenever it starts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from assistant.speech.microphone import MicrophoneSource, MicrophoneState, Timings
from assistant.speech.sound_system import devices

TIMINGS = Timings(silent_s=5.0, check_s=0.1, first_retry_s=0.1, longest_retry_s=0.2)


class Plug:
    """The device's lines in that file."""

    def __init__(self, rc: Path, name: str) -> None:
        self._rc = rc
        self._in = rc.read_text(encoding="utf-8")
        self._out = self._in.split(f"pcm.{name}")[0]

    def pull(self) -> None:
        self._rc.write_text(self._out, encoding="utf-8")

    def put(self) -> None:
        self._rc.write_text(self._in, encoding="utf-8")


async def main(plug: Plug, name: str) -> dict[str, object]:
    states: asyncio.Queue[MicrophoneState] = asyncio.Queue()
    listed = devices("input")
    with MicrophoneSource(name, on_state=states.put_nowait, timings=TIMINGS) as microphone:
        first = await heard(microphone)
        plug.pull()
        assert microphone._recording is not None
        microphone._recording._stream.abort()  # what a driver does whose device is gone
        lost = await states.get()
        await asyncio.sleep(0.5)  # it is looked for in vain
        without = devices("input")
        plug.put()
        back = await states.get()
        second = await heard(microphone)
    return {
        "listed": listed,
        "first_hz": first,
        "states": [type(state).__name__ for state in (lost, back)],
        "without": without,
        "second_hz": second,
    }


async def heard(microphone: MicrophoneSource) -> float:
    """The loudest frequency in two seconds of sound."""
    chunks = []
    async for chunk in microphone.chunks():
        if chunk.any():
            chunks.append(chunk)
        if len(chunks) * CHUNK_SAMPLES >= 2 * SAMPLE_RATE_HZ:
            break
    samples = np.concatenate(chunks)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE_HZ / len(samples))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Plug(Path(sys.argv[1]), sys.argv[2]), sys.argv[2]))))  # noqa: T201 - its answer
