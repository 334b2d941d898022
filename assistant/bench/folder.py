"""Where the clips of the voice benchmark are, unless somebody says otherwise."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_folder() -> Path:
    """``bench-clips`` in the platform's cache folder: what is there can be made again."""
    return platformdirs.user_cache_path("jarvis", appauthor=False) / "bench-clips"
