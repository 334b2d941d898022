"""The web page: its files, from memory, with the headers that let it do no more than it does. ``docs/web-page.md``.

The files hold nothing of the house, so they are open without a token; what the page shows it asks for with one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant.resources import resource

FOLDER = ("assistant", "page")
BELOW = "/page/"
"""Where the files are, all but the page itself."""

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
"""By the end of the name: the machine's own table of types would not know all of them."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
"""Nothing from elsewhere, nothing inline. ``data:`` is the QR code of a new token, which is kept nowhere."""

HEADERS = {
    "Cache-Control": "no-cache",  # asked for again each time, and answered with 304
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page."""

    body: bytes
    kind: str
    etag: str


class PageDoor:
    """The routes. Reads every file once: raises FileNotFoundError where the installation is damaged."""

    def __init__(self) -> None:
        self.files = read_files()

    @property
    def routes(self) -> list[Route]:
        """To be added to the application's."""
        return [Route("/", self.file), Route(BELOW + "{name}", self.file)]

    async def file(self, request: Request) -> Response:
        """One file, or 304 for a browser that has it."""
        found = self.files.get(request.path_params.get("name", "index.html"))
        if found is None:
            return Response("There is no such file.\n", 404, HEADERS, "text/plain; charset=utf-8")
        headers = {**HEADERS, "ETag": found.etag}
        if request.url.path.endswith("/service-worker.js"):
            headers["Service-Worker-Allowed"] = "/"
        if _has(request.headers.get("if-none-match", ""), found.etag):
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers=headers, media_type=found.kind)


def read_files() -> dict[str, PageFile]:
    """All that the page consists of, by name. Only what stands here can be asked for: no path is ever made of a name
    that came from outside."""
    files = {}
    for path in sorted(resource(*FOLDER).iterdir()):
        if (kind := KINDS.get(path.suffix)) is not None:
            body = path.read_bytes()
            files[path.name] = PageFile(body, kind, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    return files


def _has(if_none_match: str, etag: str) -> bool:
    """RFC 9110 section 13.1.2: weakly, and with the star."""
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in known or "*" in known
