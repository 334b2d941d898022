"""One client of the soak: what it asks at the doors, and how an answer is held against what it has to be."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from assistant.soak.house import House
from tools.contract import JsonObject

PATIENCE_S = 60.0
"""Longest wait for any answer, on any machine."""

SHOWN_CHARACTERS = 240


class WrongAnswerError(Exception):
    """What was expected, and what came instead."""


@dataclass(slots=True)
class Ledger:
    """The acts that were agreed to: what the world has to have counted."""

    agreed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def yes(self, verb: str, name: str) -> None:
        """Somebody said yes to that."""
        self.agreed[verb, name] += 1

    def differences(self, done: Mapping[tuple[str, str], int]) -> list[str]:
        """``"restart gitea: 3 times, agreed to 2 times"`` for each act that is not as it was agreed to."""
        keys = sorted({*self.agreed, *done})
        return [
            f"{verb} {name}: {done.get((verb, name), 0)} times, agreed to {self.agreed[verb, name]} times"
            for verb, name in keys
            if done.get((verb, name), 0) != self.agreed[verb, name]
        ]


class Visitor:
    """``house``: None at a server that is not the soak's own, of whose house nothing is known. ``mine``: services that
    this visitor alone gives orders about."""

    def __init__(
        self, number: int, http: httpx.AsyncClient, chance: random.Random, ledger: Ledger,
        house: House | None = None, mine: Sequence[str] = (), token: str | None = None,
    ) -> None:  # fmt: skip
        self.http, self.chance, self.ledger, self.house, self.mine = http, chance, ledger, house, mine
        self._number, self._asked, self._token = number, 0, token

    @property
    def home(self) -> House:
        """The soak's own house. Raises RuntimeError at another one's server."""
        if self.house is None:
            raise RuntimeError("this turn needs the soak's own house")
        return self.house

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the server."""
        parts = urlsplit(str(self.http.base_url))
        return parts.hostname or "127.0.0.1", parts.port or 80

    def name(self, what: str) -> str:
        """One that was not used before: of a conversation, a key, a timer."""
        self._asked += 1
        return f"{what} {self._number} {self._asked}"

    def bearer(self, role: str = "owner") -> dict[str, str]:
        """The header that says who one is."""
        token = self.house.tokens[role] if self.house is not None else self._token
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def command(
        self, text: str, *, conversation: str | None = None, role: str = "owner", key: str | None = None
    ) -> JsonObject:
        """One typed utterance at ``/command``; its outcome."""
        body = {"text": text, "conversation_id": conversation or self.name("soak")}
        headers = self.bearer(role) | ({"Idempotency-Key": key} if key else {})
        answer = await self.http.post("/command", json=body, headers=headers)
        expect(answer.status_code == 200, f"200 to {text!r}", answer)
        outcome: JsonObject = answer.json()
        expect(outcome["error"] is None, f"no error to {text!r}", outcome["error"])
        return outcome


def expect(held: bool, wanted: str, came: object) -> None:
    """Raises WrongAnswerError where it did not hold."""
    if not held:
        raise WrongAnswerError(f"expected {wanted}; came {shown(came)}")


def shown(came: object) -> str:
    """An answer in one line, capped."""
    text = f"{came.status_code} {came.text}" if isinstance(came, httpx.Response) else repr(came)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def expect_call(outcome: Mapping[str, Any], tool: str, arguments: JsonObject, *, ok: bool = True) -> None:
    """The turn made exactly this call, and it ended so."""
    calls = [(call["name"], call["arguments"], call["ok"]) for call in outcome["tools"]]
    expect(calls == [(tool, arguments, ok)], f"the call {(tool, arguments, ok)}", calls)
