"""HTTP to a speech server: every wait and every size has a limit, whatever the server does."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import httpx2

from assistant.errors import JarvisError
from assistant.speech.server_errors import FAILURES, SpeechServer, one_line

CONNECT_TIMEOUT_S = 3.0
MAX_JSON_BYTES = 1_000_000
"""A transcript of 15 s of speech with all its segments and words is some kilobytes."""

UNREADABLE = (ValueError, RecursionError)
"""What ``json.loads`` raises on bytes that are no JSON."""

_MODEL_MISSING = re.compile(
    r"model\b.*\bnot (?:found|exist|loaded|installed|available|supported)|(?:unknown|unsupported) model|no such model",
    re.I,
)

T = TypeVar("T")


class SpeechHttp:
    """One server below a base URL (usually ending in /v1). Nothing stays open between requests.

    ``timeout_s``: the longest wait for the headers, and again for each piece of the answer.
    """

    def __init__(self, server: SpeechServer, model: str, api_key: str | None, timeout_s: float) -> None:
        """Raises ConfigError bad_server_url."""
        self.server = server
        self._model = model
        self._timeout_s = timeout_s
        self._base = server.url.rstrip("/")
        server.check_url("http", "https")
        try:
            httpx2.URL(self._base)
        except httpx2.InvalidURL as error:
            raise server.bad_url() from error
        headers = {"Accept-Encoding": "identity"}  # an answer that unpacks to any size is none
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        # trust_env: a proxy of the environment must never hear what is said in the house
        no_authorities = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading them takes 0.2 s, and http needs none
        self._client = httpx2.AsyncClient(
            headers=headers,
            verify=True if self._base.startswith("https") else no_authorities,
            trust_env=False,
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    async def json(self, method: str, path: str, **request: Any) -> Any:
        """The answer to a request as JSON. Raises errors of the server's stage, EgressError."""
        async with self.answer(method, path, **request) as response:
            if "json" not in response.headers.get("content-type", "json"):
                raise self.server.nonsense(f"it answers with {_kind(response)}, not with JSON")
            body = await self._body(response, MAX_JSON_BYTES)
        try:
            return json.loads(body)
        except UNREADABLE as error:
            raise self.server.nonsense("its answer cannot be read as JSON") from error

    @asynccontextmanager
    async def answer(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx2.Response]:
        """The answer once its headers are there, with status 200; its body is read by ``pieces``.

        Raises errors of the server's stage, EgressError; Refused where it does not take the request as it is.
        """
        stream = self._client.stream(method, self._base + path, **request)
        response = await self._in_time(stream.__aenter__(), begun=False)
        try:
            if response.status_code != 200:
                raise await self._refusal(response)
            if response.headers.get("content-encoding", "identity") != "identity":
                raise self.server.nonsense("its answer is packed, though it was asked not to")
            yield response
        finally:
            await stream.__aexit__(None, None, None)

    async def pieces(self, response: httpx2.Response) -> AsyncGenerator[bytes, None]:
        """The body as it comes; time that the reader takes does not count. Raises errors of the server's stage."""
        parts = response.aiter_raw()
        while True:
            try:
                yield await self._in_time(anext(parts), begun=True)
            except StopAsyncIteration:
                return

    async def _in_time(self, awaitable: Awaitable[T], *, begun: bool) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await awaitable
        except FAILURES as error:
            raise self.server.explained(error, self._timeout_s, begun=begun) from error

    async def _body(self, response: httpx2.Response, most: int) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s):  # the whole of it: it is not for a person to wait for
                async with aclosing(self.pieces(response)) as pieces:
                    async for piece in pieces:
                        body += piece
                        if len(body) > most:
                            raise self.server.nonsense(f"its answer is longer than {most // 1000} kB")
        except TimeoutError as error:
            raise self.server.slow(self._timeout_s) from error
        return bytes(body)

    async def _refusal(self, response: httpx2.Response) -> JarvisError | Refused:
        status, kind = response.status_code, response.headers.get("content-type", "")
        if status in (401, 403):
            return self.server.refused_key(status)
        if 300 <= status < 400:
            return self.server.nonsense(f"it sends us elsewhere (HTTP {status})")
        message = _message(await self._body(response, MAX_JSON_BYTES)) if "json" in kind else ""
        if _MODEL_MISSING.search(message):
            return self.server.model_missing(self._model, message)
        if status in (400, 422) and message:
            return Refused(message, self.server.said(message, status))
        if "html" in kind or status in (404, 405):
            what = f"it answers with HTTP status {status}, as something else would; `url` usually ends in /v1"
            return self.server.nonsense(what)
        return self.server.said(message, status)


class Refused(Exception):  # noqa: N818 - it is an answer, and ``meaning`` is the error
    """The server does not take the request as it is: another form of it may do."""

    def __init__(self, message: str, meaning: JarvisError) -> None:
        super().__init__(message)
        self.message = message
        self.meaning = meaning


def _message(body: bytes) -> str:
    """The server's own words in any of the usual places: error.message (OpenAI), detail (FastAPI), message."""
    try:
        said = json.loads(body)
    except UNREADABLE:
        return ""
    if not isinstance(said, dict):
        return ""
    error = said.get("error", said.get("detail", said.get("message", "")))
    if isinstance(error, dict):
        error = error.get("message", "")
    return one_line(error if isinstance(error, str) else json.dumps(error))


def _kind(response: httpx2.Response) -> str:
    return one_line(str(response.headers.get("content-type", ""))).split(";")[0] or "something unnamed"
