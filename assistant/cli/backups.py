"""``jarvis backups``: verdicts, runs, restore tests, histories, the scorecard, recovery notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.backups_common import JobArgument, JobOrAllArgument, desk_errors, job_named
from assistant.cli.backups_init import init
from assistant.cli.backups_pages import calendar, history, notes, scorecard
from assistant.cli.backups_report import report
from assistant.cli.common import (
    ConfigOption,
    House,
    JsonOption,
    err,
    errors_explained,
    escape,
    furnished,
    out,
    read_house,
    run,
)

if TYPE_CHECKING:
    from tools.contract import CallOutcome

backups_app = typer.Typer(no_args_is_help=True, help="Backups: verdicts, runs, restore tests, what survives what.")


@backups_app.command("list")
def list_backups(
    as_json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--check", help="Exit code 1 unless every verdict is ok.")] = False,
    config: ConfigOption = None,
) -> None:
    """The verdict over every job, the worst first."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_verdicts(house, None, as_json=as_json, strict=strict), as_json=as_json)


@backups_app.command()
def check(job: JobArgument, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Look at a job's destinations now and judge it. Exit code 1 when the verdict is not ok."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_verdicts(house, job, as_json=as_json, strict=True), as_json=as_json)


@backups_app.command("run")
def run_backup(job: JobOrAllArgument, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Back up now. Exit code 1 when it fails. Ctrl-C asks it to end."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    run(_started(house, "run_backup", {"job": job}, as_json=as_json), as_json=as_json)


@backups_app.command("test")
def restore_test(
    job: JobOrAllArgument,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Restore the sample of that number.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Restore into a scratch folder and compare. Exit code 1 when it fails."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
    work = (
        _started(house, "test_restore", {"job": job}, as_json=as_json)
        if seed is None
        else _tested_here(house, job, seed, as_json=as_json)
    )
    run(work, as_json=as_json)


for command in (history, calendar, scorecard, notes, report, init):
    backups_app.command()(command)


async def _verdicts(house: House, job: str | None, *, as_json: bool, strict: bool) -> int:
    from assistant.cli.backups_shown import show_verdicts
    from assistant.cli.session import open_session
    from tools.contract import Door

    if job is not None:
        job = await _looked_at(house, job)
    async with open_session(house, Door.CLI) as session:
        outcome = await session.call("check_backups", {"job": job} if job else {})
    if not outcome.ok or outcome.result is None:
        return _refused(outcome, as_json=as_json)
    records = outcome.result.data.get("jobs") or []
    if as_json:
        out.print_json(json.dumps({"spoken": outcome.spoken, "jobs": records}))
    else:
        out.print(escape(outcome.spoken), style="bold")
        show_verdicts(records, {found.subject: found.message for found in outcome.result.findings})
    return int(strict and any(record.get("verdict") != "ok" for record in records))


async def _looked_at(house: House, said: str) -> str:
    """Read the job's destinations now, so that the verdict is not one of records; its own name. Raises JarvisError."""
    from tools.backups.desk import look_now

    async with furnished(house) as settings:
        job = job_named(settings, said)
        with desk_errors():
            await look_now(job, settings.backups[job], house.state_dir)
    return job


async def _started(house: House, tool: str, arguments: Mapping[str, object], *, as_json: bool) -> int:
    """Start the job through the tools and follow it to its end."""
    from assistant.cli.backups_followed import follow
    from assistant.cli.session import open_session
    from tools.contract import Door

    async with open_session(house, Door.CLI) as session:
        outcome = await session.call(tool, dict(arguments), ordered=True)
        if not outcome.ok or outcome.result is None:
            return _refused(outcome, as_json=as_json)
        return await follow(outcome.result.data, house.state_dir, as_json=as_json)


async def _tested_here(house: House, said: str, seed: int, *, as_json: bool) -> int:
    """In this process: a sample that somebody chose is no rotation, and no job of the ledger."""
    from assistant.cli.backups_followed import bar
    from tools.backups.desk import restore_now

    failed = False
    async with furnished(house) as settings:
        names = list(settings.backups) if said == "all" else [job_named(settings, said)]
        reports = []
        for name in names:
            with desk_errors(), bar(name) as progress:
                reports.append(await restore_now(name, settings, house.state_dir, seed, progress))
    for tested in reports:
        failed = failed or not tested.ok
        if not as_json:
            out.print(escape(tested.spoken), style="bold")
    if as_json:
        out.print_json(json.dumps({"tests": [tested.record for tested in reports]}))
    return int(failed)


def _refused(outcome: CallOutcome, *, as_json: bool) -> int:
    if as_json:
        out.print_json(outcome.model_dump_json())
    else:
        out.print(escape(outcome.spoken), style="bold")
        if outcome.detail:
            err.print(f"[dim]{escape(outcome.detail)}[/]")
    return 1
