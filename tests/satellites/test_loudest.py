"""Which room answers, on a time that the test makes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import Detection
from assistant.satellites.contest import Contest
from assistant.satellites.loudest import WITHIN_S, Heard, Loudest
from tests.fakes_time import virtual_time

WORD = "hey_jarvis"
EVENTS = st.lists(
    st.builds(
        Heard,
        place=st.sampled_from("abcdef"),
        word=st.just(WORD),
        at_s=st.floats(10.0, 10.0 + WITHIN_S / 2),
        score=st.floats(0.5, 1.0),
        loudness_db=st.floats(0.0, 60.0),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda heard: heard.place,
)


def levels(heard: list[Heard]) -> dict[str, float]:
    return {one.place: one.loudness_db or 0.0 for one in heard}


def winner(heard: list[Heard], listening: Mapping[str, float]) -> str | None:
    loudest = Loudest()
    phrases = [loudest.heard(one, listening) for one in heard]
    assert len({id(phrase) for phrase in phrases}) == 1
    phrases[0].passed(phrases[0].due_s)
    return phrases[0].winner


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_loudest_answers_in_whatever_order_they_come(heard: list[Heard], chance: object) -> None:
    shuffled = list(heard)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    best = max(heard, key=lambda one: one.rank)
    assert winner(heard, levels(heard)) == winner(shuffled, levels(heard)) == best.place
    assert best.loudness_db == max(one.loudness_db or 0.0 for one in heard)


@given(EVENTS)
def test_the_loudest_is_decided_with_its_own_detection_and_waits_for_nobody(heard: list[Heard]) -> None:
    best = max(heard, key=lambda one: one.rank)
    loudest, others = Loudest(), {place: level for place, level in levels(heard).items() if level < best.rank[0]}
    assert loudest.heard(best, others).winner == best.place


@given(EVENTS, st.dictionaries(st.sampled_from("uvwxyz"), st.floats(0, 90)))
def test_nobody_waits_longer_than_the_window_after_the_first(heard: list[Heard], listening: dict[str, float]) -> None:
    loudest = Loudest()
    for one in heard:
        phrase = loudest.heard(one, listening)
    assert phrase.due_s <= heard[0].at_s + WITHIN_S
    phrase.passed(phrase.due_s)
    assert phrase.winner in {one.place for one in heard}


def test_among_equally_loud_ones_the_surer_answers() -> None:
    both = [Heard("a", WORD, 1.0, 0.7, 20.0), Heard("b", WORD, 1.01, 0.9, 20.0)]
    assert winner(both, levels(both)) == "b"


def test_what_the_satellite_heard_itself_answers_at_once_and_the_earlier_one_does() -> None:
    loudest = Loudest()
    assert loudest.heard(Heard("a", WORD, 1.0), {"c": 50.0}).winner == "a"
    assert loudest.heard(Heard("b", WORD, 1.1), {}).winner == "a"


def test_a_machine_that_is_late_to_hear_one_room_still_takes_both_for_one_phrase() -> None:
    loudest = Loudest()
    first = loudest.heard(Heard("a", WORD, 1.0, 0.9, 10.0), {}, now_s=1.1)
    late = loudest.heard(Heard("b", WORD, 1.1, 0.9, 30.0), {}, now_s=3.0)
    assert late is first
    assert first.winner == "a"


def test_another_phrase_is_another_contest() -> None:
    loudest = Loudest()
    first = loudest.heard(Heard("a", WORD, 1.0, 0.9, 10.0), {"b": 30.0})
    second = loudest.heard(Heard("b", WORD, 1.0 + WITHIN_S + 0.01, 0.9, 30.0), {})
    assert (first.winner, second.winner) == ("a", "b")


def test_another_wake_word_is_another_contest() -> None:
    loudest = Loudest()
    assert loudest.heard(Heard("a", WORD, 1.0, 0.9, 10.0), {}).winner == "a"
    assert loudest.heard(Heard("b", "alexa", 1.0, 0.9, 30.0), {}).winner == "b"


def test_without_a_window_every_room_answers() -> None:
    loudest = Loudest(0)
    assert [loudest.heard(Heard(place, WORD, 1.0, 0.9, 1.0), {"z": 9.0}).winner for place in "ab"] == ["a", "b"]


# ── waiting, on virtual time ──────────────────────────────────────────────────────────────────────────────────────────


async def asked(contest: Contest, place: str, loudness_db: float | None, at_s: float = 0.0) -> tuple[bool, float]:
    """Whether it answers, and how long it took to know."""
    await asyncio.sleep(at_s)
    loop = asyncio.get_running_loop()
    began = loop.time()
    answers = await contest.answers(place, Detection(WORD, 0.9), loudness_db)
    return answers, loop.time() - began


def test_a_lone_room_and_one_that_is_louder_than_the_others_do_not_wait() -> None:
    async def story() -> None:
        contest = Contest(WITHIN_S)
        contest.listens("kitchen", lambda: 20.0)
        assert await asked(contest, "kitchen", 20.0) == (True, 0.0)
        contest.listens("cellar", lambda: 3.0)
        await asyncio.sleep(1)
        assert await asked(contest, "kitchen", 20.0) == (True, 0.0)

    virtual_time(story())


def test_a_louder_room_is_waited_for_and_answers_as_soon_as_it_has_heard() -> None:
    async def story() -> None:
        contest = Contest(WITHIN_S)
        contest.listens("hall", lambda: 10.0)
        contest.listens("kitchen", lambda: 25.0)
        hall, kitchen = await asyncio.gather(asked(contest, "hall", 10.0), asked(contest, "kitchen", 25.0, at_s=0.1))
        assert hall[0] is False
        assert abs(hall[1] - 0.1) < 1e-6
        assert kitchen == (True, 0.0)

    virtual_time(story())


def test_a_louder_room_that_hears_no_wake_word_is_waited_for_no_longer_than_the_window() -> None:
    async def story() -> None:
        contest = Contest(WITHIN_S)
        contest.listens("hall", lambda: 10.0)
        contest.listens("television", lambda: 40.0)
        answers, took_s = await asked(contest, "hall", 10.0)
        assert answers
        assert abs(took_s - WITHIN_S) < 1e-6

    virtual_time(story())


def test_a_louder_room_that_goes_away_is_not_waited_for() -> None:
    async def story() -> None:
        contest = Contest(WITHIN_S)
        contest.listens("kitchen", lambda: 40.0)
        asking = asyncio.create_task(asked(contest, "hall", 10.0))
        await asyncio.sleep(0.05)
        contest.rests("kitchen")
        assert await asking == (True, 0.05)

    virtual_time(story())


@given(st.lists(st.tuples(st.floats(0, WITHIN_S - 0.01), st.floats(0, 60)), min_size=2, max_size=6))
def test_exactly_one_of_the_rooms_answers_and_it_is_one_of_the_loudest(rooms: list[tuple[float, float]]) -> None:
    async def story() -> list[tuple[bool, float]]:
        contest = Contest(WITHIN_S)
        for number, (_, loudness) in enumerate(rooms):
            contest.listens(str(number), lambda loudness=loudness: loudness)  # type: ignore[misc]
        return await asyncio.gather(
            *(asked(contest, str(number), loudness, at) for number, (at, loudness) in enumerate(rooms))
        )

    answers = virtual_time(story())
    assert sum(answers for answers, _ in answers) == 1
    assert all(took_s <= WITHIN_S + 1e-6 for _, took_s in answers)
    [answering] = [number for number, (answered, _) in enumerate(answers) if answered]
    assert rooms[answering][1] == max(loudness for _, loudness in rooms)
