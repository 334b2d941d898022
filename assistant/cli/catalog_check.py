"""``jarvis catalog check``: what is declared against what listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from assistant.cli.catalog_common import open_catalog
from assistant.cli.common import ConfigOption, JsonOption, err, errors_explained, escape, out, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.config import Settings
    from tools.catalog.checking import Report

_STYLES = {"listening": "green", "not listening": "bold red", "unknown": "yellow"}


def check(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Compare it with what listens. Exit code 1 when a declared service does not."""
    with errors_explained(as_json=as_json):
        settings = open_catalog(config).settings
    run(_check(settings, as_json=as_json), as_json=as_json)


async def _check(settings: Settings, *, as_json: bool) -> int:
    from tools.catalog.checking import check as compare
    from tools.catalog.checking import sockets_here
    from tools.catalog.sockets import SocketsError

    try:
        sockets = await sockets_here()
    except SocketsError as error:
        sockets = None
        err.print(f"[yellow]{escape(str(error))}[/]")
    with _bar(len(settings.services)) as done:
        report = await compare(settings.services, sockets, ours=(settings.server.port,), done=done)
    if as_json:
        out.print_json(json.dumps(_as_json(report)))
    else:
        _show(report)
    return 1 if any(one.state == "not listening" for one in report.services) else 0


def _show(report: Report) -> None:
    table = Table("service", "asked", "state", "why", box=None, padding=(0, 2, 0, 0))
    worst_first = sorted(report.services, key=lambda one: (one.state == "listening", one.state == "unknown"))
    for one in worst_first:
        state = f"[{_STYLES[one.state.value]}]{one.state.value}[/]"
        table.add_row(escape(one.name), escape(one.asked) or "–", state, escape(one.reason))
    if report.services:
        out.print(table)
    else:
        out.print("No service is configured.")
    if report.strangers is None:
        out.print("\nWhat listens here and is in no catalogue can't be told.")
    elif report.strangers:
        out.print("\nListening here, and in no catalogue:")
        for socket in report.strangers:
            where = "  (only on this machine)" if socket.only_here else ""
            out.print(f"  {socket.port:<6} {escape(socket.program) or 'another user’s program'}{where}")


def _as_json(report: Report) -> dict[str, Any]:
    strangers = report.strangers
    return {
        "services": [{**asdict(one), "state": one.state.value} for one in report.services],
        "strangers": None
        if strangers is None
        else [
            {"port": s.port, "address": s.address, "program": s.program, "only_here": s.only_here} for s in strangers
        ],
    }


@contextmanager
def _bar(total: int) -> Iterator[Callable[[str], None]]:
    columns = (TextColumn("{task.description:30}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("asking", total=total)
        yield lambda name: bars.update(task, description=escape(name), advance=1)
