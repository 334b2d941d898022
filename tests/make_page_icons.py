"""Draw the web page's icons: ``python -m tests.make_page_icons`` writes assistant/page/icon*.

Five sound bars on a rounded square. The SVG and the PNGs are drawn from the same numbers, and the same numbers give
the same bytes (tests/server/test_page.py).
"""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent.parent / "assistant" / "page"

GROUND = (0x1F, 0x5F, 0x7A)
INK = (0xFF, 0xFF, 0xFF)
CORNER = 0.22
"""Of the side; a maskable icon has none, the system cuts it."""

BARS = ((0.20, 0.18), (0.35, 0.40), (0.50, 0.58), (0.65, 0.34), (0.80, 0.14))
"""Centre across and height, of the side."""

BAR_WIDTH = 0.085
MASKABLE_SHRUNK = 0.72
"""What matters stays within the inner circle of 80 % (W3C Manifest, safe zone)."""


def svg() -> str:
    """The icon for whoever can draw it."""
    bars = "".join(
        f'<rect x="{(x - BAR_WIDTH / 2) * 100:.2f}" y="{(0.5 - height / 2) * 100:.2f}" width="{BAR_WIDTH * 100:.2f}" '
        f'height="{height * 100:.2f}" rx="{BAR_WIDTH * 50:.2f}"/>'
        for x, height in BARS
    )
    ground = "#{:02x}{:02x}{:02x}".format(*GROUND)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<rect width="100" height="100" rx="{CORNER * 100:.0f}" fill="{ground}"/><g fill="#fff">{bars}</g></svg>\n'
    )


def png(side: int, *, maskable: bool = False) -> bytes:
    """The same with that many pixels to a side, edges smooth."""
    middle = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(middle, middle)
    covered = np.ones((side, side)) if maskable else _rounded(x, y, (0.5, 0.5), (1.0, 1.0), CORNER)
    shrunk = MASKABLE_SHRUNK if maskable else 1.0
    ink = np.zeros((side, side))
    for across, height in BARS:
        centre = (0.5 + (across - 0.5) * shrunk, 0.5)
        ink = np.maximum(ink, _rounded(x, y, centre, (BAR_WIDTH * shrunk, height * shrunk), BAR_WIDTH * shrunk / 2))
    colour = [ground + (over - ground) * ink for ground, over in zip(GROUND, INK, strict=True)]
    return _file(np.stack([*colour, covered * 255], axis=-1).round().astype(np.uint8))


def _rounded(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    centre: tuple[float, float],
    size: tuple[float, float],
    radius: float,
) -> NDArray[np.float64]:
    """How much of each pixel a rounded rectangle covers, from the distance to its edge: 1 inside, 0 outside."""
    across = np.maximum(np.abs(x - centre[0]) - (size[0] / 2 - radius), 0)
    down = np.maximum(np.abs(y - centre[1]) - (size[1] / 2 - radius), 0)
    outside = np.hypot(across, down) - radius
    return np.asarray(np.clip(0.5 - outside * x.shape[0], 0, 1), dtype=np.float64)


def _file(pixels: NDArray[np.uint8]) -> bytes:
    """PNG (W3C, third edition): RGBA of 8 bits, no filter."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def icons() -> dict[str, bytes]:
    """By file name."""
    return {
        "icon.svg": svg().encode(),
        "icon-192.png": png(192),
        "icon-512.png": png(512),
        "icon-maskable.png": png(512, maskable=True),
    }


if __name__ == "__main__":
    for name, data in icons().items():
        (FOLDER / name).write_bytes(data)
        sys.stdout.write(f"{name}: {len(data)} bytes\n")
