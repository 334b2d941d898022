"""The voice benchmark from end to end: the parts that were asked for, one after another, on the demo homelab."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.bench import clips as corpus
from assistant.bench import doubtful, idle, silence, turns, wake
from assistant.bench.beside import HomeAssistantAccess, beside
from assistant.bench.clips import Clip
from assistant.bench.load import load_average
from assistant.bench.measures import FULL, SHORT, SHORT_WITHOUT_NAMES, measures
from assistant.bench.recognition import Recognition, as_heard, compare
from assistant.bench.selection import Chosen, choose
from assistant.bench.speed import full_window_ms
from assistant.bench.voice_report import (
    AssistTable,
    Conditions,
    Idle,
    Load,
    Part,
    SilenceTable,
    SttGroup,
    SttRow,
    SttTable,
    Turn,
    TurnTable,
    VoiceReport,
    WakeTable,
)
from assistant.config import Settings
from assistant.errors import ModelFilesError, SynthesisError
from assistant.evaluation_sets import homelab_settings
from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.resources import resource
from assistant.sentences import HassilMatcher
from assistant.text.transcript import clean_transcript
from tools.contract import Caller, Door, JsonObject, PlannedCall

if TYPE_CHECKING:
    from assistant.app import App

IDLE_S, IDLE_SHORT_S = 60.0, 15.0

MODEL_SHORT = 2
"""Requests for the model in the short form."""

Progress = Callable[[Part, int, int], None]
"""Part, how much of it is done, how much there is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. ``limit``: the most clips of a part; ``short``: a few of everything, for a quick look.

    ``home_assistant``: the turns' clips through its pipeline, too.
    """

    folder: Path
    parts: frozenset[Part]
    short: bool = False
    limit: int | None = None
    home_assistant: HomeAssistantAccess | None = None


async def measure(plan: Plan, base: Settings, progress: Progress = lambda _part, _done, _all: None) -> VoiceReport:
    """Measure; ears, mouth and model are those of ``base``, the house is the demo homelab.

    Raises AudioError no_clips before anything is loaded, and whatever opening the assistant raises.
    """
    clips = await asyncio.to_thread(corpus.load, plan.folder)
    chosen = choose(clips, short=plan.short, limit=plan.limit)
    found: dict[str, object] = {}
    async with house(base) as settings:
        if "idle" in plan.parts:
            found["idle"] = await _idle(settings, plan, progress)
        if plan.parts - {"idle"}:
            found |= await _with_app(settings, plan, chosen, progress)
    report = VoiceReport.model_validate({"conditions": _conditions(base, plan, clips), **found})
    return report.model_copy(update={"measures": measures(report)})


@asynccontextmanager
async def house(base: Settings) -> AsyncIterator[Settings]:
    """The demo homelab, built in a folder of its own, with all of its names: also of what nothing stands behind yet."""
    from assistant.demo.homelab import demo_homelab

    names = homelab_settings(resource("assistant", "demo", "homelab.yaml"))
    own = base.model_copy(update={"model": base.model.model_copy(update={"discover": False})})
    with tempfile.TemporaryDirectory(prefix="jarvis-bench-") as folder:
        async with demo_homelab(Path(folder), own) as demo:
            rest = {"vms": names.vms, "areas": names.areas, "home_aliases": names.home_aliases}
            voice = demo.synthesizer.model_copy(update={"cache_mb": 0})  # nothing is said from memory: it is timed
            yield demo.model_copy(update={**rest, "backups": {**names.backups, **demo.backups}, "synthesizer": voice})


async def _idle(settings: Settings, plan: Plan, progress: Progress) -> Idle:
    seconds = IDLE_SHORT_S if plan.short else IDLE_S
    progress("idle", 0, 1)
    with tempfile.TemporaryDirectory(prefix="jarvis-idle-") as folder:
        result = await idle.measure(settings.model_copy(update={"state_dir": Path(folder)}), seconds)
    progress("idle", 1, 1)
    return result


async def _with_app(settings: Settings, plan: Plan, chosen: Chosen, progress: Progress) -> dict[str, object]:
    from assistant.app import open_app  # the whole assistant: only when it is run, --help is to be quick

    found: dict[str, object] = {}
    async with open_app(settings, ears=True, mouth=True) as app:
        await app.load_speech()
        if plan.parts & {"turns", "model"}:  # as it is done some seconds after every start (tools.backups.ahead)
            await app.call("check_backups", {}, Caller(door=Door.CLI))
        if "turns" in plan.parts:
            found["turns"] = await _turns(app, plan.folder, chosen.turns, progress)
        if plan.home_assistant is not None:
            found["home_assistant"] = await _beside(plan.home_assistant, plan.folder, chosen.turns, found, progress)
        if "silence" in plan.parts:
            found["silence"] = await _silence(app, plan.folder, chosen.silence, progress)
        if "wake" in plan.parts:
            found["wake"] = await _wake(app, plan.folder, chosen, progress)
        if "stt" in plan.parts:
            found["stt"] = await _stt(app, plan.folder, chosen.stt, progress)
        if "model" in plan.parts:
            found["model"] = await _model(app, plan, progress)
    return found


async def _turns(app: App, folder: Path, clips: Sequence[Clip], progress: Progress) -> TurnTable:
    bench = turns.TurnBench(app, folder, await _reference(app))
    before, alone_ms = load_average(), await _full_window_ms(app, as_heard(folder, clips[0])) if clips else None
    done: list[Turn] = []
    for clip in clips:
        progress("turns", len(done), len(clips))
        done.append(await bench.speak(clip))
    progress("turns", len(done), len(clips))
    return _turn_table("both", done, before, alone_ms)


async def _beside(
    access: HomeAssistantAccess, folder: Path, clips: Sequence[Clip], found: Mapping[str, object], progress: Progress
) -> AssistTable:
    mine = found.get("turns")
    turns_ = mine.turns if isinstance(mine, TurnTable) else ()
    return await beside(access, clips, folder, turns_, lambda done, total: progress("home_assistant", done, total))


async def _model(app: App, plan: Plan, progress: Progress) -> TurnTable:
    """The model's own start and first reading of its prompt are not in the times."""
    bounds = [bound for bound in (MODEL_SHORT if plan.short else None, plan.limit) if bound is not None]
    said = doubtful.SENTENCES[: min(bounds)] if bounds else doubtful.SENTENCES
    progress("model", 0, len(said))
    bench = turns.TurnBench(app, plan.folder, await _reference(app), "both")
    await app.warm_model()
    before, alone_ms = load_average(), await _full_window_ms(app, (await _said(app, said[0], "speed"))[1])
    done: list[Turn] = []
    for number, text in enumerate(said):
        words = f"{doubtful.WAKE_PHRASE}, {text}"
        clip, audio = await _said(app, words, f"model-{number:02d}")
        done.append(await bench.speak_audio(clip, audio))
        progress("model", len(done), len(said))
    return _turn_table(app.model.name, done, before, alone_ms)


async def _reference(app: App) -> turns.Reference:
    def canonical(tool: str, arguments: JsonObject) -> JsonObject | None:
        planned = app.house.path.plan(tool, arguments)
        return planned.arguments if isinstance(planned, PlannedCall) else None

    return turns.Reference(HassilMatcher(await app.toolbox.names()), canonical)


async def _full_window_ms(app: App, audio: Samples) -> float | None:
    from assistant.app_speech import whisper

    if app.settings.transcriber.engine != "whisper":
        return None
    with closing(whisper(app.settings, app.models, (), window="full")) as alone:
        return await full_window_ms(alone, audio)


def _turn_table(engine: str, done: Sequence[Turn], before: float | None, alone_ms: float | None) -> TurnTable:
    late = max((turn.late_ms for turn in done), default=None)
    load = Load(before=before, after=load_average(), late_ms=late, full_window_ms=alone_ms)
    return TurnTable(engine=engine, rows=turns.rows(done), turns=tuple(done), load=load)


async def _said(app: App, words: str, id_: str) -> tuple[Clip, Samples]:
    if app.synthesizer is None:
        raise SynthesisError("no_mouth", "The mouth is not open.")
    return await doubtful.spoken(app.synthesizer, words, id_, app.settings.synthesizer.voice)


async def _silence(app: App, folder: Path, clips: Sequence[Clip], progress: Progress) -> SilenceTable:
    phrase, audio = await _said(app, f"{doubtful.WAKE_PHRASE}.", "wake-phrase")
    bench = silence.SilenceBench(app, folder, audio[: int(phrase.speech_end_s * SAMPLE_RATE_HZ)])
    before = load_average()
    done: list[silence.Hush] = []
    for clip in clips:
        progress("silence", len(done), len(clips))
        done.append(await bench.listen(clip))
    progress("silence", len(done), len(clips))
    texts = tuple(text for hush in done for text in hush.texts)
    return SilenceTable(rows=silence.rows(done), texts=texts, load=Load(before=before, after=load_average()))


async def _wake(app: App, folder: Path, chosen: Chosen, progress: Progress) -> WakeTable:
    from assistant.app_speech import wake_word_maker

    settings, models = app.settings.wake, app.models
    bench = wake.WakeBench(
        folder,
        wake_word_maker(settings, models),
        lambda: wake.StockWakeWord(models.folder("hey-jarvis"), "hey_jarvis", settings.refractory_s),
    )
    before, total = load_average(), len(chosen.wake) + len(chosen.without_wake)
    heard: list[wake.WakeHeard] = []
    accepts: list[wake.Accepts] = []
    for clip in chosen.wake:
        progress("wake", len(heard), total)
        heard.append(await asyncio.to_thread(bench.utterance, clip))
    for kind in dict.fromkeys(clip.kind for clip in chosen.without_wake):
        stream = bench.without_wake([clip for clip in chosen.without_wake if clip.kind == kind])
        while (one := await asyncio.to_thread(next, stream, None)) is not None:
            accepts.append(one)
            progress("wake", len(heard) + len(accepts), total)
    return WakeTable(
        rows=wake.rows(heard),
        false_accepts=wake.false_accepts(accepts),
        load=Load(before=before, after=load_average()),
    )


async def _stt(app: App, folder: Path, clips: Sequence[Clip], progress: Progress) -> SttTable:
    from assistant.app_speech import whisper

    before, names = load_average(), await app.toolbox.names()
    matcher, wake_words = HassilMatcher(names), tuple(app.settings.wake.words)
    said = [name for kind in names.by_kind.values() for name in kind]
    ways = {
        FULL: whisper(app.settings, app.models, said, window="full"),
        SHORT: whisper(
            app.settings,
            app.models,
            said,
            window="short",
            settled=lambda text: matcher.match(clean_transcript(text, wake_words)) is not None,
        ),
        SHORT_WITHOUT_NAMES: whisper(app.settings, app.models, (), window="short"),
    }
    progress("stt", 0, len(clips))
    try:
        found = await compare(ways, clips, folder, names, lambda done, total: progress("stt", done, total))
    finally:
        for way in ways.values():
            way.close()
    return SttTable(rows=tuple(map(_stt_row, found)), load=Load(before=before, after=load_average()))


def _stt_row(found: Recognition) -> SttRow:
    return SttRow(
        setting=found.setting,
        clips=found.clips,
        words=found.words,
        wer=round(found.word_error_rate, 4),
        median_ms=round(found.median_s * 1000, 1),
        p95_ms=round(found.p95_s * 1000, 1),
        time_ratio=round(found.ratio, 3),
        fell_back=dict(found.fell_back),
        name_clips=found.name_clips,
        name_accuracy=None if found.name_accuracy is None else round(found.name_accuracy, 4),
        names_wrong=found.names_wrong,
        voices=found.voices,
        groups=tuple(
            SttGroup(name=g.name, clips=g.clips, wer=round(g.word_error_rate, 4), name_accuracy=g.name_accuracy)
            for g in found.groups
        ),
    )


def _conditions(settings: Settings, plan: Plan, clips: Sequence[Clip]) -> Conditions:
    from assistant.app import app_version

    heard, mouth = settings.transcriber, settings.synthesizer
    whisper = f"{heard.model} {heard.compute_type}, {heard.window} window"
    return Conditions(
        version=app_version(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        clips=len(clips),
        voices=len({(clip.engine, clip.voice) for clip in clips if clip.said and clip.engine != "human"}),
        short=plan.short,
        transcriber=whisper if heard.engine == "whisper" else f"{heard.engine} at {heard.url}",
        endpointing=_endpointing(settings),
        synthesizer=mouth.voice if mouth.engine == "piper" else f"{mouth.engine} at {mouth.url}",
    )


def _endpointing(settings: Settings) -> str:
    ends = settings.endpoint
    fixed = f"fixed silence of {ends.fixed_silence_s:g} s"
    if not ends.turn_model:
        return fixed
    try:
        ModelStore(settings.models_dir).resolve(ends.turn_model, ".onnx")
    except ModelFilesError:
        return fixed
    return f"{ends.turn_model} at {ends.silence_s:g} s of silence"
