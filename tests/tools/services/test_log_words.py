"""A log line as people can read it: when, how bad, and what, without colours and without secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.engines.port import LogLine
from tools.services.log_sayings import Errors, gather, say
from tools.services.log_words import HIDDEN, LONGEST, Said, cut, hide, printable, read, shown

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
AT = datetime(2026, 11, 22, 11, 30, tzinfo=UTC).timestamp()


def line(text: str, at: float | None = None, *, error: bool = False, marks: bool = False) -> Said:
    return read(LogLine(at, text, error), NOW, UTC, marks=marks)


@pytest.mark.parametrize(
    "text, said",
    [
        ("\x1b[31;1mERROR\x1b[0m: disk full", "disk full"),
        ("\x1b]0;title\x07[ERROR]  disk\tfull\r", "disk full"),
        ('{"level":"error","ts":1,"msg":"disk full"}', "disk full"),
        ('{"level":50,"msg":"request failed","err":"disk full","pid":7}', "request failed: disk full"),
        ('time="2026-11-22T11:30:00Z" level=error msg="disk \\"a\\" full" error="no space"',
         'disk \\"a\\" full: no space'),
        ("2026-11-22 11:30:00,123 - ERROR - disk full", "disk full"),
        ("2026/11/22 11:30:00 [error] 7#7: *1 open() failed", "7#7: *1 open() failed"),
        ("ERROR \u202egnp.exe\u200b failed", "gnp.exe failed"),
    ],
)  # fmt: skip
def test_the_message_is_what_is_left(text: str, said: str) -> None:
    found = line(text)
    assert (found.text, found.wrong) == (said, True)


@pytest.mark.parametrize(
    "text",
    [
        "INFO 3 tests failed to be boring", "WARN could not reach the peer, trying again", "completed with 0 errors",
        "no errors found", '{"level":"info","msg":"error page served"}', "level=warn msg=\"failed once\"",
        "[12:00:00] [Server thread/INFO]: Alex joined", "errors: 0", "I1122 11:30:00.1 1 main.go:3] failed=false",
        "just a line", "",
    ],
)  # fmt: skip
def test_what_is_no_error(text: str) -> None:
    assert not line(text).wrong


@pytest.mark.parametrize(
    "text",
    [
        "[12:00:00] [Server thread/ERROR]: Exception", "E1122 11:30:00.1 1 main.go:3] bad", "Segfault at 0",
        "java.lang.NullPointerException: x", "connection refused", "<error> nope", "level=fatal msg=over",
        "FATAL:  password authentication failed", "panic: runtime error",
    ],
)  # fmt: skip
def test_what_is_one(text: str) -> None:
    assert line(text).wrong


def test_an_engine_s_own_mark_is_believed_only_where_it_means_something() -> None:
    assert not line("listening on 80", error=True).wrong  # stderr: many programs write everything there
    assert line("listening on 80", error=True, marks=True).wrong  # a journal's priority


@pytest.mark.parametrize(
    "text, at",
    [
        ("2026-11-22T11:30:00Z x", AT),
        ("2026-11-22T12:30:00+01:00 x", AT),
        ("2026-11-22 11:30:00,500 x", AT),
        ("2026/11/22 11:30:00 x", AT),
        ("[22/Nov/2026:11:30:00 +0000] x", AT),
        ("Nov 22 11:30:00 nas x", AT),
        ("2026-99-99 11:30:00 x", None),
        ("[11:30:00] x", None),
    ],
)
def test_its_own_time_counts_where_the_engine_knows_none(text: str, at: float | None) -> None:
    assert line(text).at == at
    assert line(text, 5.0).at == 5.0


def test_a_time_without_a_year_is_never_in_the_future() -> None:
    found = line("Dec 31 23:00:00 nas x").at
    assert found == datetime(2025, 12, 31, 23, 0, tzinfo=UTC).timestamp()


def test_a_time_without_a_zone_is_that_of_the_machine() -> None:
    east = timezone(timedelta(hours=2))
    assert read(LogLine(None, "2026-11-22 13:30:00 x"), NOW, east, marks=False).at == AT


SECRET = "s3cr3t-Value-9"


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}", f"DB_PASSWORD: '{SECRET}'", f'{{"api_key": "{SECRET}"}}', f"token is {SECRET}",
        f"Authorization: Bearer {SECRET}", f"authorization: Basic {SECRET}", f"curl -H 'X-Auth-Token: {SECRET}'",
        f"postgres://jarvis:{SECRET}@db/x", f"GET /?access_token={SECRET}&x=1", f"Cookie: {SECRET}",
        f"set secret = {SECRET};", f"passphrase was {SECRET}", f"aws_secret_access_key={SECRET}",
        f"private-key={SECRET}", f"pwd={SECRET}", f"sessionid={SECRET}",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert SECRET not in shown(f"failed: {text}")
    assert HIDDEN in shown(f"failed: {text}")


@pytest.mark.parametrize(
    "text",
    ["ghp_" + "a1" * 18, "eyJhbGciOi.eyJzdWIiOi.sig", "sk-" + "b2" * 20, "4f" * 32, "glpat-abcdefgh12345678"],
)
def test_long_keys_are_hidden_wherever_they_stand(text: str) -> None:
    assert shown(f"could not use {text} at all") == f"could not use {HIDDEN} at all"


@pytest.mark.parametrize(
    "text",
    ["could not open /var/lib/jellyfin/data/library.db", "tokens per second: fell", "the author is unknown",
     "host 192.168.1.20:5432 refused", "org.jellyfin.server.implementations.LibraryManager failed"],
)  # fmt: skip
def test_what_is_none_stays(text: str) -> None:
    assert hide(text) == text


@given(st.text(max_size=2_000))
def test_any_text_comes_out_printable_and_short(text: str) -> None:
    found = shown(line(text).text)
    assert len(found) <= LONGEST
    assert found.isprintable()
    assert printable(printable(text)) == printable(text)


@given(st.text(max_size=300), st.integers(2, 100))
def test_a_text_is_cut_to_its_length(text: str, longest: int) -> None:
    assert len(cut(text, longest)) <= longest


def errors(*lines: Said, full: bool = False) -> Errors:
    return gather(lines, NOW, full=full)


def bad(text: str, minutes: float | None = 2) -> Said:
    return Said(NOW - minutes * 60 if minutes is not None else None, text, wrong=True)


def good(text: str = "fine", minutes: float | None = 1) -> Said:
    return Said(NOW - minutes * 60 if minutes is not None else None, text, wrong=False)


@pytest.mark.parametrize(
    "lines, full, said",
    [
        ((bad("old", 90), bad("older one", 30), bad("disk full"), good()), False,
         "Jellyfin logged two errors in the last hour. The newest, two minutes ago: disk full."),
        ((bad("disk full"), good()), False,
         "Jellyfin logged one error in the last hour. It was, two minutes ago: disk full."),
        ((bad("disk full"), bad("disk full")), True,
         "Jellyfin logged at least two errors in the last hour. The newest, two minutes ago: disk full."),
        ((bad("disk full", 300), good()), False,
         "Jellyfin logged no error in the last hour. The last one, five hours ago: disk full."),
        ((bad("a", None), bad("disk full", None), good(minutes=None)), False,
         "There are two errors in the last three lines of jellyfin's log. The newest: disk full."),
        ((bad("disk full", None),), False,
         "There is one error in the one line of jellyfin's log. It is: disk full."),
        ((good(minutes=300), good(minutes=120)), False,
         "There are no errors in the last two lines of jellyfin's log; the last one is from two hours ago."),
        ((good(minutes=0),), False, "There are no errors in the one line of jellyfin's log; it is new."),
        ((), False, "The log of jellyfin is empty."),
    ],
)  # fmt: skip
def test_what_is_said_of_a_log(lines: tuple[Said, ...], full: bool, said: str) -> None:
    assert say("jellyfin", errors(*lines, full=full), NOW) == said


def test_of_one_that_does_not_run_that_is_said_first() -> None:
    state = "Jellyfin is not running: it was killed."
    assert (
        say("jellyfin", errors(bad("disk full")), NOW, state) == f"{state} Its last error, two minutes ago: disk full."
    )
    assert say("jellyfin", errors(), NOW, state) == f"{state} The log of jellyfin is empty."


def test_a_traceback_is_one_error_and_its_last_line_says_which() -> None:
    trace = ["ERROR request failed", "Traceback (most recent call last):", '  File "/app/x.py", line 3', "    g()",
             "OSError: disk full", "INFO next"]  # fmt: skip
    found = gather([line(text) for text in trace], NOW, full=False)
    assert [one.text for one in found.found] == ["request failed", "OSError: disk full"]


def test_so_is_a_stack_trace_and_its_first_line_says_which() -> None:
    trace = ["java.io.IOException: disk full", "\tat org.x.Error.run(Error.java:3)", "\t... 12 more", "INFO next"]
    assert [one.text for one in gather([line(text) for text in trace], NOW, full=False).found] == [
        "java.io.IOException: disk full"
    ]


def test_of_very_many_errors_all_are_counted_and_the_newest_kept() -> None:
    found = errors(*(bad(f"error {at}") for at in range(900)))
    assert (found.count, found.lately, len(found.found), found.found[-1].text) == (900, 900, 200, "error 899")
