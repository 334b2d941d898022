"""The scorecard counts copies by the rules of docs/scorecard.md, and never flatters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.scorecard import NAMED, ORIGINAL, Failure, Holding, Score, Standing, say, score, scorecard
from tools.settings import BackupSettings, DestinationSettings, Medium

MEDIA = st.sampled_from(get_args(Medium))
HOLDINGS = st.builds(
    Holding,
    job=st.sampled_from(["photos", "documents", "gitea"]),
    destination=st.sampled_from(["", "the usb disk", "the cloud"]),
    medium=MEDIA,
    **{
        name: st.booleans()
        for name in ("offsite", "offline", "immutable", "same_disk", "there", "proven", "versions", "needs_key")
    },
)
SETS = st.lists(HOLDINGS, max_size=6)
ORIGINALS = st.frozensets(MEDIA, min_size=1, max_size=2)

GOOD = Holding(job="photos", medium="nas", there=True, proven=True)
USB = Holding(job="photos", destination="the usb disk", medium="usb", offline=True, there=True, proven=True)
CLOUD = Holding(job="photos", destination="the cloud", medium="cloud", there=True, proven=True)


def test_a_full_set_meets_every_figure_and_survives_everything() -> None:
    card = score("photos", [GOOD, USB, CLOUD])
    assert card.figures == (4, 4, 1, 1, 0)
    assert card.met == (True,) * 5
    assert card.nothing_survives == ()
    assert say(card).endswith("Something survives every failure.")


def test_one_proven_copy_on_the_nas_leaves_nothing_after_ransomware_or_a_fire() -> None:
    card = score("photos", [GOOD])
    assert card.figures == (2, 2, 0, 0, 0)
    assert card.nothing_survives == (Failure.RANSOMWARE, Failure.FIRE)
    assert card.survivors[Failure.DEAD_NAS] == (ORIGINAL,)
    assert say(card) == (
        "Photos: two copies on two media, none off-site, none offline or immutable; every restore is proven. "
        "Nothing survives ransomware or a fire."
    )


@pytest.mark.parametrize(
    ("holding", "gone"),
    [
        (replace(GOOD, medium="disk", same_disk=True), {"dead_disk", "ransomware", "fire"}),
        (GOOD, {"dead_nas", "ransomware", "fire"}),
        (replace(GOOD, offsite=True), {"ransomware"}),
        (replace(GOOD, medium="usb", offline=True), {"fire"}),
        (CLOUD, {"ransomware", "lost_account"}),
        (replace(CLOUD, immutable=True), {"lost_account"}),
        (replace(GOOD, medium="usb", versions=False), {"deleted_folder", "ransomware", "fire"}),
        (replace(GOOD, medium="tape", offsite=True, offline=True), set()),
        (replace(CLOUD, there=False), set(Failure)),
    ],
)
def test_which_copy_survives_what(holding: Holding, gone: set[str]) -> None:
    assert {failure.value for failure in Failure if not holding.survives(failure)} == gone


def test_an_original_on_the_nas_dies_with_it_and_one_in_the_cloud_with_the_account() -> None:
    assert ORIGINAL not in score("photos", [], ["nas"]).survivors[Failure.DEAD_NAS]
    assert ORIGINAL in score("photos", [], ["cloud"]).survivors[Failure.FIRE]
    assert ORIGINAL not in score("photos", [], ["cloud"]).survivors[Failure.LOST_ACCOUNT]


def test_without_any_copy_the_zero_is_not_met() -> None:
    assert score("photos", []).met == (False, False, False, False, False)


@given(SETS, ORIGINALS)
def test_the_count_is_the_original_and_what_is_there(holdings: list[Holding], on: frozenset[Medium]) -> None:
    card = score("data", holdings, on)
    assert card.copies == 1 + sum(holding.there for holding in holdings)
    assert 1 <= card.media <= card.copies + len(on) - 1
    assert max(card.offsite, card.out_of_reach) < card.copies
    assert len(card.unproven) <= len(holdings)


@given(SETS, HOLDINGS, ORIGINALS)
def test_a_copy_that_failed_never_improves_anything(
    holdings: list[Holding], failed: Holding, on: frozenset[Medium]
) -> None:
    before, after = score("data", holdings, on), score("data", [*holdings, replace(failed, there=False)], on)
    assert after.figures[:4] == before.figures[:4]
    assert after.survivors == before.survivors
    assert len(after.unproven) == len(before.unproven) + 1
    assert not after.met[4]


@given(SETS, HOLDINGS, ORIGINALS)
def test_one_more_copy_never_takes_a_survivor_away(
    holdings: list[Holding], more: Holding, on: frozenset[Medium]
) -> None:
    before, after = score("data", holdings, on), score("data", [*holdings, more], on)
    assert all(set(before.survivors[failure]) <= set(after.survivors[failure]) for failure in Failure)
    assert set(after.nothing_survives) <= set(before.nothing_survives)


@given(SETS, ORIGINALS)
def test_what_is_said_names_exactly_the_failures_that_nothing_survives(
    holdings: list[Holding], on: frozenset[Medium]
) -> None:
    card = score("data", holdings, on)
    said = say(card)
    ending = said.partition(". ")[2]
    assert all((NAMED[failure] in ending) == (failure in card.nothing_survives) for failure in Failure)


@given(SETS, ORIGINALS)
def test_after_ransomware_and_a_fire_only_what_was_out_of_reach_or_away_is_left(
    holdings: list[Holding], on: frozenset[Medium]
) -> None:
    card = score("data", holdings, on)
    if not card.out_of_reach:
        assert card.survivors[Failure.RANSOMWARE] == ()
    if not card.offsite and on != {"cloud"}:
        assert card.survivors[Failure.FIRE] == ()


def job(**changed: Any) -> BackupSettings:
    return BackupSettings(kind="restic", repository="/mnt/nas/photos", medium="nas", **changed)


def by_name(cards: tuple[Score, ...]) -> dict[str, Score]:
    return {card.data_class: card for card in cards}


def test_jobs_of_one_class_are_counted_together_each_destination_for_itself() -> None:
    also = DestinationSettings(name="the usb disk", repository="/media/usb/photos", medium="usb", offline=True)
    jobs = {
        "photos": job(also=(also,), data_class="pictures"),
        "phone": job(data_class="pictures", source_medium="cloud"),
        "gitea": job(),
    }
    standings = {
        ("photos", ""): Standing(there=True, proven=True),
        ("photos", "the usb disk"): Standing(there=True),
        ("phone", ""): Standing(there=True, proven=True),
    }
    cards = by_name(scorecard(jobs, standings))
    assert set(cards) == {"gitea", "pictures"}
    assert cards["pictures"].figures == (4, 4, 0, 1, 1)
    assert cards["pictures"].unproven == ("photos on the usb disk",)
    assert cards["pictures"].survivors[Failure.RANSOMWARE] == ("photos on the usb disk",)
    assert cards["pictures"].keys == {"photos", "photos on the usb disk", "phone"}


def test_a_job_that_nothing_is_known_of_is_no_copy() -> None:
    (card,) = scorecard({"gitea": job()}, {})
    assert card.figures == (1, 1, 0, 0, 1)


def test_the_page_explains_every_failure() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "scorecard.md").read_text(encoding="utf-8")
    assert all(f"| {NAMED[failure]} |" in page for failure in Failure)
