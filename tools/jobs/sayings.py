"""What is said of jobs: that one began, how far it is, how it ended. Pure."""

from __future__ import annotations

from tools.jobs.ledger import Job, JobState
from tools.wording import number, sentence

EVERYTHING = "all"
"""Subject of a job over all there is."""

_NAMES = {"run_backup": ("the {} backup", "the backup of everything"),
          "test_restore": ("the restore test of {}", "the restore test of everything")}  # fmt: skip
_BEGUN = {"run_backup": ("backing up {}", "backing up everything, one after another"),
          "test_restore": ("testing the restore of {}", "testing the restore of every backup")}  # fmt: skip


def name_of(job: Job) -> str:
    """ "the photos backup", "the restore test of everything"."""
    one, all_of_them = _NAMES.get(job.tool, ("{}", "{}"))
    return all_of_them if job.subject == EVERYTHING else one.format(job.subject)


def begun(job: Job) -> str:
    """ "Backing up photos; I'll tell you when it's done." """
    one, all_of_them = _BEGUN.get(job.tool, ("doing {}", "doing all"))
    what = all_of_them if job.subject == EVERYTHING else one.format(job.subject)
    return sentence(f"{what}; I'll tell you when it's done")


def already(job: Job) -> str:
    """ "The photos backup is running already; it is 40 percent done." """
    how_far = percent(job)
    if job.state is JobState.WAITING:
        return sentence(f"{name_of(job)} is just starting")
    return sentence(f"{name_of(job)} is running already" + (f"; it is {how_far} done" if how_far else ""))


def under_way(job: Job) -> str:
    """ "The photos backup is 40 percent done", without a stop."""
    if job.cancel:
        text = f"{name_of(job)} is being cancelled"
    elif job.state is JobState.WAITING:
        text = f"{name_of(job)} is starting"
    elif how_far := percent(job):
        text = f"{name_of(job)} is {how_far} done"
    else:
        text = f"{name_of(job)} is running"
    return text


def percent(job: Job) -> str:
    """ "40 percent", "one percent"; empty where nobody knows."""
    if job.progress < 0:
        return ""
    return f"{number(min(int(job.progress * 100), 99))} percent".replace("no percent", "zero percent")


def cancelled(job: Job) -> str:
    """Somebody asked for it."""
    return sentence(f"{name_of(job)} was cancelled")


def stopped(job: Job) -> str:
    """The system, or somebody who ended the process."""
    return sentence(f"{name_of(job)} was stopped before it was done")


def lost(job: Job) -> str:
    """Its process is gone, and nobody knows how far it came."""
    return f"{sentence(f'{name_of(job)} broke off')} It was not finished, so please start it again."


def broke(job: Job) -> str:
    """A mistake of ours."""
    return f"{sentence(f'{name_of(job)} failed')} Something in me broke; the log has the rest."
