"""``jarvis say``: how something sounds, or whether there is any sound at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import ConfigOption, err, errors_explained, escape, out, read_house, run
from assistant.config import Settings, SynthesizerSettings

if TYPE_CHECKING:
    from assistant.ports import SpeechChunk


def say(
    text: Annotated[str, typer.Argument(help="What is to be said; markdown, numbers and units are put into words.")],
    to: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE.wav", help="Write it instead of playing it.", show_default=False),
    ] = None,
    voice: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE.onnx", help="Another voice than the configured one.", show_default=False),
    ] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.5, max=2.0, help="Speaking rate; 1 is the voice's own.", show_default=False)
    ] = None,
    volume: Annotated[
        float | None, typer.Option(min=0.0, max=2.0, help="Loudness; 1 is the voice's own.", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Say something, and show what is said."""
    with errors_explained():
        settings = _with_voice(read_house(config).settings, voice, speed, volume)
    run(_say(settings, text, to))


def _with_voice(settings: Settings, voice: str | None, speed: float | None, volume: float | None) -> Settings:
    """A voice that is named here is one of Piper's, unless the voices are those of a server."""
    told: dict[str, object] = {"speed": speed, "volume": volume}
    told["voice" if settings.synthesizer.engine == "piper" else "server_voice"] = voice
    chosen = {**settings.synthesizer.model_dump(), **{key: value for key, value in told.items() if value is not None}}
    return settings.model_copy(update={"synthesizer": SynthesizerSettings.model_validate(chosen)})


async def _say(settings: Settings, text: str, to: Path | None) -> int:
    from assistant.app_speech import player, synthesizer
    from assistant.models import ModelStore
    from assistant.text.spoken import to_spoken

    spoken = to_spoken(text)
    if not any(character.isalnum() for character in spoken):
        err.print("There is nothing in it that can be said.")
        return 2
    with synthesizer(settings, ModelStore(settings.models_dir)) as voice, player(settings) as loudspeaker:
        if to is None and loudspeaker is None:
            from assistant.errors import PlaybackError

            mend = "Plug one in (`jarvis doctor` lists what is there), or write a file: `--out FILE.wav`."
            raise PlaybackError("no_loudspeaker", "There is no loudspeaker on this machine.", mend=mend)
        await voice.load()
        out.print(escape(spoken))
        chunks = []
        async for chunk in voice.synthesize(spoken):
            if to is None and loudspeaker is not None:
                await loudspeaker.play(chunk)
            else:
                chunks.append(chunk)
        if to is not None:
            _write(to, chunks)
        elif loudspeaker is not None:
            await loudspeaker.drain()
    return 0


def _write(to: Path, chunks: list[SpeechChunk]) -> None:
    """Raises SynthesisError where the file cannot be written."""
    from assistant.errors import SynthesisError
    from assistant.speech.wav import write_wav

    try:
        write_wav(to, chunks)
    except OSError as error:
        raise SynthesisError("cannot_write", f"{to} cannot be written: {error.strerror}.") from error
    seconds = sum(len(chunk.pcm) / 2 / chunk.sample_rate_hz for chunk in chunks)
    err.print(f"[dim]{escape(str(to))}: {seconds:.1f} s[/]")
