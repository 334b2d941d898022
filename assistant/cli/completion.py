"""What the shell completes for `jarvis tools call` (tools, arguments, names), `jarvis token`, `jarvis backups` and
`jarvis catalog`.

The sources are files at hand: nothing is started, probed or asked, and whatever is wrong with them completes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer

from assistant.errors import JarvisError


def complete_tool(incomplete: str) -> list[str]:
    """Names of tools that the last `jarvis tools list` of this house showed."""
    return [name for name in _known_tools() if name.startswith(incomplete)]


def complete_argument(ctx: typer.Context, incomplete: str) -> list[str]:
    """``service=`` first, then ``service=jellyfin``."""
    key, equals, value = incomplete.partition("=")
    if not equals:
        parameters = _known_tools().get(str(ctx.params.get("name")), [])
        return [f"{parameter}=" for parameter in parameters if parameter.startswith(key)]
    return [f"{key}={name}" for name in _names(key) if name.startswith(value)]


def complete_job(incomplete: str) -> list[str]:
    """Backup jobs, and "all"."""
    return [name for name in (*_names("job"), "all") if name.startswith(incomplete)]


def complete_service(incomplete: str) -> list[str]:
    """Services of the catalogue."""
    return [name for name in _names("service") if name.startswith(incomplete)]


def complete_token(incomplete: str) -> list[str]:
    """Tokens of this house."""
    from assistant.cli.common import read_house
    from assistant.tokens import FILE_NAME, TokenStore

    try:
        tokens = TokenStore(read_house(None).state_dir / FILE_NAME).tokens()
    except (JarvisError, OSError):
        return []
    return [token.name for token in tokens if token.revoked is None and token.name.startswith(incomplete)]


def complete_role(incomplete: str) -> list[str]:
    """Roles of this house."""
    from assistant.cli.common import read_house
    from assistant.roles import powers

    try:
        known = powers(read_house(None).settings.roles)
    except JarvisError:
        return []
    return [role for role in known if role.startswith(incomplete)]


def remember_tools(state_dir: Path, tools: dict[str, list[str]]) -> None:
    """Keep the tools' names and parameters for the next completion; losing them costs nothing."""
    try:
        (state_dir / "completion.json").write_text(json.dumps(tools), encoding="utf-8")
    except OSError:
        return


def _known_tools() -> dict[str, list[str]]:
    from assistant.cli.common import read_house

    try:
        known = json.loads((read_house(None).state_dir / "completion.json").read_bytes())
        return {str(name): [str(parameter) for parameter in parameters] for name, parameters in known.items()}
    except (JarvisError, OSError, ValueError, AttributeError, TypeError):
        return {}


def _names(kind: str) -> Iterator[str]:
    """Configured services or jobs, else the demo's."""
    from assistant.cli.common import read_house
    from assistant.demo.backups import JOBS
    from assistant.demo.homelab import read_homelab

    try:
        house = read_house(None)
    except JarvisError:
        return
    if kind == "service":
        yield from (read_homelab().services if house.demo else house.settings.services)
    elif kind == "job":
        yield from (JOBS if house.demo else house.settings.backups)
