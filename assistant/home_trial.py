"""Utterances put to a running Home Assistant in the real turn: said, looked at, put back.

States are read and put back over REST, beside the connection that is being tried.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from assistant.conversation import Conversation
from assistant.errors import ConfigError, JarvisError
from assistant.events import ConfirmationAsked, ReplySentence
from assistant.home_lines import ACTUATORS, HomeLine, States, changed, is_as, what_is_wrong
from assistant.ports import Engine, Replier
from tools.contract import Caller, Door

SETTLED_S = 3.0
"""How long states may take to become what they must, and to become again what they were."""

LOOK_S = 0.1
TIMEOUT_S = 10.0
YES = "yes"


@dataclass(frozen=True, slots=True)
class Tried:
    """A line and what came of it. ``wrong`` is empty where all was as it must be."""

    line: HomeLine
    answer: str
    wrong: str
    took_ms: float

    @property
    def right(self) -> bool:
        return not self.wrong


@dataclass(frozen=True)
class TrialReport:
    """All lines that were tried."""

    tried: tuple[Tried, ...] = ()

    @property
    def wrong(self) -> tuple[Tried, ...]:
        return tuple(one for one in self.tried if not one.right)

    @property
    def share(self) -> float:
        """Of the lines that came out right, 0 to 1."""
        return 1 - len(self.wrong) / len(self.tried) if self.tried else 0.0

    def by_domain(self) -> dict[str, tuple[int, int]]:
        """How many are right, and how many there are."""
        all_, right = Counter(one.line.domain for one in self.tried), Counter[str]()
        right.update(one.line.domain for one in self.tried if one.right)
        return {domain: (right[domain], count) for domain, count in all_.items()}

    def as_json_text(self) -> str:
        """For programs."""
        domains = {
            name: {"lines": count, "right": right, "share": right / count}
            for name, (right, count) in self.by_domain().items()
        }
        wrong = [
            {"id": one.line.id, "text": one.line.text, "answer": one.answer, "wrong": one.wrong} for one in self.wrong
        ]
        times = sorted(one.took_ms for one in self.tried)
        whole = {"lines": len(self.tried), "right": len(self.tried) - len(self.wrong), "share": self.share}
        p50 = times[len(times) // 2] if times else None
        return json.dumps({**whole, "p50_ms": p50, "domains": domains, "wrong": wrong}, ensure_ascii=False, indent=2)


@dataclass
class HomeRest:
    """Home Assistant's states, read and put back. ``token`` never leaves this but in the header."""

    url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        self._http = httpx.AsyncClient(
            base_url=self.url.rstrip("/"), headers=headers, timeout=TIMEOUT_S, trust_env=False
        )

    async def states(self) -> States:
        """Raises ConfigError: it does not answer, or not as Home Assistant does."""
        try:
            answer = await self._http.get("/api/states")
            answer.raise_for_status()
            rows = answer.json()
            return {str(row["entity_id"]): {**row["attributes"], "state": row["state"]} for row in rows}
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            detail = f"Home Assistant at {self.url} gives no states: {type(error).__name__}."
            raise ConfigError("home_unreadable", detail, mend="Look at the address and the token.") from error

    async def put(self, wanted: Mapping[str, object]) -> None:
        """Have entities be so again, as a scene would; one that refuses is left. Raises ConfigError."""
        try:
            for entity, state in wanted.items():
                body = {"entities": {entity: state}}
                answer = await self._http.post("/api/services/scene/apply", json=body)
                if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:  # one integration said no
                    answer.raise_for_status()
        except httpx.HTTPError as error:
            detail = f"States cannot be put back at {self.url}: {type(error).__name__}."
            raise ConfigError("home_unwritable", detail, mend="It needs the integration scene.") from error

    async def close(self) -> None:
        """Idempotent."""
        await self._http.aclose()


@dataclass
class HomeTrial:
    """Who is asked, of which home; ``watched``: entities that may not change unasked."""

    replier: Replier
    home: HomeRest
    watched: Iterable[str]
    engine: Engine = "sentences"

    async def run(self, lines: Iterable[HomeLine]) -> AsyncGenerator[Tried, None]:
        """Each line is a conversation of its own, over the states that there were at the beginning.

        Raises ConfigError where the home cannot be read or put back.
        """
        start = dict(await self.home.states())
        watched = [id_ for id_ in self.watched if id_.partition(".")[0] in ACTUATORS]
        unknown = {id_ for line in lines for id_ in (*line.after, *line.before)} - set(start)
        if unknown:
            raise ConfigError("home_other", f"This home has no {', '.join(sorted(unknown)[:5])}.")
        for line in lines:
            await self._put_back(start, [*watched, *line.before], line.before)
            yield await self._try(line, watched)
        await self._put_back(start, watched, {})

    async def _try(self, line: HomeLine, watched: list[str]) -> Tried:
        before = await self.home.states()
        conversation = Conversation(id_=f"home/{line.id}")
        began = time.perf_counter()
        answer, asked = await self._say(line.text, conversation, "1")
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        if line.confirm and not asked:
            return Tried(line, answer, "it was not asked back", took_ms)
        if asked and not line.confirm:
            return Tried(line, answer, "it was asked back needlessly", took_ms)
        if line.confirm:
            now = await self.home.states()
            if early := [id_ for id_ in watched if changed(before, now, id_)]:
                return Tried(line, answer, f"{early[0]} was changed before the yes", took_ms)
            answer, _ = await self._say(YES, conversation, "2")
        wrong = await self._judged(line, before, answer, watched)
        return Tried(line, answer, wrong, took_ms)

    async def _judged(self, line: HomeLine, before: States, answer: str, watched: list[str]) -> str:
        """At once where it is right, else when it has had its time."""
        until = time.monotonic() + SETTLED_S
        while True:
            after = await self.home.states()
            wrong = what_is_wrong(line, before, after, answer, watched)
            held = all(is_as(wanted, before.get(id_, {}), after.get(id_, {})) for id_, wanted in line.after.items())
            if not wrong or held or time.monotonic() > until:
                return wrong
            await asyncio.sleep(LOOK_S)

    async def _say(self, text: str, conversation: Conversation, turn: str) -> tuple[str, bool]:
        """The answer, and whether something was asked back."""
        caller = Caller(door=Door.MICROPHONE, conversation=conversation.id, turn_id=f"{conversation.id}/{turn}")
        said, asked = [], False
        try:
            async with aclosing(self.replier.reply(text, conversation, caller, self.engine)) as events:
                async for event in events:
                    asked = asked or isinstance(event, ConfirmationAsked)
                    if isinstance(event, ReplySentence):
                        said.append(event.text)
        except JarvisError as error:
            said.append(f"({error.code}: {error.detail})")
        return " ".join(said), asked

    async def _put_back(
        self, start: dict[str, Mapping[str, Any]], entities: Iterable[str], wanted: Mapping[str, object]
    ) -> None:
        """As at the beginning, with ``wanted`` over it; what does not come back in time is left as it is then."""
        now = await self.home.states()
        meant = {id_: {**start[id_], **_attributes(wanted.get(id_))} for id_ in dict.fromkeys(entities) if id_ in start}
        different = {id_: state for id_, state in meant.items() if changed({id_: state}, now, id_)}
        if not different:
            return
        await self.home.put(different)
        until = time.monotonic() + SETTLED_S
        while time.monotonic() < until:
            now = await self.home.states()
            different = {id_: meant[id_] for id_ in different if changed(meant, now, id_)}
            if not different:
                return
            await asyncio.sleep(LOOK_S)
        start.update({id_: now[id_] for id_ in different if id_ not in wanted})


def _attributes(wanted: object) -> Mapping[str, Any]:
    if wanted is None:
        return {}
    return wanted if isinstance(wanted, Mapping) else {"state": wanted}
