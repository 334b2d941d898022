"""``jarvis satellites``: which there are in the rooms, and how they are; the running server knows."""

from __future__ import annotations

import json
from datetime import datetime

from rich.table import Table

from assistant.cli.common import ConfigOption, House, JsonOption, errors_explained, escape, out, read_house
from assistant.errors import StateError
from tools.contract import JsonObject

TIMEOUT_S = 10.0
_STYLES = {"connected": "green", "connecting": "yellow"}


def satellites(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The satellites: room, since when connected, when heard last, software. Asks the running `jarvis serve`."""
    with errors_explained(as_json=as_json):
        there = ask(read_house(config))
    if as_json:
        out.print_json(json.dumps({"satellites": there}))
    elif not there:
        out.print("There are no satellites. docs/satellites.md says how to set one up.")
    else:
        _show(there)


def ask(house: House) -> list[JsonObject]:
    """As ``GET /api/satellites`` has them. Raises StateError: it does not run, or does not answer."""
    import httpx  # a tenth of a second: only where it is asked

    server = house.running_server()
    if server is None:
        detail = "Satellites are connected to by `jarvis serve`, and it does not run."
        raise StateError("server_not_running", detail, mend="Start it: `jarvis serve`.")
    headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
    try:
        answer = httpx.get(f"{server.url}/api/satellites", headers=headers, timeout=TIMEOUT_S, trust_env=False)
        answer.raise_for_status()
        there = answer.json()["satellites"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        detail = f"The running server at {server.url} does not say: {type(error).__name__}."
        raise StateError("server_gone", detail, mend="Is it of this version? See its log, or start it anew.") from error
    return [one for one in there if isinstance(one, dict)]


def _show(there: list[JsonObject]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("name", "room", "state", "since", "last heard", "software"):
        table.add_column(heading)
    for one in there:
        software = " ".join(filter(None, (one["software"], one["version"])))
        found = " (found)" if one["found"] else ""
        table.add_row(
            escape(one["name"]) + found,
            escape(one["room"] or "–"),
            f"[{_STYLES.get(one['state'], '')}]{one['state']}[/]",
            _time(one["since"]),
            _time(one["last_heard"]),
            escape(software) or "–",
        )
    out.print(table)
    for one in there:
        if one["problem"]:
            out.print(f"[yellow]{escape(one['name'])}:[/] {escape(one['problem'])}", soft_wrap=True)


def _time(iso: str | None) -> str:
    return datetime.fromisoformat(iso).astimezone().strftime("%d %b %H:%M:%S") if iso else "–"
