"""``jarvis eval --home``: do utterances end in the state that they should, in a Home Assistant that runs?"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from assistant.api_key import read_api_key
from assistant.cli.common import escape
from assistant.config import Settings
from assistant.errors import ConfigError
from assistant.home_lines import HomeLine, read_home_lines
from assistant.home_trial import HomeRest, HomeTrial, TrialReport, Tried
from assistant.ports import Engine


def try_home(
    url: str, token_file: Path | None, files: Sequence[Path], settings: Settings, engine: Engine
) -> TrialReport:
    """Say every line to a Jarvis with nothing but that home. Raises ConfigError and what ``open_app`` raises."""
    if token_file is None:
        raise ConfigError("home_token", "--home needs --token-file, a file with a long-lived access token.")
    lines = read_home_lines(files)
    token = read_api_key(token_file)
    if token is None:
        raise ConfigError("home_token", f"There is no token in {token_file}.")
    own = Settings.model_validate({"home_assistant": {"url": url, "token_file": token_file}})
    own = own.model_copy(update={"model": settings.model, "models_dir": settings.models_dir})
    return TrialReport(tuple(asyncio.run(_try(lines, own, HomeRest(url, token), engine))))


async def _try(lines: list[HomeLine], settings: Settings, rest: HomeRest, engine: Engine) -> list[Tried]:
    from assistant.app import open_app  # the whole assistant: only when it is run, --help is to be quick

    with tempfile.TemporaryDirectory(prefix="jarvis-eval-") as folder:
        own = settings.model_copy(update={"state_dir": Path(folder)})
        async with open_app(own) as app:
            if engine != "sentences":
                await app.warm_model()
            watched = [device.id for device in app.house.home.devices if device.id]
            if not watched:
                raise ConfigError("home_empty", f"Home Assistant at {rest.url} does not answer, or exposes nothing.")
            try:
                async with aclosing(HomeTrial(app.replier, rest, watched, engine).run(lines)) as trial:
                    tried = [one async for one in trial]
            finally:
                await rest.close()
            return tried


def show_trial(report: TrialReport, console: Console) -> None:
    """The table by domain, and every line that did not end as it should."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for name, side in (("domain", "left"), ("n", "right"), ("right", "right"), ("share", "right")):
        table.add_column(name, justify="right" if side == "right" else "left")
    for domain, (right, count) in sorted(report.by_domain().items()):
        table.add_row(escape(domain), str(count), str(right), f"{100 * right / count:.0f} %")
    total = len(report.tried)
    table.add_row("all", str(total), str(total - len(report.wrong)), f"{100 * report.share:.1f} %")
    console.print(table)
    for one in report.wrong:
        console.print(escape(f"{one.line.id}: {one.line.text}"), highlight=False, soft_wrap=True)
        console.print(escape(f"    {one.wrong}"), highlight=False, soft_wrap=True)
        console.print(escape(f"    answered: {one.answer}"), highlight=False, soft_wrap=True)
