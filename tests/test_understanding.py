"""What an utterance is understood with follows the names, and is built once for each set of them."""

from __future__ import annotations

import asyncio

import pytest

from assistant.ports import Names, WantedCall
from assistant.sentences import HassilMatcher
from assistant.understanding import Understanding, Understood
from tests.fakes import FakeMatcher

BEFORE = Names({"service": {"gitea": ()}, "job": {"photos": ()}})
AFTER = Names({"service": {"gitea": ("the code forge",), "plex": ()}, "job": {"photos": ()}})


async def test_templates_follow_the_configuration() -> None:
    understanding = Understanding(lambda names: Understood(HassilMatcher(names)))

    async def read(text: str, names: Names) -> tuple[WantedCall, ...]:
        match = (await understanding.of(names)).matcher.match(text)
        return match.calls if match else ()

    plex, forge = "is plex up", "is the code forge up"
    assert await read(plex, BEFORE) == ()
    assert await read(forge, BEFORE) == ()
    assert await read(plex, AFTER) == (WantedCall("check_services", {"service": "plex"}),)
    assert await read(forge, AFTER) == (WantedCall("check_services", {"service": "gitea"}),)
    assert await read(plex, BEFORE) == ()  # a service that is gone is no longer known


async def test_it_is_built_once_for_each_set_of_names_whoever_asks_meanwhile() -> None:
    built: list[Names] = []

    def build(names: Names) -> Understood:
        built.append(names)
        return Understood(FakeMatcher())

    understanding = Understanding(build)
    found = await asyncio.gather(*(understanding.of(BEFORE) for _ in range(5)))
    assert len({id(one) for one in found}) == 1
    assert await understanding.of(Names(dict(BEFORE.by_kind))) is found[0]  # the same names, another object
    await understanding.of(AFTER)
    assert built == [BEFORE, AFTER]


async def test_a_failure_to_build_is_not_kept() -> None:
    outcomes: list[Understood | OSError] = [OSError("damaged"), Understood(FakeMatcher())]

    def build(_: Names) -> Understood:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    understanding = Understanding(build)
    with pytest.raises(OSError, match="damaged"):
        await understanding.of(BEFORE)
    assert (await understanding.of(BEFORE)).narrower is None
