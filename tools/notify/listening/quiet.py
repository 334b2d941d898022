"""Quiet hours and the pace of announcements. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time

URGENT = 5
"""The priority that is said in quiet hours, too."""

SHORTEST_S = 5.0
LONGEST_S = 600.0
LONGEST_URGENT_S = 60.0
"""Between two announcements: twice as long each time while messages keep coming, up to these. A flood of any length is
said at most every ten minutes, an urgent one every minute."""

LULL_S = 120.0
"""Without an announcement for so long, and twice the last gap, they no longer keep coming."""


def is_quiet(moment: datetime, quiet_from: str | None, quiet_to: str | None) -> bool:
    """Whether this local moment is in the quiet hours, by the clock on the wall; without hours, or with none between
    them, never. The hour that comes twice in autumn is quiet twice."""
    if quiet_from is None or quiet_to is None:
        return False
    begin, end = time.fromisoformat(quiet_from), time.fromisoformat(quiet_to)
    now = moment.time().replace(tzinfo=None, fold=0)
    return begin <= now < end if begin <= end else now >= begin or now < end


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next announcement may be made. Times are Unix seconds; ``gap_s`` since the last one."""

    group_s: float
    longest_s: float = LONGEST_S
    last: float = float("-inf")
    gap_s: float = 0.0

    def due(self, first: float) -> float:
        """When what has been waiting since ``first`` is said: gathered for ``group_s``, and not too soon."""
        return max(first + self.group_s, self.last + self.gap_s)

    def said(self, at: float) -> Pace:
        """After an announcement at this time."""
        shortest = max(self.group_s, SHORTEST_S)
        keeps_coming = at - self.last <= 2 * max(self.gap_s, shortest) + LULL_S
        gap = min(max(self.gap_s, shortest) * 2, self.longest_s) if keeps_coming else min(shortest, self.longest_s)
        return replace(self, last=at, gap_s=gap)
