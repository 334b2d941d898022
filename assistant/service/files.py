"""Files that an install writes and an uninstall removes: each is known by a line in it; nobody else's is touched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import ServiceError

Change = Literal["new", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """``mark``: a line that tells that the file is ours."""

    path: Path
    text: str
    mark: str

    def change(self) -> Change:
        """What writing it would do. Raises ServiceError when somebody else's file is there."""
        try:
            there = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return "new"
        except (OSError, UnicodeError) as error:
            raise ServiceError("unreadable", f"{self.path} cannot be read: {type(error).__name__}.") from error
        if self.mark not in there.splitlines():
            raise ServiceError(
                "not_ours",
                f"{self.path} is there and was not written by `jarvis service install`.",
                mend="Move it away, or look after the service yourself.",
            )
        return "unchanged" if there == self.text else "changed"

    def write(self) -> Change:
        """Whole or not at all, 0644. Raises ServiceError."""
        change = self.change()
        if change == "unchanged":
            return change
        partial = self.path.with_name(f".{self.path.name}.partial")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(self.text, encoding="utf-8")
            partial.chmod(0o644)
            partial.replace(self.path)
        except OSError as error:
            raise ServiceError("unwritable", f"{self.path} cannot be written: {error.strerror}.") from error
        return change


def remove(path: Path, mark: str) -> bool:
    """Whether it was there, and ours. Raises ServiceError."""
    try:
        if mark not in path.read_text(encoding="utf-8", errors="replace").splitlines():
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ServiceError("unwritable", f"{path} cannot be removed: {error.strerror}.") from error
    return True


def remove_empty(folder: Path) -> None:
    """A folder that an install made, once nothing is in it."""
    try:
        folder.rmdir()
    except OSError:
        return
