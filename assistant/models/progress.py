"""How a pull or a verification tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told in bytes, one model at a time; never raises."""

    def begin(self, what: str, total: int) -> None:
        """``what`` (a model) has begun; there are ``total`` bytes to get or to read."""
        ...

    def at(self, done: int) -> None:
        """``done`` bytes of it are there. It may go down when a source turned out bad."""
        ...

    def end(self) -> None:
        """It is done, or was given up."""
        ...

    def note(self, line: str) -> None:
        """One line that a person should read."""
        ...


class Quiet:
    """Says nothing."""

    def begin(self, what: str, total: int) -> None:
        pass

    def at(self, done: int) -> None:
        pass

    def end(self) -> None:
        pass

    def note(self, line: str) -> None:
        pass
