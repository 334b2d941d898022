"""Artifacts: every check leaves ``outbox/<tool>/latest.json`` and a timestamped copy that other programs can read."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tools.contract import JsonObject

KEPT = 200
"""Timestamped copies per tool; the oldest go first."""

STAMP = "%Y%m%dT%H%M%S.%fZ"


class Outbox:
    """Below one folder (0700, files 0600)."""

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        """``kept``: timestamped copies of each tool."""
        self._folder = folder
        self._kept = kept

    def leave(self, tool: str, artifact: JsonObject, at: datetime | None = None) -> Path:
        """Write both files, whole or not at all; returns the path of ``latest.json``. Raises OSError."""
        folder = self._folder / tool
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        stamp = (at or datetime.now(UTC)).strftime(STAMP)
        text = json.dumps({"tool": tool, "at": stamp, **artifact}, ensure_ascii=False, indent=1, sort_keys=True)
        _write_atomically(folder / f"{stamp}.json", text)
        latest = folder / "latest.json"
        _write_atomically(latest, text)
        for old in sorted(folder.glob("2*.json"))[: -self._kept]:
            old.unlink(missing_ok=True)
        return latest


def prune(outbox: Path, kept: int, before: float) -> int:
    """Leave the newest ``kept`` copies of each tool, and none from before that moment (Unix seconds); ``latest.json``
    stays. How many went; what cannot be removed stays."""
    oldest, gone = datetime.fromtimestamp(before, UTC).strftime(STAMP), 0
    for folder in outbox.glob("*/"):
        copies = sorted(folder.glob("2*.json"))
        for number, copy in enumerate(copies):
            if number < len(copies) - kept or copy.stem < oldest:
                try:
                    copy.unlink()
                except OSError:
                    continue
                gone += 1
    return gone


def _write_atomically(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    try:
        # A lone surrogate, which JSON can carry and UTF-8 cannot, becomes the JSON escape that it came from.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
