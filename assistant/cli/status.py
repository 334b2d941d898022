"""``jarvis status``: whether the running server can serve turns, and how each part of it is."""

from __future__ import annotations

import typer
from rich.table import Table

from assistant.cli.common import ConfigOption, JsonOption, errors_explained, escape, out, read_house
from assistant.errors import StateError

TIMEOUT_S = 5.0

_STYLES = {"ok": "green", "degraded": "yellow", "down": "bold red", "off": "dim", "ready": "green"}
_NAMES = {"home_assistant": "Home Assistant", "disk": "disk space"}


def status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """How the running `jarvis serve` is. Exit code 1 when it cannot serve turns."""
    import httpx
    from pydantic import ValidationError

    from assistant.readiness import Readiness

    with errors_explained(as_json=as_json):
        server = read_house(config).running_server()
        if server is None:
            mend = "Start it with `jarvis serve`, or ask its service: `systemctl status jarvis`."
            raise StateError("not_running", "No `jarvis serve` of this house is running.", mend=mend)
        headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
        try:
            answer = httpx.get(f"{server.url}/ready", headers=headers, timeout=TIMEOUT_S, trust_env=False)
            found = Readiness.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            detail = f"The running server at {server.url} does not say how it is: {type(error).__name__}."
            raise StateError("server_gone", detail, mend="See its log, or end it and start it again.") from error
    if as_json:
        out.print_json(found.model_dump_json())
    else:
        out.print(f"[{_STYLES[found.status]}]{found.status}[/] {server.url} · version {escape(found.version)}")
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, part in found.parts.items():
            told = " · ".join(text for text in (part.place, part.reason) if text)
            table.add_row(f"[{_STYLES[part.state]}]{part.state}[/]", _NAMES.get(name, name), escape(told))
        for name in found.sick:
            table.add_row(f"[{_STYLES['down']}]down[/]", f"MCP server {escape(name)}", "It does not answer.")
        out.print(table)
    if found.status == "down":
        raise typer.Exit(1)
