"""Memory that was freed goes back to the system: glibc keeps it, and loading models frees a lot."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> bool:
    """``malloc_trim(0)``; whether there was anything to do. False where there is no glibc (macOS, musl)."""
    if sys.platform != "linux":
        return False
    gc.collect()
    try:
        return bool(ctypes.CDLL("libc.so.6").malloc_trim(0))
    except (OSError, AttributeError):
        return False
