"""One connection to a satellite, from ``describe`` to its end: what it hears becomes turns, what is said is played."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.satellite import RunSatellite

from assistant.announcing import announce
from assistant.broadcast import RunningTurn
from assistant.config import SatelliteSettings
from assistant.errors import AudioError
from assistant.events import Transcribed, TurnEvent, TurnFailed, TurnFinished
from assistant.own_voice import OwnVoice
from assistant.places import Place
from assistant.ports import AudioSource, Listener, Synthesizer, Woken
from assistant.satellites.about import About
from assistant.satellites.contest import Contest
from assistant.satellites.house import House
from assistant.satellites.lights import told
from assistant.satellites.link import SatelliteLink
from assistant.satellites.player import SatelliteCues, SatellitePlayer, SatelliteSpeaker
from assistant.satellites.room_ears import Measured, RoomEars
from assistant.speaking import say
from assistant.speech.network_source import NetworkSource
from assistant.talk import Parts, Talk
from assistant.text.spoken import to_spoken
from tools.contract import Caller, Door

log = logging.getLogger(__name__)

SILENCE_AFTER_STOP_S = 0.5
"""Beyond the longest pause that endpointing allows: what a satellite does not send is silence."""


@dataclass(frozen=True, slots=True)
class _Mouth:
    synthesizer: Synthesizer | None
    player: SatellitePlayer
    own_voice: OwnVoice


class Session:
    """``run`` once. ``room``: where it stands, for the tools and for who plays something there."""

    def __init__(
        self,
        name: str,
        settings: SatelliteSettings,
        about: About,
        house: House,
        listener: Listener,
        contest: Contest,
        link: SatelliteLink,
    ) -> None:
        self._name = name
        self._house = house
        self._link = link
        self.room = settings.room or about.room
        self._wakes_itself = settings.wake == "there"
        self.problem = ""
        rate_hz, width, channels = about.microphone
        self._form = about.microphone
        self._source = NetworkSource(rate_hz=rate_hz, width=width, channels=channels, idle_s=None)
        self._own_voice = house.new_own_voice()
        self._player = SatellitePlayer(link.send, volume=settings.volume)
        self._player.speaks_at(about.rate_hz)
        self._measured = Measured(self._source)
        self._ears = RoomEars(name, listener, contest, self._own_voice, self._measured)
        earcons = SatelliteCues(self._player) if house.settings.speech.earcons else None
        self._place = Place(self._ears, self._player, earcons, self._own_voice)
        self._mouth = _Mouth(house.mouth, self._player, self._own_voice)
        self._turn: RunningTurn | None = None
        self._idle = False
        self._transcript: str | None = None

    async def run(self) -> None:
        """Until the connection is gone, which is raised: AudioError; and WakeWordError, ModelFilesError."""
        speaker = SatelliteSpeaker(self._player)
        where = self.room or self._name
        await self._link.send(RunSatellite().event())
        self._house.rooms.add(where, self._name, speaker)
        try:
            await _until_one_ends(
                self._receive(), self._link.keep_asking(), self._player.run(), self._talk(), self._announce()
            )
        finally:
            self._house.rooms.remove(where, self._name)
            self._player.close()
            self._source.end()
            if self._turn is not None and self._transcript is None:
                await self._turn.interrupt("the satellite went away")

    # ── what comes from it ────────────────────────────────────────────────────────────────────────────────────────

    async def _receive(self) -> None:
        while True:
            event = await self._link.receive()
            match event.type:
                case "audio-chunk":
                    await self._hear(event)
                case "audio-stop":
                    await self._hear_nothing()
                case "run-pipeline":
                    self._pipeline(event)
                case "detection" if self._wakes_itself:
                    self._woken_there(str(event.data.get("name") or ""))
                case _:
                    pass

    async def _hear(self, event: Event) -> None:
        form = tuple(event.data.get(key) for key in ("rate", "width", "channels"))
        if form != self._form:
            detail = f"The satellite {self._name!r} sends sound of another form than it said: {form}."
            mend = "Let it send 16 kHz, 16 bit, mono (--mic-command-rate 16000)."
            raise AudioError("satellite_format", detail, mend=mend)
        await self._source.put(event.payload or b"")

    async def _hear_nothing(self) -> None:
        rate_hz, width, channels = self._form
        silence_s = self._house.settings.endpoint.max_silence_s + SILENCE_AFTER_STOP_S
        await self._source.put(bytes(int(silence_s * rate_hz) * width * channels))

    def _pipeline(self, event: Event) -> None:
        """It says where its audio begins: before the wake word, or after it."""
        begins = event.data.get("start_stage")
        if begins == "asr" and not self._wakes_itself:
            self._misfit("listens for its wake word itself", "there")
        elif begins == "wake" and self._wakes_itself:
            self._misfit("leaves its wake word to Jarvis", "here")
        elif begins == "asr":
            self._woken_there(str(event.data.get("wake_word_name") or ""))

    def _misfit(self, does: str, wanted: str) -> None:
        if not self.problem:
            self.problem = f"It {does}: set wake = {wanted!r} in [satellites.{self._name}]."
            log.warning("the satellite %s: %s", self._name, self.problem)

    def _woken_there(self, word: str) -> None:
        if self._idle:
            self._source.forget()
            self._ears.woken_there(word or next(iter(self._house.settings.wake.words)))

    # ── turns ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _talk(self) -> None:
        parts = Parts(
            self._start,
            self._ears,
            self._own_voice,
            self._player,
            self._place.cues,
            self._house.settings.speech.interruption,
            self._wait,
        )
        async with aclosing(Talk(parts, self._measured).events()) as events:
            async for event in events:
                await self._tell(event)

    async def _wait(self, source: AudioSource) -> Woken:
        self._idle = True
        if not self._house.settings.speech.interruption:
            self._source.forget()  # nobody has listened meanwhile, and what was said then is over
        try:
            if not self._wakes_itself:
                return await self._ears.wait(source)
            if self._transcript is not None:  # that is what makes it listen for its wake word again
                await self._link.send(Transcript(text=self._transcript).event())
                self._transcript = None
            while (woken := await self._ears.wait_for_the_satellite()) is None:
                await self._link.send(RunSatellite().event())  # as that, but without a sound
            return woken
        finally:
            self._idle = False

    def _start(self, source: AudioSource, *, wake: bool, woken: Woken | None, follow_up: bool) -> RunningTurn:
        caller = Caller(door=Door.SATELLITE, name=f"satellite {self._name}", room=self.room)
        self._transcript = None
        self._turn = self._house.start_turn(
            source,
            caller=caller,
            conversation_id=f"room {self.room}" if self.room else f"satellite {self._name}",
            woken=woken,
            follow_up=follow_up,
            speak=True,
            place=self._place,
        )
        return self._turn

    async def _tell(self, event: TurnEvent) -> None:
        for light in told(event, wakes_itself=self._wakes_itself):
            await self._link.send(light)
        match event:
            case Transcribed(text=text):
                self._transcript = text
            case TurnFinished() | TurnFailed():
                self._turn = None
                self._transcript = self._transcript or ""
            case _:
                pass

    # ── what is said by itself ────────────────────────────────────────────────────────────────────────────────────

    async def _announce(self) -> None:
        def failed(error: Exception) -> None:
            log.warning("the satellite %s could not say an announcement: %s", self._name, error)

        async def ring() -> None:
            if self._place.cues is not None:
                await self._place.cues.play("ringing")

        await announce(
            lambda: self._house.announcement(Door.SATELLITE, self.room),
            self._say,
            ring=ring,
            quiet=lambda: self._idle,
            failed=failed,
        )

    async def _say(self, text: str) -> None:
        async with aclosing(say(to_spoken(text), self._mouth)) as speech:
            async for _ in speech:
                pass


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """All at once; the first that ends, ends the others. Raises what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):  # the first one's failure is what is told
                await task
