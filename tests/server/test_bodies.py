"""Multipart bodies: what is in them, and that nothing of them is left open."""

from __future__ import annotations

import gc
import warnings

import pytest
from starlette.datastructures import Headers

from assistant.server.bodies import read_parts

HEADERS = Headers({"content-type": "multipart/form-data; boundary=x"})
FILE = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nRIFF'
FIELD = b'--x\r\nContent-Disposition: form-data; name="room"\r\n\r\nkitchen\r\n'


@pytest.mark.parametrize(
    ("body", "files", "fields"),
    [
        (FIELD + FILE + b"\r\n--x--\r\n", {"audio": b"RIFF"}, {"room": "kitchen"}),
        (FIELD + FILE, {}, {"room": "kitchen"}),  # it broke off
        (FIELD + FILE + b"\r\n-", {}, {"room": "kitchen"}),
        (b"", {}, {}),
    ],
)
async def test_a_part_that_broke_off_is_none_and_no_file_stays_open(
    body: bytes, files: dict[str, bytes], fields: dict[str, str]
) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert await read_parts(HEADERS, body) == (files, fields)
        gc.collect()
    assert [str(one.message) for one in warned] == []
