"""What is said of runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.port import Copy
from tools.backups.run_sayings import PlaceSaid, said_of_all, said_of_run, size_said

COPY = Copy(id="c", at=1.0)


@pytest.mark.parametrize(
    "size, said",
    [
        (0, "no bytes"), (1, "one byte"), (999, "999 bytes"), (1_000, "1 kilobyte"), (1_500_000, "1.5 megabytes"),
        (42_000_000, "42 megabytes"), (1_000_000_000, "1 gigabyte"), (3_260_000_000_000, "3.3 terabytes"),
    ],
)  # fmt: skip
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert size_said(size) == said


def test_all_that_went_well_is_one_sentence() -> None:
    well = [(name, True, f"{name}.") for name in ("a", "b", "c")]
    assert said_of_all(well) == "All three backups are done."
    assert said_of_all(well[:2]) == "Both backups are done."
    assert said_of_all([("a", True, "A is done.")]) == "A is done."
    assert said_of_all([]) == "There was nothing to back up."
    assert said_of_all(well, ["c"]) == "Both backups are done. C was left out."
    assert said_of_all(well[:2], ["a", "b"]) == "A and b were left out."
    assert said_of_all([("a", True, "A was left out.")], ["a"]) == "A was left out."


def test_what_went_wrong_is_named_two_of_them_in_full() -> None:
    ended = [("a", True, "A."), *((name, False, f"{name} failed.") for name in ("b", "c", "d", "e"))]
    assert said_of_all(ended) == "One of five backups went well. b failed. c failed. D and e had trouble, too."


def test_where_all_places_failed_each_reason_is_said_once() -> None:
    places = [PlaceSaid(wrong="the source is gone"), PlaceSaid(name="usb disk", wrong="the source is gone")]
    assert said_of_run("photos", places) == "The photos backup failed: the source is gone."


def test_a_check_that_failed_is_said_with_its_place() -> None:
    places = [PlaceSaid(copy=COPY, checked=True), PlaceSaid(name="usb disk", copy=COPY, check="a pack is damaged")]
    assert said_of_run("photos", places) == (
        "The photos backup is done. The check at usb disk failed: a pack is damaged."
    )


@given(
    places=st.lists(
        st.builds(
            PlaceSaid, name=st.sampled_from(["", "usb disk"]), copy=st.sampled_from([None, COPY]),
            wrong=st.sampled_from(["", "the disk is full"]), check=st.sampled_from(["", "a pack is damaged"]),
        ),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_what_is_not_well_is_never_said_as_done_alone(places: list[PlaceSaid]) -> None:
    said = said_of_run("photos", places)
    assert said.endswith(".")
    if any(place.copy is None for place in places):
        assert "failed" in said
    if all(place.copy is None for place in places):
        assert "done" not in said
