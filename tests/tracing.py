"""What being measured by ``make coverage`` costs: a tracer looks at every line."""

from __future__ import annotations

import sys

SLOWED = 1.0 if sys.gettrace() is None else 5.0
"""Times by which a limit of time is wider while the tests are traced; without a tracer it holds as it stands."""
