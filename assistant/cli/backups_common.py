"""What the commands of ``jarvis backups`` share: a job by the name that was typed, and errors that name the mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.completion import complete_job
from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from assistant.config import Settings

JobArgument = Annotated[str, typer.Argument(help="Name of the job.", autocompletion=complete_job)]
JobOrAllArgument = Annotated[str, typer.Argument(help="Name of the job, or all.", autocompletion=complete_job)]
OnlyJobArgument = Annotated[
    str | None, typer.Argument(help="Only this job.", autocompletion=complete_job, show_default=False)
]


def job_named(settings: Settings, said: str) -> str:
    """The job's own name for what was typed, aliases too. Raises ConfigError."""
    from tools.names import NameIndex, Resolved

    if said in settings.backups:
        return said
    found = NameIndex.from_settings(settings).resolve("job", said)
    if isinstance(found, Resolved) and found.name in settings.backups:
        return found.name
    there = ", ".join(settings.backups) or "none"
    raise ConfigError("unknown_job", f"There is no backup job {said!r}.", mend=f"Jobs are: {there}.")


@contextmanager
def desk_errors() -> Iterator[None]:
    """What the tools' desk says, as an error of ours. Raises StateError."""
    from tools.backups.desk import DeskError

    try:
        yield
    except DeskError as error:
        raise StateError("backups_unreadable", str(error)) from error


def written(path: Path, text: str) -> None:
    """Raises StateError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StateError("unwritable", f"{path} cannot be written: {error.strerror}.") from error
