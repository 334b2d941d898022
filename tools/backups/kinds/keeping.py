"""Which dated copies stay: for the kinds whose program does not prune by itself (snapshot folders, dumps). Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime

from tools.backups.port import Copy
from tools.settings import KeepSettings

DAY_S = 86_400.0


def superfluous(copies: Sequence[Copy], keep: KeepSettings, now: float, *, broken_off_after_s: float) -> list[Copy]:
    """What may go, oldest first. ``copies``: oldest first, where several are of one second.

    Of the complete copies, the newest always stays, and all that any rule of ``keep`` wants: those younger than
    ``days``, the ``last`` so many, and the newest of each of the last so many days, weeks and months that have one
    (local calendar). Where every rule is 0 nothing goes. An incomplete copy goes when a complete one is newer and it
    is older than ``broken_off_after_s``: until then it may still be written.
    """
    complete = sorted((copy for copy in copies if copy.complete), key=lambda copy: copy.at)[::-1]
    if not complete:
        return []
    stays = _kept(complete, keep, now)
    gone = [copy for copy in complete if copy.id not in stays]
    gone += [
        copy for copy in copies if not copy.complete and copy.at < complete[0].at and copy.at < now - broken_off_after_s
    ]
    return sorted(gone, key=lambda copy: copy.at)


def _kept(newest_first: Sequence[Copy], keep: KeepSettings, now: float) -> set[str]:
    if not any((keep.last, keep.daily, keep.weekly, keep.monthly, keep.days)):
        return {copy.id for copy in newest_first}
    stays = {copy.id for copy in newest_first[: max(keep.last, 1)]}
    stays |= {copy.id for copy in newest_first if copy.at > now - keep.days * DAY_S}
    for count, period in ((keep.daily, _day), (keep.weekly, _week), (keep.monthly, _month)):
        stays |= _newest_of_each(newest_first, count, period)
    return stays


def _newest_of_each(newest_first: Sequence[Copy], count: int, period: Callable[[date], Hashable]) -> set[str]:
    found: dict[Hashable, str] = {}
    for copy in newest_first:
        if len(found) == count:
            break
        found.setdefault(period(datetime.fromtimestamp(copy.at).date()), copy.id)
    return set(found.values())


def _day(day: date) -> Hashable:
    return day


def _week(day: date) -> Hashable:
    return day.isocalendar()[:2]


def _month(day: date) -> Hashable:
    return day.year, day.month
