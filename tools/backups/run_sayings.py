"""What is said of a run: made, checked, and what was not right. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.backups.port import Copy
from tools.wording import counted, listing, number, sentence

CHECKS_IN = frozenset({"report"})
"""Kinds that are run elsewhere."""

MAIN = "the main one"
"""A job's first destination, where there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSaid:
    """How a run ended at one destination. ``wrong``: why no copy was made; ``check``, ``prune``: why those failed."""

    name: str = ""
    copy: Copy | None = None
    wrong: str = ""
    checked: bool = False
    check: str = ""
    prune: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing was wrong there."""
        return self.copy is not None and self.copy.complete and not (
            self.wrong or self.check or self.prune or self.copy.unread
        )  # fmt: skip


def said_of_run(job: str, places: Sequence[PlaceSaid], hook: str = "") -> str:
    """One job's run, in one to three sentences. ``hook``: why the command after it failed."""
    made = [place for place in places if place.copy is not None]
    subject = f"the {job} backup"
    if not made:
        reasons = list(dict.fromkeys(place.wrong or "nothing was made" for place in places))
        parts = [f"{subject} failed: {'; '.join(reasons)}"]
    elif len(made) < len(places):
        parts = [f"{subject} was made at {number(len(made))} of {number(len(places))} places"]
        parts += [f"{place.name or MAIN} failed: {place.wrong}" for place in places if place.copy is None]
    else:
        parts = [f"{subject} is done{_what(made)}"]
    parts += _not_right(made, several=len(places) > 1)
    if hook:
        parts.append(f"the command after it failed: {hook}")
    return " ".join(sentence(part) for part in parts)


def said_of_elsewhere(job: str) -> str:
    """A job that somebody else runs."""
    return f"I can't run the {job} backup: it is made elsewhere, and only checks in here."


def said_of_skipped(job: str, hook: str = "") -> str:
    """A job whose command before it said that there is nothing to copy now. ``hook``: as above."""
    said = f"The {job} backup was left out: the command before it says that there is nothing to copy now."
    return f"{said} {sentence(f'the command after it failed: {hook}')}" if hook else said


def said_of_all(ended: Sequence[tuple[str, bool, str]], skipped: Sequence[str] = ()) -> str:
    """Several jobs: (name, well, what was said of it). What went wrong is named, two of them in full; ``skipped``: the
    names of those that were left out."""
    made = [one for one in ended if one[0] not in skipped]
    if skipped and len(ended) > 1:
        left_out = sentence(f"{listing(list(skipped))} {'was' if len(skipped) == 1 else 'were'} left out")
        return f"{said_of_all(made)} {left_out}" if made else left_out
    wrong = [(name, said) for name, well, said in ended if not well]
    if not ended:
        return "There was nothing to back up."
    if not wrong:
        if len(ended) == 1:
            return ended[0][2]
        return "Both backups are done." if len(ended) == 2 else f"All {counted(len(ended), 'backup')} are done."
    well = len(ended) - len(wrong)
    first = sentence(f"{number(well)} of {counted(len(ended), 'backup')} went well")
    rest = listing([name for name, _ in wrong[2:]])
    more = f" {sentence(f'{rest} had trouble, too')}" if rest else ""
    return f"{first} {' '.join(said for _, said in wrong[:2])}{more}"


def size_said(count: int) -> str:
    """Bytes as people say them: "300 kilobytes", "1.2 gigabytes"."""
    for unit, size in (("terabyte", 1e12), ("gigabyte", 1e9), ("megabyte", 1e6), ("kilobyte", 1e3)):
        if count >= size:
            amount = f"{count / size:.1f}".removesuffix(".0") if count < 10 * size else f"{count / size:.0f}"
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return counted(count, "byte")


def _what(made: Sequence[PlaceSaid]) -> str:
    """ ", and checked: 1.2 gigabytes, 12 new files"."""
    checked = ", and checked" if all(place.checked for place in made) else ""
    copy = made[0].copy
    if copy is None or copy.size is None:
        return checked
    new = f", {counted(copy.files_new, 'new file')}" if copy.files_new else ""
    return f"{checked}: {size_said(copy.size)}{new}"


def _not_right(made: Sequence[PlaceSaid], *, several: bool) -> list[str]:
    said = []
    for place in made:
        where = f" at {place.name or MAIN}" if several else ""
        if place.copy is not None and place.copy.unread:
            said.append(f"{counted(place.copy.unread, 'file')} could not be read")
        if place.check:
            said.append(f"the check{where} failed: {place.check}")
        if place.prune:
            said.append(f"old backups{where} could not be removed: {place.prune}")
    return list(dict.fromkeys(said))
