"""``jarvis wake``: how sure the wake words are, over time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import ConfigOption, JsonOption, errors_explained, out, read_house, run
from assistant.config import Settings, WakeSettings, WakeWordSettings
from assistant.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from assistant.cli.wake_plot import Trace
    from assistant.ports import Samples
    from assistant.speech.wake_word import OpenWakeWord

MICROPHONE = "mic"
STOP = "stop"
MAX_CLIP_S = 3600.0
TAIL_S = 0.5
"""Silence added to a recording: a word that ends with it is heard a moment later."""

KEPT_S = 30.0
"""What the live plot shows."""


def wake(
    source: Annotated[str, typer.Argument(metavar="FILE|mic", help="A recording, or mic for the microphone.")],
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE.png", help="Write a picture, too.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    word: Annotated[
        list[str] | None,
        typer.Option("--word", metavar="NAME", help="Only this one; again for more. Also “stop”.", show_default=False),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0.001, max=0.999, help="Instead of the configured ones.", show_default=False),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Show the scores of the wake words over a recording, or live at the microphone until Ctrl-C."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
        if source != MICROPHONE and not Path(source).is_file():
            mend = "Check the path; `jarvis wake mic` listens to the microphone."
            raise AudioError("clip_unreadable", f"There is no recording {source}.", mend=mend)
        settings = _with_words(house.settings, word or [], threshold)
    run(_wake(settings, source, word or [], png=png, as_json=as_json), as_json=as_json)


def _with_words(settings: Settings, names: list[str], threshold: float | None) -> Settings:
    """With these wake words (none: the configured ones) and this threshold. Raises ConfigError."""
    from pydantic import ValidationError

    from assistant.errors import ConfigError

    wake = settings.wake
    words = {name: wake.words.get(name, WakeWordSettings()) for name in names if name != STOP} or dict(wake.words)
    if threshold is not None:
        words = {name: chosen.model_copy(update={"threshold": threshold}) for name, chosen in words.items()}
    try:
        chosen = WakeSettings.model_validate({**wake.model_dump(), "words": words})
    except ValidationError as error:
        mend = "Names are written with small letters, digits and _ (hey_jarvis)."
        raise ConfigError(
            "bad_wake_word", f"No wake word is named like this: {', '.join(names)}.", mend=mend
        ) from error
    return settings.model_copy(update={"wake": chosen})


async def _wake(settings: Settings, source: str, names: list[str], *, png: Path | None, as_json: bool) -> None:
    from assistant.app_speech import wake_word_maker
    from assistant.cli.wake_plot import Trace
    from assistant.models import ModelStore
    from assistant.speech.wake_scores import CHUNK_S, Trigger

    detector = wake_word_maker(settings.wake, ModelStore(settings.models_dir), stop=STOP in names)()
    detector.listen_for_stop(True)
    live = source == MICROPHONE
    triggers = {name: Trigger(chosen.threshold, chosen.patience) for name, chosen in settings.wake.words.items()}
    if detector.stop is not None:
        stop = {STOP: Trigger(detector.stop.threshold, detector.stop.patience)}
        triggers = stop if names == [STOP] else triggers | stop
    trace = Trace(triggers, kept_chunks=int(KEPT_S / CHUNK_S) if live and not as_json else None)
    try:
        if live:
            await _from_microphone(settings.microphone, detector, trace, quiet=as_json)
        else:
            await _from_file(Path(source), detector, trace)
    finally:
        if trace.count:
            _report(trace, source, png=png, as_json=as_json)


async def _from_file(path: Path, detector: OpenWakeWord, trace: Trace) -> None:
    import numpy as np

    from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ
    from assistant.speech.decoding import read_clip

    samples = await read_clip(path, max_clip_s=MAX_CLIP_S)
    rest = -len(samples) % CHUNK_SAMPLES + int(TAIL_S * SAMPLE_RATE_HZ) // CHUNK_SAMPLES * CHUNK_SAMPLES
    audio = np.concatenate([samples, np.zeros(rest, dtype=np.int16)])
    for at in range(0, len(audio), CHUNK_SAMPLES):
        detection = detector.process(audio[at : at + CHUNK_SAMPLES])
        trace.add(detector.scores, detection)


async def _from_microphone(device: str | None, detector: OpenWakeWord, trace: Trace, *, quiet: bool) -> None:
    """Until Ctrl-C. Raises AudioError."""
    from assistant.speech.microphone import MicrophoneSource

    with MicrophoneSource(device) as microphone:
        await watch(microphone.chunks(), detector, trace, quiet=quiet)


async def watch(chunks: AsyncIterator[Samples], detector: OpenWakeWord, trace: Trace, *, quiet: bool = False) -> None:
    """Show the last half minute as it comes; where the output is no terminal, a line for each detection."""
    import asyncio

    from rich.live import Live
    from rich.text import Text

    from assistant.cli.wake_plot import plot

    plotted = out.is_terminal and not quiet
    if not quiet:
        out.print(f"Listening for {', '.join(trace.triggers)}. Ctrl-C ends.")
    with Live(console=out, refresh_per_second=6, transient=True, auto_refresh=plotted) as live:
        async for chunk in chunks:
            detection = await asyncio.to_thread(detector.process, chunk)
            trace.add(detector.scores, detection)
            if plotted:
                live.update(Text(plot(trace, out.width), no_wrap=True))
            elif detection is not None and not quiet:
                out.print(f"{trace.ended_s:8.2f} s  {detection.word}  {detection.score:.2f}")


def _report(trace: Trace, source: str, *, png: Path | None, as_json: bool) -> None:
    from rich.text import Text

    from assistant.cli.wake_picture import write_picture
    from assistant.cli.wake_plot import plot

    if png is not None:
        write_picture(trace, png, Path(source).name)
    if as_json:
        out.print_json(json.dumps(as_object(trace, source)))
    else:
        out.print(Text(plot(trace, out.width), no_wrap=True))


def as_object(trace: Trace, source: str) -> dict[str, object]:
    """What ``--json`` prints."""
    from assistant.speech.wake_scores import CHUNK_S

    def place(at_s: float, score: float) -> dict[str, float]:
        return {"at_s": round(at_s, 2), "score": round(score, 4)}

    words = {
        word: {
            "threshold": trigger.threshold,
            "patience": trigger.patience,
            "best": place(trace.best(word).at_s, trace.best(word).detection.score),
            "scores": [round(score, 4) for score in trace.scores[word]],
        }
        for word, trigger in trace.triggers.items()
    }
    detections = [
        {"word": heard.detection.word, **place(heard.at_s, heard.detection.score)} for heard in trace.detections
    ]
    return {"source": source, "seconds": round(trace.ended_s, 2), "chunk_s": CHUNK_S, "words": words} | {
        "detections": detections
    }
