"""``jarvis digest``: the house in at most five sentences."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import ConfigOption, House, JsonOption, SmallOption, err, errors_explained, escape, out, run
from assistant.cli.common import read_house as read

if TYPE_CHECKING:
    from tools.digest.facts import Digest

_STYLES = {"critical": "bold red", "warning": "yellow", "unknown": "yellow", "notice": "cyan", "ok": "green"}


def digest(
    plain: Annotated[bool, typer.Option("--plain", help="The checks' own sentences; no model is asked.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The note as it is kept in the notes folder.")] = False,
    as_json: JsonOption = False,
    small: SmallOption = False,
    config: ConfigOption = None,
) -> None:
    """What is wrong in the house and what is fine, in at most five sentences."""
    with errors_explained(as_json=as_json):
        house = read(config, small=small)
    run(_digest(house, plain=plain, markdown=markdown, as_json=as_json), as_json=as_json)


async def _digest(house: House, *, plain: bool, markdown: bool, as_json: bool) -> None:
    from assistant.cli.session import open_session
    from tools.contract import Door
    from tools.digest.note import as_markdown

    async with open_session(house, Door.CLI) as session:
        with err.status("[dim]looking at the house[/]"):
            made = await session.digest(plain=plain)
    if as_json:
        out.print_json(made.model_dump_json())
    elif markdown:
        sys.stdout.write(as_markdown(made))
    else:
        _show(made)


def _show(made: Digest) -> None:
    for sentence in made.sentences:
        out.print(escape(sentence), style="bold", soft_wrap=True)
    counts = {severity.value: count for severity, count in made.counts.items() if count and severity.value != "ok"}
    if counts:
        said = ", ".join(f"[{_STYLES[name]}]{count} {name}[/]" for name, count in counts.items())
        out.print(f"[dim]found:[/] {said}")
    if made.not_set_up:
        out.print(f"[dim]not set up: {', '.join(made.not_set_up)}[/]")
    if made.by == "facts" and made.reason and made.reason != "no model was asked":
        err.print(f"[dim]The checks' own words: {escape(made.reason)}.[/]")
