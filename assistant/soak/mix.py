"""What is asked, and how often: a deck of two hundred turns, dealt again and again in another order.

Every round of the deck holds the same turns. So the rounds can be compared with each other: what the last ones take
more than the first, they take for the same work.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from assistant.errors import ConfigError
from assistant.soak import acts, chat, faulty, page, rooms, sound, tools_door, typed
from assistant.soak.visitor import Visitor

Door = Literal["command", "chat", "mcp", "wyoming", "page", "sound"]
DOORS: tuple[Door, ...] = get_args(Door)
"""``sound``: recordings at ``/command`` and ``/v1/audio``, the Wyoming ears, a satellite's microphone."""

DECK = 200
AUDIO_EVERY = 50
"""Of the turns one in so many is spoken, as it comes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of turn. ``share``: of the typed turns, in proportion to the others'; ``anywhere``: it needs to know
    nothing of the house, and changes nothing."""

    name: str
    door: Door
    share: int
    turn: Callable[[Visitor], Awaitable[None]]
    anywhere: bool = False


TYPED = (
    Kind("a service", "command", 10, typed.service),
    Kind("a follow-up", "command", 2, typed.follow_up),
    Kind("what is down", "command", 1, typed.down),
    Kind("the backups", "command", 2, typed.backups),
    Kind("small talk", "command", 8, typed.small_talk),
    Kind("where it runs", "command", 6, typed.whereabouts),
    Kind("a reminder, cancelled", "command", 4, typed.reminder),
    Kind("for the model", "command", 5, typed.model),
    Kind("events, twice", "command", 2, typed.streamed),
    Kind("an order, yes", "command", 2, acts.agreed),
    Kind("an order, no", "command", 4, acts.declined),
    Kind("an order of a guest", "command", 2, acts.refused),
    Kind("a yes sent three times", "command", 1, acts.twice),
    Kind("a yes, then gone", "command", 1, acts.vanished),
    Kind("malformed", "command", 7, faulty.malformed, anywhere=True),
    Kind("a wav that is none", "command", 1, faulty.no_recording, anywhere=True),
    Kind("wrong token", "command", 6, faulty.wrong_token),
    Kind("no HTTP", "command", 2, faulty.noise, anywhere=True),
    Kind("half a request", "command", 2, faulty.left_early, anywhere=True),
    Kind("gone before the answer", "command", 2, faulty.left_while_it_answers, anywhere=True),
    Kind("chat", "chat", 3, chat.whole),
    Kind("chat, streamed", "chat", 3, chat.streamed),
    Kind("chat, gone in the middle", "chat", 2, chat.left),
    Kind("the model alone", "chat", 3, chat.plain_model),
    Kind("a tool", "mcp", 3, tools_door.call),
    Kind("a session", "mcp", 1, tools_door.session),
    Kind("an order from outside", "mcp", 1, tools_door.order),
    Kind("no message", "mcp", 1, tools_door.nonsense, anywhere=True),
    Kind("a text", "wyoming", 2, rooms.text),
    Kind("describe", "wyoming", 1, rooms.describe),
    Kind("no event", "wyoming", 1, rooms.noise),
    Kind("what a tool says", "page", 4, page.look, anywhere=True),
    Kind("lists", "page", 4, page.lists, anywhere=True),
    Kind("files and readiness", "page", 2, page.files, anywhere=True),
    Kind("announcements, left", "page", 1, page.announcements, anywhere=True),
)
"""The typed turns; the shares add up to about a hundred."""

SPOKEN = (
    Kind("an upload", "sound", 1, sound.upload),
    Kind("a room's microphone", "sound", 1, sound.microphone),
    Kind("Wyoming mouth and ears", "sound", 1, rooms.sound),
    Kind("OpenAI's audio routes", "sound", 1, sound.openai, anywhere=True),
)
"""They take turns."""


def deck(*, doors: Iterable[Door] = DOORS, audio_every: int = AUDIO_EVERY, anywhere: bool = False) -> tuple[Kind, ...]:
    """Two hundred turns for these doors; ``audio_every`` 0: none is spoken; ``anywhere``: at a server whose house is
    not known. Raises ConfigError no_turns."""
    wanted = set(doors)
    spoken = [kind for kind in SPOKEN if _fits(kind, wanted, anywhere)]
    typed_kinds = [kind for kind in TYPED if _fits(kind, wanted, anywhere)]
    if not spoken and not typed_kinds:
        raise ConfigError("no_turns", "No kind of turn is left.", mend=f"Name doors of {', '.join(DOORS)}.")
    aloud = DECK if not typed_kinds else DECK // audio_every if audio_every and spoken else 0
    cards = [spoken[at % len(spoken)] for at in range(aloud)]
    return (*cards, *_in_proportion(typed_kinds, DECK - aloud))


def dealt(cards: tuple[Kind, ...], turns: int, seed: int) -> Iterator[list[Kind]]:
    """The deck, shuffled, as often as it takes for so many turns; the last one is cut."""
    chance = random.Random(seed)  # noqa: S311 - the order of a test
    while turns > 0:
        shuffled = chance.sample(cards, len(cards))
        yield shuffled[:turns]
        turns -= len(cards)


def _in_proportion(kinds: Sequence[Kind], count: int) -> list[Kind]:
    """So many cards by share, by the largest remainder (Hamilton's method); with few cards a rare kind has none."""
    if not count:
        return []
    whole = sum(kind.share for kind in kinds)
    exact = [kind.share * count / whole for kind in kinds]
    given = [int(part) for part in exact]
    by_remainder = sorted(range(len(kinds)), key=lambda at: given[at] - exact[at])
    for at in by_remainder[: count - sum(given)]:
        given[at] += 1
    return [kind for kind, times in zip(kinds, given, strict=True) for _ in range(times)]


def _fits(kind: Kind, doors: set[Door], anywhere: bool) -> bool:
    return kind.door in doors and (kind.anywhere or not anywhere)
