"""The set of utterances, said to a real Home Assistant in the real turn: how many end as they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.cli.evaluate_home import try_home
from assistant.config import Settings
from assistant.home_lines import read_home_lines
from tests.real.home.house import House
from tests.real.home.sentence_house import sentence_house

pytestmark = pytest.mark.real_server

SENTENCES = Path(__file__).parents[2] / "home" / "sentences.jsonl"
WANTED = 0.95
DOMAINS = {"light", "switch", "cover", "lock", "climate", "fan", "media", "scene", "vacuum", "query"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sentence_house(tmp_path_factory.mktemp("sentences") / "config") as started:
        yield started


def test_the_set_is_large_and_of_every_domain() -> None:
    lines = read_home_lines([SENTENCES])

    counts = Counter(line.domain for line in lines)
    assert len(lines) >= 150
    assert set(counts) == DOMAINS
    assert min(counts.values()) >= 8
    assert len({line.text for line in lines}) == len(lines)
    assert sum(line.confirm for line in lines) >= 5


def test_nearly_all_utterances_end_in_the_state_that_they_should(furnished: House) -> None:
    report = try_home(furnished.url, furnished.token_file, [SENTENCES], Settings(), "sentences")

    wrong = [f"{one.line.text}: {one.wrong} ({one.answer})" for one in report.wrong]
    assert len(report.tried) >= 150
    assert report.share >= WANTED, wrong
    assert not [line for line in wrong if "before the yes" in line or "not asked back" in line]
