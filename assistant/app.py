"""The composition root: the only place that knows which adapters there are and builds them.

``open_app`` gives an :class:`App`, which owns the turns; doors start turns and listen to them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mcp.server import Server

from assistant.app_house import HouseDesk
from assistant.app_model import embedder, model_chain
from assistant.app_speech import (
    cues,
    listener,
    microphone,
    player,
    spoken_names,
    stop_echo,
    synthesizer,
    transcriber,
    voice_spoken_with,
    wake_word_maker,
    warm_speech,
)
from assistant.breaker import Breaker
from assistant.broadcast import RunningTurn
from assistant.chat.chain import ModelChain
from assistant.config import Settings
from assistant.conversation import Conversation
from assistant.digesting import digest_phraser
from assistant.egress import refusals
from assistant.errors import ConfigError, StateError, TranscriptionError
from assistant.events import TurnEvent, TurnFinished
from assistant.memory import GivingBack, give_back
from assistant.model_turn import system_prompt
from assistant.models import ModelStore
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.observing.ended import EndedTurn
from assistant.observing.house import HeartbeatSeen
from assistant.observing.logs import TURN
from assistant.observing.open import Observer, debug_recorder, observers
from assistant.observing.recorder import DebugRecorder, TappedSource
from assistant.observing.spent import Metered, Spent
from assistant.own_voice import OwnVoice
from assistant.places import Place
from assistant.ports import AudioSource, Engine, Names, Samples, SpeechChunk, WakeWordDetector, Woken
from assistant.reply import Reply, local_now
from assistant.rooms import Rooms
from assistant.satellites.satellites import Satellites
from assistant.sentences import HassilMatcher
from assistant.speaking import say
from assistant.speech.decoding import decode_clip, read_clip
from assistant.speech.earcons import Earcons
from assistant.speech.elsewhere import LoadableTranscriber
from assistant.speech.listener import EarListener
from assistant.speech.microphone import MicrophoneSource, MicrophoneState
from assistant.speech.player import SoundDevicePlayer
from assistant.speech.resting import Resting
from assistant.speech.sources import ClipSource
from assistant.speech.speech_cache import CachedSynthesizer
from assistant.speech.stop_echo import StopEcho
from assistant.standing import standing
from assistant.state import StateFolder, default_state_dir
from assistant.talk import Parts, Talk
from assistant.text.spoken import to_spoken
from assistant.text.transcript import clean_transcript
from assistant.tokens import FILE_NAME as TOKENS_FILE
from assistant.tokens import TokenStore
from assistant.toolbox import McpToolbox
from assistant.traces import TraceStore
from assistant.turn import Stages, TurnRequest, run_turn
from assistant.understanding import Understanding, Understood
from tools.contract import Caller, CallOutcome, Door, JsonObject
from tools.pin import PinError
from tools.recording import RecordingHouse, evaluation_clock
from tools.server import MCP_CLIENT, ToolHouse, mcp_server
from tools.store import StoreError

log = logging.getLogger(__name__)

MAX_CONVERSATIONS = 64
"""Conversations remembered at once; the one that was quiet longest goes first."""


@dataclass
class App(HouseDesk):
    """What runs: tools, brain, and as much of ears and mouth as was asked for."""

    settings: Settings
    state: StateFolder
    models: ModelStore
    toolbox: McpToolbox
    house: ToolHouse
    traces: TraceStore
    model: ModelChain
    replier: Reply
    listener: EarListener | None = None
    transcriber: LoadableTranscriber | None = None
    synthesizer: CachedSynthesizer | None = None
    player: SoundDevicePlayer | None = None
    cues: Earcons | None = None
    rooms: Rooms = field(default_factory=Rooms)
    satellites: Satellites | None = None
    own_voice: OwnVoice = field(default_factory=lambda: OwnVoice(asyncio.get_running_loop().time))
    stop_echo: StopEcho | None = None
    _conversations: OrderedDict[str, tuple[Conversation, asyncio.Lock]] = field(default_factory=OrderedDict)
    giving_back: GivingBack = field(default_factory=GivingBack)
    spent: Spent = field(default_factory=Spent)
    observers: list[Observer] = field(default_factory=list)
    recorder: DebugRecorder | None = None
    heartbeats: Sequence[HeartbeatSeen] = ()
    waiting_turns: int = 0
    _running: set[RunningTurn] = field(default_factory=set)
    _noting: set[asyncio.Task[None]] = field(default_factory=set)

    def start_turn(
        self,
        utterance: str | AudioSource,
        *,
        caller: Caller,
        conversation_id: str = "default",
        wake: bool = False,
        woken: Woken | None = None,
        follow_up: bool = False,
        speak: bool = False,
        play: bool = False,
        engine: Engine | None = None,
        place: Place | None = None,
    ) -> RunningTurn:
        """Start a turn that this app owns; turns of one conversation come one after another.

        ``wake``: wait for the wake word in the audio; ``woken``: it was heard already; ``follow_up``: the answer to a
        question, which needs none; ``speak``: synthesize the reply; ``play``: on this machine's loudspeaker too, where
        there is one; ``place``: by the ears and on the loudspeaker of that place instead.
        """
        request = TurnRequest(
            turn_id=secrets.token_hex(6),
            utterance=utterance,
            caller=caller,
            wake=wake,
            woken=woken,
            follow_up_s=self.settings.endpoint.follow_up_s if follow_up else None,
            engine=engine or self.settings.engine,
            speculate=self.settings.endpoint.speculate,
            sentences=self.settings.speech.sentences,
        )
        here = Place(self.listener, self.player, self.cues, self.own_voice)
        heard, said = place or here, place or (here if speak and play else Place())
        stages = Stages(
            replier=self.replier,
            listener=heard.listener,
            transcriber=self.transcriber,
            synthesizer=self.synthesizer if speak else None,
            player=said.player,
            cues=said.cues,
            own_voice=said.own_voice,
            wake_words=tuple(self.settings.wake.words),
        )
        tapped = None
        if self.recorder is not None and not isinstance(request.utterance, str):
            tapped = TappedSource(request.utterance, woken.pre_roll if woken is not None else None, wake=wake)
            request = replace(request, utterance=tapped)
        events = self._in_turn(request, stages, conversation_id)
        running = RunningTurn(request.turn_id, events, on_end=lambda log: self._ended(running, log, caller, tapped))
        self._running.add(running)
        return running

    async def clip(self, data: bytes) -> AudioSource:
        """An uploaded clip as a source, decoded in a limited child. Raises AudioError."""
        return ClipSource(await self.clip_samples(data))

    async def clip_samples(self, data: bytes) -> Samples:
        """An uploaded clip, decoded in a limited child. Raises AudioError."""
        return await decode_clip(data, max_clip_s=self.settings.server.max_clip_s)

    def speech(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """What the mouth makes of spoken text; nothing without one. Raises SynthesisError."""
        return self.synthesizer.synthesize(text) if self.synthesizer is not None else _silence()

    def breakers(self) -> tuple[Breaker, ...]:
        """Of all that may be left alone for a while: the chat server, ears and mouth elsewhere, and the tools' own."""
        mouth = getattr(self.synthesizer, "inner", None)  # one of another kind rests for nobody
        parts: tuple[object, ...] = (self.transcriber, mouth)
        speech = [part.breaker for part in parts if isinstance(part, Resting)]
        return (self.model.breaker, *speech, *self.house.breakers())

    @property
    def voice(self) -> tuple[str, str]:
        """Name and language of the voice. Raises ModelFilesError."""
        return voice_spoken_with(self.settings, self.models)

    def wake_detector(self, words: Sequence[str]) -> WakeWordDetector:
        """A detector of its own for one stream and these of the wake words; blocking. Raises WakeWordError,
        ModelFilesError."""
        chosen = {name: self.settings.wake.words[name] for name in words}
        return wake_word_maker(self.settings.wake.model_copy(update={"words": chosen}), self.models)()

    async def clip_file(self, path: Path, *, realtime: bool = False) -> AudioSource:
        """A clip from a file. Raises AudioError."""
        samples = await read_clip(path, max_clip_s=self.settings.server.max_clip_s)
        return ClipSource(samples, realtime=realtime)

    def conversation(self, conversation_id: str) -> Conversation:
        """As it is remembered; a new one where it is not."""
        return self._conversation(conversation_id)[0]

    def recall(self, conversation_id: str, exchanges: Sequence[tuple[str, str]]) -> None:
        """What was said and answered before, told by a client that remembers it, where we do not any more."""
        conversation = self.conversation(conversation_id)
        if not conversation.exchanges:
            for said, answered in exchanges:
                conversation.remember(said, answered)

    def microphone(self, on_state: Callable[[MicrophoneState], None] | None = None) -> MicrophoneSource:
        """The configured microphone, without our loudspeaker in it; open it with ``with``. Raises AudioError there."""
        return microphone(self.settings, self.player, on_state)

    def talk(self, source: AudioSource, on_listening: Callable[[bool], None] | None = None) -> Talk:
        """Turn after turn at this source, replies on the loudspeaker. Needs ears; see :class:`Talk`."""
        if self.listener is None:
            raise TranscriptionError("no_ears", "This app was opened without ears.")

        def start(source: AudioSource, *, wake: bool, woken: Woken | None, follow_up: bool) -> RunningTurn:
            caller = Caller(door=Door.MICROPHONE)
            return self.start_turn(
                source, caller=caller, wake=wake, woken=woken, follow_up=follow_up, speak=True, play=True
            )

        def only_echo() -> bool:
            return isinstance(source, MicrophoneSource) and source.only_echo

        interruption = self.settings.speech.interruption
        parts = Parts(start, self.listener, self.own_voice, self.player, self.cues, interruption, only_echo=only_echo)
        return Talk(parts, source, on_listening=on_listening)

    def open_satellites(self) -> AbstractAsyncContextManager[None]:
        """The satellites of the configuration, connected as far as they are there, until the context ends."""
        self.satellites = Satellites(self)
        return self.satellites.running()

    def room_listener(self) -> AbstractContextManager[EarListener]:
        """Ears for one more stream, with the turn model that all share. Raises ModelFilesError, WakeWordError."""
        return listener(self.settings, self.models, self.listener)

    def new_own_voice(self) -> OwnVoice:
        """The memory of what one loudspeaker says."""
        reheard = self.stop_echo.sentence if self.stop_echo is not None else None
        return OwnVoice(asyncio.get_running_loop().time, reheard)

    @property
    def mouth(self) -> CachedSynthesizer | None:
        """The voice, where there is one."""
        return self.synthesizer

    async def load_speech(self) -> None:
        """Load what there is of ears and mouth. Raises StageError."""
        parts = [part for part in (self.listener, self.transcriber, self.synthesizer) if part is not None]
        await asyncio.gather(*(part.load() for part in parts))
        if self.stop_echo is not None:
            await asyncio.to_thread(self.stop_echo.load)
        await asyncio.to_thread(give_back)

    async def warm_model(self) -> None:
        """Let the model read its constant prefix, so that it stands in the KV cache. Raises ChatError."""
        prefix = Conversation().messages_for_model(system_prompt(), "hello")
        await self.model.warm(prefix, ())

    async def warm_speech(self) -> None:
        """Make what is said often ahead of time, in the gaps between turns; cancel it at any time."""
        if self.synthesizer is not None:
            await warm_speech(self.settings, self.synthesizer)

    def mcp_server(self, who: Callable[[], Caller] = lambda: MCP_CLIENT) -> Server[Any]:
        """The tools as an MCP server for outside clients: who they are is not theirs to say."""
        return mcp_server(self.house, trust_caller=False, version=app_version(), who=who)

    async def call(self, tool: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        """One tool, without a turn, by the one call path; a question that it leaves open cannot be answered from
        outside. Raises ToolboxError."""
        outcome = await self.toolbox.call(tool, arguments, caller)
        return outcome.model_copy(update={"confirmation": None})

    @property
    def running_turns(self) -> int:
        """Turns under way, those that wait among them."""
        return len(self._running)

    @property
    def state_path(self) -> Path:
        """The state folder."""
        return self.state.path

    @property
    def recording(self) -> bool:
        """Whether sound and words of turns are kept to debug with."""
        return self.recorder is not None

    def refused_connections(self) -> Mapping[str, int]:
        """Of the egress guard, by host."""
        return refusals()

    async def turns(self, limit: int, who: str | None) -> list[JsonObject]:
        """The newest turns (of this caller), newest first. Raises StateError."""
        return await asyncio.to_thread(self.traces.turns, limit, who=who)

    async def say(self, text: str) -> None:
        """On the loudspeaker, where there is one. Raises SynthesisError, PlaybackError."""
        if self.player is not None:
            async with aclosing(say(to_spoken(text), self)) as speech:
                async for _ in speech:
                    pass

    async def finish_turns(self, within_s: float) -> None:
        """Let turns under way end, then interrupt those that have not."""
        waiting = {asyncio.create_task(turn.outcome()): turn for turn in self._running}
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=within_s)
            for task in late:
                await waiting[task].interrupt("Jarvis is being shut down")

    async def noted(self) -> None:
        """What the last turns left to be written is written."""
        if self._noting:
            await asyncio.wait(self._noting)

    async def _in_turn(
        self, request: TurnRequest, stages: Stages, conversation_id: str
    ) -> AsyncGenerator[TurnEvent, None]:
        conversation, lock = self._conversation(conversation_id)
        began_at = asyncio.get_running_loop().time()
        TURN.set(request.turn_id)
        async with self._waited_for(lock):
            try:
                async for event in run_turn(request, stages, conversation):
                    yield event
            except asyncio.CancelledError:
                if stages.own_voice is not None:  # what was not heard was not said
                    conversation.interrupted(stages.own_voice.since(began_at))
                raise

    @asynccontextmanager
    async def _waited_for(self, lock: asyncio.Lock) -> AsyncIterator[None]:
        self.waiting_turns += 1
        try:
            await lock.acquire()
        finally:
            self.waiting_turns -= 1
        try:
            yield
        finally:
            lock.release()

    async def _somebody_spoke(self, caller: Caller) -> None:
        """What was said there a moment ago was heard, and is not missed."""
        try:
            await asyncio.to_thread(self.house.messages.somebody_spoke, caller.door, caller.room)
        except StoreError as error:
            log.warning("that somebody was there could not be kept: %s", error)

    def _conversation(self, conversation_id: str) -> tuple[Conversation, asyncio.Lock]:
        known = self._conversations.setdefault(
            conversation_id, (Conversation(id_=conversation_id, clock=time.monotonic), asyncio.Lock())
        )
        self._conversations.move_to_end(conversation_id)
        while len(self._conversations) > MAX_CONVERSATIONS:
            self._conversations.popitem(last=False)
        return known

    def _ended(
        self, turn: RunningTurn, events: Sequence[TurnEvent], caller: Caller, tapped: TappedSource | None = None
    ) -> None:
        self._running.discard(turn)
        self._observed(EndedTurn(events=events, caller=caller, at=time.time()), tapped)
        self.giving_back.turn_ended()
        if any(isinstance(event, TurnFinished) for event in events):
            noting = asyncio.create_task(self._somebody_spoke(caller))
            self._noting.add(noting)
            noting.add_done_callback(self._noting.discard)
        try:
            self.traces.keep(events, caller.door.value, caller.name)
        except StateError as error:
            log.warning("the turn's trace is lost: %s", error.detail)

    def _observed(self, ended: EndedTurn, tapped: TappedSource | None) -> None:
        for observe in self.observers:
            observe(ended)
        if self.recorder is not None:
            audio = tapped.heard_in(ended.events) if tapped is not None else None
            recording = asyncio.create_task(asyncio.to_thread(self.recorder.keep, replace(ended, audio=audio)))
            self._noting.add(recording)
            recording.add_done_callback(self._noting.discard)


async def _silence() -> AsyncGenerator[SpeechChunk, None]:
    return
    yield


@asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    ears: bool = False,
    mouth: bool = False,
    record: bool = False,
    progress: Callable[[str], None] | None = None,
) -> AsyncIterator[App]:
    """Open everything that was asked for; own the state folder meanwhile.

    ``record``: the tools plan their calls and do nothing (for the evaluation).

    Raises StateError (locked, unwritable), ModelFilesError (a file of ears or mouth is missing), ToolboxError.
    """
    tell = progress or (lambda _: None)
    models = ModelStore(settings.models_dir)
    state = StateFolder.prepared(settings.state_dir or default_state_dir())
    async with AsyncExitStack() as stack:
        stack.enter_context(state.owned())
        tell("opening the tools")
        house = stack.enter_context(_tool_house(settings, state, RecordingHouse if record else ToolHouse))
        await stack.enter_async_context(house.outside)
        toolbox = await stack.enter_async_context(McpToolbox(mcp_server(house, trust_caller=True)))
        traces = TraceStore(
            state.path / "traces.db",
            keep_words=settings.privacy.keep_transcripts,
            turns=settings.retention.turns,
            days=settings.retention.turn_days,
        )
        stack.callback(traces.close)
        model = model_chain(settings, models, state)
        stack.push_async_callback(model.close)
        house.phrase_digest = digest_phraser(model, toolbox.names)
        house.path.standing = standing(TokenStore(state.path / TOKENS_FILE))
        clock = evaluation_clock if record else local_now
        router = Router(embedder(models))
        understanding = Understanding(lambda names: _understood(names, house, router, clock))
        spent = Spent()
        replier = Reply(
            understanding,
            Metered(model, spent),
            toolbox,
            max_rounds=settings.model.max_rounds,
            own_sentences=settings.model.own_sentences,
            phrase_several=settings.model.phrase_results,
            now=clock,
        )
        names = await toolbox.names()
        await understanding.of(names)
        app = App(settings, state, models, toolbox, house, traces, model, replier, spent=spent)
        app.observers = stack.enter_context(observers(settings))
        app.recorder = None if record else debug_recorder(settings)
        stack.callback(app.giving_back.close)
        stack.push_async_callback(app.noted)
        if ears and not record:
            await stack.enter_async_context(house.keeping_time())
        if ears:
            tell("opening the ears")
            app.listener = stack.enter_context(listener(settings, models))
            app.stop_echo = stop_echo(settings, models)
            app.own_voice = app.new_own_voice()
            app.transcriber = stack.enter_context(
                transcriber(settings, models, spoken_names(names), partial(_settled, understanding, settings))
            )
        if mouth:
            tell("opening the mouth")
            app.synthesizer = stack.enter_context(synthesizer(settings, models))
            app.player = stack.enter_context(player(settings))
            app.cues = cues(settings, app.player)
        yield app


def _understood(names: Names, house: ToolHouse, router: Router, clock: Callable[[], datetime]) -> Understood:
    """Templates and narrowing for these names; orders that are scheduled are read with the same templates."""
    matcher = HassilMatcher(names, clock=clock)
    narrower = Narrower(names, router, clock)
    house.read_order = lambda words: matcher.order(words) or narrower.order(words)
    return Understood(matcher, narrower)


def _settled(understanding: Understanding, settings: Settings, text: str) -> bool:
    """Whether a template reads what Whisper wrote: no name was missed then, and nobody waits for a second look."""
    known, words = understanding.latest, clean_transcript(text, tuple(settings.wake.words))
    return known is not None and known.matcher.match(words) is not None


def app_version() -> str:
    """Of the installed package."""
    try:
        return version("jarvis-homeserver")
    except PackageNotFoundError:
        return "0+checkout"


def _tool_house(settings: Settings, state: StateFolder, kind: type[ToolHouse]) -> ToolHouse:
    try:
        return kind(settings, state.path)
    except StoreError as error:
        raise StateError("database_unusable", str(error)) from error
    except PinError as error:
        raise ConfigError("pin_unusable", f"`access.pin_file`: {error}") from error
