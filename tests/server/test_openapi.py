"""The OpenAPI document and the routes are one; so are the error codes of the code, the document and the page."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from assistant.app import App
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.openapi import document
from assistant.server.operations import OPERATIONS, codes_of

ROOT = Path(__file__).resolve().parents[2]
NOT_OF_A_ROUTE = {"method_not_allowed", "refused"}
"""Of requests that no operation is about."""


def test_every_route_is_in_the_document_and_nothing_else(app: App) -> None:
    routes = {
        (route.path, method.lower())  # type: ignore[attr-defined]
        for route in http_app(app, Authenticator({})).routes
        for method in (getattr(route, "methods", None) or {"GET", "POST", "DELETE"}) - {"HEAD"}
        if route.path != "/mcp/"  # type: ignore[attr-defined]
    }
    described = {(path, method) for path, methods in document()["paths"].items() for method in methods}
    assert described == routes


def test_every_code_that_the_server_gives_is_in_the_document() -> None:
    said = r'(?:RequestError|FormError|problem|_busy)\(\s*\d{3},\s*"([a-z_]+)"'
    given = {
        code
        for path in (ROOT / "assistant" / "server").glob("*.py")
        for code in re.findall(said, path.read_text(encoding="utf-8"))
    }
    documented = {code for operation in OPERATIONS for codes in codes_of(operation).values() for code in codes}
    assert given - documented <= NOT_OF_A_ROUTE
    assert len(given) > 40


def test_the_page_has_the_codes_of_the_document() -> None:
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    table = page[page.index("## Errors") :].split("\n## ")[0]
    on_the_page = set(re.findall(r"`([a-z0-9_]+)`", table[table.index("| 400") :].split("\n\n")[0]))
    of_ours = [operation for operation in OPERATIONS if not operation.path.startswith("/v1/")]
    documented = {code for operation in of_ours for codes in codes_of(operation).values() for code in codes}
    assert on_the_page == documented | (NOT_OF_A_ROUTE - {"refused"})


async def test_the_document_wants_no_token_and_says_where_one_is_wanted(app: App) -> None:
    locked = http_app(app, Authenticator({b"x" * 32: "phone"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=locked), base_url="http://127.0.0.1:8765") as client:
        got = (await client.get("/openapi.json")).json()
        assert got["openapi"].startswith("3.1")
        for path, methods in got["paths"].items():
            if "get" in methods and "{" not in path and not path.startswith("/mcp"):
                status = (await client.get(path)).status_code
                free = methods["get"].get("security") == []
                assert (status == 401) is not free, path
