"""What was said about time, in its canonical form; and what the canonical forms mean."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tracing import SLOWED
from tools.when import WhenFound, find_when, is_recurring, next_time, parse_when, same_when

NOW = datetime(2026, 5, 13, 10, 0)
"""A Wednesday."""

BERLIN = ZoneInfo("Europe/Berlin")

PHRASES = {
    # waits
    "in ten minutes": "in 10 minutes",
    "in 1 minute": "in 1 minute",
    "in an hour": "in 1 hour",
    "in half an hour": "in 30 minutes",
    "in a quarter of an hour": "in 15 minutes",
    "in three quarters of an hour": "in 45 minutes",
    "in an hour and a half": "in 90 minutes",
    "in two and a half hours": "in 150 minutes",
    "in 1.5 hours": "in 90 minutes",
    "in one hour and ten minutes": "in 70 minutes",
    "in 1h30m": "in 90 minutes",
    "in two hours": "in 2 hours",
    "in ninety seconds": "in 90 seconds",
    "in a couple of hours": "in 2 hours",
    "in an hour's time": "in 1 hour",
    "in about twenty minutes": "in 20 minutes",
    "in one hundred and twenty minutes": "in 120 minutes",
    "in two weeks": "in 14 days",
    "20 minutes from now": "in 20 minutes",
    "after ten minutes": "in 10 minutes",
    # times of the day: the next that comes
    "at six": "at 18:00",
    "at eleven": "at 11:00",
    "at three": "at 15:00",
    "at ten": "at 22:00",
    "at six thirty": "at 18:30",
    "at seven oh five": "at 19:05",
    "at quarter past six": "at 18:15",
    "at a quarter to seven": "at 18:45",
    "at ten to five": "at 16:50",
    "at ten minutes past one": "at 13:10",
    "at half seven": "at 19:30",
    "half past seven": "at 19:30",
    "at six o'clock": "at 18:00",
    "at six o’clock sharp": "at 18:00",
    "at about eight": "at 20:00",
    "at 7:30": "at 19:30",
    "at 7.30": "at 19:30",
    "at 7 30": "at 19:30",
    "6pm": "at 18:00",
    "6 p.m.": "at 18:00",
    "6:30 P.M.": "at 18:30",
    "six thirty p m": "at 18:30",
    "at 3 a.m.": "at 03:00",
    "at 12 a.m.": "at 00:00",
    "at 12 p.m.": "at 12:00",
    "18:30": "at 18:30",
    "at 18:30": "at 18:30",
    "at 06:30": "at 06:30",
    "at 1830": "at 18:30",
    "at eighteen thirty": "at 18:30",
    "at twenty one fifteen": "at 21:15",
    "at eighteen hundred hours": "at 18:00",
    "at 1800 hours": "at 18:00",
    "at oh six hundred": "at 06:00",
    "ten minutes before six": "at 17:50",
    "at noon": "at 12:00",
    "at twelve noon": "at 12:00",
    "at midnight": "at 00:00",
    "at six in the morning": "at 06:00",
    "at six in the evening": "at 18:00",
    "at two at night": "at 02:00",
    "tonight at ten": "at 22:00",
    "tonight at two": "at 02:00",
    "at eight tonight": "at 20:00",
    "this evening at eight": "at 20:00",
    "today at six": "at 18:00",
    "tonight": "at 21:00",
    "in the morning": "at 09:00",
    # another day
    "tomorrow": "tomorrow at 09:00",
    "tomorrow at six": "tomorrow at 18:00",
    "at six tomorrow": "tomorrow at 18:00",
    "tomorrow at eight": "tomorrow at 08:00",
    "tomorrow at twelve": "tomorrow at 12:00",
    "tomorrow morning at eight": "tomorrow at 08:00",
    "tomorrow morning": "tomorrow at 09:00",
    "tomorrow evening": "tomorrow at 19:00",
    "tomorrow at 10:30": "tomorrow at 10:30",
    "in one day at six": "tomorrow at 18:00",
    "the day after tomorrow at five": "on 2026-05-15 at 17:00",
    "tomorrow night at one": "on 2026-05-15 at 01:00",
    "on friday at noon": "on friday at 12:00",
    "friday at noon": "on friday at 12:00",
    "on friday": "on friday at 09:00",
    "next friday at three": "on friday at 15:00",
    "next week on monday at 8": "on 2026-05-18 at 08:00",
    "friday night at eleven": "on friday at 23:00",
    "friday night at one": "on saturday at 01:00",
    "on june third at six": "on 2026-06-03 at 18:00",
    "on the 3rd of june": "on 2026-06-03 at 09:00",
    "on 24 december at 17:00": "on 2026-12-24 at 17:00",
    "on may 5th 2027": "on 2027-05-05 at 09:00",
    "on the fifteenth at six": "on 2026-05-15 at 18:00",
    "next month on the 20th": "on 2026-06-20 at 09:00",
    "on the first of next month": "on 2026-06-01 at 09:00",
    "on 2026-05-20 at 07:15": "on 2026-05-20 at 07:15",
    # again and again
    "every day at seven": "every day at 07:00",
    "every day": "every day at 09:00",
    "daily at 3 am": "every day at 03:00",
    "every single day at noon": "every day at 12:00",
    "every morning": "every day at 09:00",
    "every morning at seven": "every day at 07:00",
    "every evening at eleven": "every day at 23:00",
    "every night": "every day at 21:00",
    "every night at two": "every day at 02:00",
    "every night at ten": "every day at 22:00",
    "every midnight": "every day at 00:00",
    "once a day at noon": "every day at 12:00",
    "every sunday at three": "every sunday at 15:00",
    "sundays at three": "every sunday at 15:00",
    "on mondays": "every monday at 09:00",
    "each friday evening at nine": "every friday at 21:00",
    "every weekday at six thirty p.m.": "every weekday at 18:30",
    "every week day at eight": "every weekday at 08:00",
    "on weekdays at eight": "every weekday at 08:00",
    "every weekend at ten": "every weekend at 10:00",
    "monday to friday at seven": "every weekday at 07:00",
    "from monday to friday at seven": "every weekday at 07:00",
    "weekly": "every monday at 09:00",
    "once a week on monday at four": "every monday at 16:00",
    "every week on sunday at five am": "every sunday at 05:00",
    "every hour": "every 1 hour",
    "hourly": "every 1 hour",
    "every two hours": "every 2 hours",
    "every half hour": "every 30 minutes",
    "every 15 minutes": "every 15 minutes",
    "every two days": "every 48 hours",
    "monthly": "monthly on day 1",
    "monthly on the fifteenth": "monthly on day 15",
    "on the first of every month": "monthly on day 1",
    "on day 15 of each month at noon": "monthly on day 15 at 12:00",
    "every month on the twenty first at 4:00 am": "monthly on day 21 at 04:00",
    "every fifteenth": "monthly on day 15",
    "once a month": "monthly on day 1",
}

NO_TIME = [
    "is the backup ok today",
    "did it run last night",
    "did you run the backup at six",
    "what happened at the office",
    "what happened yesterday at six",
    "turn on light two",
    "turn on the second lamp",
    "turn on the first light",
    "turn on friday",
    "dim to thirty percent",
    "dim the lamp at 30 %",
    "set the heating at six degrees",
    "set heating to twenty one degrees",
    "set the volume at ten",
    "set it from ten to five",
    "photos from five days ago",
    "show the log of the last hour",
    "for the last two hours",
    "delete what is older than two weeks",
    "turn on the heating for an hour",
    "keep it on until six",
    "turn it off between 8:00 and 9:00",
    "mute alerts from 22:00 to 6:00",
    "start the 3d printer",
    "cancel the ten minute timer",
    "cancel the six o'clock alarm",
    "run the nightly backup",
    "how was the weekly restore test",
    "good night",
    "good morning",
    "look at two services",
    "set the oven at two hundred degrees",
    "set two timers for ten and twenty minutes",
    "set a timer for five",
    "remind me in ten to fifteen minutes",
    "show the photos from monday to friday",
    "is the backup from sunday ok",
    "may i turn on the light",
    "i have a meeting at six, remind me an hour before",
    "play music for six people",
    "twenty to thirty minutes",
    "every light",
    "two",
    "",
]

NONSENSE = [
    "at 25 o'clock",
    "at 24:00",
    "at 7:60",
    "in 0 minutes",
    "in 400 days",
    "in five rooms",
    "on the thirty second of may",
    "on february 30th",
    "on 2026-02-30 at 10:00",
    "on 2025-01-01 at 10:00",
    "on 2028-01-01 at 10:00",
    "today at 8 am",
    "this morning at six",
    "every other day at six",
    "every two days at six",
    "every 30 seconds",
    "every 0 minutes",
    "every year",
    "twice a day",
    "three times a week",
    "every monday and thursday at six",
    "mondays, wednesdays and fridays at six",
    "every day at six and eight",
    "on the first sunday of every month",
    "on the last day of the month",
    "every second day",
    "every day except sunday at six",
    "every week on monday and friday",
    "on friday and saturday at six",
    "on monday at six and tuesday at seven",
    "from tuesday to friday at seven",
    "at six and at eight",
    "in a week on friday",
    "ten minutes before the meeting at six",
    "at two hundred",
    "at ten past",
    "at twenty one percent",
]


@pytest.mark.parametrize(("said", "canonical"), PHRASES.items())
def test_what_is_said_becomes_the_canonical_form(said: str, canonical: str) -> None:
    assert parse_when(said, NOW) == canonical


@pytest.mark.parametrize(("said", "canonical"), PHRASES.items())
def test_the_same_is_found_before_and_after_an_order(said: str, canonical: str) -> None:
    before = find_when(f"{said} check the backups", NOW)
    after = find_when(f"Check the backups, {said}.", NOW)
    assert before
    assert after
    assert (before.when, before.rest) == (canonical, "check the backups")
    assert after.when == canonical
    assert after.rest.rstrip(".") == "Check the backups"


@pytest.mark.parametrize("utterance", NO_TIME)
def test_there_is_no_time_in(utterance: str) -> None:
    assert find_when(utterance, NOW) is None


@pytest.mark.parametrize("said", NONSENSE)
def test_what_has_no_canonical_form_is_not_taken_for_something_near_it(said: str) -> None:
    assert parse_when(said, NOW) is None
    assert find_when(f"check the backups {said}", NOW) is None


@pytest.mark.parametrize(
    ("utterance", "when", "rest"),
    [
        ("every sunday at three run a restore test of photos", "every sunday at 15:00", "run a restore test of photos"),
        ("remind me at six to take out the trash", "at 18:00", "remind me to take out the trash"),
        ("Remind me at 6:30 p.m., please, to feed the cat", "at 18:30", "Remind me, please, to feed the cat"),
        ("remind me tomorrow to call mum at six", "tomorrow at 18:00", "remind me to call mum"),
        ("set a timer for ten minutes", "in 10 minutes", "set a timer"),
        ("set a timer for an hour and twenty minutes", "in 80 minutes", "set a timer"),
        ("set a 5 minute timer", "in 5 minutes", "set a timer"),
        ("45 second timer", "in 45 seconds", "timer"),
        ("one hour timer", "in 1 hour", "timer"),
        ("timer for the pasta, nine minutes", "in 9 minutes", "timer for the pasta"),
        ("start the five minute timer", "in 5 minutes", "start the timer"),
        ("wake me at 7:30", "at 19:30", "wake me"),
        ("wake me tomorrow at six", "tomorrow at 06:00", "wake me"),
        ("wake me every day at six", "every day at 06:00", "wake me"),
        ("set an alarm for six tomorrow", "tomorrow at 06:00", "set an alarm"),
        ("set an alarm for ten minutes to six", "at 17:50", "set an alarm"),
        ("alarm six thirty", "at 18:30", "alarm"),
        ("set a reminder for friday at six to call", "on friday at 18:00", "set a reminder to call"),
        ("remind me friday to call", "on friday at 09:00", "remind me to call"),
        ("remind me at the weekend to call", "on saturday at 09:00", "remind me to call"),
        ("remind me on the 20th to pay", "on 2026-05-20 at 09:00", "remind me to pay"),
        ("start a twenty five minute pomodoro timer", "in 25 minutes", "start a pomodoro timer"),
        ("set the alarm to half past six", "at 18:30", "set the alarm"),
        ("schedule a nightly backup of photos", "every day at 21:00", "schedule a backup of photos"),
        ("turn off the lights in an hour and a half", "in 90 minutes", "turn off the lights"),
        ("turn the heating on friday at six", "on friday at 18:00", "turn the heating on"),
        ("turn the heating on on friday at six", "on friday at 18:00", "turn the heating on"),
        ("turn the radiator down tonight", "at 21:00", "turn the radiator down"),
        ("turn the radiator tonight", "at 21:00", "turn the radiator"),
        ("turn the radiator on at eight", "at 20:00", "turn the radiator on"),
        ("wait ten minutes, then turn off the lights", "in 10 minutes", "turn off the lights"),
        ("in ten minutes remind me to leave at six", "in 10 minutes", "remind me to leave at six"),
        ("remind me at six that it was too cold last night", "at 18:00", "remind me that it was too cold last night"),
        ("at six turn the heating on for two hours", "at 18:00", "turn the heating on for two hours"),
        ("at six set the heating to twenty one degrees", "at 18:00", "set the heating to twenty one degrees"),
        ("dim the lamp to thirty percent at nine", "at 21:00", "dim the lamp to thirty percent"),
        ("dim the lights at nine", "at 21:00", "dim the lights"),
        ("turn on light two at six", "at 18:00", "turn on light two"),
        ("turn on light two tomorrow", "tomorrow at 09:00", "turn on light two"),
        ("for an hour and twenty minutes", "in 80 minutes", ""),
        ("ten to five", "at 16:50", ""),
    ],
)
def test_an_utterance_is_parted_into_when_and_what(utterance: str, when: str, rest: str) -> None:
    found = find_when(utterance, NOW)
    assert found
    assert (found.when, found.rest) == (when, rest)


def test_the_stretch_and_the_recurrence_are_told() -> None:
    text = "please, every sunday at three, run it"
    assert find_when(text, NOW) == WhenFound("every sunday at 15:00", 8, 29, "please, run it", recurring=True)
    once = find_when("run it at three", NOW)
    assert once
    assert not once.recurring


@pytest.mark.parametrize(
    ("said", "canonical"),
    [
        ("every sunday at three", "every sunday at 03:00"),
        ("every day at six thirty", "every day at 06:30"),
        ("on the first of every month at two", "monthly on day 1 at 02:00"),
        ("every sunday at three in the afternoon", "every sunday at 15:00"),
        ("every sunday at 3 pm", "every sunday at 15:00"),
        ("nightly", "every day at 03:00"),
        ("every sunday at eight", "every sunday at 08:00"),
        ("at three", "at 15:00"),
        ("tomorrow at three", "tomorrow at 15:00"),
    ],
)
def test_what_recurs_by_night_has_its_bare_hours_in_the_night(said: str, canonical: str) -> None:
    assert parse_when(said, NOW, recurring_night=True) == canonical


@pytest.mark.parametrize(
    ("hour", "said", "canonical"),
    [
        (19, "at six", "at 06:00"),
        (5, "at six", "at 06:00"),
        (13, "at twelve", "at 00:00"),
        (9, "at twelve", "at 12:00"),
        (19, "today at six", None),
        (22, "tonight at eight", None),
        (22, "tonight at one", "at 01:00"),
        (22, "tonight at midnight", "at 00:00"),
    ],
)
def test_a_bare_hour_is_the_next_that_comes(hour: int, said: str, canonical: str | None) -> None:
    assert parse_when(said, NOW.replace(hour=hour)) == canonical


def test_a_spoken_half_past_ten_may_be_tonight_but_the_canonical_one_is_not() -> None:
    late = NOW.replace(hour=21)
    found = find_when("remind me at 10:30", late)
    assert found
    assert found.when == "at 22:30"
    assert parse_when("at 10:30", late) == "at 10:30"


# canonical forms

CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
WEEKDAY = st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])


def waits(lead: str, units: dict[str, int]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(units)).flatmap(
        lambda unit: st.integers(1, units[unit]).map(lambda n: f"{lead} {n} {unit}{'s' * (n != 1)}")
    )


WAITS = waits("in", {"second": 9999, "minute": 9999, "hour": 8784, "day": 366})
INTERVALS = waits("every", {"minute": 9999, "hour": 8784})
DATES = st.dates(date(2026, 5, 14), date(2027, 5, 13))
RECURRING = st.one_of(
    st.builds("every {} at {}".format, WEEKDAY | st.sampled_from(["day", "weekday", "weekend"]), CLOCKS),
    st.builds("monthly on day {}".format, st.integers(1, 31)),
    st.builds("monthly on day {} at {}".format, st.integers(1, 31), CLOCKS),
)
ON_DATES = st.builds("on {} at {}".format, DATES, CLOCKS)
ONCE = st.builds("{} {}".format, st.sampled_from(["at", "tomorrow at"]) | WEEKDAY.map("on {} at".format), CLOCKS)
CANONICAL = st.one_of(WAITS, INTERVALS, RECURRING, ONCE)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))
ZONES = st.sampled_from([None, UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])


@given(CANONICAL, MOMENTS, st.booleans())
def test_a_canonical_form_means_itself(canonical: str, now: datetime, night: bool) -> None:
    assert parse_when(canonical, now, recurring_night=night) == canonical
    assert same_when(canonical, canonical.upper())


@given(ON_DATES)
def test_a_date_to_come_means_itself(canonical: str) -> None:
    assert parse_when(canonical, NOW.replace(hour=0)) == canonical


@given(st.sampled_from(sorted(PHRASES)), MOMENTS, st.booleans())
def test_parsing_again_changes_nothing(said: str, now: datetime, night: bool) -> None:
    canonical = parse_when(said, now, recurring_night=night)
    if canonical is not None:
        assert parse_when(canonical, now, recurring_night=night) == canonical
        assert next_time(canonical, now) > now


@given(CANONICAL, MOMENTS, ZONES)
def test_the_next_time_is_to_come_and_within_a_period(canonical: str, now: datetime, zone: ZoneInfo | None) -> None:
    now = now.replace(tzinfo=zone)
    assume(zone is None or now.astimezone(UTC).astimezone(zone) == now)
    following = next_time(canonical, now)
    assert following.tzinfo is zone
    waited = following - now if zone is None else following.astimezone(UTC) - now.astimezone(UTC)
    assert timedelta(0) < waited
    if canonical.startswith(("at", "every day")):
        assert waited <= timedelta(hours=25)
    elif canonical.startswith(("on", "tomorrow")) or re.match("every [a-z]", canonical):
        assert waited <= timedelta(days=7, hours=1)
    elif canonical.startswith("monthly"):
        assert waited <= timedelta(days=31, hours=1)


@given(CANONICAL, MOMENTS)
def test_the_wall_shows_the_hour_that_was_asked_for(canonical: str, now: datetime) -> None:
    clock = re.search("[0-9]{2}:[0-9]{2}$", canonical)
    assume(clock)
    assert clock
    assert next_time(canonical, now).strftime("%H:%M") == clock.group()


@pytest.mark.parametrize(
    ("canonical", "following"),
    [
        ("in 90 minutes", "2026-05-13T11:30"),
        ("in 2 days", "2026-05-15T10:00"),
        ("every 20 minutes", "2026-05-13T10:20"),
        ("at 10:00", "2026-05-14T10:00"),
        ("at 10:01", "2026-05-13T10:01"),
        ("tomorrow at 00:00", "2026-05-14T00:00"),
        ("on wednesday at 12:00", "2026-05-13T12:00"),
        ("every wednesday at 09:00", "2026-05-20T09:00"),
        ("every weekend at 09:00", "2026-05-16T09:00"),
        ("every weekday at 09:00", "2026-05-14T09:00"),
        ("monthly on day 13", "2026-06-13T09:00"),
        ("monthly on day 31 at 08:00", "2026-05-31T08:00"),
        ("on 2026-12-24 at 18:00", "2026-12-24T18:00"),
    ],
)
def test_next_time(canonical: str, following: str) -> None:
    assert next_time(canonical, NOW) == datetime.fromisoformat(following)


def test_a_month_without_the_day_takes_its_last() -> None:
    assert next_time("monthly on day 31", datetime(2027, 2, 1)) == datetime(2027, 2, 28, 9)


def test_a_wait_is_elapsed_time_and_a_clock_time_is_the_wall_s() -> None:
    evening = datetime(2026, 3, 28, 20, 0, tzinfo=BERLIN)  # the night has no hour from two to three
    assert next_time("in 12 hours", evening) == datetime(2026, 3, 29, 9, 0, tzinfo=BERLIN)
    assert next_time("tomorrow at 08:00", evening) == datetime(2026, 3, 29, 8, 0, tzinfo=BERLIN)
    assert next_time("every day at 02:30", evening).isoformat() == "2026-03-29T03:30:00+02:00"


def test_an_hour_that_comes_twice_counts_once() -> None:
    before = datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN)
    first = next_time("every day at 02:30", before)
    assert first.isoformat() == "2026-10-25T02:30:00+02:00"
    assert next_time("every day at 02:30", first).isoformat() == "2026-10-26T02:30:00+01:00"
    between = datetime(2026, 10, 25, 2, 15, fold=1, tzinfo=BERLIN)
    assert next_time("every day at 02:30", between).isoformat() == "2026-10-26T02:30:00+01:00"


@pytest.mark.parametrize(
    "text", ["", "soon", "at six", "at 25:00", "every tuesdays at 10:00", "on 2020-01-01 at 10:00"]
)
def test_there_is_no_next_time_of_what_is_not_canonical_or_has_passed(text: str) -> None:
    with pytest.raises(ValueError, match=r"no canonical time|has passed"):
        next_time(text, NOW)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("in 1 hour", "in 1 hours", True),
        ("in 60 minutes", "in 1 hour", True),
        ("In 10  minutes", "in 10 minutes", True),
        ("every 120 minutes", "every 2 hours", True),
        ("at 7:30", "at 07:30", True),
        ("monthly on day 1", "monthly on day 1 at 09:00", True),
        ("in 60 minutes", "every 60 minutes", False),
        ("every friday at 10:00", "on friday at 10:00", False),
        ("at 06:00", "at 18:00", False),
        ("someday", "Someday", True),
        ("someday", "one day", False),
    ],
)
def test_same_when(one: str, other: str, same: bool) -> None:
    assert same_when(one, other) is same
    assert same_when(other, one) is same


@pytest.mark.parametrize("canonical", ["every day at 10:00", "every 2 hours", "monthly on day 1"])
def test_what_recurs_is_known_by_its_form(canonical: str) -> None:
    assert is_recurring(canonical)
    assert not is_recurring("at 10:00")


# any text

TIME_WORDS = (
    "in at on for to from past half a an the quarter of and every each day days hour hours minute minutes week month "
    "monday fridays weekday first second third 15th may june 2026-05-20 six ten thirty twenty 7 30 7:30 6pm p.m. am "
    "o'clock noon midnight morning evening night tonight today tomorrow after last ago until once twice daily nightly "
    "weekly monthly timer alarm wake remind set turn light % ° 0 00 99 1h30m next this with"
)
SOUP = st.lists(st.sampled_from(TIME_WORDS.split()), max_size=14).map(" ".join)


@given(st.one_of(st.text(), SOUP), MOMENTS, st.booleans())
def test_any_text_has_a_time_inside_it_or_none(text: str, now: datetime, night: bool) -> None:
    found = find_when(text, now, recurring_night=night)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)
        assert parse_when(found.when, now, recurring_night=night) == found.when
        assert next_time(found.when, now) > now
        assert found.recurring is is_recurring(found.when)
        assert len(found.rest) <= len(text)


PREFIXES = st.sampled_from(["", "please", "jarvis,", "hey jarvis could you", "ok"])
ORDERS = st.sampled_from(
    ["turn off all the lights", "back up the documents", "start the windows vm", "run a restore test"]
)


@given(PREFIXES, ORDERS, st.sampled_from(sorted(PHRASES)), st.booleans(), MOMENTS)
def test_a_time_is_found_wherever_it_stands(prefix: str, order: str, said: str, first: bool, now: datetime) -> None:
    parts = [prefix, said, order] if first else [prefix, order, said]
    text = " ".join(part for part in parts if part)
    found = find_when(text, now)
    alone = find_when(said, now)
    assert (found and found.when) == (alone and alone.when)
    if found:
        assert order in found.rest
        assert text[found.start : found.end].strip(".") == said.strip(".")


@pytest.mark.parametrize(
    "piece",
    ["a", "1", "in ", "at six ", "and ", "every ", "an hour and ", "one hundred and ", "7:", "6.", "p.", "from six to ",
     "on the ", "last ", "half past ", ", ", ",", ";", " ", " and then", "monday and ", "'a", "\n"],
)  # fmt: skip
def test_a_long_text_is_read_in_linear_time(piece: str) -> None:
    for text in ((piece * 2000)[:2000], "at six" + (piece * 2000)[:2000] + "x", (piece * 2000)[:2000] + "x at six"):
        assert min(_seconds(text) for _ in range(3)) < 0.25 * SLOWED  # some ms; with backtracking minutes


def test_an_utterance_takes_less_than_a_millisecond_or_so() -> None:
    text = "every sunday at three in the morning run a restore test of the photos please"
    find_when(text, NOW)
    assert min(_seconds(text) for _ in range(20)) < 0.002 * SLOWED


def _seconds(text: str) -> float:
    start = perf_counter()
    find_when(text, NOW)
    return perf_counter() - start
