"""Fixtures that every part's tests may use. Nothing here skips: what a test needs is there, or the test fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from assistant.models import ModelStore
from tests.real.inspector import PROGRAM, Inspector

# A shared or virtual machine stalls now and then: the time of one example says nothing about the code.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    """The model cache (JARVIS_MODELS, else the platform's place) with every model that `--all` pulls in it."""
    store = ModelStore()
    missing = store.missing(store.manifest.together())
    if missing:
        pytest.fail(
            f"{store.models_dir} lacks {', '.join(missing)}. Get them with `make models-all`, or name the folder that "
            "has them in JARVIS_MODELS.",
            pytrace=False,
        )
    return store


@pytest.fixture(scope="session")
def models_dir(model_store: ModelStore) -> Path:
    """Folder of the model cache, ``<models_dir>/<model>/<file>``."""
    return model_store.models_dir


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """For children that may open no file: nor may they for ``make coverage``."""
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)


@pytest.fixture
def inspector(tmp_path: Path) -> Inspector:
    """The MCP Inspector, for tests marked ``real_server``."""
    if not PROGRAM.exists():
        pytest.fail("The MCP Inspector is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    home = tmp_path / "inspector"
    home.mkdir()
    return Inspector(home)
