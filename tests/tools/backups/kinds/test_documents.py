"""The configuration in the documents can be used as it stands there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools.backups.kinds import make
from tools.settings import ToolSettings

DOCS = Path(__file__).resolve().parents[4] / "docs"
BLOCKS = [
    pytest.param(block, id=f"{name} {number}")
    for name in ("backup-places.md", "backup-commands.md")
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL))
]


def test_there_is_something_to_check() -> None:
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_is_a_job(block: str) -> None:
    house = ToolSettings(**tomllib.loads(block))
    for settings in house.backups.values():
        assert make(settings).kind == settings.kind
