"""The HTTP API of a Docker engine, over its socket, TCP or Portainer: every failure an EngineError in words."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tools import web
from tools.engines.docker_said import LogReader
from tools.engines.port import EngineError, LogLine

MAX_BYTES = 16 * 2**20
"""Of one answer; the list of a hundred containers takes a tenth of a megabyte."""

MAX_ERROR_BYTES = 65_536

_REASONS = (
    ("port is already allocated", "its port is already taken"),
    ("address already in use", "its port is already taken"),
    ("no such image", "its image is not there any more"),
    ("executable file not found", "its program is not in its image"),
    ("no such file or directory", "a file or program that it needs is not there"),
    ("is marked for removal", "it is being removed"),
    ("no space left", "the disk is full"),
    ("permission denied", "the engine may not do that"),
    ("is paused", "it is paused"),
    ("network", "its network cannot be set up"),
)
"""What engines complain of, and what that is in words. Their own texts hold names that anybody may have given."""


class TooMuchError(EngineError):
    """A log of very long lines: it comes oldest first, so that its end cannot be read without all before it."""


class DockerApi:
    """One engine. ``socket``: path of its Unix socket, else ``url`` is its address; ``headers``: with each request."""

    def __init__(
        self, *, url: str, socket: str | None, verify_tls: bool, timeout_s: float, rights: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._url, self._socket, self._verify_tls, self._timeout_s = url, socket, verify_tls, timeout_s
        self._headers, self._rights = dict(headers or {}), rights

    @asynccontextmanager
    async def open(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for the time of the block. Raises EngineError for what goes wrong in it."""
        # verify: a socket knows no TLS, and reading the certificates of the system takes longer than any question
        transport = httpx.AsyncHTTPTransport(uds=self._socket, verify=False) if self._socket else None
        options: dict[str, Any] = {"transport": transport} if transport else {}
        try:
            client = web.client(
                verify_tls=self._verify_tls and transport is None,
                timeout_s=self._timeout_s,
                base_url=self._url,
                headers=self._headers,
                **options,
            )
            async with client as http:
                yield http
        except (httpx.TimeoutException, TimeoutError) as error:
            raise EngineError("it does not answer in time") from error
        except httpx.HTTPError as error:
            raise EngineError(self._why(error)) from error
        except (httpx.InvalidURL, UnicodeError) as error:  # neither is an HTTPError
            raise EngineError("its address is not one that can be asked") from error

    async def json(
        self, http: httpx.AsyncClient, method: str, path: str, *, timeout_s: float | None = None, body: Any = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        """A decoded answer; None for one without a body. Raises EngineError, and what ``open`` turns into one."""
        async with (
            asyncio.timeout(timeout_s or self._timeout_s),
            http.stream(method, path, params=params, json=body, timeout=timeout_s or self._timeout_s) as answer,
        ):
            if answer.status_code == 304:  # it is so already
                return None
            raw = await _body(answer, MAX_BYTES if answer.is_success else MAX_ERROR_BYTES)
        if not answer.is_success:
            raise _refusal(answer.status_code, raw)
        if not raw.strip():
            return None
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise EngineError("its answer is no JSON") from error

    async def log(
        self, http: httpx.AsyncClient, path: str, *, lines: int, terminal: bool, params: Mapping[str, str]
    ) -> list[LogLine]:
        """The last lines of a log, oldest first."""
        reader, kept, taken = LogReader(terminal=terminal), deque[LogLine](maxlen=lines), 0
        async with asyncio.timeout(self._timeout_s), http.stream("GET", path, params=dict(params)) as answer:
            if not answer.is_success:
                raise _refusal(answer.status_code, await _body(answer, MAX_ERROR_BYTES))
            try:
                async for piece in answer.aiter_bytes():
                    kept.extend(reader.feed(piece))
                    taken += len(piece)
                    if taken > MAX_BYTES:
                        raise TooMuchError("its log has too much in it")
            except ValueError as error:
                raise EngineError("its log cannot be understood") from error
        kept.extend(reader.end())
        return list(kept)

    def _why(self, error: httpx.HTTPError) -> str:
        cause: BaseException | None = error
        while cause is not None and self._socket:
            if isinstance(cause, PermissionError):
                return f"its socket may not be opened{self._rights}"
            if isinstance(cause, FileNotFoundError):
                return f"there is no socket {self._socket}"
            if isinstance(cause, ConnectionRefusedError):
                return "nothing listens on its socket"
            cause = cause.__cause__ or cause.__context__
        return web.why(error)


async def _body(answer: httpx.Response, limit: int) -> bytes:
    found = bytearray()
    async for piece in answer.aiter_bytes():
        found += piece
        if len(found) > limit:
            raise EngineError("its answer is too long")
    return bytes(found)


def _refusal(status: int, raw: bytes) -> EngineError:
    """An answer that says no, in words."""
    if status in (401, 403):
        return EngineError("it refuses the credentials")
    try:
        said = json.loads(raw)["message"].casefold()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        said = ""
    if status == 404 and (not said or "no such container" in said or "unable to find" in said or "not found" in said):
        return EngineError("it has no such container", unknown=True)
    reason = next((words for text, words in _REASONS if text in said), "")
    return EngineError(reason or f"it answers with HTTP status {status}")
