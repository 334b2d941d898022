"""``jarvis audit``: who asked for what, at which door, what was decided and what came of it."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, err, errors_explained, escape, out, read_house
from assistant.errors import ConfigError, StateError
from tools.audit import AuditError, AuditReader, Wanted
from tools.contract import JsonObject
from tools.wording import counted

FOLLOW_S = 1.0
"""Between two looks for new lines."""

EXIT_CHANGED = 1
_AGES = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}

audit_app = typer.Typer(invoke_without_command=True, help="Who asked for what, and what was decided.")

WhoOption = Annotated[str | None, typer.Option("--who", help="Only of this caller.")]
DoorOption = Annotated[str | None, typer.Option("--door", help="Only at this door.")]
ToolOption = Annotated[str | None, typer.Option("--tool", help="Only of this tool.")]
SinceOption = Annotated[str | None, typer.Option("--since", help="30m, 12h, 7d, 2w, or a day: 2027-01-31.")]
DecisionOption = Annotated[
    str | None, typer.Option("--decision", help="Only what was decided so, or came to this: refused, confirmed, …")
]


@audit_app.callback()
def audit(
    ctx: typer.Context,
    who: WhoOption = None,
    door: DoorOption = None,
    tool: ToolOption = None,
    since: SinceOption = None,
    decision: DecisionOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many, the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new ones, until Ctrl-C.")] = False,
    config: ConfigOption = None,
) -> None:
    """The newest lines, oldest first. Works while the server runs."""
    if ctx.invoked_subcommand is not None:
        return
    with errors_explained(as_json=as_json):
        wanted = Wanted(who, door, tool, decision, since_when(since, time.time()))
        reader = _reader(config)
        try:
            lines = reader.newest(wanted, limit) if reader is not None else []
            _show(lines, as_json=as_json, empty=not follow)
            last = 0
            while follow and reader is not None:
                last = int(lines[-1]["id"]) if lines else last
                time.sleep(FOLLOW_S)
                lines = reader.after(last, wanted)
                _show(lines, as_json=as_json, empty=False)
        except AuditError as error:
            raise _state_error(error) from error


@audit_app.command()
def export(
    file: Annotated[str, typer.Argument(help="A new file, or - for standard output.")],
    who: WhoOption = None,
    door: DoorOption = None,
    tool: ToolOption = None,
    since: SinceOption = None,
    decision: DecisionOption = None,
    config: ConfigOption = None,
) -> None:
    """Write lines as JSONL, oldest first, each with its hash; all of them without an option."""
    with errors_explained():
        reader = _reader(config)
        wanted = Wanted(who, door, tool, decision, since_when(since, time.time()))
        lines = reader.pages(wanted) if reader is not None else iter(())
        try:
            if file == "-":
                for line in lines:
                    sys.stdout.write(_as_json(line) + "\n")
                return
            count = _write(Path(file), (_as_json(line) for line in lines))
        except AuditError as error:
            raise _state_error(error) from error
        err.print(f"{count} lines are in {escape(file)}.")


@audit_app.command()
def verify(
    against: Annotated[
        Path | None, typer.Option("--against", help="An export from before: its lines have to stand there still.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Hold every line against the chain of hashes. Exit 1 where one was changed or is missing."""
    with errors_explained():
        reader = _reader(config)
        if reader is None:
            out.print("There is no audit yet.")
            return
        try:
            found = reader.verified()
            differing = _differing(reader, against) if against is not None else []
        except AuditError as error:
            raise _state_error(error) from error
        for fault in found.faults:
            out.print(f"[bold red]{escape(fault.text)}[/]", soft_wrap=True)
        for number in differing[:20]:
            out.print(f"[bold red]#{number} is not as it was exported.[/]")
        if found.faults or differing:
            out.print("The audit was changed by something else than Jarvis.")
            raise typer.Exit(EXIT_CHANGED)
        hashed = f" The newest has the hash {found.head}." if found.head else ""
        out.print(f"{counted(found.lines, 'line')}, all as they were written.{hashed}", soft_wrap=True)


def since_when(text: str | None, now: float) -> float | None:
    """``30m``, ``12h``, ``7d``, ``2w`` before ``now`` (Unix seconds), or a local day. Raises ConfigError."""
    if text is None:
        return None
    if match := re.fullmatch(r"(\d{1,5})\s?([mhdw])", text.strip()):
        return now - int(match[1]) * _AGES[match[2]]
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    raise ConfigError("bad_since", f"--since: {text[:40]!r} is no time.", mend="Such as 12h, 7d or 2027-01-31.")


def _reader(config: Path | None) -> AuditReader | None:
    path = read_house(config).state_dir / "jarvis.db"
    return AuditReader(path) if path.exists() else None


def _state_error(error: AuditError) -> StateError:
    return StateError("audit_unreadable", str(error), mend="`jarvis serve` opens and mends the database; then again.")


def _as_json(line: JsonObject) -> str:
    """With the arguments as JSON and the time as people read it, too."""
    told = {**line, "time": datetime.fromtimestamp(line["at"]).astimezone().isoformat(timespec="milliseconds")}
    with suppress(ValueError):
        told["arguments"] = json.loads(line["arguments"])
    text = json.dumps(told, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(told)  # nothing in it steers a terminal


def _show(lines: list[JsonObject], *, as_json: bool, empty: bool) -> None:
    if as_json:
        for line in lines:
            sys.stdout.write(_as_json(line) + "\n")
        sys.stdout.flush()
    elif lines:
        out.print(_table(lines))
    elif empty:
        out.print("There is nothing of that in the audit.")


def _table(lines: list[JsonObject]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("when", "who", "door", "call", "decision"):
        table.add_column(heading, no_wrap=heading == "when")
    for line in lines:
        said = str(line["arguments"])
        with suppress(ValueError, AttributeError):
            said = " ".join(str(value) for value in json.loads(said).values())
        decided = line["decision"]
        if line["outcome"] not in ("ok", decided):
            decided = f"{decided}, {line['outcome']}"
        place = line["door"] + (f" ({line['room']})" if line["room"] else "")
        table.add_row(
            datetime.fromtimestamp(line["at"]).astimezone().strftime("%d %b %H:%M:%S"),
            escape(line["who"]),
            escape(place),
            escape(f"{line['tool']} {said}"[:200]),
            escape(decided),
        )
    return table


def _write(file: Path, lines: Iterable[str]) -> int:
    """Whole or not at all, for this user only, and over nothing that is there. Raises ConfigError."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    count = 0
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                for line in lines:
                    opened.write(line + "\n")
                    count += 1
            os.link(part, file)
        finally:
            part.unlink()
    except FileExistsError as error:
        raise ConfigError("file_exists", f"{file} is there already.", mend="Name a new file.") from error
    except OSError as error:
        raise ConfigError("file_unwritable", f"{file} cannot be written: {error.strerror}.") from error
    return count


def _differing(reader: AuditReader, against: Path) -> list[int]:
    """Ids of exported lines that are not there any more as they were, but for those dropped by retention."""
    try:
        exported = {}
        with against.open(encoding="utf-8") as opened:
            for line in opened:
                told = json.loads(line)
                exported[int(told["id"])] = told["chain"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("no_export", f"{against} is no export of the audit: {type(error).__name__}.") from error
    there = {int(line["id"]): line["chain"] for line in reader.pages(Wanted())}
    first = min(there, default=0)
    return [number for number, chain in exported.items() if number >= first and there.get(number) != chain]
