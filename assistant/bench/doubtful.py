"""Requests that leave templates and signals in doubt, so that the chat model decides; said by the assistant itself.

What the corpus says is decided without the model, whichever engine is asked. These were tried on the demo homelab: none
of them is.
"""

from __future__ import annotations

import numpy as np
import soxr

from assistant.bench.clips import Clip
from assistant.bench.shaping import speech_bounds, to_int16
from assistant.errors import SynthesisError
from assistant.ports import SAMPLE_RATE_HZ, Samples, Synthesizer

WAKE_PHRASE = "Hey Jarvis"
LEAD_S, TAIL_S = 0.5, 0.6
"""Quiet before and after; the detector has to hear something before the wake phrase."""

SENTENCES = (
    "do a fresh backup of the pictures before I wipe my phone",
    "I can not get into my passwords",
    "is there any trouble with the machine that runs my games",
    "prometheus is nine thousand ninety or something else",
    "the office is dark and I want to read",
    "the vault feels slow today",
    "I would sleep better if I knew that the photos were safe",
    "the gaming machine, wake it for me",
    "somebody complained about the photo server again",
    "I should be most grateful if you drew the bedroom blinds open",
    "what does the minecraft server say for itself",
    "the coffee should be hot when I come down",
    "give me something about nextcloud",
    "pihole, what was its number again",
    "the desk lamp is far too bright for me, thirty would do",
    "jellyfin has been strange since yesterday, what do you make of it",
)


async def spoken(synthesizer: Synthesizer, text: str, id_: str, voice: str) -> tuple[Clip, Samples]:
    """A clip of these words in the assistant's voice, and its audio: silence around it. Raises SynthesisError."""
    chunks = [chunk async for chunk in synthesizer.synthesize(text)]
    if not chunks:
        raise SynthesisError("synthesis_failed", "The synthesizer said nothing.")
    rate = chunks[0].sample_rate_hz
    pcm = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), dtype="<i2")
    wave = soxr.resample(pcm / 32768.0, rate, SAMPLE_RATE_HZ)
    start, end = speech_bounds(wave)
    lead, tail = (np.zeros(int(seconds * SAMPLE_RATE_HZ)) for seconds in (LEAD_S, TAIL_S))
    audio = to_int16(np.concatenate([lead, wave[start:end], tail]))
    speech_end_s = LEAD_S + (end - start) / SAMPLE_RATE_HZ
    clip = Clip(
        id=id_,
        file="",
        kind="command",
        said=text,
        wake=text.startswith(WAKE_PHRASE),
        speech_start_s=LEAD_S,
        speech_end_s=speech_end_s,
        duration_s=len(audio) / SAMPLE_RATE_HZ,
        engine="assistant",
        voice=voice,
    )
    return clip, audio
