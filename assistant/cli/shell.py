"""What every command shares: the configuration, the two consoles, errors as one clear message, the egress guard."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.exceptions import TyperException

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.config_file import Loaded
    from assistant.errors import JarvisError

T = TypeVar("T")

BUG = 70
"""Exit code of an error that is ours (EX_SOFTWARE of sysexits.h)."""


@dataclass
class Shell:
    """One run of the command line. ``json``: the command was asked for JSON, errors included."""

    config: Path | None = None
    json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    @cached_property
    def loaded(self) -> Loaded:
        """The configuration, read once; from now on only the hosts that it names are let out. Raises ConfigError."""
        import logging

        from assistant import config_file, egress

        loaded = config_file.load(self.config)
        egress.install(loaded.settings.privacy.allow_hosts)
        logging.basicConfig(level=loaded.settings.log_level.upper(), stream=sys.stderr, format="%(levelname)s: %(message)s")
        return loaded

    @property
    def settings(self) -> Settings:
        """Raises ConfigError."""
        return self.loaded.settings

    def note(self, line: str) -> None:
        """A line for a person, on stderr."""
        self.err.print(line, style="dim", markup=False)

    def print_json(self, value: Any) -> None:
        """One JSON document on stdout, the same whether it is read by a person or by a program."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the command's coroutine to its end."""
        return asyncio.run(work)

    def complain(self, error: JarvisError) -> None:
        """What happened in red, and what to do; with --json it is a JSON document on stdout as well."""
        if self.json:
            self.print_json({"error": {"code": error.code, "detail": error.detail, "mend": error.mend}})
        self.err.print(error.detail, style="bold red", markup=False, soft_wrap=True)
        if error.mend:
            self.err.print(error.mend, markup=False, soft_wrap=True)


def shell_of(ctx: typer.Context, *, as_json: bool = False) -> Shell:
    """The shell of a command under way; ``as_json`` is the command's --json."""
    root = ctx.find_root()
    if not isinstance(root.obj, Shell):  # the root's callback has not run: its own options were wrong
        root.obj = Shell()
    shell: Shell = root.obj
    shell.json = shell.json or as_json
    return shell


class JarvisGroup(TyperGroup):
    """The root command: the one place where an error becomes text and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; JARVIS_DEBUG=1 lets tracebacks through."""
        try:
            return super().invoke(ctx)
        except (TyperException, typer.Exit, typer.Abort, EOFError, BrokenPipeError):
            raise  # typer's own, which its main() turns into usage messages and exit codes
        except Exception as error:  # noqa: BLE001 - the process's edge: a message and an exit code, no traceback
            if os.environ.get("JARVIS_DEBUG"):
                raise
            raise typer.Exit(_told(shell_of(ctx), error)) from error


def _told(shell: Shell, error: Exception) -> int:
    """Say it; returns the exit code."""
    ours = _ours(error)
    if ours is not None:
        shell.complain(ours)
        return ours.exit_code
    shell.err.print(f"This is a bug in Jarvis: {type(error).__name__}: {error}", style="bold red", markup=False)
    shell.err.print("The same command with JARVIS_DEBUG=1 shows where; please report it.", markup=False)
    return BUG


def _ours(error: BaseException) -> JarvisError | None:
    """The error of ours in an exception; task groups wrap what is raised inside them."""
    from assistant.errors import JarvisError

    if isinstance(error, JarvisError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := _ours(inner))), None)
    return None
