"""``jarvis token``: who may come in over the network; create, list, revoke."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import ConfigOption, House, JsonOption, err, errors_explained, escape, out, read_house
from assistant.cli.completion import complete_role, complete_token
from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from rich.table import Table

    from assistant.tokens import Token, TokenStore

token_app = typer.Typer(no_args_is_help=True, help="Tokens: who may come in over the network, as what.")

PICTURES = (".svg", ".png")


@token_app.command()
def create(
    name: Annotated[str, typer.Option("--name", "-n", help="Whose, as people say it: phone, kitchen tablet.")],
    role: Annotated[
        str, typer.Option(help="guest, member, owner, or one of your own.", autocompletion=complete_role)
    ] = "member",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND:NAME", help="Limited to this, e.g. vm:windows; may be said several times."),
    ] = None,
    room: Annotated[str | None, typer.Option(help="The room where it stands.", show_default=False)] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="When it ends: 12h, 90d, 4w, 1y or 2027-01-31.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the device reaches this server, e.g. http://nuc.lan:8765.")
    ] = None,
    qr: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the QR code as .svg or .png instead of showing it.")
    ] = None,
    no_qr: Annotated[bool, typer.Option("--no-qr", help="No QR code.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make a token. It is shown once; a running server knows it at once."""
    from assistant.token_link import check_url, only_here, sign_in_link, usual_url
    from assistant.token_making import doubts, new_token, token_json

    with errors_explained(as_json=as_json):
        house = read_house(config)
        picture = _picture(qr)
        where = check_url(url or usual_url(house.settings.server))
        wanted = new_token(
            house.settings, name=name, role=role, by="jarvis token", only=only or (), room=room, expires=expires
        )
        store = _store(house)
        first = not store.exists
        token, secret = store.create(wanted)
        link = sign_in_link(where, secret)
        warnings = [] if house.demo else list(doubts(house.settings, token))
        if picture is not None:
            _write(picture, link, secret)
    if as_json:
        shown = {**token_json(token, time.time()), "token": secret, "link": link, "doubts": warnings}
        out.print_json(json.dumps(shown))
        return
    for warning in warnings:
        err.print(f"[yellow]{escape(warning)}[/]", soft_wrap=True)
    _show(token, secret, link)
    if picture is not None:
        out.print(f"Its QR code is in {escape(str(picture))}; whoever sees it has the token.", soft_wrap=True)
    elif only_here(where):
        out.print(
            "[dim]A phone reaches this server by another name: --url http://NAME:PORT makes a QR code for it.[/]",
            soft_wrap=True,
        )
    elif not no_qr:
        _draw(link)
    if first:
        _say_what_changes(house)


@token_app.command("list")
def list_tokens(
    every: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Every token: what it is good for, until when, and when it was used last (to the minute)."""
    from assistant.token_making import token_json, tokens_in_file

    with errors_explained(as_json=as_json):
        house = read_house(config)
        kept = [token for token in _store(house).tokens() if every or token.revoked is None]
        in_file = tokens_in_file(house.settings)
    now = time.time()
    if as_json:
        shown = [token_json(token, now) for token in kept]
        shown += [token_json(token, now, in_file=True) for token in in_file]
        out.print_json(json.dumps({"tokens": shown}))
    elif kept or in_file:
        out.print(_table(kept, in_file, now))
    else:
        out.print("There are no tokens. `jarvis token create --name phone` makes one.")


@token_app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the token.", autocompletion=complete_token)],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take a token back: it opens nothing any more, from the next request on."""
    with errors_explained(as_json=as_json):
        house = read_house(config)
        store = _store(house)
        gone = store.revoke(name, "jarvis token")
        left = [token for token in store.tokens() if token.state(time.time()) == "valid"]
    if as_json:
        out.print_json(json.dumps({"revoked": gone.name, "left": len(left)}))
        return
    out.print(f"{escape(gone.name)} opens nothing any more.")
    if not left and house.settings.server.tokens_file is None:
        out.print(
            f"No token is left: only the commands on this machine get in. A house without any tokens is one without "
            f"{escape(str(store.path))}; the server has to be started anew for that.",
            soft_wrap=True,
        )


def _store(house: House) -> TokenStore:
    from assistant.tokens import FILE_NAME, TokenStore

    return TokenStore(house.state_dir / FILE_NAME)


def _show(token: Token, secret: str, link: str) -> None:
    ends = f", until {_when(token.expires)}" if token.expires is not None else ""
    where = f", in the {token.room}" if token.room else ""
    limits = f", only {', '.join(token.only)}" if token.only else ""
    out.print(f"[bold]{escape(token.name)}[/] comes in as {escape(token.role + limits + where)}{ends}.", soft_wrap=True)
    out.print("Its token is shown this once:")
    out.print(f"  {secret}", markup=False, soft_wrap=True)
    out.print(f"  {link}", markup=False, soft_wrap=True)


def _draw(link: str) -> None:
    from assistant.token_link import half_blocks

    coloured = out.is_terminal and out.color_system is not None and not out.no_color
    style = "#000000 on #ffffff" if coloured else None
    for line in half_blocks(link, coloured=coloured).splitlines():
        out.print(line, style=style, markup=False, no_wrap=True, crop=False)


def _say_what_changes(house: House) -> None:
    out.print(
        "\nThis is the first token: from now on whoever comes in over the network needs one, on this machine too, at "
        "once also where `jarvis serve` runs. The commands on this machine (`jarvis ask`, `repl`, …) go on as they "
        "are; a browser here wants a token of its own.",
        soft_wrap=True,
    )


def _picture(path: Path | None) -> Path | None:
    """Raises ConfigError for a form that is not written, and before a token is made that nobody sees."""
    if path is not None and path.suffix.lower() not in PICTURES:
        raise ConfigError("bad_picture", f"A QR code is written as {' or '.join(PICTURES)}, not as {path.name}.")
    if path is not None and not path.absolute().parent.is_dir():
        raise ConfigError("bad_picture", f"There is no folder {path.absolute().parent}.")
    return path


def _write(path: Path, link: str, secret: str) -> None:
    """0600, as it holds the token. Raises StateError, with the token, which would be lost."""
    from assistant.token_link import png, svg

    data = png(link) if path.suffix.lower() == ".png" else svg(link).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
    except OSError as error:
        raise StateError(
            "unwritable", f"{path} cannot be written: {error.strerror}.", mend=f"The token is made: {secret}"
        ) from error


def _table(kept: list[Token], in_file: list[Token], now: float) -> Table:
    from rich.table import Table

    table = Table("name", "role", "only", "room", "until", "used", box=None, padding=(0, 2, 0, 0))
    for token in kept:
        state = token.state(now)
        until = "–" if token.expires is None else _when(token.expires)
        until = f"[red]{state}[/]" if state != "valid" else until
        used = "never" if token.last_used is None else _when(token.last_used)
        cells = (token.name, token.role, ", ".join(token.only) or "–", token.room or "–")
        table.add_row(*(escape(cell) for cell in cells), until, used)
    for token in in_file:
        table.add_row(escape(token.name), escape(token.role), "–", "–", "–", "in tokens_file")
    return table


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%d %b %Y %H:%M")
