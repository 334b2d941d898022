"""``jarvis backups report``: a job that is made elsewhere checks in."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from assistant.cli.backups_common import JobArgument, desk_errors, job_named
from assistant.cli.common import ConfigOption, errors_explained, escape, out, read_house


def report(
    job: JobArgument,
    ok: Annotated[bool, typer.Option("--ok/--failed", help="How its last run went.")] = True,
    size: Annotated[int | None, typer.Option(min=0, help="Bytes of all that it backed up.", show_default=False)] = None,
    files: Annotated[int | None, typer.Option(min=0, help="How many files.", show_default=False)] = None,
    duration: Annotated[float | None, typer.Option(min=0, help="Seconds that it took.", show_default=False)] = None,
    message: Annotated[str, typer.Option(help="What went wrong.", show_default=False)] = "",
    config: ConfigOption = None,
) -> None:
    """Check in for a job of kind report: the last line of a script, or of a schedule that somebody else keeps."""
    from tools.backups.desk import check_in

    with errors_explained():
        settings = read_house(config).settings
        name = job_named(settings, job)
        with desk_errors():
            check_in(
                name,
                settings.backups[name],
                at=time.time(),
                ok=ok,
                size=size,
                files=files,
                duration_s=duration,
                message=message,
            )
        out.print(f"Noted: {escape(name)} {'went well' if ok else 'failed'}.")
