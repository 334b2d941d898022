"""What to do about a judgement, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tools.backups.port import Fault
from tools.backups.verdict import Cause, Judgement

_BY_FAULT: Mapping[Fault, str] = {
    Fault.WRONG_PASSWORD: "put the right password into its password file",
    Fault.PASSWORD_UNREADABLE: "look at its password file",
    Fault.NO_REPOSITORY: "see whether its disk is there, or make the repository anew",
    Fault.NOT_MOUNTED: "plug the disk in",
    Fault.LOCKED: "wait until the other program is done",
    Fault.DAMAGED: "check its disk, and make a new backup elsewhere",
    Fault.TRUNCATED: "run it now",
    Fault.UNREACHABLE: "see whether the machine that it goes to is on",
    Fault.DENIED: "look at the permissions of its files",
    Fault.DISK_FULL: "make room on the disk",
    Fault.SOURCES_UNREAD: "see which files it may not read",
    Fault.NOT_INSTALLED: "install the program",
    Fault.TIMED_OUT: "try again later",
    Fault.NOT_CONFIGURED: "look at its configuration",
    Fault.NONSENSE: "look at the log",
    Fault.FAILED: "look at the log",
    Fault.SAID_FAILED: "look at its own log",
}

_BY_CAUSE: Mapping[Cause, str] = {
    Cause.RESTORE_TEST_FAILED: "run it now, then test restoring it again",
    Cause.CHECK_FAILED: "check its disk, and make a new backup elsewhere",
    Cause.NEVER_RUN: "run it now",
    Cause.NEVER_COMPLETE: "run it now",
    Cause.SOURCE_MISSING: "look at what it backs up",
    Cause.SECOND_MISSING: "run it now",
    Cause.NEVER_LOOKED: "check it again",
    Cause.CLOCK_IN_FUTURE: "set the clocks",
    Cause.TOO_OLD: "run it now",
    Cause.NEVER_RESTORED: "test restoring it",
    Cause.TESTER_BROKEN: "have the canary tested again",
    Cause.RESTORE_TEST_OVERDUE: "test restoring it",
    Cause.RESTORE_TEST_IN_FUTURE: "set the clock, then test restoring it",
    Cause.RESTORE_TEST_NOT_MADE: "mend that, then test restoring it",
    Cause.PARTIAL: "see which files it may not read",
    Cause.INCOMPLETE: "run it now",
    Cause.TINY: "see whether something is missing from it",
    Cause.HUGE: "see what was added to it",
    Cause.UNCHANGED: "see whether it backs up the right folder",
    Cause.NEARLY_FULL: "make room on the disk",
    Cause.CHECK_NOT_MADE: "run it again",
    Cause.PRUNE_FAILED: "run it again",
    Cause.EXERCISE_OVERDUE: "test restoring it",
}


def what_to_do(judgement: Judgement) -> str:
    """An order without a stop ("run it now"); empty where nothing is to be done, or nobody can tell what."""
    by_fault = _BY_FAULT.get(judgement.fault, "") if judgement.fault is not None else ""
    return by_fault or _BY_CAUSE.get(judgement.cause, "")
