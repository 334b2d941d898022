"""Where the clips of the voice benchmark are, unless somebody says otherwise."""

from __future__ import annotations

import json
from pathlib import Path

from assistant.bench.clips import MANIFEST
from assistant.bench.corpus import MADE_BY, clips_dir
from assistant.errors import AudioError


def made_corpus(*, short: bool = False, among: Path | None = None) -> Path:
    """A corpus that `jarvis bench clips` made: the largest full one, or with ``short`` the newest of any form.

    Raises AudioError no_clips.
    """
    kept = among or clips_dir()
    found = [path.parent for path in kept.glob(f"*/{MANIFEST}") if short or _recipe(path.parent) == "full"]
    if not found:
        what = "clips" if short else "full corpus of clips"
        raise AudioError("no_clips", f"There is no {what} in {kept}.", mend="Make it: `jarvis bench clips`.")
    return max(found, key=lambda folder: (0 if short else _size(folder), (folder / MANIFEST).stat().st_mtime))


def _size(folder: Path) -> int:
    return (folder / MANIFEST).read_bytes().count(b"\n")


def _recipe(folder: Path) -> str:
    try:
        return str(json.loads((folder / MADE_BY).read_text(encoding="utf-8"))["recipe"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
