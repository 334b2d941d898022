"""The page of licences is the generated one, and nothing on it is left open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust.components import ROOT, licence_of, models, packages
from tests.trust.licences import markdown


def test_the_page_is_the_generated_one() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert page == markdown(), "run `.venv/bin/python -m tests.trust.licences > docs/licences.md`"


def test_every_package_and_every_model_has_its_licence() -> None:
    found = packages()
    assert len(found) > 80
    assert all(package.licence and package.version for package in found)
    assert all(model.licence for model in models())


def test_what_may_not_be_used_commercially_is_said() -> None:
    page = markdown()
    for model in models():
        if "NC" in model.licence:
            assert model.licence_note, f"{model.name} says nothing of what its licence forbids"
            assert model.licence_note in page


def test_a_licence_that_nobody_knows_is_an_error_and_no_gap() -> None:
    with pytest.raises(LookupError, match="no-such-package states no licence"):
        licence_of("no-such-package")


def test_packages_for_other_systems_are_listed_with_them(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("pywin32==312 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n")
    (package,) = packages(lock)
    assert (package.name, package.version, package.only) == ("pywin32", "312", "sys_platform == 'win32'")
