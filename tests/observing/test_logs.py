"""Log lines: one record is one record, whatever stands in it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import Stage
from assistant.observing.logs import TALKATIVE, TURN, JsonFormatter, TextFormatter, escaped, set_up
from assistant.observing.open import log_turn
from tests.observing.turns import SECRET, ended, failed_turn, spoken_turn

HEAD = re.compile(r"[A-Z]+ [\w.\\]+: ")
NASTY = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\n\r\t\x1b\x00\x85\u2028\u2029\u202e\ud800")))


def record(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("assistant.turn", logging.WARNING, "turn.py", 1, message, arguments, info)
    made.__dict__.update(extra)
    return made


def raised(words: str) -> ValueError:
    try:
        raise ValueError(words)
    except ValueError as error:
        return error


@given(NASTY, NASTY)
def test_a_record_for_people_is_one_line_and_looks_like_no_other(message: str, argument: str) -> None:
    line = TextFormatter().format(record(message.replace("%", "%%") + " %s", argument, turn_id=argument))
    assert len(line.splitlines()) == 1
    assert all(c.isprintable() or c == " " or c.isspace() for c in line)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", line)
    assert HEAD.match(line)


@given(NASTY, NASTY)
def test_a_record_for_programs_is_one_object_in_one_line_of_ascii(message: str, argument: str) -> None:
    line = JsonFormatter().format(record(message.replace("%", "%%") + " %s", argument, code=argument, argument=SECRET))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    read = json.loads(line)
    assert read["message"] == f"{message} {argument}".replace("%%", "%") or "%" in message
    assert read["code"] == argument
    assert SECRET not in line


@given(NASTY)
def test_escaping_shows_all_and_adds_no_line(text: str) -> None:
    assert len(escaped(text).splitlines()) <= 1
    assert escaped(escaped(text)) == escaped(text)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_an_exception_is_told_by_its_frames_and_not_in_its_own_words(
    formatter: logging.Formatter, root: logging.Logger
) -> None:
    root.setLevel(logging.INFO)
    line = formatter.format(record("it broke", error=raised(f"{SECRET}\nERROR assistant.turn: forged")))
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert SECRET not in line
    assert not any(HEAD.match(one) for one in line.splitlines()[1:])
    root.setLevel(logging.DEBUG)
    loud = formatter.format(record("it broke", error=raised(f"{SECRET}\nERROR assistant.turn: forged")))
    assert SECRET in loud
    assert not any(HEAD.match(one) for one in loud.splitlines()[1:])


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_turn_leaves_one_line_with_what_became_of_it_and_no_content(form: str, root: logging.Logger) -> None:
    stream = io.StringIO()
    set_up("info", form, stream)  # type: ignore[arg-type]
    log_turn(ended(*spoken_turn()))
    log_turn(ended(*failed_turn(Stage.MODEL, "model_slow")))
    first, second = stream.getvalue().splitlines()
    assert SECRET not in stream.getvalue()
    if form == "json":
        told = json.loads(first)
        assert (told["turn_id"], told["outcome"], told["total_ms"]) == ("t1", "answered", 2_500)
        told = json.loads(second)
        assert (told["stage"], told["code"], told["level"]) == ("model", "model_slow", "info")
    else:
        assert first == "INFO assistant.turns: turn t1 answered in 2500 ms [turn t1]"
        assert "failed (model: model_slow)" in second


@pytest.mark.parametrize(("level", "shown"), [("info", False), ("warning", False), ("debug", True)])
def test_addresses_that_are_asked_stand_in_the_log_at_debug_only(level: str, shown: bool, root: logging.Logger) -> None:
    stream = io.StringIO()
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    set_up(level, "text", stream)
    try:
        logging.getLogger("httpx").info("HTTP Request: GET http://kuma.lan/api/push/%s", SECRET)
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.setLevel(was)
    assert (SECRET in stream.getvalue()) is shown


def test_every_line_of_a_turn_carries_its_id_and_setting_up_twice_writes_once(root: logging.Logger) -> None:
    streams = [io.StringIO(), io.StringIO()]
    for stream in streams:
        set_up("warning", "json", stream)
    token = TURN.set("abc")
    try:
        logging.getLogger("assistant.chat").warning("slow")
    finally:
        TURN.reset(token)
    assert streams[0].getvalue() == ""
    assert json.loads(streams[1].getvalue())["turn_id"] == "abc"
