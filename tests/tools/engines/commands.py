"""Stand-ins for programs: executables in a folder that is first on PATH. They log their calls and run a script."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Commands:
    """``folder``: where the stand-ins are; each call is a line of ``calls``."""

    folder: Path

    def put(self, name: str, script: str) -> None:
        """An executable: sh, with its arguments in ``"$*"``."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.folder}/calls"\n{script}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []


def commands_in(folder: Path, patch: pytest.MonkeyPatch) -> Commands:
    """A folder for them, first on PATH."""
    folder.mkdir()
    patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Commands(folder)
