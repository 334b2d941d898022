"""What an error says can go to any log and any terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ChatError, JarvisError, one_line


@given(st.text(), st.text())
def test_detail_and_mend_are_one_line_without_control_characters(detail: str, mend: str) -> None:
    error = JarvisError("x", detail, mend=mend)
    for said in (error.detail, error.mend, str(error)):
        assert said.isprintable()
    assert len(error.detail) == len(detail)


def test_what_is_plain_stays_as_it_is() -> None:
    assert one_line("“nas” cannot be read: café.") == "“nas” cannot be read: café."


def test_several_lines_are_given_as_such_and_each_is_one() -> None:
    error = JarvisError("x", ["first", "second\nforged"])
    assert error.detail == "first\nsecond forged"


def test_a_forged_line_of_log_is_part_of_its_own_line() -> None:
    error = ChatError("model_error", "It says: no\n2026-01-01 INFO all is well\x1b[2K\u202e.")
    assert error.detail == "It says: no 2026-01-01 INFO all is well [2K ."
