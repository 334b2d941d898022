"""Every documented operation, with generated requests: answers are as documented, and none is a server error."""

from __future__ import annotations

from tests.server.schemathesis_run import OWNER, run, served


def test_answers_are_as_documented() -> None:
    """The short form of ``make schemathesis``; the same requests every time."""
    with served() as url:
        code, report = run(url, OWNER, examples=2, phases="fuzzing")
    assert code == 0, report
    assert "Tested: " in report
