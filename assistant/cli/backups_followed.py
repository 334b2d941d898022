"""A backup or restore test that another process does, followed to its end with a bar on stderr."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from assistant.cli.backups_common import desk_errors
from assistant.cli.common import err, escape, out
from assistant.errors import ToolboxError

if TYPE_CHECKING:
    from tools.backups.desk import Follower, JobSeen

LOOK_EVERY_S = 0.25
"""How often the ledger is read meanwhile."""


async def follow(started: Mapping[str, object], state_dir: Path, *, as_json: bool) -> int:
    """Exit code 0 when it went well. Cancelled (Ctrl-C), the job is asked to end as well. Raises JarvisError."""
    from tools.backups.desk import following

    job_id = started.get("job_id")
    if not isinstance(job_id, str):
        raise ToolboxError("nonsense", "The tool started a job and did not say which.")
    with desk_errors(), following(state_dir) as follower, bar("") as progress:
        try:
            seen = await _to_its_end(follower, job_id, progress)
        except asyncio.CancelledError:
            follower.cancel(job_id)
            err.print("[dim]It was asked to end.[/]")
            raise
    if as_json:
        out.print_json(json.dumps({"job_id": job_id, "ok": seen.ok, "spoken": seen.spoken}))
    else:
        out.print(escape(seen.spoken), style="bold")
    return 0 if seen.ok else 1


async def _to_its_end(follower: Follower, job_id: str, progress: Callable[[float, str], None]) -> JobSeen:
    while True:
        seen = await asyncio.to_thread(follower.look, job_id)
        if seen.over:
            return seen
        progress(seen.share, seen.doing)
        await asyncio.sleep(LOOK_EVERY_S)


@contextmanager
def bar(name: str) -> Iterator[Callable[[float, str], None]]:
    """A bar that takes (share 0–1, or −1 where nobody knows; what is being done)."""
    columns = (TextColumn("{task.description:40}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(escape(name), total=None)

        def progress(share: float, doing: str) -> None:
            said = f"{name}: {doing}" if name and doing else doing or name
            bars.update(task, description=escape(said), total=None if share < 0 else 1.0, completed=max(share, 0.0))

        yield progress
