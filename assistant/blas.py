"""One thread for numpy's linear algebra.

OpenBLAS starts a thread for every core, and each goes on spinning for some milliseconds after its work is done
(``THREAD_TIMEOUT`` in OpenBLAS's Makefile.rule): after Whisper's spectrogram, on the cores that its encoder and the
turn model want. Nothing here multiplies matrices large enough to gain from a second thread. On two cores Whisper's
short window beside the turn model takes a tenth longer with it (``python -m tests.speech.bench_threads``, with
``OPENBLAS_NUM_THREADS=2`` and without). On macOS numpy uses Accelerate, which decides for itself.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

VARIABLE = "OPENBLAS_NUM_THREADS"


def one_blas_thread(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variable unless somebody has; it is read once, when numpy is imported."""
    environment.setdefault(VARIABLE, "1")
