"""``docs/backups.md`` says what the verdict function and the tool do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.backups_page import MARK, PAGE, every_job, generated
from tools.backups.examining import examined
from tools.backups.port import Fault
from tools.backups.records import BackupRecords
from tools.backups.verdict import Cause, Verdict
from tools.settings import BackupSettings
from tools.store import Store


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


def test_the_tables_in_the_docs_are_the_generated_ones(page: str) -> None:
    _, _, below = page.partition(MARK)
    assert below == generated(), "run `python -m tests.tools.backups_page`"


def test_the_tables_show_every_verdict_every_cause_and_every_fault() -> None:
    assert {job.verdict for job in every_job()} == set(Verdict)
    assert {job.judgement.cause for job in every_job()} == set(Cause)
    assert all(f"`{word.value}`" in generated() for word in (*Cause, *Fault))


def test_the_precedence_in_the_docs_is_the_one_of_the_code(page: str) -> None:
    assert f"**{' > '.join(verdict.value for verdict in reversed(Verdict))}**" in page


def test_every_field_of_the_record_is_described_and_no_other(page: str, store: Store) -> None:
    record = examined("mail", BackupSettings(kind="restic"), BackupRecords(store), 0.0).record
    section = page.partition("\n## The record\n")[2].partition("\n## ")[0]
    described = re.findall(r"^\| `([a-z_.]+)` \|", section, flags=re.MULTILINE)
    assert described == list(_fields(record))


def _fields(record: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _fields(value, f"{key}.")
        else:
            yield prefix + key
