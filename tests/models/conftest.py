"""The tests of the model cache see neither the real registry nor the real hub."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assistant import egress


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package registry of these tests: a folder of wheels. The hub is away unless a test starts one."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for switch in egress.TELEMETRY_OFF:  # set in this process by the tests that ran the guard
        monkeypatch.delenv(switch, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # discard: nothing listens there
    return folder
