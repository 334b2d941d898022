"""The composition root: the only place that knows which adapters there are and builds them.

``open_app`` gives an :class:`App`, which owns the turns; doors start turns and listen to them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from mcp.server import Server

from assistant.api_key import read_api_key
from assistant.broadcast import RunningTurn
from assistant.chat.chain import ClosableModel, ModelChain
from assistant.chat.discovery import find_chat_server
from assistant.chat.embedded import EmbeddedModel
from assistant.chat.embedder import MiniLmEmbedder
from assistant.chat.openai_compatible import OpenAICompatible
from assistant.config import EndpointSettings, Settings, WakeSettings
from assistant.conversation import Conversation
from assistant.errors import JarvisError, ModelFilesError, StateError
from assistant.events import TurnEvent
from assistant.model_turn import system_prompt
from assistant.models import ModelStore
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.ports import AudioSource, Engine, Names
from assistant.reply import Reply, local_now
from assistant.resources import resource
from assistant.sentences import HassilMatcher
from assistant.speech.decoding import decode_clip, read_clip
from assistant.speech.elsewhere import (
    Loadable,
    LoadableSynthesizer,
    LoadableTranscriber,
    synthesizer_elsewhere,
    transcriber_elsewhere,
)
from assistant.speech.listener import EarListener
from assistant.speech.microphone import MicrophoneSource
from assistant.speech.player import SoundDevicePlayer, loudspeaker_available
from assistant.speech.smart_turn import SmartTurn
from assistant.speech.sources import ClipSource
from assistant.speech.stop_word import StopWord
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.transcriber import FasterWhisper
from assistant.speech.vad import SileroVad
from assistant.speech.wake_models import features_folder, find_wake_words
from assistant.speech.wake_word import OpenWakeWord
from assistant.speech.whisper_window import WINDOWS
from assistant.state import StateFolder, default_state_dir
from assistant.toolbox import McpToolbox
from assistant.traces import TraceStore
from assistant.turn import Stages, TurnRequest, run_turn
from assistant.understanding import Understanding, Understood
from tools.contract import Caller
from tools.recording import RecordingHouse, evaluation_clock
from tools.server import ToolHouse, mcp_server
from tools.store import StoreError

log = logging.getLogger(__name__)

MAX_CONVERSATIONS = 64
"""Conversations remembered at once; the one that was quiet longest goes first."""

EMBEDDER = "minilm-l6-v2"
"""The router's model, by its name in the manifest."""


@dataclass
class App:
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
    synthesizer: LoadableSynthesizer | None = None
    player: SoundDevicePlayer | None = None
    _conversations: OrderedDict[str, tuple[Conversation, asyncio.Lock]] = field(default_factory=OrderedDict)
    _running: set[RunningTurn] = field(default_factory=set)

    def start_turn(
        self,
        utterance: str | AudioSource,
        *,
        caller: Caller,
        conversation_id: str = "default",
        wake: bool = False,
        speak: bool = False,
        play: bool = False,
        engine: Engine | None = None,
    ) -> RunningTurn:
        """Start a turn that this app owns; turns of one conversation come one after another.

        ``wake``: wait for the wake word in the audio; ``speak``: synthesize the reply; ``play``: on this machine's
        loudspeaker too, where there is one.
        """
        request = TurnRequest(
            turn_id=secrets.token_hex(6),
            utterance=utterance,
            caller=caller,
            wake=wake,
            engine=engine or self.settings.engine,
        )
        stages = Stages(
            replier=self.replier,
            listener=self.listener,
            transcriber=self.transcriber,
            synthesizer=self.synthesizer if speak else None,
            player=self.player if speak and play else None,
        )
        events = self._in_turn(request, stages, conversation_id)
        running = RunningTurn(request.turn_id, events, on_end=lambda log: self._ended(running, log, caller))
        self._running.add(running)
        return running

    async def clip(self, data: bytes) -> AudioSource:
        """An uploaded clip as a source, decoded in a limited child. Raises AudioError."""
        return ClipSource(await decode_clip(data, max_clip_s=self.settings.server.max_clip_s))

    async def clip_file(self, path: Path, *, realtime: bool = False) -> AudioSource:
        """A clip from a file. Raises AudioError."""
        samples = await read_clip(path, max_clip_s=self.settings.server.max_clip_s)
        return ClipSource(samples, realtime=realtime)

    def microphone(self) -> MicrophoneSource:
        """The configured microphone; open it with ``with``. Raises AudioError there."""
        return MicrophoneSource(self.settings.microphone)

    async def load_speech(self) -> None:
        """Load what there is of ears and mouth. Raises StageError."""
        parts = [part for part in (self.listener, self.transcriber, self.synthesizer) if part is not None]
        await asyncio.gather(*(part.load() for part in parts))

    async def warm_model(self) -> None:
        """Let the model read its constant prefix, so that it stands in the KV cache. Raises ChatError."""
        prefix = Conversation().messages_for_model(system_prompt(), "hello")
        await self.model.warm(prefix, ())

    def mcp_server(self, who: Callable[[], str] = lambda: "mcp client") -> Server[Any]:
        """The tools as an MCP server for outside clients: who they are is not theirs to say."""
        return mcp_server(self.house, trust_caller=False, version=app_version(), who=who)

    async def finish_turns(self, within_s: float) -> None:
        """Let turns under way end, then interrupt those that have not."""
        waiting = {asyncio.create_task(turn.outcome()): turn for turn in self._running}
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=within_s)
            for task in late:
                await waiting[task].interrupt("Jarvis is being shut down")

    async def _in_turn(
        self, request: TurnRequest, stages: Stages, conversation_id: str
    ) -> AsyncGenerator[TurnEvent, None]:
        conversation, lock = self._conversation(conversation_id)
        async with lock:
            async for event in run_turn(request, stages, conversation):
                yield event

    def _conversation(self, conversation_id: str) -> tuple[Conversation, asyncio.Lock]:
        known = self._conversations.setdefault(
            conversation_id, (Conversation(id_=conversation_id, clock=time.monotonic), asyncio.Lock())
        )
        self._conversations.move_to_end(conversation_id)
        while len(self._conversations) > MAX_CONVERSATIONS:
            self._conversations.popitem(last=False)
        return known

    def _ended(self, turn: RunningTurn, events: Sequence[TurnEvent], caller: Caller) -> None:
        self._running.discard(turn)
        try:
            self.traces.keep(events, caller.door.value)
        except StateError as error:
            log.warning("the turn's trace is lost: %s", error.detail)


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
    say = progress or (lambda _: None)
    models = ModelStore(settings.models_dir)
    state = StateFolder.prepared(settings.state_dir or default_state_dir())
    async with AsyncExitStack() as stack:
        stack.enter_context(state.owned())
        say("opening the tools")
        house = stack.enter_context(_tool_house(settings, state, RecordingHouse if record else ToolHouse))
        toolbox = await stack.enter_async_context(
            McpToolbox(mcp_server(house, trust_caller=True), settings.mcp_servers)
        )
        traces = TraceStore(state.path / "traces.db", keep_words=settings.privacy.keep_transcripts)
        stack.callback(traces.close)
        model = ModelChain(lambda: _find_server(settings), lambda: _embedded_model(settings, models, state))
        stack.push_async_callback(model.close)
        clock = evaluation_clock if record else local_now
        router = Router(_embedder(models))
        understanding = Understanding(lambda names: _understood(names, house, router, clock))
        replier = Reply(
            understanding,
            model,
            toolbox,
            max_rounds=settings.model.max_rounds,
            own_sentences=settings.model.own_sentences,
            phrase_several=settings.model.phrase_results,
            now=clock,
        )
        names = await toolbox.names()
        await understanding.of(names)
        app = App(settings, state, models, toolbox, house, traces, model, replier)
        if ears:
            say("opening the ears")
            _add_ears(app, [name for kind in names.by_kind.values() for name in kind], stack)
        if mouth:
            say("opening the mouth")
            _add_mouth(app, stack)
        yield app


def _understood(names: Names, house: ToolHouse, router: Router, clock: Callable[[], datetime]) -> Understood:
    """Templates and narrowing for these names; orders that are scheduled are read with the same templates."""
    matcher = HassilMatcher(names, clock=clock)
    narrower = Narrower(names, router, clock)
    house.read_order = lambda words: matcher.order(words) or narrower.order(words)
    return Understood(matcher, narrower)


def _embedder(models: ModelStore) -> MiniLmEmbedder | None:
    """None when its files are not there: the router then goes by common words, which is coarser."""
    try:
        return MiniLmEmbedder(models.folder(EMBEDDER))
    except ModelFilesError as error:
        log.warning("%s The tools are narrowed by common words instead.", error.detail)
        return None


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


def wake_word_maker(wake: WakeSettings, models: ModelStore, *, stop: bool = False) -> Callable[[], OpenWakeWord]:
    """A detector for each stream; the files are looked for at once. ``stop``: it can hear "stop", too. Raises
    ModelFilesError, WakeWordError."""
    words, features = find_wake_words(wake.words, models), features_folder(models)
    stop_word = StopWord(resource("prompts", "stop_word.npz")) if stop else None
    gate = models.file("silero-vad", "silero_vad.onnx") if wake.vad_gate else None
    return lambda: OpenWakeWord(
        words,
        features=features,
        refractory_s=wake.refractory_s,
        gate=SileroVad(gate) if gate else None,
        gate_probability=wake.vad_gate,
        stop=stop_word,
    )


def turn_model_maker(endpoint: EndpointSettings, models: ModelStore) -> Callable[[], SmartTurn] | None:
    """None, and a line in the log, when its file is not there: silence alone decides then."""
    if not endpoint.turn_model:
        return None
    try:
        file = models.resolve(endpoint.turn_model, ".onnx")
    except ModelFilesError as error:
        log.warning("%s Silence alone decides when an utterance is over.", error.detail)
        return None
    return lambda: SmartTurn(file)


def _add_ears(app: App, names: Sequence[str], stack: AsyncExitStack) -> None:
    settings, models = app.settings, app.models
    wake, heard = settings.wake, settings.transcriber
    vad_file = models.file("silero-vad", "silero_vad.onnx")
    app.listener = EarListener(
        wake_word_maker(wake, models),
        lambda: SileroVad(vad_file),
        wake,
        settings.endpoint,
        turn_model_maker(settings.endpoint, models),
    )
    app.transcriber = transcriber_elsewhere(heard, names, list(wake.words)) or FasterWhisper(
        models.resolve(heard.model),
        compute_type=heard.compute_type,
        language=heard.language,
        threads=heard.threads,
        names=names,
    )
    stack.callback(app.listener.close)
    stack.callback(app.transcriber.close)


def _add_mouth(app: App, stack: AsyncExitStack) -> None:
    voice = app.settings.synthesizer
    app.synthesizer = synthesizer_elsewhere(voice) or PiperSynthesizer(
        app.models.resolve(voice.voice, ".onnx"), speed=voice.speed, volume=voice.volume
    )
    stack.callback(app.synthesizer.close)
    if loudspeaker_available():
        app.player = SoundDevicePlayer(app.settings.loudspeaker)
        stack.callback(app.player.close)


def speech_servers(settings: Settings) -> list[tuple[str, Loadable]]:
    """Engines on other machines, by what they are for; ``load`` sees whether they are there. Raises ConfigError."""
    chosen = (
        ("speech recognition", transcriber_elsewhere(settings.transcriber)),
        ("speech", synthesizer_elsewhere(settings.synthesizer)),
    )
    return [(name, engine) for name, engine in chosen if engine is not None]


async def _find_server(settings: Settings) -> ClosableModel | None:
    """The server that is configured or found. Raises ChatError, ConfigError, EgressError."""
    chosen = settings.model
    found = await find_chat_server(chosen)
    if found is None:
        return None
    key = await asyncio.to_thread(read_api_key, chosen.api_key_file) if chosen.api_key_file else None
    server = OpenAICompatible(
        found.base_url,
        chosen.name,
        api_key=key,
        first_delta_timeout_s=chosen.first_delta_timeout_s,
        timeout_s=chosen.timeout_s,
    )
    try:
        await server.check()
    except JarvisError:
        await server.close()
        raise
    return server


def _embedded_model(settings: Settings, models: ModelStore, state: StateFolder) -> ClosableModel:
    """Raises ModelFilesError."""
    chosen = settings.model
    return EmbeddedModel(
        models.resolve(chosen.embedded, ".gguf"),
        state.path / "embedded-model.log",
        context_tokens=chosen.context_tokens,
        threads=chosen.threads,
        first_delta_timeout_s=chosen.first_delta_timeout_s,
        timeout_s=chosen.timeout_s,
        prefix_cache_dir=state.path / "prefix-cache",
    )


def whisper_to_compare(
    settings: Settings, models: ModelStore, names: Sequence[str], *, window: Literal["short", "full"]
) -> FasterWhisper:
    """Whisper as it is configured, but with these names and this window; close it. Raises ModelFilesError."""
    chosen = settings.transcriber
    return FasterWhisper(
        models.resolve(chosen.model),
        compute_type=chosen.compute_type,
        language=chosen.language,
        threads=chosen.threads,
        names=names,
        wake_words=tuple(settings.wake.words),
        window=WINDOWS[window],
    )
