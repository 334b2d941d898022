"""The encrypted archives of Home Assistant's backups, against what the package ``securetar`` wrote."""

from __future__ import annotations

import base64
import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.backups.kinds import secure_tar
from tools.backups.kinds.secret_stream import hchacha20
from tools.backups.port import BackupError, Fault

PASSWORD = "pass word"
VERSION_2 = base64.b64decode(
    "U2VjdXJlVGFyAgAAAAAAAAAAAAAAAABoAAAAAAAAAAAa/vBuC2qmi8H0xbgBe7vO0GmfWt8E4lQfMnMkRVBpO2iSYQY327VqpOVo"
    "ZFtg45sqoMBt56Ljauo3H9dRQmEwmXm/g4A9OSvgkNilXFNxt2RcuOaE8uGvE8/72t8bgF7Ax+CwBbuVY7FXjz2ZkA6Ymt/PLmt/"
    "4kac5dTN45wweQ=="
)
VERSION_3 = base64.b64decode(
    "U2VjdXJlVGFyAwAAAAAAAAAAAAAAAABoAAAAAAAAAABkSAae/+IkQaNWTiIuwAWd2sEEj43NAXRPlNqifPM/dQF4bqtBrgQ4+iIr"
    "cfKHXq1O2oLfOZ5DpXDbP2TEdZxwalV7tEqqc+A+VuTBzU4qaUxJ8B7uD4Bzi+kFoDdRF3ddUbZ2TLIETtXwR//mm5dikHAytcft"
    "63Uz9KtojZouKauPolWGK9Q4703f6O3Pzovbrmrw8vrPUBEaaf5N6mO7awXkcSa9WRd5LkF/M20E3qTnAypdA8RSP78j5pLY/jFu"
    "SxKDcwDCr8msJWVpI1YZ0uaczk5Zh8rAPvGPelbqrrE="
)
"""Both made by securetar 2026.10.0 with that password: a tar.gz of one file, ``data/x``."""

WRITTEN = pytest.mark.parametrize("archive", [VERSION_2, VERSION_3], ids=["2", "3"])
LIMIT = 10_000_000


def opened(archive: bytes, folder: Path, password: str = PASSWORD) -> bytes:
    """The plain archive."""
    target = folder / f"plain-{len(list(folder.iterdir()))}"
    secure_tar.decrypt(io.BytesIO(archive), len(archive), target, password, limit=LIMIT)
    return target.read_bytes()


def sealed(plain: bytes, folder: Path) -> bytes:
    (folder / "to-seal").write_bytes(plain)
    target = io.BytesIO()
    assert secure_tar.encrypt(folder / "to-seal", target, PASSWORD) == len(target.getvalue())
    return target.getvalue()


@WRITTEN
def test_what_securetar_wrote_is_read(archive: bytes, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(opened(archive, tmp_path))) as tar:
        file = tar.extractfile("data/x")
        assert file is not None
        assert file.read() == b"milk\n"


@WRITTEN
def test_a_wrong_password_is_told_by_the_beginning_and_by_reading_it(archive: bytes, tmp_path: Path) -> None:
    assert secure_tar.opens(io.BytesIO(archive), PASSWORD)
    assert not secure_tar.opens(io.BytesIO(archive), "another one")
    with pytest.raises(BackupError) as raised:
        opened(archive, tmp_path, "another one")
    assert raised.value.fault is Fault.WRONG_PASSWORD


@WRITTEN
def test_no_part_of_an_archive_passes_for_all_of_it(archive: bytes, tmp_path: Path) -> None:
    for size in range(len(archive)):
        with pytest.raises(BackupError):
            opened(archive[:size], tmp_path)


def test_any_flipped_byte_of_version_3_is_found(tmp_path: Path) -> None:
    apart = range(24, 32)  # for later versions
    for place in sorted({*range(0, len(VERSION_3), 3), *range(len(VERSION_3) - 20, len(VERSION_3))} - {*apart}):
        flipped = bytearray(VERSION_3)
        flipped[place] ^= 0x40
        with pytest.raises(BackupError):
            opened(bytes(flipped), tmp_path)


def test_an_archive_that_is_larger_than_agreed_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(BackupError) as raised:
        secure_tar.decrypt(io.BytesIO(VERSION_2), LIMIT + 1, tmp_path / "x", PASSWORD, limit=LIMIT)
    assert raised.value.fault is Fault.NONSENSE
    assert not (tmp_path / "x").exists()


@settings(max_examples=30, deadline=None)
@given(size=st.one_of(st.integers(0, 70), st.sampled_from([2**20 - 16, 2**20 - 1, 2**20, 2**20 + 1, 2**21])))
def test_what_is_written_here_is_read_again(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = b"\x1f\x8b\x08" + os.urandom(size)
        assert opened(sealed(plain, Path(folder)), Path(folder)) == plain


def test_version_1_is_the_second_without_its_head(tmp_path: Path) -> None:
    assert opened(VERSION_2[32:], tmp_path) == opened(VERSION_2, tmp_path)


@settings(deadline=None)
@given(archive=st.binary(max_size=600), head=st.sampled_from([b"", VERSION_2[:10], VERSION_2[:48], VERSION_3[:10]]))
def test_no_bytes_pass_for_an_archive(archive: bytes, head: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(BackupError):
        opened(head + archive, Path(folder))


def test_hchacha20_is_that_of_its_specification() -> None:
    """draft-irtf-cfrg-xchacha-03, 2.2.1."""
    key, nonce = bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")
    expected = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert hchacha20(key, nonce).hex() == expected
