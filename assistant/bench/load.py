"""How busy the machine is."""

from __future__ import annotations

import os


def load_average() -> float | None:
    """Processes that ran or waited for a core, one-minute average; None where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):  # Windows has none
        return None
