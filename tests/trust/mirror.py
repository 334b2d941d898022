"""A server that refuses everybody and quotes back all that it was sent: paths, headers, what Basic hides, bodies.

Some proxies and debugging pages do so; whatever is made of their answers must not hold a secret of the request.
"""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUSES = (401, 500, 200, 400, 404, 502, 302)
"""In turn for each path, so that every reader meets its refusals, its errors and an answer that is nonsense."""


class _Mirror(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: Counter[str]
    lock: threading.Lock

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(min(length, 200_000)) if length else b""
        quoted = [f"{self.command} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        scheme, _, told = self.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() == "basic":
            with suppress(ValueError):
                quoted.append(base64.b64decode(told).decode("utf-8", "replace"))
        path = self.path.partition("?")[0]
        with self.lock:
            self.seen[path] += 1
            status = STATUSES[(self.seen[path] - 1) % len(STATUSES)]
        words = " ".join(quoted).replace('"', "'") + sent[:2_000].decode("utf-8", "replace")
        body = (
            '{"error": {"message": "' + words.replace("\\", "/").replace('"', "'").replace("\n", " ") + '"}}'
        ).encode()
        self.send_response(status, quoted[-1][:200].encode("ascii", "replace").decode())
        for name, value in (
            ("Content-Type", "application/json"), ("Content-Length", str(len(body))),
            ("Location", f"http://{self.headers.get('Host')}/moved?{words[:300].encode('ascii', 'replace').decode()}"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _answer  # noqa: N815 - as its base has them

    def log_message(self, format: str, *args: object) -> None:
        """It says nothing at the terminal."""


class _Quiet(ThreadingHTTPServer):
    """A client that leaves is no news."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing."""


@contextmanager
def mirror() -> Iterator[tuple[str, Counter[str]]]:
    """``host:port`` of it, and what was asked for how often."""

    class Mirror(_Mirror):
        seen: Counter[str] = Counter()  # noqa: RUF012 - of this class alone
        lock = threading.Lock()

    server = _Quiet(("127.0.0.1", 0), Mirror)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", Mirror.seen
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
