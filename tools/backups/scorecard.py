"""How well each class of data is protected: 3-2-1-1-0, and what is left after which misfortune. Pure.

The rules and where they come from stand in ``docs/scorecard.md``. Everything here is decided from what is configured
(what a copy lies on, where, whether it is unplugged) and from the verdicts: a copy that failed is no copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.contract import JsonObject
from tools.settings import BackupKind, BackupSettings, DestinationSettings, Medium
from tools.wording import counted, listing, number, sentence

ORIGINAL = "the original"

VERSIONED: frozenset[BackupKind] = frozenset(
    {
        "restic", "borg", "borgmatic", "kopia", "rsync-snapshots", "sqlite", "postgres-dump", "mariadb-dump",
        "home-assistant-tar", "gitea-dump",
    }
)  # fmt: skip
"""Kinds that keep earlier states: what was deleted yesterday is in the copy of the day before. Of a plain copy, and of
a job that only checks in, nobody knows."""

ENCRYPTED: frozenset[BackupKind] = frozenset({"restic", "borg", "borgmatic", "kopia"})
"""Kinds that nobody can read without the password, wherever the copy is."""


class Failure(StrEnum):
    """Misfortunes, in the order in which they are shown."""

    DELETED_FOLDER = "deleted_folder"
    DEAD_DISK = "dead_disk"
    DEAD_NAS = "dead_nas"
    RANSOMWARE = "ransomware"
    FIRE = "fire"
    LOST_ACCOUNT = "lost_account"


NAMED: Mapping[Failure, str] = {
    Failure.DELETED_FOLDER: "a deleted folder",
    Failure.DEAD_DISK: "a dead disk",
    Failure.DEAD_NAS: "a dead NAS",
    Failure.RANSOMWARE: "ransomware",
    Failure.FIRE: "a fire",
    Failure.LOST_ACCOUNT: "a lost account",
}
"""As people say them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One backup copy of a class of data: a job at one of its destinations.

    ``destination``: empty for the job's main one; ``same_disk``: it lies on the disk of its original; ``there``: False
    for one that failed; ``proven``: restored and compared, and not overdue; ``versions``: keeps earlier states;
    ``needs_key``: useless without its password.
    """

    job: str
    destination: str = ""
    medium: Medium = "disk"
    offsite: bool = False
    offline: bool = False
    immutable: bool = False
    same_disk: bool = False
    there: bool = True
    proven: bool = False
    versions: bool = True
    needs_key: bool = False

    @property
    def name(self) -> str:
        """As people are told: "photos", "photos on the usb disk"."""
        return f"{self.job} on {self.destination}" if self.destination else self.job

    @property
    def away(self) -> bool:
        """In another building; a cloud is."""
        return self.offsite or self.medium == "cloud"

    @property
    def out_of_reach(self) -> bool:
        """Of a program that can write whatever this house can write."""
        return self.offline or self.immutable

    def survives(self, failure: Failure) -> bool:
        """Whether it can still be restored from; one that is not there survives nothing."""
        left = {
            Failure.DELETED_FOLDER: self.versions or self.immutable,
            Failure.DEAD_DISK: not self.same_disk,
            Failure.DEAD_NAS: self.medium != "nas" or self.away,
            Failure.RANSOMWARE: self.out_of_reach,
            Failure.FIRE: self.away,
            Failure.LOST_ACCOUNT: self.medium != "cloud",
        }
        return self.there and left[failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One class of data. ``copies`` counts the original; ``unproven``: copies whose restore failed, is overdue or was
    never tried; ``survivors``: what is left after each failure, ORIGINAL among it; ``keys``: those of them that need a
    password, which has to survive as well."""

    data_class: str
    copies: int
    media: int
    offsite: int
    out_of_reach: int
    unproven: tuple[str, ...]
    survivors: Mapping[Failure, tuple[str, ...]]
    keys: frozenset[str]

    @property
    def figures(self) -> tuple[int, int, int, int, int]:
        """To be held against 3-2-1-1-0."""
        return self.copies, self.media, self.offsite, self.out_of_reach, len(self.unproven)

    @property
    def met(self) -> tuple[bool, bool, bool, bool, bool]:
        """Each figure of the rule."""
        copies, media, offsite, out_of_reach, unproven = self.figures
        return copies >= 3, media >= 2, offsite >= 1, out_of_reach >= 1, unproven == 0 and copies > 1

    @property
    def nothing_survives(self) -> tuple[Failure, ...]:
        """Failures after which the data is gone."""
        return tuple(failure for failure in Failure if not self.survivors[failure])


def score(data_class: str, holdings: Sequence[Holding], original_on: Iterable[Medium] = ("disk",)) -> Score:
    """Count one class. ``original_on``: what the original lies on; several where jobs of the class differ."""
    originals = set(original_on)
    there = [holding for holding in holdings if holding.there]
    survivors = {
        failure: (
            *((ORIGINAL,) if _original_survives(originals, failure) else ()),
            *(holding.name for holding in there if holding.survives(failure)),
        )
        for failure in Failure
    }
    return Score(
        data_class=data_class,
        copies=1 + len(there),
        media=len(originals | {holding.medium for holding in there}),
        offsite=sum(holding.away for holding in there),
        out_of_reach=sum(holding.out_of_reach for holding in there),
        unproven=tuple(holding.name for holding in holdings if not (holding.there and holding.proven)),
        survivors=survivors,
        keys=frozenset(holding.name for holding in there if holding.needs_key),
    )


def _original_survives(on: set[Medium], failure: Failure) -> bool:
    """It is what the first two failures and ransomware are about; the others depend on where it lies."""
    left = {
        Failure.DEAD_NAS: "nas" not in on,
        Failure.FIRE: on == {"cloud"},
        Failure.LOST_ACCOUNT: "cloud" not in on,
    }
    return left.get(failure, False)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one copy beyond its settings; see Holding."""

    there: bool = False
    proven: bool = False
    same_disk: bool = False


def scorecard(jobs: Mapping[str, BackupSettings], standings: Mapping[tuple[str, str], Standing]) -> tuple[Score, ...]:
    """All classes, by name. ``standings``: by job and destination (empty: the main one); one that is missing counts as
    a copy that is not there."""
    holdings: dict[str, list[Holding]] = {}
    originals: dict[str, set[Medium]] = {}
    for job, settings in jobs.items():
        data_class = settings.data_class or job
        originals.setdefault(data_class, set()).add(settings.source_medium)
        holdings.setdefault(data_class, []).extend(_holdings(job, settings, standings))
    return tuple(score(name, holdings[name], originals[name]) for name in sorted(holdings))


def _holdings(job: str, settings: BackupSettings, standings: Mapping[tuple[str, str], Standing]) -> Iterable[Holding]:
    places: list[tuple[str, BackupSettings | DestinationSettings]] = [("", settings)]
    places += [(one.name, one) for one in settings.also]
    for destination, place in places:
        standing = standings.get((job, destination), Standing())
        yield Holding(
            job=job,
            destination=destination,
            medium=place.medium,
            offsite=place.offsite,
            offline=place.offline,
            immutable=place.immutable,
            same_disk=standing.same_disk,
            there=standing.there,
            proven=standing.proven,
            versions=settings.kind in VERSIONED,
            needs_key=settings.kind in ENCRYPTED,
        )


def say(card: Score) -> str:
    """One class in sentences: what there is, and what nothing survives."""
    copies, media, offsite, out_of_reach, unproven = card.figures
    head = f"{card.data_class}: {counted(copies, 'copy', 'copies')} on {counted(media, 'medium', 'media')}"
    where = f"{_none(offsite)} off-site, {_none(out_of_reach)} offline or immutable"
    tested = "every restore is proven" if card.met[4] else f"{counted(unproven, 'restore')} not proven"
    said = sentence(f"{head}, {where}; {tested}")
    if not card.nothing_survives:
        return f"{said} Something survives every failure."
    return f"{said} Nothing survives {listing([NAMED[failure] for failure in card.nothing_survives], 'or')}."


def as_json(card: Score) -> JsonObject:
    """One class as the command line and the page's server give it out (docs/scorecard.md)."""
    names = ("copies", "media", "offsite", "offline_or_immutable", "not_proven")
    return {
        "data_class": card.data_class,
        "spoken": say(card),
        "figures": dict(zip(names, card.figures, strict=True)),
        "met": dict(zip(names, card.met, strict=True)),
        "not_proven": list(card.unproven),
        "survivors": {failure.value: list(left) for failure, left in card.survivors.items()},
        "nothing_survives": [failure.value for failure in card.nothing_survives],
        "password_needed": sorted(card.keys),
    }


def _none(count: int) -> str:
    return number(count) if count else "none"
