"""``docs/services.md`` says what the merge does."""

from __future__ import annotations

import re

import pytest

from tests.tools.services_page import MARK, PAGE, every_case, every_state, generated
from tools.services.states import State


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_tables_in_the_docs_are_the_generated_ones(page: str) -> None:
    _, _, below = page.partition(MARK)
    assert below == generated(), "run `python -m tests.tools.services_page`"


def test_the_tables_show_every_state_and_every_combination_of_vantages() -> None:
    assert every_state() == set(State)
    assert len(every_case()) == 27


def test_the_page_describes_every_state(page: str) -> None:
    described = re.findall(r"^\| `([a-z]+)` \| [a-z]", page.partition(MARK)[0], flags=re.MULTILINE)
    assert set(described) == {state.value for state in State}
