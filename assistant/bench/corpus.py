"""The corpus on the disk: made when it is first wanted, kept in the cache under the hash of what it is made of."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import wave
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import platformdirs

from assistant.bench import clips, recordings
from assistant.bench.engines import Engine
from assistant.bench.making import Made, Maker
from assistant.bench.recipe import Recipe
from assistant.bench.shaping import to_int16
from assistant.errors import AudioError, SynthesisError
from assistant.ports import SAMPLE_RATE_HZ

MADE_BY = "made_by.json"
WORKERS = 2


class Progress(Protocol):
    """Told how far the making is."""

    def begin(self, total: int) -> None: ...

    def made(self, done: int) -> None: ...

    def note(self, line: str) -> None: ...


class Quiet:
    """Nobody looks."""

    def begin(self, total: int) -> None:
        pass

    def made(self, done: int) -> None:
        pass

    def note(self, line: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What there is to make clips with: the engines that are here, and a line for each that is not."""

    engines: Mapping[str, Engine]
    lacking: tuple[str, ...]
    versions: Mapping[str, str]


def kitchen(engines: Mapping[str, Engine], wanted: Recipe) -> Kitchen:
    """Which of the engines that the recipe names are here, and their versions."""
    names = list(dict.fromkeys(one.voice.engine for one in wanted.said))
    gaps = {name: engines[name].lacks() for name in names}
    here = {name: engines[name] for name in names if not gaps[name]}
    lacking = tuple(f"{name} lacks {gap}: install {engines[name].package}" for name, gap in gaps.items() if gap)
    lacking += tuple(f"recordings are missing: install {package}" for package in recordings.missing())
    return Kitchen(here, lacking, {name: engine.version() for name, engine in here.items()})


def clips_dir() -> Path:
    """Where the corpora are kept, one folder each."""
    return platformdirs.user_cache_path("jarvis", appauthor=False) / "clips"


def ensure(
    recipe: Recipe,
    engines: Mapping[str, Engine],
    models: Callable[[str], Path],
    *,
    progress: Progress | None = None,
    out: Path | None = None,
    strict: bool = False,
) -> Path:
    """The corpus's folder, made if it is not there. ``out`` instead of the cache; what is in it is replaced.

    Engines and recordings that are missing are said and left out; ``strict`` raises SynthesisError clips_incomplete.
    Raises also AudioError clips_unreadable, no_clips, clips_unwritable.
    """
    progress = progress or Quiet()
    stocked = kitchen(engines, recipe)
    for line in stocked.lacking:
        progress.note(f"{line}.")
    if strict and stocked.lacking:
        raise SynthesisError("clips_incomplete", f"{stocked.lacking[0]}.", mend="Or leave out --strict.")
    people, sounds = _recorded(recipe, models)
    made_by = {
        "recipe": recipe.part,
        "engines": dict(stocked.versions),
        "numpy": np.__version__,
        "recordings": [one.name for one in (*people, *sounds)],
    }
    folder = out or clips_dir() / recipe.hash(made_by)
    if out is None and (folder / clips.MANIFEST).is_file():
        return folder
    jobs = _jobs(recipe, Maker(stocked.engines), people, sounds)
    if not jobs:
        raise AudioError("no_clips", "There is nothing to make clips with.", mend="Install espeak-ng, for a start.")
    try:
        _make(folder, jobs, made_by, stocked.lacking, progress)
    except OSError as error:
        raise AudioError("clips_unwritable", f"The clips cannot be written to {folder}: {error}.") from error
    return folder


def _recorded(
    recipe: Recipe, models: Callable[[str], Path]
) -> tuple[Sequence[recordings.Recording], Sequence[recordings.Recording]]:
    return recordings.people(models, recipe.prompts)[: recipe.limit], recordings.sounds()[: recipe.sounds][
        : recipe.limit
    ]


def _jobs(
    recipe: Recipe,
    maker: Maker,
    people: Iterable[recordings.Recording],
    sounds: Iterable[recordings.Recording],
) -> list[Callable[[], Made]]:
    """In the manifest's order."""
    jobs: list[Callable[[], Made]] = [partial(maker.said, one) for one in recipe.said if not maker.lacks(one)]
    jobs += [partial(maker.person, one) for one in people]
    jobs += [partial(maker.noise, one) for one in recipe.noises]
    jobs += [partial(maker.sound, one) for one in sounds]
    return jobs


def _make(
    folder: Path,
    jobs: Sequence[Callable[[], Made]],
    made_by: Mapping[str, object],
    lacking: Sequence[str],
    progress: Progress,
) -> None:
    """Beside its place first: a folder with a manifest is whole. Raises OSError, and what the jobs raise."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made = []
        progress.begin(len(jobs))
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="clips") as pool:
            try:
                for done, one in enumerate(pool.map(lambda job: _written(job(), temporary), jobs), 1):
                    made.append(one)
                    progress.made(done)
            except BaseException:  # the first that fails, or Ctrl-C: the others need not begin
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        clips.save(temporary, tuple(made))
        record = {**made_by, "lacking": list(lacking), "clips": len(made)}
        (temporary / MADE_BY).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            _away(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _away(folder: Path) -> None:
    """Remove an earlier corpus, and nothing that is not one."""
    if any(folder.iterdir()) and not (folder / clips.MANIFEST).is_file():
        raise AudioError("clips_unwritable", f"{folder} is there and holds no clips.", mend="Name another folder.")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    folder.rename(old)
    shutil.rmtree(old)


def _written(made: Made, folder: Path) -> clips.Clip:
    with wave.open(str(folder / made.clip.file), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(to_int16(made.wave).astype("<i2").tobytes())
    return made.clip
