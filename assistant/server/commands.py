"""``POST /command``: one utterance in, one turn, the answer in the form that was asked for; and what is left of a turn.

Speech is made while the turn runs where somebody listens (``Accept: audio/…``, ``?audio=1``, a room), else when it is
fetched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from starlette.requests import Request
from starlette.responses import Response

from assistant.app import App
from assistant.broadcast import RunningTurn
from assistant.errors import AudioError, SynthesisError
from assistant.ports import AudioSource, SpeechChunk
from assistant.server.answers import RequestError, problem, shown
from assistant.server.bodies import Command, clip_status, read_command
from assistant.server.command_answer import CommandAnswer
from assistant.server.event_stream import event_stream
from assistant.server.idempotency import HEADER, Requests
from assistant.server.identity import identity
from assistant.server.playing import Playing
from assistant.server.recent import RecentTurns
from assistant.server.reply_speech import reply_speech
from assistant.server.speech_stream import speech_form, speech_stream
from assistant.speech.wav import wav_bytes
from tools.contract import Caller

MAX_READING = 16
"""Bodies that are being read at once: with ``max_upload_bytes`` the bound of the memory that clips take."""

MAX_RUNNING = 8
"""Clips that are being decoded, replies that are being made into speech, and turns under way, together."""

RETRY_AFTER_S = 5


class CommandDoor:
    """The routes over one app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.recent = RecentTurns()
        self._requests = Requests(app.state.path / "requests.db")
        self._reading = 0
        self._working = 0

    def close(self) -> None:
        """Idempotent."""
        self._requests.close()

    async def command(self, request: Request) -> Response:
        """One utterance in, one turn, the answer in the form that Accept asks for."""
        with self._place_to_read():
            command = await read_command(request, self._app.settings.server.max_upload_bytes)
        accept = request.headers.get("accept", "")
        streamed = "text/event-stream" in accept
        form = None if streamed or command.room else speech_form(accept)
        aloud = bool(command.room) or form is not None or (streamed and _wants_audio(request))

        async def start() -> RunningTurn:
            with self.place_to_run():
                return self._start(command, await self._utterance(command), aloud=aloud)

        name = identity.get().name
        key = request.headers.get(HEADER)
        turn = await self._requests.once(key, name, command, start, lambda turn_id: self.recent.find(turn_id, name))
        playing = self.recent.playing(turn.turn_id)
        if streamed:
            return event_stream(turn, with_audio=_wants_audio(request), playing=playing)
        if form is not None:
            return await speech_stream(turn, reply_speech(turn, self._app), form)
        outcome = await turn.outcome()
        played = await playing.played() if playing is not None else None
        return shown(CommandAnswer.of(outcome, audible=self._app.synthesizer is not None, played=played))

    async def reply_audio(self, request: Request) -> Response:
        """The reply of a recent turn as wav; waits for a turn that is still under way."""
        turn = self._find(request)
        await turn.outcome()
        with self.place_to_run():
            chunks = [chunk async for chunk in self._speech(turn)]
        if not chunks:
            return problem(404, "no_audio", "That turn said nothing.")
        return Response(wav_bytes(chunks), media_type="audio/wav")

    async def events(self, request: Request) -> Response:
        """The events of a recent turn, from the first, as server-sent events."""
        turn = self._find(request)
        return event_stream(turn, with_audio=_wants_audio(request), playing=self.recent.playing(turn.turn_id))

    def start_typed(self, text: str, conversation_id: str, caller: Caller) -> RunningTurn:
        """A turn without a mouth. Raises RequestError where too many are under way."""
        with self.place_to_run():
            turn = self._app.start_turn(text, caller=caller, conversation_id=conversation_id)
            self.recent.add(turn, caller.name)
        return turn

    @contextmanager
    def place_to_run(self) -> Iterator[None]:
        """For work beside the turns; a turn that is started inside has the place after it. Raises RequestError."""
        if self._working + self.recent.under_way >= MAX_RUNNING:
            raise _busy(f"{MAX_RUNNING} turns are under way.")
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    @contextmanager
    def _place_to_read(self) -> Iterator[None]:
        if self._reading >= MAX_READING:
            raise _busy(f"{MAX_READING} requests are being read.")
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1

    async def _utterance(self, command: Command) -> str | AudioSource:
        if command.clip is None:
            return command.text or ""
        try:
            return await self._app.clip(command.clip)
        except AudioError as error:
            raise RequestError(clip_status(error.code), error.code, error.detail, error.mend) from error

    def _start(self, command: Command, utterance: str | AudioSource, *, aloud: bool) -> RunningTurn:
        """The loudspeaker is looked for before anything begins."""
        me, rooms = identity.get(), self._app.rooms
        room = next((one for one in rooms.names if one.casefold() == (command.room or "").casefold()), None)
        speaker = rooms.speaker(room) if room is not None else None
        if command.room and speaker is None:
            there = ", ".join(rooms.names) or "none"
            message = f"There is no loudspeaker in {command.room!r}."
            raise RequestError(404, "unknown_room", message, f"Rooms that can be spoken in: {there}.")
        turn = self._app.start_turn(
            utterance,
            caller=me.caller(room=room),
            conversation_id=f"{me.name}/{command.conversation_id}",
            speak=aloud,
            engine=command.engine,
        )
        playing = Playing(turn, room, speaker) if room is not None and speaker is not None else None
        self.recent.add(turn, me.name, playing)
        return turn

    async def _speech(self, turn: RunningTurn) -> AsyncIterator[SpeechChunk]:
        async with aclosing(reply_speech(turn, self._app)) as speech:
            try:
                async for chunk in speech:
                    yield chunk
            except SynthesisError as error:
                raise RequestError(503, "no_audio", error.detail, error.mend) from error

    def _find(self, request: Request) -> RunningTurn:
        turn = self.recent.find(request.path_params["turn_id"], identity.get().name)
        if turn is None:
            raise RequestError(404, "unknown_turn", "You have no such turn, or it was too long ago.")
        return turn


def _wants_audio(request: Request) -> bool:
    return request.query_params.get("audio") == "1"


def _busy(message: str) -> RequestError:
    return RequestError(503, "busy", message, "Try again in a few seconds.", {"Retry-After": str(RETRY_AFTER_S)})
