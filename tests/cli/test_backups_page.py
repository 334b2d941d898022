"""The scorecard's page and its plots, out of any history."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.backups_html import page
from assistant.cli.backups_shown import in_bytes
from assistant.cli.backups_svg import HEIGHT, WIDTH, age_plot, size_plot
from tools.backups.desk import CopySeen, History, TestSeen
from tools.backups.scorecard import Holding, score

NOW = 1_795_300_000.0
TIMES = st.lists(st.floats(NOW - 4e7, NOW + 1000), min_size=1, max_size=30).map(sorted)
TEXTS = st.text(max_size=20)
EMPTY = {"meta", "br"}


class Balanced(HTMLParser):
    """Every tag that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def points(svg: str) -> list[tuple[float, float]]:
    (line,) = (element for element in ET.fromstring(svg).iter("polyline"))  # noqa: S314 - made here
    return [(float(x), float(y)) for x, y in (point.split(",") for point in line.attrib["points"].split())]


@given(TIMES, st.lists(st.integers(0, 2**50), min_size=30, max_size=30), TEXTS)
def test_all_of_a_plot_lies_inside_it(times: list[float], sizes: list[int], title: str) -> None:
    title = "".join(character for character in title if character.isprintable())
    drawn = (size_plot(list(zip(times, sizes, strict=False)), title), age_plot(times, NOW, 26.0, title))
    for svg in drawn:
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(svg))


def test_the_age_goes_to_nothing_with_each_backup_and_grows_until_now() -> None:
    svg = age_plot([NOW - 20 * 3600, NOW - 10 * 3600], NOW, 26.0, "photos")
    (_, start), (_, before), (x, after), (end, last) = points(svg)
    assert start == after > before == last
    assert x < end


@given(TEXTS, TEXTS, TEXTS, TIMES)
def test_no_name_breaks_the_page(job: str, reason: str, spoken: str, times: list[float]) -> None:
    hostile = f'<script>alert(1)</script>"{job}'
    history = History(
        job=hostile, kind="restic", destination=reason, max_age_h=26.0,
        copies=tuple(CopySeen(at=at, size=10) for at in times), tests=(TestSeen(at=NOW, ok=True, ran=True),),
    )  # fmt: skip
    card = score(hostile, [Holding(job=hostile, destination=reason)])
    record = {"job": hostile, "kind": "restic", "verdict": "failed", "age_h": None, "detail": f"<img src=x>{reason}"}
    text = page([card], [history], [record], spoken, NOW)
    found = Balanced(text)
    assert found.open == []
    assert not {"script", "img"} & found.seen


def test_a_job_without_any_backup_has_a_sentence_in_place_of_its_plots() -> None:
    history = History(job="photos", kind="restic", destination="", max_age_h=26.0, copies=(), tests=())
    assert "No backup was ever seen there." in page([], [history], [], "", NOW)


def test_sizes_as_disks_are_sold() -> None:
    assert [in_bytes(size) for size in (0, 999, 1000, 340_000, 1_500_000, 2 * 10**12, None)] == [
        "0 B", "999 B", "1.0 kB", "340 kB", "1.5 MB", "2.0 TB", "–",
    ]  # fmt: skip
