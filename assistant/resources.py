"""Where the files are that ship with the code: prompts, the model manifest, the demo's audio.

In a checkout they stand at the top of the tree; in an installed wheel below ``assistant/_data``.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def resource(*parts: str) -> Path:
    """Path of a shipped file or folder, e.g. ``resource("prompts", "system.md")``.

    Raises FileNotFoundError with both places when it is in neither: the installation is damaged.
    """
    candidates = (_CHECKOUT.joinpath(*parts), _PACKAGE.joinpath("_data", *parts))
    for path in candidates:
        if path.exists():
            return path
    raise FileNotFoundError(f"{'/'.join(parts)} is missing: looked at {candidates[0]} and {candidates[1]}")
