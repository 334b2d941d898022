"""Requests that templates and signals understand and doubt, so that the chat model decides; said by the assistant.

What the corpus says is decided without the model, whichever engine is asked. Each of these leaves a call in doubt over
the demo homelab's names (a test asks the narrowing).
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
    "prove to me that the photos can come back",
    "keep a new copy of the documents",
    "revive the photo server",
    "remember the laundry for me in half an hour",
    "give me a shout in ten minutes",
    "resurrect nextcloud",
    "keep another copy of the pictures",
    "prove that the repositories can come back",
    "give me a nudge at half past six",
    "revive minecraft",
    "secure a copy of the passwords",
    "remember the milk for me at five",
    "prove that the password vault can come back",
    "dust off the scratch machine",
    "keep a new copy of the config",
    "holler at me in twenty minutes",
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
