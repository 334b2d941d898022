"""The short form of the fuzzing: each target's seeds, the cases that once broke it, and some mutations by Hypothesis.

``python -m tests.fuzz --seconds 60`` is the long one, guided by coverage.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.cases import cases
from tests.fuzz.target import check
from tests.fuzz.targets import NAMES, target

PIECES = (
    b"\0",
    b"\n",
    b"\r\n",
    b'"',
    b"{",
    b"[",
    b"}",
    b"]",
    b"null",
    b"-1",
    b"1e999",
    b"\xff\xff\xff\xff",
    b"{}",
    b"\\ud800",
    b"99999999999999999999",
    b"\xed\xa0\x80",
    b"\x1b[31m",
    b"\xe2\x80\xae",
    b"true",
    b"NaN",
    b"\\u0000",
    b"a" * 70,
)


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A seed with up to four changes, or any bytes."""
    if not seeds or draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    found = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(found)))
        length = draw(st.integers(0, 12))
        found[at : at + length] = draw(st.sampled_from(PIECES) | st.binary(max_size=6))
    return bytes(found)


@pytest.mark.parametrize("name", NAMES)
def test_no_bytes_break_the_promise(name: str) -> None:
    one = target(name)
    seeds = tuple(one.seeds())
    for seed in seeds if one.examples > 10 else seeds[:: len(seeds) // 8 or 1]:  # the slow ones: some of them
        check(one, seed)

    @settings(
        max_examples=one.examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(seeds))
    def holds(data: bytes) -> None:
        check(one, data)

    holds()


@pytest.mark.parametrize(("name", "case"), [(name, file) for name, file in cases()], ids=lambda part: str(part)[-20:])
def test_what_once_broke_it_does_so_no_more(name: str, case: Path) -> None:
    check(target(name), case.read_bytes())
