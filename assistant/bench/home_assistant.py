"""The clips of the voice benchmark through a Home Assistant Assist pipeline, to stand beside Jarvis's own figures.

``assist_pipeline/run`` is what Home Assistant's page, its apps and its satellites use: audio goes in at the pace of
speech in chunks of 80 ms, background follows until *its* voice activity detection ends the utterance, and the audio of
the reply is fetched as soon as it says where. Everything in between is as that Home Assistant is set up.

What is fair: both hear the same samples from the same feeder, at the same pace and with the same background after them;
times count on the wall clock from the true end of speech (``Clip.speech_end_s``) to the first byte of the reply's audio
at the client. Its pipeline starts behind the wake word, so it gets the sentence without the wake phrase. Its connection
stands before the clip begins, getting ready is not held against it, and nothing else is measured meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from assistant.bench.assist_socket import AssistSocket, assist_socket
from assistant.bench.clips import Clip, samples
from assistant.bench.feeding import AFTER_S, FedClip, with_background
from assistant.errors import HomeAssistantError
from assistant.ports import SAMPLE_RATE_HZ

REPLY_TIMEOUT_S = 60.0
"""Longest wait for the rest of a pipeline after its audio; a model behind it may need long."""

SETTLE_S = 0.5
"""Rest between two clips, in which its servers finish what they still do."""

RUN = "assist_pipeline/run"


@dataclass(frozen=True, slots=True)
class AssistRun:
    """What became of one clip. Seconds count from the true end of speech; None: it did not come so far.

    ``endpoint_s``: its voice activity detection ended the utterance (below 0: it cut the speaker off);
    ``transcript_s``, ``decision_s``: the words, and its answer's text, were there; ``synthesis_s``: it named the audio;
    ``first_audio_s``: the first byte of the reply's audio was here. ``error``: its code and message, when it failed.
    """

    clip: str
    transcript: str = ""
    reply: str = ""
    endpoint_s: float | None = None
    transcript_s: float | None = None
    decision_s: float | None = None
    synthesis_s: float | None = None
    first_audio_s: float | None = None
    error: str = ""


def comparable(clips: Sequence[Clip], starts_s: Mapping[str, float] | None = None) -> tuple[Clip, ...]:
    """Clips with speech that a pipeline behind the wake word can be given: without the wake phrase, or with a known
    end of it. Pure."""
    known = starts_s or {}
    return tuple(clip for clip in clips if clip.kind != "no_speech" and (not clip.wake or clip.id in known))


async def compare(
    url: str,
    token: str,
    clips: Sequence[Clip],
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    *,
    starts_s: Mapping[str, float] | None = None,
    pipeline: str | None = None,
) -> tuple[AssistRun, ...]:
    """Run the comparable clips, one after the other, through a pipeline (None: the preferred one) at ``url``.

    ``folder`` holds the clips; ``progress`` is told how many are done, and of how many; ``starts_s``: clip id → where
    its wake phrase ends. Raises HomeAssistantError, EgressError, AudioError; what goes wrong with a clip is in its run.
    """
    chosen = comparable(clips, starts_s)
    runs = []
    async with assist_socket(url, token) as socket, httpx.AsyncClient(trust_env=False, timeout=REPLY_TIMEOUT_S) as http:
        assist = Assist(url, socket, http, pipeline)
        for done, clip in enumerate(chosen, start=1):
            start_s = (starts_s or {}).get(clip.id, 0.0)
            audio = with_background(await asyncio.to_thread(samples, folder, clip), clip)
            fed = FedClip(audio[round(start_s * SAMPLE_RATE_HZ) :])
            run = await assist.hear(fed, speech_end_s=clip.speech_end_s - start_s)
            runs.append(replace(run, clip=clip.id))
            progress(done, len(chosen))
            await asyncio.sleep(SETTLE_S)
    return tuple(runs)


@dataclass(slots=True)
class _Heard:
    """One run under way."""

    source: FedClip
    handler: int = 0
    """Whom the audio is for, in the connection."""
    at: dict[str, float] = field(default_factory=dict)
    """The first time of each event, on the loop's clock."""
    transcript: str = ""
    reply: str = ""
    error: str = ""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """No more audio is wanted."""
    speaking: asyncio.Task[None] | None = None
    fetching: asyncio.Task[None] | None = None

    def stamp(self, what: str) -> None:
        self.at.setdefault(what, asyncio.get_running_loop().time())

    def as_run(self, speech_end_s: float) -> AssistRun:
        try:
            end = self.source.spoken_at(speech_end_s)
        except ValueError:  # it failed before anything was spoken
            return AssistRun(clip="", error=self.error)
        since = {what: round(when - end, 4) for what, when in self.at.items()}
        return AssistRun(
            clip="",
            transcript=self.transcript,
            reply=self.reply,
            endpoint_s=since.get("stt-vad-end"),
            transcript_s=since.get("stt-end"),
            decision_s=since.get("intent-end"),
            synthesis_s=since.get("tts-end"),
            first_audio_s=since.get("audio"),
            error=self.error,
        )


@dataclass(frozen=True, slots=True)
class Assist:
    """A pipeline that is spoken to over an open connection."""

    url: str
    socket: AssistSocket
    http: httpx.AsyncClient
    pipeline: str | None = None

    async def hear(self, source: FedClip, *, speech_end_s: float) -> AssistRun:
        """One utterance, in real time. Raises HomeAssistantError when the connection ends or makes no sense."""
        heard = _Heard(source)
        limit_s = speech_end_s + AFTER_S + REPLY_TIMEOUT_S
        try:
            async with asyncio.timeout(limit_s):
                await self._follow(heard)
        except TimeoutError:
            heard.error = f"timeout: no reply within {limit_s:.0f} s"
        finally:
            tasks = [task for task in (heard.speaking, heard.fetching) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return heard.as_run(speech_end_s)

    async def _follow(self, heard: _Heard) -> None:
        """Read the run's events to its end; speaking and fetching go on beside it."""
        chosen = {"pipeline": self.pipeline} if self.pipeline else {}
        run = {"start_stage": "stt", "end_stage": "tts", "input": {"sample_rate": SAMPLE_RATE_HZ}, **chosen}
        async with aclosing(self.socket.events(await self.socket.start(RUN, **run), RUN)) as events:
            async for event in events:
                kind, data = str(event["type"]), event.get("data") or {}
                heard.stamp(kind)
                _note(heard, kind, data)
                if kind == "stt-start":
                    heard.speaking = asyncio.create_task(self._speak(heard))
                elif kind == "run-end":
                    break
                if heard.fetching is None and (address := (data.get("tts_output") or {}).get("url")):
                    heard.fetching = asyncio.create_task(self._fetch(heard, str(address)))
        if heard.fetching is not None and not heard.error:
            await heard.fetching

    async def _speak(self, heard: _Heard) -> None:
        """Send chunks when they are due until they are no longer wanted, then the mark of the end."""
        with suppress(HomeAssistantError):  # a lost connection is told by who reads
            async for chunk in heard.source.chunks():
                if heard.enough.is_set():
                    break
                await self.socket.send_binary(heard.handler, chunk.astype("<i2").tobytes())
            await self.socket.send_binary(heard.handler, b"")

    async def _fetch(self, heard: _Heard, address: str) -> None:
        """The reply's audio. Newer versions say at the start where it will be, and keep the line open until it is."""
        try:
            async with self.http.stream("GET", urljoin(self.url, address)) as response:
                response.raise_for_status()
                async for data in response.aiter_raw():
                    if data:
                        heard.stamp("audio")
        except httpx.HTTPError as error:
            heard.error = f"no-audio: {error}"


def _note(heard: _Heard, kind: str, data: Mapping[str, Any]) -> None:
    """Keep what an event says. Raises HomeAssistantError."""
    try:
        _keep(heard, kind, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"Home Assistant's event {kind} is not as it was known to be: {type(error).__name__} {error}."
        raise HomeAssistantError("home_assistant_nonsense", detail) from error


def _keep(heard: _Heard, kind: str, data: Mapping[str, Any]) -> None:
    if kind == "run-start":
        heard.handler = int(data["runner_data"]["stt_binary_handler_id"])
    elif kind == "stt-end":
        heard.transcript = str(data["stt_output"]["text"])
    elif kind == "intent-end":
        speech = data["intent_output"]["response"]["speech"]
        heard.reply = str(speech.get("plain", {}).get("speech") or "")
    elif kind == "error":
        heard.error = f"{data.get('code')}: {data.get('message')}"
    if kind in ("stt-vad-end", "stt-end", "error", "run-end"):
        heard.enough.set()
