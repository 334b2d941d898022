"""The table of `make trust`: only what ran and passed is called passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trust import __main__ as table
from tests.trust import report, suites
from tests.trust.report import Row, record
from tests.trust.suites import SUITES, Suite, kept, run

GOOD = Row("acts [without] consent", "0 of 12", "0", True, "counted by hand")
BAD = Row("faults survived", "3 of 4", "all", False, "counted by hand")

PROGRAM = """
import sys
from pathlib import Path
from tests.trust.report import Row, record
how = sys.argv[1]
if how != "silent":
    record("probe", [Row("probes", how, "", how != "bad", "as told")])
sys.exit(how in ("crash", "bad"))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "FOLDER", tmp_path / "trust")
    monkeypatch.setenv("JARVIS_TRUST_RESULTS", str(tmp_path / "trust"))
    (tmp_path / "probing_suite.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}")
    return tmp_path / "trust"


def probe(short: str, full: str = "") -> Suite:
    return Suite("probe", "probes", "probing_suite", (short,), (full,))


@pytest.mark.parametrize(
    ("how", "state", "passed"),
    [("good", "ran", True), ("bad", "ran", False), ("crash", "broke", False), ("silent", "broke", False)],
)
def test_a_suite_passes_when_it_ran_and_all_its_rows_did(folder: Path, how: str, state: str, passed: bool) -> None:
    result = run(probe(how), full=False)
    assert (result.state, result.passed) == (state, passed)


def test_in_full_it_is_run_with_its_other_arguments(folder: Path) -> None:
    assert run(probe("bad", "good"), full=True).rows[0].counted == "good"


def test_rows_of_an_earlier_run_do_not_stand_for_one_that_broke(folder: Path) -> None:
    record("probe", [GOOD])
    assert kept(probe("")).passed
    assert not run(probe("silent"), full=False).rows
    assert not kept(probe("")).rows


def test_what_has_no_short_form_shows_in_short_what_was_counted_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = Suite("probe", "probes", "probing_suite", None, ("good",))
    monkeypatch.setattr(suites, "SUITES", (long,))
    monkeypatch.setattr(suites, "BY_NAME", {"probe": long})
    monkeypatch.setattr(table, "BY_NAME", {"probe": long})
    assert table.main(["probe"]) == 0
    assert "0 of 1 suites passed; not: probe (not run)." in " ".join(capsys.readouterr().out.split())
    record("probe", [BAD])
    assert table.main(["probe"]) == 1
    assert "3 of 4" in capsys.readouterr().out
    assert table.main(["probe", "--full"]) == 0
    assert kept(long).rows[0].counted == "good"


def test_what_is_not_there_or_cannot_be_read_has_not_passed(folder: Path) -> None:
    missing = run(Suite("probe", "probes", "tests.trust.no_such_suite"), full=False)
    assert (missing.state, missing.passed) == ("missing", False)
    folder.mkdir(parents=True)
    (folder / "probe.json").write_text("{damaged")
    assert (kept(probe("")).state, kept(probe("")).passed) == ("broke", False)


def test_the_table_the_file_and_the_exit_code_say_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = (Suite("one", "acts", "probing_suite"), Suite("two", "faults", "probing_suite"))
    monkeypatch.setattr(suites, "SUITES", chosen)
    monkeypatch.setattr(suites, "BY_NAME", {suite.name: suite for suite in chosen})
    monkeypatch.setattr(table, "BY_NAME", {suite.name: suite for suite in chosen})
    record("one", [GOOD])
    assert table.main(["--only-print"]) == 1
    shown = capsys.readouterr().out
    assert "acts [without]" in " ".join(shown.split())
    assert "not run" in shown
    assert "1 of 2 suites passed; not: two (not run)." in " ".join(shown.split())
    written = json.loads((folder / "trust.json").read_text())
    assert [(suite["suite"], suite["passed"], suite["state"]) for suite in written["suites"]] == [
        ("one", True, "counted"),
        ("two", False, "not run"),
    ]
    assert (written["passed"], (folder / "trust.svg").exists()) == (False, True)

    record("two", [BAD])
    assert table.main(["--only-print"]) == 1
    assert "FAILED" in capsys.readouterr().out
    record("two", [GOOD])
    assert table.main(["--only-print"]) == 0
    assert "All 2 suites passed." in capsys.readouterr().out
    assert json.loads((folder / "trust.json").read_text())["passed"] is True


def test_a_suite_that_there_is_not_is_an_error_that_names_those_there_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        table.main(["nonsense"])
    assert "there is no suite nonsense; the suites are faults" in " ".join(capsys.readouterr().err.split())


def test_every_suite_of_the_table_is_there() -> None:
    assert [suite.name for suite in SUITES if not suite.there] == []
