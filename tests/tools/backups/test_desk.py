"""What the scorecard and the histories are made of: what is remembered, and nothing that is only configured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.backups import desk
from tools.backups.kinds import targets
from tools.backups.port import BackupError, Copy, Fault, Found
from tools.backups.records import BackupRecords
from tools.backups.scorecard import Score
from tools.settings import BackupSettings, DestinationSettings
from tools.store import Store

NOW = time.time()
DAY_S = 86400.0


class Known:
    """One job with two places, and what is remembered of it."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.state, self.store, self.records = folder / "state", store, BackupRecords(store)
        also = DestinationSettings(name="the stick", repository=str(folder / "stick"), medium="usb", offline=True)
        self.jobs = {
            "photos": BackupSettings(
                kind="restic", repository="sftp:nas:/photos", medium="nas", also=(also,), restore_test_max_age_h=24 * 35
            )
        }

    def seen(self, place: str = "", *, complete: bool = True, at: float = NOW - DAY_S) -> None:
        copy = Copy(id=f"{at}", at=at, size=1000, complete=complete)
        self.records.keep_look("photos", place, at, Found(copies=(copy,)), None)

    def failed_to_look(self, fault: Fault, place: str = "") -> None:
        self.records.keep_look("photos", place, NOW, None, BackupError(fault, "so it is"))

    def restored(self, *, ok: bool, at: float = NOW, place: str = "", ran: bool = True) -> None:
        record = {"destination": place, "first_error": None if ok else "it is damaged"}
        self.records.add_restore_test("photos", "restic", at, ok=ok, ran=ran, record=record)

    @property
    def score(self) -> Score:
        (card,) = desk.scores(self.jobs, self.state)
        return card


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    with Store(tmp_path / "state" / "jarvis.db") as store:
        yield Known(tmp_path, store)


def test_a_place_where_nothing_was_ever_seen_is_no_copy(known: Known) -> None:
    assert known.score.figures == (1, 1, 0, 0, 2)


def test_what_was_seen_counts_and_only_the_place_that_was_restored_from_is_proven(known: Known) -> None:
    known.seen()
    known.seen("the stick")
    known.restored(ok=True)
    assert known.score.copies == 3
    assert known.score.unproven == ("photos on the stick",)
    known.restored(ok=True, place="the stick")
    assert len(known.score.unproven) == 0


def test_a_disk_that_is_unplugged_still_holds_what_was_seen_on_it(known: Known) -> None:
    known.seen("the stick")
    known.failed_to_look(Fault.NOT_MOUNTED, "the stick")
    assert (known.score.copies, known.score.out_of_reach) == (2, 1)


@pytest.mark.parametrize("fault", [Fault.DAMAGED, Fault.NO_REPOSITORY, Fault.WRONG_PASSWORD, Fault.TRUNCATED])
def test_a_repository_that_is_broken_holds_nothing(known: Known, fault: Fault) -> None:
    known.seen()
    known.failed_to_look(fault)
    assert known.score.copies == 1


def test_what_broke_off_or_cannot_be_restored_is_no_copy(known: Known) -> None:
    known.seen(complete=False)
    assert known.score.copies == 1
    known.seen()
    known.restored(ok=False)
    assert known.score.copies == 1
    known.restored(ok=False, ran=False)  # a test that could not be made says nothing
    assert known.score.copies == 1
    known.restored(ok=True)
    assert known.score.copies == 2


@pytest.mark.parametrize(("age_s", "proven"), [(34 * DAY_S, True), (36 * DAY_S, False), (-DAY_S, False)])
def test_a_restore_test_proves_for_as_long_as_it_is_configured(known: Known, age_s: float, proven: bool) -> None:
    known.seen()
    known.restored(ok=True, at=NOW - age_s)
    assert ("photos" not in known.score.unproven) == proven


def test_a_copy_on_the_file_system_of_its_source_dies_with_its_disk(tmp_path: Path) -> None:
    here = BackupSettings(kind="restic", repository=str(tmp_path / "not there yet"), paths=(str(tmp_path),))
    elsewhere = here.model_copy(update={"repository": "sftp:nas:/x"})
    on_shm = here.model_copy(update={"repository": "/proc/self"})
    same = [desk.same_disk(job, targets(job)[0]) for job in (here, elsewhere, on_shm)]
    assert same == [True, False, False]


def test_the_history_has_the_complete_copies_and_the_tests_of_its_place(known: Known) -> None:
    known.seen(at=NOW - 2 * DAY_S)
    known.seen(at=NOW - DAY_S, complete=False)
    known.restored(ok=True)
    known.failed_to_look(Fault.UNREACHABLE, "the stick")
    main, stick = desk.histories(known.jobs, known.state)
    assert [copy.at for copy in main.copies] == [NOW - 2 * DAY_S]
    assert [(test.ok, test.ran) for test in main.tests] == [(True, True)]
    assert (stick.destination, stick.copies, stick.tests, stick.last_look) == ("the stick", (), (), "so it is")


def test_a_database_that_cannot_be_opened_is_an_error_of_the_desk(tmp_path: Path) -> None:
    (tmp_path / "jarvis.db").write_bytes(b"no database" * 100)
    with pytest.raises(desk.DeskError, match=r"jarvis\.db"):
        desk.histories({}, tmp_path)


def test_a_job_of_the_ledger_that_is_not_there_is_said(known: Known) -> None:
    with desk.following(known.state) as follower, pytest.raises(desk.DeskError, match="no job"):
        follower.look("nothing")
