"""The HTTP client for outside MCP servers: bearer token, no proxies from the environment, bounded answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

MAX_BYTES_A_RESPONSE = 4_000_000
"""Body taken from one response; a tool's answer to a small model has a few kB."""


def bounded_http_client(token: str | None, timeout_s: float) -> httpx2.AsyncClient:
    """A client for one server. Proxies of the environment are ignored: they would carry the call out of the house."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.AsyncClient(
        headers=headers,
        timeout=httpx2.Timeout(timeout_s),
        transport=_BoundedTransport(httpx2.AsyncHTTPTransport(trust_env=False)),
        trust_env=False,
    )


class _BoundedTransport(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            return response
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_BoundedStream(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._inner:
            received += len(chunk)
            if received > MAX_BYTES_A_RESPONSE:
                raise httpx2.ReadError(f"more than {MAX_BYTES_A_RESPONSE // 1_000_000} MB in one response")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
