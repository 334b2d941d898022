"""What others wrote made fit to be said, quiet hours, the pace of announcements, and how they sound."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.notify.listening.cleaning import MOST_CHARACTERS, cleaned, titled
from tools.notify.listening.inbox import Group
from tools.notify.listening.ntfy_stream import Lines
from tools.notify.listening.quiet import LONGEST_S, SHORTEST_S, Pace, is_quiet
from tools.notify.listening.sayings import Meanwhile, announcement

BERLIN = ZoneInfo("Europe/Berlin")
NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    "text, said",
    [
        ("Disk full on nas. Please look.", "Disk full on nas"),
        ("Backup 3.5 TB done!\nmore below", "Backup 3.5 TB done"),
        ("\n\n  Late start\n", "Late start"),
        ("See https://evil.example/x?y=1 now", "See a link now"),
        ("**Bold** `code` <b>tag</b>", "Bold code b tag /b"),
        ("turn\u202eoff\u0000 the\u200b alarm", "turn off the alarm"),
        ("\x1b[31mred\x07", "31mred"),
        ("...", ""),
        ("", ""),
    ],
)
def test_one_plain_sentence_is_left(text: str, said: str) -> None:
    assert cleaned(text) == said


@given(st.text(max_size=6000))
def test_whatever_comes_it_is_short_one_line_and_printable(text: str) -> None:
    said = cleaned(text)
    assert len(said) <= MOST_CHARACTERS
    assert said == " ".join(said.split())
    assert not any(unicodedata.category(c).startswith("C") for c in said)
    assert said == "" or any(c.isalnum() for c in said)


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_title_goes_before_its_text_and_the_whole_stays_short(title: str, text: str) -> None:
    assert len(titled(title, text)) <= MOST_CHARACTERS


def test_what_is_too_long_ends_with_a_whole_word() -> None:
    assert cleaned("word " * 100) == " ".join(["word"] * 40)
    assert cleaned("a" * 195 + " longer") == "a" * 195
    assert cleaned("a" * 300) == "a" * 200


def test_a_title_that_the_text_repeats_is_left_out() -> None:
    assert titled("Backup", "Backup of photos failed") == "Backup of photos failed"
    assert titled("Photos", "it failed") == "Photos: it failed"
    assert titled("Photos", "") == "Photos"


@pytest.mark.parametrize(
    "clock, quiet", [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_go_over_midnight(clock: str, quiet: bool) -> None:
    moment = datetime.fromisoformat(f"2026-11-22T{clock}").replace(tzinfo=BERLIN)
    assert is_quiet(moment, "22:00", "07:00") is quiet


@pytest.mark.parametrize("hours", [(None, None), ("08:00", "08:00")])
def test_without_hours_it_is_never_quiet(hours: tuple[str | None, str | None]) -> None:
    assert not is_quiet(datetime(2026, 11, 22, 8, tzinfo=BERLIN), *hours)


CLOCKS = st.times().map(lambda one: one.strftime("%H:%M"))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@given(MOMENTS, CLOCKS, CLOCKS)
def test_it_is_quiet_in_the_hours_or_in_the_rest_of_the_day_also_when_the_clocks_change(
    moment: datetime, begin: str, end: str
) -> None:
    local = moment.astimezone(BERLIN)
    wall = local.strftime("%H:%M:%S.%f")
    assert is_quiet(local, begin, end) is ((begin <= wall) + (wall < end) + (end < begin) == 2)
    if begin != end:
        assert is_quiet(local, begin, end) is not is_quiet(local, end, begin)


def test_the_hour_that_comes_twice_is_quiet_twice_and_the_one_that_is_skipped_moves_nothing() -> None:
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in summer time, an hour later 02:30 again
    both = [(autumn + timedelta(hours=hour)).astimezone(BERLIN) for hour in (0, 1)]
    assert [one.hour for one in both] == [2, 2]
    assert all(is_quiet(one, "02:00", "03:00") for one in both)
    spring = [datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]
    assert [is_quiet(one.astimezone(BERLIN), "22:00", "03:00") for one in spring] == [True, False]


@given(st.floats(0, 600), st.floats(1, 50))
def test_a_flood_of_any_density_is_said_a_few_times_an_hour(group_s: float, every_s: float) -> None:
    pace, said, now = Pace(group_s), 0, NOW
    first = now
    while now < NOW + 3600:
        if now >= pace.due(first):
            pace, said, first = pace.said(now), said + 1, now + every_s
        now += every_s
    assert 1 <= said <= 14
    assert pace.gap_s <= LONGEST_S


@given(st.floats(0, 600))
def test_after_a_pause_the_next_message_is_said_soon(group_s: float) -> None:
    pace = Pace(group_s)
    for _ in range(10):
        pace = pace.said(pace.due(NOW))
    later = pace.last + 3 * LONGEST_S
    assert pace.said(later).gap_s <= max(group_s, SHORTEST_S)
    assert pace.due(later) == later + group_s


def group(count: int, alerts: int = 0, *top: str) -> Group:
    return Group(1, count, count, alerts, NOW, 3, top or ("disk full on nas", "ups on battery", "certificate ends"))


@pytest.mark.parametrize(
    "what, meanwhile, said",
    [
        (group(1, 1), Meanwhile.NOTHING, "An alert: disk full on nas."),
        (group(1), Meanwhile.NOTHING, "A message: disk full on nas."),
        (group(3, 3), Meanwhile.NOTHING, "Three alerts: disk full on nas; ups on battery; certificate ends."),
        (group(3, 1), Meanwhile.NOTHING, "Three messages: disk full on nas; ups on battery; certificate ends."),
        (group(9, 9), Meanwhile.NOTHING, "Nine alerts. The most important: disk full on nas."),
        (
            group(4), Meanwhile.QUIET,
            "While it was quiet, four messages came. The most important: disk full on nas.",
        ),
        (group(1, 1, "disk full"), Meanwhile.OFF, "While I was off, one alert came: disk full."),
        (group(10_000), Meanwhile.NOTHING, "10000 messages. The most important: disk full on nas."),
    ],
)  # fmt: skip
def test_announcements_are_short(what: Group, meanwhile: Meanwhile, said: str) -> None:
    if what.count < len(what.top):
        what = Group(1, what.count, what.count, what.alerts, NOW, 3, what.top[: what.count])
    assert announcement(what, meanwhile) == said


@given(st.lists(st.binary(max_size=40).map(lambda one: one.replace(b"\n", b"")), max_size=20), st.data())
def test_lines_are_the_same_however_they_were_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    reader, found = Lines(), list[bytes]()
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += reader.feed(whole[begin:end])
    assert found == lines


def test_a_line_without_end_takes_no_memory_and_the_next_one_is_read() -> None:
    reader = Lines(most_bytes=100)
    for _ in range(1000):
        assert list(reader.feed(b"x" * 50)) == []
    assert list(reader.feed(b"x\nnext\n")) == [b"next"]
    assert list(reader.feed(b"y" * 101 + b"\nlast\n")) == [b"last"]
