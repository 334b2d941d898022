"""What can go wrong with an outside server."""

from __future__ import annotations

from typing import Literal

OutsideCode = Literal["unreachable", "timeout", "crashed", "nonsense", "protocol_error"]


class OutsideError(Exception):
    """The server is sick. ``detail``: for the log and the screen, one line, in which its own words may stand."""

    def __init__(self, code: OutsideCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
