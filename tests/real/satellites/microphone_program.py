"""A microphone made of files: ``--mic-command`` of a wyoming-satellite. No import but the standard library's.

    microphone_program.py FOLDER

Silence at the pace of speech, and in it each ``*.wav`` (16 kHz, 16 bit, mono) that is moved into FOLDER, which is then
removed.
"""

from __future__ import annotations

import sys
import time
import wave
from pathlib import Path

RATE_HZ = 16_000
PIECE = 1_024
"""Samples; what wyoming-satellite reads at once."""


def main() -> None:
    folder, began, sent = Path(sys.argv[1]), time.monotonic(), 0
    said = b""
    while True:
        if not said and (waiting := sorted(folder.glob("*.wav"))):
            with wave.open(str(waiting[0]), "rb") as clip:
                said = clip.readframes(clip.getnframes())
            waiting[0].unlink()
        piece, said = said[: PIECE * 2], said[PIECE * 2 :]
        sys.stdout.buffer.write(piece.ljust(PIECE * 2, b"\0"))
        sys.stdout.buffer.flush()
        sent += PIECE
        time.sleep(max(began + sent / RATE_HZ - time.monotonic(), 0))


main()
