"""How a job that is made elsewhere checks in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.kinds import check_in
from tools.backups.kinds.check_in import CheckIn

COUNTS = st.none() | st.integers(0, 10**15)
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=150)


@given(st.floats(1, 1e10), st.booleans(), COUNTS, COUNTS, WORDS)
def test_a_report_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, at: float, ok: bool, size: int | None, files: int | None, message: str
) -> None:
    said = CheckIn(at=at, ok=ok, duration_s=1.5, size=size, files=files, message=message)
    file = tmp_path_factory.getbasetemp() / "report.json"
    check_in.write(file, said)
    assert check_in.read(file) == said


def test_a_report_without_a_time_is_as_old_as_its_file() -> None:
    assert check_in.parse('{"ok": true}', 123.5) == CheckIn(at=123.5)


@pytest.mark.parametrize(
    "at, seconds",
    [
        ("1795230000", 1795230000.0),
        ('"2026-11-21T03:00:00+00:00"', 1795230000.0),
        ('"2026-11-21T04:00:00+01:00"', 1795230000.0),
    ],
)
def test_a_time_may_be_a_number_or_a_date(at: str, seconds: float) -> None:
    assert check_in.parse(f'{{"ok": true, "at": {at}}}', 0.0).at == seconds


@pytest.mark.parametrize("at", ["1795230000000", "true", "-5", "[]", '"yesterday"', "1e400"])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ValueError):
        check_in.parse(f'{{"ok": true, "at": {at}}}', 0.0)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        said = check_in.parse(text, 0.0)
    except ValueError:
        return
    assert said.at >= 0.0


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text('{"ok": true}' + " " * check_in.LIMIT_BYTES)
    with pytest.raises(ValueError, match="too long"):
        check_in.read(file)


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "report.json"
    folder.mkdir()
    with pytest.raises(OSError):
        check_in.write(folder, CheckIn(at=1.0))
    assert list(tmp_path.iterdir()) == [folder]
