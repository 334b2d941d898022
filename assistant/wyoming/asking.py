"""How many turns this door may have under way: a turn goes on when its client has gone, so places are no limit."""

from __future__ import annotations

from collections.abc import Callable

from assistant.broadcast import RunningTurn
from assistant.errors import JarvisError
from tools.contract import Caller

MAX_TURNS = 16

Ask = Callable[[str, Caller, str], RunningTurn]


class Asking:
    """Starts turns, up to a number at once."""

    def __init__(self, ask: Ask, most: int = MAX_TURNS) -> None:
        self._ask = ask
        self._most = most
        self._running: list[RunningTurn] = []

    def __call__(self, text: str, caller: Caller, conversation: str) -> RunningTurn:
        """Raises JarvisError busy."""
        self._running = [turn for turn in self._running if not turn.over]
        if len(self._running) >= self._most:
            raise JarvisError("busy", f"{self._most} turns are under way.", mend="Ask again in a moment.")
        turn = self._ask(text, caller, conversation)
        self._running.append(turn)
        return turn
