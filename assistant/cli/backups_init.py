"""``jarvis backups init``: what backs up on this machine already, proposed as jobs, written down after asking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import ConfigOption, errors_explained, escape, out
from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from tools.backups.discovery import Proposal


def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Add every job without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")] = False,
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Look below this folder: the disk of another machine.")
    ] = Path("/"),
    config: ConfigOption = None,
) -> None:
    """Look for restic, borg, borgmatic, rsync, Home Assistant and Time Machine, and propose jobs."""
    from assistant.config_file import load
    from tools.backups.discovery import discover

    with errors_explained():
        file, configured = _file(config), {}
        if file.is_file():
            configured = load(file).settings.backups
        home = Path.home() if root == Path("/") else root / Path.home().relative_to("/")
        found = discover(root.resolve(), home, configured)
        for path in found.unread:
            out.print(f"[yellow]Not read[/] (another user's): {escape(path)}. With sudo there may be more.")
        if not found.proposals:
            out.print("No backup was found that is not configured already.")
            return
        chosen = _chosen(found.proposals, yes=yes, dry_run=dry_run)
        if not chosen:
            return
        text = tables(chosen)
        if dry_run:
            out.print(f"\n[bold]{escape(str(file))}[/] would get:\n")
            out.print(hidden_url(text), markup=False, soft_wrap=True)
            return
        kept = append(file, text)
        out.print(f"\n{len(chosen)} added to {escape(str(file))}." + (f" Before: {kept}." if kept else ""))
        out.print("Next: `jarvis backups list`, then `jarvis backups test all`.")


def _file(config: Path | None) -> Path:
    """The configuration in force, or where a new one belongs. Raises nothing."""
    from assistant.config_file import places

    candidates = [config] if config is not None else list(places())
    there = next((path for path in candidates if path.is_file()), None)
    if there is not None:
        return there
    return candidates[0] if len(candidates) == 1 else candidates[1]  # the user's own, not the working folder's


def _chosen(proposals: Sequence[Proposal], *, yes: bool, dry_run: bool) -> list[Proposal]:
    """Shown one by one, and asked for. Raises ConfigError where nobody can be asked."""
    chosen = []
    for one in proposals:
        out.print(
            f"\n[bold]{escape(one.name)}[/]  {one.settings['kind']}, found in {escape(one.where)}", soft_wrap=True
        )
        for key in ("repository", "paths", "password_file", "config_file", "tags", "report"):
            if value := one.settings.get(key):
                said = ", ".join(value) if isinstance(value, tuple) else str(value)
                out.print(f"  {key}: {escape(hidden_url(said))}", soft_wrap=True)
        for note in one.notes:
            out.print(f"  [yellow]note:[/] {escape(note)}", soft_wrap=True)
        if one.problem:
            out.print(f"  [red]left out:[/] {escape(one.problem)}", soft_wrap=True)
        elif yes or dry_run or _asked():
            chosen.append(one)
    return chosen


def _asked() -> bool:
    try:
        return typer.confirm("  Add it?", default=True)
    except typer.Abort as error:
        mend = "Use --yes to add all of them, or --dry-run to see them."
        raise ConfigError("nobody_to_ask", "There is nobody to ask.", mend=mend) from error


def hidden_url(text: str) -> str:
    """Without the password that a URL may carry."""
    from assistant.config_pages import hidden

    return str(hidden(text))


def tables(proposals: Sequence[Proposal]) -> str:
    """The jobs as TOML."""
    return "\n".join(_table(one.name, one.settings, one.notes, one.where) for one in proposals)


def _table(name: str, settings: Mapping[str, Any], notes: Sequence[str], where: str) -> str:
    from assistant.config_pages import as_toml, toml_key

    lines = [f"# Found in {_comment(where)}.", *(f"# Note: {_comment(note)}." for note in notes)]
    lines += [f"[backups.{toml_key(name)}]", *(f"{key} = {as_toml(value)}" for key, value in settings.items())]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def append(file: Path, text: str) -> Path | None:
    """Add tables to the configuration, checked as a whole before it takes the old one's place, which is kept beside it
    (the path; None where there was none). Raises ConfigError, StateError."""
    from assistant.config_file import load

    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        mode = file.stat().st_mode & 0o777 if before else 0o600
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as new:
            new.write(before + ("\n" if before and not before.endswith("\n") else "") + ("\n" if before else "") + text)
            new.flush()
            os.fsync(new.fileno())
        load(part, {})
        kept = None
        if file.is_file():
            kept = file.with_name(f"{file.name}.{datetime.now().astimezone():%Y%m%d-%H%M%S}.bak")
            shutil.copy2(file, kept)
        part.replace(file)
    except (OSError, UnicodeDecodeError) as error:
        raise StateError("unwritable", f"{file} cannot be written: {error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return kept
