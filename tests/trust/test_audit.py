"""The audit of the dependencies: what was not asked about is never called sound."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trust import audit
from tests.trust.audit import read, told

SOUND = {"name": "idna", "version": "3.20", "vulns": []}
UNKNOWN = {"name": "numpy", "skip_reason": "not found"}
HOLED = {"name": "jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": []}]}


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ([SOUND], 0, "1 packages, no known vulnerabilities"),
        ([SOUND, HOLED], 1, "jinja2 2.10: PYSEC-1"),
        ([HOLED, UNKNOWN], 1, "jinja2 2.10: PYSEC-1"),
        ([SOUND, UNKNOWN], 3, "NOT ALL: numpy WAS AUDITED (1 of 2 packages)"),
        ([UNKNOWN], 3, "NOTHING WAS AUDITED"),
        ([], 3, "NOTHING WAS AUDITED"),
    ],
)
def test_only_what_was_asked_about_and_found_sound_passes(found: list[Any], code: int, words: str) -> None:
    ended, said = told("lock", read(found))
    assert ended == code
    assert words in said


@pytest.mark.parametrize("known_as", ["PYSEC-1", "CVE-1"])
def test_what_is_lived_with_has_a_reason_under_any_of_its_names(monkeypatch: pytest.MonkeyPatch, known_as: str) -> None:
    monkeypatch.setattr(audit, "LIVED_WITH", {known_as: "templates are ours"})
    assert told("lock", read([HOLED]))[0] == 0


def test_unreachable_passes_only_where_that_is_said_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "audited", lambda _: read([UNKNOWN]))
    assert audit.main(["run.txt"]) == 3
    assert audit.main(["run.txt", "--unreachable-passes"]) == 0
    assert "NOTHING WAS AUDITED" in capsys.readouterr().out
    monkeypatch.setattr(audit, "audited", lambda _: read([HOLED]))
    assert audit.main(["run.txt", "--unreachable-passes"]) == 1
