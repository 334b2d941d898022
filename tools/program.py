"""Other programs: fixed argv, a chosen environment, low priority, a time limit, and a group that ends with the call.

Nothing secret stands in an argv: secrets go by file or environment, and what a program complains of is cleaned of the
texts that the caller names.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tools.known_secrets import KNOWN

OUTPUT_LIMIT_BYTES = 32_000_000
"""Of standard output; a list of some ten thousand snapshots."""

COMPLAINTS_LIMIT_BYTES = 1_000_000
"""Of standard error; the rest is read and dropped."""

ENDING_S = 5.0
"""Time that a program gets to end after SIGTERM, before SIGKILL: enough to remove its lock."""

KEPT_ENVIRONMENT = (
    "PATH", "HOME", "LANG", "TMPDIR", "SSH_AUTH_SOCK", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "JARVIS_JOB"
)  # fmt: skip
"""Of our own environment, what any program may see. JARVIS_JOB: by it, the programs of a worker that was killed are
found and ended (``tools/jobs/process.py``)."""


class ProgramError(Exception):
    """It could not be run to its end: ``why`` is "missing", "unstartable", "timeout" or "too_much"."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit code, standard output, and what it complained of, as text without the hidden texts."""

    code: int
    output: bytes
    complaints: str


async def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: bytes | None = None,
    on_line: Callable[[bytes], None] | None = None,
    on_complaint: Callable[[bytes], bool] | None = None,
    hidden: Sequence[str] = (),
    quiet: bool = False,
    output_to: Path | None = None,
) -> Ended:
    """Run it to its end. Raises ProgramError; cancelled, it ends the whole group first.

    ``environment`` is added to KEPT_ENVIRONMENT; ``on_line`` gets each line of standard output, which is then not kept;
    ``on_complaint`` gets each line of standard error and says whether it was meant for it (progress): such a line is
    not kept as a complaint; ``hidden`` are cut out of the complaints; ``quiet``: lowest CPU and I/O priority;
    ``output_to``: a file for standard output (created 0600), which is then not kept.
    """
    command = _low_priority(argv) if quiet else list(argv)
    target = os.open(output_to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600) if output_to is not None else None
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            env=_environment(environment),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if target is None else target,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # its own group, so that ssh or rclone below it end with it
        )
    except FileNotFoundError as error:
        raise ProgramError("missing", f"{Path(argv[0]).name} is not installed") from error
    except OSError as error:
        raise ProgramError("unstartable", f"{Path(argv[0]).name} cannot be started: {error.strerror}") from error
    finally:
        if target is not None:
            os.close(target)
    try:
        async with asyncio.timeout(timeout_s):
            output, complaints, _, code = await asyncio.gather(
                _output(child.stdout, on_line),
                _complaints(child.stderr, on_complaint),
                _feed(child.stdin, stdin),
                child.wait(),
            )
    except TimeoutError as error:
        raise ProgramError("timeout", f"{Path(argv[0]).name} was not done within {timeout_s:g} seconds") from error
    finally:
        await _end(child)
    said = complaints.decode(errors="replace")
    for text in filter(None, hidden):
        said = said.replace(text, "…")
    return Ended(code, output, said)


@dataclass(frozen=True, slots=True)
class Started:
    """A program that runs while its caller speaks with it: ``input`` is None without ``feeds``."""

    input: asyncio.StreamWriter | None
    output: asyncio.StreamReader
    _child: asyncio.subprocess.Process
    _complaints: asyncio.Task[bytes]

    @property
    def running(self) -> bool:
        return self._child.returncode is None

    async def ended(self) -> Ended:
        """Wait for its end, with its input closed; what of the output was not read is dropped."""
        if self.input is not None:
            with suppress(BrokenPipeError, ConnectionResetError):  # it ended first
                self.input.close()
                await self.input.wait_closed()
        _, complaints, code = await asyncio.gather(_drop(self.output), self._complaints, self._child.wait())
        return Ended(code, b"", complaints.decode(errors="replace"))


@asynccontextmanager
async def started(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    feeds: bool = False,
    quiet: bool = False,
    pass_fds: Sequence[int] = (),
    ended_by: signal.Signals = signal.SIGTERM,
) -> AsyncIterator[Started]:
    """A program for the time of the block: a server, or one that is fed. Raises ProgramError "missing", "unstartable".

    However the block is left, the whole group has ended after it: by ``ended_by`` first, ENDING_S later by SIGKILL.
    """
    command = _low_priority(argv) if quiet else list(argv)
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            env=_environment(environment),
            cwd=folder,
            stdin=asyncio.subprocess.PIPE if feeds else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    except FileNotFoundError as error:
        raise ProgramError("missing", f"{Path(argv[0]).name} is not installed") from error
    except OSError as error:
        raise ProgramError("unstartable", f"{Path(argv[0]).name} cannot be started: {error.strerror}") from error
    assert child.stdout is not None  # noqa: S101 - a pipe, as asked for
    complaints = asyncio.create_task(_complaints(child.stderr, None))
    try:
        yield Started(child.stdin, child.stdout, child, complaints)
    finally:
        complaints.cancel()
        if child.stdin is not None:
            child.stdin.close()
        await asyncio.shield(_end_group(child, ended_by))


def _environment(added: Mapping[str, str] | None) -> dict[str, str]:
    return {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ} | dict(added or {})


def read_secret(path: Path) -> str:
    """The one line of a file with a secret. Raises OSError, ValueError."""
    text = path.read_text(encoding="utf-8").rstrip("\r\n")
    if not text or "\n" in text or "\0" in text:
        raise ValueError(f"{path} has to hold one line with the secret")
    KNOWN.add(text)  # whatever quotes it from now on, it is written nowhere
    return text


def _low_priority(argv: Sequence[str]) -> list[str]:
    """``nice`` is everywhere; ``ionice`` on Linux only."""
    ionice = ["ionice", "-c", "3"] if shutil.which("ionice") else []
    nice = ["nice", "-n", "19"] if shutil.which("nice") else []
    return [*nice, *ionice, *argv] if shutil.which(argv[0]) else list(argv)


async def _output(stream: asyncio.StreamReader | None, on_line: Callable[[bytes], None] | None) -> bytes:
    kept, unfinished = bytearray(), b""
    while stream is not None and (piece := await stream.read(65_536)):
        if on_line is None:
            kept += piece
            if len(kept) > OUTPUT_LIMIT_BYTES:
                raise ProgramError("too_much", "it printed more than can be read")
            continue
        *lines, unfinished = (unfinished + piece).split(b"\n")
        for line in lines:
            on_line(line)
        if len(unfinished) > OUTPUT_LIMIT_BYTES:
            raise ProgramError("too_much", "it printed a line that is longer than can be read")
    if on_line is not None and unfinished:
        on_line(unfinished)
    return bytes(kept)


async def _complaints(stream: asyncio.StreamReader | None, taken: Callable[[bytes], bool] | None) -> bytes:
    kept, unfinished = bytearray(), b""
    while stream is not None and (piece := await stream.read(65_536)):
        if taken is not None:
            *lines, unfinished = re.split(rb"[\r\n]", unfinished + piece)  # progress is drawn over itself
            piece = b"".join(line + b"\n" for line in lines if line and not taken(line))
            unfinished = unfinished[:COMPLAINTS_LIMIT_BYTES]
        kept += piece[: max(COMPLAINTS_LIMIT_BYTES - len(kept), 0)]
    if taken is not None and unfinished and not taken(unfinished):
        kept += unfinished[: max(COMPLAINTS_LIMIT_BYTES - len(kept), 0)]
    return bytes(kept)


async def _drop(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass


async def _feed(stream: asyncio.StreamWriter | None, data: bytes | None) -> None:
    if stream is None or data is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it did not want all of it
        stream.write(data)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _end(child: asyncio.subprocess.Process) -> None:
    """Nobody of the group outlives the call: SIGTERM, then SIGKILL. Not broken off by a second cancellation."""
    await asyncio.shield(_end_group(child))


async def _end_group(child: asyncio.subprocess.Process, by: signal.Signals = signal.SIGTERM) -> None:
    if child.returncode is None:
        _signal(child.pid, by)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_S):
                await child.wait()
    _signal(child.pid, signal.SIGKILL)  # also what the child itself left behind
    transport = getattr(child, "_transport", None)
    if transport is not None:
        transport.close()  # a grandchild may hold a pipe open; nobody reads it any more
    await child.wait()


def _signal(group: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # all of the group may have ended
        os.killpg(group, what)
