"""The bill of materials: everything once, with version, licence and hashes; valid by the schema's own library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trust.components import models, packages
from tests.trust.sbom import bill, validated


def test_everything_is_in_it_once() -> None:
    components = bill()["components"]
    refs = [component["bom-ref"] for component in components]
    assert len(set(refs)) == len(refs) == len(packages()) + len(models())
    assert all(component["licenses"][0]["expression"] for component in components)
    assert all("version" in component for component in components if component["type"] == "library")


def test_each_file_of_a_model_has_its_hash() -> None:
    found = [component for component in bill()["components"] if component["type"] == "machine-learning-model"]
    for component, model in zip(found, models(), strict=True):
        hashes = [file["hashes"][0]["content"] for file in component["components"]]
        assert hashes == [file.sha256 for file in model.files]


def test_the_same_tree_gives_the_same_bytes() -> None:
    assert json.dumps(bill()) == json.dumps(bill())


@pytest.mark.real_server
def test_it_is_valid_by_cyclonedx_own_library(tmp_path: Path) -> None:
    file = tmp_path / "bill.json"
    file.write_text(json.dumps(bill()), encoding="utf-8")
    validated(file)
