"""Spoken turns: recordings that are uploaded, OpenAI's audio routes, and a room's microphone with its wake word.

Decoding, wake word, endpointing, Whisper and Piper are the real ones. The microphone sends faster than anybody speaks:
the ears count audio, not seconds.
"""

from __future__ import annotations

import io
import wave
from functools import lru_cache

import numpy as np

from assistant.ports import Samples
from assistant.resources import resource
from assistant.soak.visitor import PATIENCE_S, Visitor, expect, expect_call

UPLOADS = {
    "is_the_media_server_up": ("jellyfin", "Jellyfin is up."),
    "hey_jarvis_pause_is_grafana_up": ("grafana", "Grafana is up."),
}
"""Recording of ``audio_fixtures``: the service it asks about, and the answer."""

AT_THE_MICROPHONE = "hey_jarvis_pause_is_grafana_up"


async def upload(visitor: Visitor) -> None:
    """A recording as a phone sends it, and the reply as sound."""
    clip, (service, said) = visitor.chance.choice(sorted(UPLOADS.items()))
    headers = visitor.bearer() | {"Content-Type": "audio/wav"}
    conversation = {"conversation_id": visitor.name("phone")}
    answer = await visitor.http.post("/command", params=conversation, content=recording(clip), headers=headers)
    expect(answer.status_code == 200 and answer.json()["error"] is None, "an outcome", answer)
    outcome = answer.json()
    expect_call(outcome, "check_services", {"service": service})
    expect(outcome["reply"] == said, repr(said), outcome["reply"])
    reply = await visitor.http.get(outcome["audio_url"], headers=visitor.bearer())
    expect(reply.status_code == 200, "the reply as sound", reply)
    expect(_seconds(reply.content) > 0.5, "half a second of speech", _seconds(reply.content))


async def openai(visitor: Visitor) -> None:
    """A recording as text, and a text as a recording."""
    files = {"file": ("clip.wav", recording("is_the_media_server_up"), "audio/wav")}
    heard = await visitor.http.post(
        "/v1/audio/transcriptions", files=files, data={"model": "whisper-1"}, headers=visitor.bearer()
    )
    expect("media server" in heard.text.casefold(), "what was said", heard)
    body = {"model": "tts-1", "input": "Jellyfin is up.", "voice": "alloy", "response_format": "wav"}
    spoken = await visitor.http.post("/v1/audio/speech", json=body, headers=visitor.bearer())
    expect(spoken.status_code == 200 and len(spoken.content) > 10_000, "speech", spoken.status_code)


async def microphone(visitor: Visitor) -> None:
    """Said in a room: the wake word, the end, the words, the answer on that room's loudspeaker."""
    heard = await visitor.home.device.say(samples(AT_THE_MICROPHONE), PATIENCE_S)
    expect(heard.detected and not heard.problem, "the wake word", heard)
    expect("grafana" in heard.transcript.casefold(), "the question", heard)
    expect(any("Grafana is up" in said for said in heard.said) and heard.played_s > 0.5, "the answer aloud", heard)


@lru_cache
def recording(name: str) -> bytes:
    """The file."""
    return resource("audio_fixtures", f"{name}.wav").read_bytes()


@lru_cache
def samples(name: str) -> Samples:
    """The same as samples, 16 kHz, mono."""
    with wave.open(io.BytesIO(recording(name))) as wav:
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").astype(np.int16)


def _seconds(data: bytes) -> float:
    """Length of a wav."""
    with wave.open(io.BytesIO(data)) as wav:
        return float(wav.getnframes() / wav.getframerate())
