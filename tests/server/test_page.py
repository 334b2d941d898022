"""The page's files over HTTP: what they may do, what a browser may keep, and that nothing else can be had."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from assistant.app import App
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.page import BELOW, PageDoor, read_files
from tests.make_page_icons import icons

MOST_BYTES = 150_000
FILES = read_files()
SCRIPTS = [name for name in FILES if name.endswith(".js")]


def path_of(name: str) -> str:
    return "/" if name == "index.html" else f"{BELOW}{name}"


@pytest.fixture
async def door() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Starlette(routes=PageDoor().routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://jarvis") as opened:
        yield opened


@pytest.mark.parametrize("name", FILES)
async def test_every_file_comes_whole_and_under_the_policy(door: httpx.AsyncClient, name: str) -> None:
    answer = await door.get(path_of(name))
    assert (answer.status_code, answer.content) == (200, FILES[name].body)
    policy = dict(one.split(" ", 1) for one in answer.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "media-src": "'self' blob:",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_browser_that_has_a_file_is_told_so(door: httpx.AsyncClient) -> None:
    etag = (await door.get("/")).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await door.get("/", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert (await door.get("/", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_head_says_as_much_as_get_without_the_body(door: httpx.AsyncClient) -> None:
    whole, head = await door.get("/page/app.js"), await door.head("/page/app.js")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers


@pytest.mark.parametrize(
    "path", ["app.jS", "..%2fpage.py", "%2e%2e/page.py", "..%5cpage.py", "%00", "icon.svg/", "x/y"]
)
async def test_nothing_but_the_files_can_be_had(door: httpx.AsyncClient, path: str) -> None:
    answer = await door.get(f"{BELOW}{path}", follow_redirects=False)
    assert answer.status_code in (404, 307)
    assert b"PageDoor" not in answer.content


async def test_nothing_can_be_sent_to_it(door: httpx.AsyncClient) -> None:
    assert (await door.post("/", content=b"x")).status_code == 405


async def test_only_the_service_worker_may_stand_over_the_whole_site(door: httpx.AsyncClient) -> None:
    allowed = {name for name in FILES if "service-worker-allowed" in (await door.get(path_of(name))).headers}
    assert allowed == {"service-worker.js"}


NOT_KEPT = {"/page/service-worker.js", "/page/icon-512.png", "/page/icon-maskable.png"}
"""What keeps itself, and what only the home screen shows, once."""


def test_the_service_worker_keeps_every_file_of_the_page_and_nothing_else() -> None:
    listed = re.search(r"const FILES = \[(.*?)\];", FILES["service-worker.js"].body.decode(), re.DOTALL)
    assert listed is not None
    kept = set(re.findall(r'"([^"]+)"', listed[1]))
    assert kept == {path_of(name) for name in FILES} - NOT_KEPT


def test_it_is_small() -> None:
    assert sum(len(file.body) for file in FILES.values()) <= MOST_BYTES


@pytest.mark.parametrize("name", [*SCRIPTS, "index.html"])
def test_no_text_is_ever_read_as_markup_or_script(name: str) -> None:
    source = FILES[name].body.decode()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser",
                "srcdoc", "javascript:", " onclick=", " style="):  # fmt: skip
        assert way not in source


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_another_host(name: str) -> None:
    if name.endswith(".png"):
        return
    named = set(re.findall(r"https?://([^/\s\"'`)$]+)", FILES[name].body.decode()))
    assert named <= {"www.w3.org", "localhost"}  # the name of SVG's namespace, and what a person is told


def test_every_script_that_is_imported_is_there() -> None:
    for name in SCRIPTS:
        for imported in re.findall(r"(?:from|import\()\s*\"\./([^\"]+)\"", FILES[name].body.decode()):
            assert imported in FILES


def test_the_manifest_names_icons_that_are_there() -> None:
    manifest = json.loads(FILES["manifest.webmanifest"].body)
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    for icon in manifest["icons"]:
        assert icon["src"].removeprefix(BELOW) in FILES
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}


def test_the_icons_are_those_that_the_script_draws() -> None:
    assert {name: file.body for name, file in FILES.items() if name.startswith("icon")} == icons()


async def test_the_page_wants_no_token_and_what_it_shows_does(app: App) -> None:
    web = http_app(app, Authenticator({b"\0" * 32: "anna"}))
    transport = httpx.ASGITransport(app=web)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as stranger:
        assert (await stranger.get("/")).status_code == 200
        assert (await stranger.get("/page/app.js")).status_code == 200
        assert (await stranger.get("/api/me")).status_code == 401
        assert (await stranger.get("/", headers={"Host": "elsewhere.example"})).status_code == 421
