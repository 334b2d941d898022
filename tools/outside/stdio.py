"""An outside MCP server as a child process, kept within bounds.

The library's own stdio transport reads lines of any length, so one server that writes without end would take the
assistant's memory with it. This one ends the connection with a reason: too much output, too many lines that are no
JSON-RPC, or the end of the process.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.os.posix.utilities import terminate_posix_process_tree
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from tools.known_secrets import KNOWN

log = logging.getLogger(__name__)

MAX_BYTES_AN_ANSWER = 4_000_000
"""Output taken between two requests of ours; a tool's answer to a small model has a few kB."""

MAX_BAD_LINES = 20
"""Lines that are no JSON-RPC, taken as a banner or stray prints; one more and the server is given up."""

STOP_GRACE_S = 1.0
"""For the process to leave by itself after its stdin closed, and again after SIGTERM."""

REAP_S = 0.2
"""For the exit status and the last words of a process whose stdout ended."""

STDERR_TAIL_BYTES = 2_000

Incoming = SessionMessage | Exception
Streams = tuple[MemoryObjectReceiveStream[Incoming], MemoryObjectSendStream[SessionMessage]]


class BoundedStdio:
    """An MCP transport (``mcp.client.Client(BoundedStdio([...]))``). Raises OSError when the program cannot start.

    Of the environment only the library's safe few variables are passed on (HOME, PATH, USER, …): our secrets are none
    of an outside server's business.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._context: AbstractAsyncContextManager[Streams] | None = None
        self._received = 0
        self._bad_lines = 0
        self._stderr = b""
        self.ended: str = ""
        """Why the connection ended, in words; empty while it is open."""

    async def __aenter__(self) -> Streams:
        self._context = self._connect()
        return await self._context.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._context.__aexit__(kind, error, trace) if self._context else None

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[Streams, None]:
        process = await anyio.open_process(
            self._command, stderr=subprocess.PIPE, env=get_default_environment(), start_new_session=True
        )
        to_session, from_server = anyio.create_memory_object_stream[Incoming](0)
        to_server, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("the process has no pipes")
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._read_stdout, process, process.stdout, to_session)
                group.start_soon(self._write_stdin, process.stdin, from_session)
                group.start_soon(self._read_stderr, process.stderr)
                try:
                    yield from_server, to_server
                finally:
                    with anyio.CancelScope(shield=True):  # a cancelled turn must not leave the child behind
                        await _stop(process)
                    group.cancel_scope.cancel()
        finally:
            for stream in (to_session, from_server, to_server, from_session):
                stream.close()

    async def _read_stdout(
        self, process: Process, stdout: ByteReceiveStream, session: MemoryObjectSendStream[Incoming]
    ) -> None:
        """Lines to the session until the process ends or is given up; closing ``session`` ends the connection."""
        rest = b""
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with session:
                while not self.ended:
                    try:
                        chunk = await stdout.receive()
                    except anyio.EndOfStream:
                        self.ended = await self._how_it_ended(process)
                        return
                    self._received += len(chunk)
                    if self._received > MAX_BYTES_AN_ANSWER:
                        self.ended = f"it wrote more than {MAX_BYTES_AN_ANSWER // 1_000_000} MB for one answer"
                        return
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        await self._take(line, session)

    async def _take(self, line: bytes, session: MemoryObjectSendStream[Incoming]) -> None:
        if not line.strip() or self.ended:
            return
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            self._bad_lines += 1
            if self._bad_lines > MAX_BAD_LINES:
                self.ended = "it writes lines that are no JSON-RPC"
            return
        await session.send(SessionMessage(message))

    async def _write_stdin(self, stdin: ByteSendStream, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            async with outgoing:
                async for item in outgoing:
                    self._received = 0
                    text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                    await stdin.send(text.encode() + b"\n")

    async def _read_stderr(self, stderr: ByteReceiveStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                self._stderr = (self._stderr + await stderr.receive())[-STDERR_TAIL_BYTES:]

    async def _how_it_ended(self, process: Process) -> str:
        with anyio.move_on_after(REAP_S):
            await process.wait()
        status = "" if process.returncode is None else f" with status {process.returncode}"
        last = KNOWN.hide(self._stderr.decode(errors="replace")).strip().splitlines()[-1:]
        return f"the process ended{status}" + (f": {last[0][:200]}" if last else "")


async def _stop(process: Process) -> None:
    """Close stdin, wait, SIGTERM to the group, SIGKILL; at most about three times STOP_GRACE_S."""
    with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        if process.stdin is not None:
            await process.stdin.aclose()
    with anyio.move_on_after(STOP_GRACE_S):
        await process.wait()
    if process.returncode is None or _group_is_alive(process.pid):
        await terminate_posix_process_tree(process, STOP_GRACE_S)
    with anyio.move_on_after(STOP_GRACE_S):
        await process.aclose()


def _group_is_alive(pgid: int) -> bool:
    try:
        os.killpg(pgid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
