"""The manifest: what it lists, and what it refuses."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.cli.models import markdown_table
from assistant.config import Settings
from assistant.errors import ModelFilesError
from assistant.models import ModelStore, read_manifest, shipped_manifest
from assistant.models.manifest import HubSource, NpmSource, Part, WheelSource
from assistant.resources import resource
from tests.fakes_models import (
    FIRST,
    VOICE,
    hub_source,
    manifest_of,
    npm_source,
    part,
    wheels_source,
)

WHEEL_A = {"a": {"version": "1", "size": 1, "sha256": "0" * 64}}


def test_the_default_models_are_all_that_one_spoken_turn_needs() -> None:
    expected = (
        "hey-jarvis",
        "silero-vad",
        "smart-turn",
        "whisper-base",
        "piper-en-us-joe",
        "minilm-l6-v2",
        "qwen2.5-coder-1.5b",
    )
    assert shipped_manifest().defaults() == expected


def test_small_swaps_the_language_model_for_the_smaller_one() -> None:
    assert shipped_manifest().defaults(small=True)[-1] == "qwen2.5-coder-0.5b"


def test_every_model_says_its_licence_and_can_be_had_without_the_hub() -> None:
    for entry in shipped_manifest().models:
        assert entry.licence
        for file in entry.files:
            assert any(not isinstance(source, HubSource) for source in file.sources), f"{entry.name}/{file.name}"


def test_what_needs_npm_is_pulled_by_name_only() -> None:
    manifest = shipped_manifest()
    by_npm = {
        entry.name
        for entry in manifest.models
        for file in entry.files
        if all(isinstance(source, NpmSource) for source in file.sources)
    }
    assert by_npm == {"kokoro", "jfk-clip"}
    assert by_npm.isdisjoint(manifest.together())
    assert set(manifest.defaults()) < set(manifest.together())


def test_the_pretrained_wake_word_is_marked_as_not_for_commerce() -> None:
    entry = shipped_manifest().entry("hey-jarvis")
    assert entry.licence == "CC-BY-NC-SA-4.0"
    assert "commercially" in entry.licence_note


def test_parts_stand_in_the_order_of_their_numbers() -> None:
    for name, count in (("qwen2.5-coder-1.5b", 22), ("qwen2.5-coder-0.5b", 6)):
        (file,) = shipped_manifest().entry(name).files
        (source,) = (source for source in file.sources if isinstance(source, WheelSource))
        numbers = [int(PurePosixPath(part.member).stem.removeprefix("part")) for part in source.parts]
        assert numbers == list(range(1, count + 1))


def test_the_manifest_and_the_page_about_it_name_no_host() -> None:
    assert "://" not in resource("models", "manifest.toml").read_text()


def test_the_table_in_the_readme_is_the_manifests() -> None:
    readme = resource("models", "README.md").read_text()
    assert markdown_table(ModelStore()) in readme, "put the output of `jarvis models list --markdown` into the page"


def test_every_setting_that_the_readme_shows_is_one() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", resource("models", "README.md").read_text(), re.DOTALL)
    shown = [Settings.model_validate(tomllib.loads(block)) for block in blocks]
    assert {word for settings in shown for word in settings.wake.words} == {"hey_jarvis", "computer"}
    assert len(shown) >= 5


@pytest.mark.parametrize("member", ["../evil", "/etc/passwd", "a/../../b", "a\\..\\b", "c:/b", ""])
def test_a_member_that_leaves_its_archive_is_refused(member: str) -> None:
    with pytest.raises(ValidationError, match="stays inside"):
        Part(wheel="a", member=member, size=1, sha256="0" * 64)


@given(st.text())
def test_whatever_member_is_accepted_stays_inside(member: str) -> None:
    try:
        accepted = Part(wheel="a", member=member, size=1, sha256="0" * 64).member
    except ValidationError:
        return
    inside = os.path.normpath(Path("/archive", accepted))
    assert inside.startswith("/archive/")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/a", "", "-rf"])
def test_a_file_name_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        manifest_of(VOICE, hub_source(), name=name)


def test_parts_that_do_not_make_the_file_are_refused() -> None:
    with pytest.raises(ValidationError, match="do not add up"):
        manifest_of(
            VOICE, wheels_source(part("a", "x", FIRST)), wheels={"a": {"version": "1", "size": 1, "sha256": "0" * 64}}
        )


def test_a_wheel_without_a_pinned_hash_is_refused() -> None:
    with pytest.raises(ValidationError, match="without version and hash: a"):
        manifest_of(VOICE, wheels_source(part("a", "x", VOICE)))


def test_an_npm_package_without_a_pinned_hash_is_refused() -> None:
    with pytest.raises(ValidationError, match="npm packages without version and hash: a-voice"):
        manifest_of(VOICE, npm_source("a-voice", "package/voice.bin"))


@pytest.mark.parametrize("text", ["models = 3", "not toml [", ""])
def test_a_broken_manifest_is_an_error_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(ModelFilesError, match=r"manifest\.toml cannot be used") as caught:
        read_manifest(path)
    assert caught.value.code == "bad_manifest"
