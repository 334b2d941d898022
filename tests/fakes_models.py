"""Small real things for the tests of the model cache: wheels, a manifest that pins them, a hub on loopback."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assistant.models import Manifest, ModelStore

VOICE = bytes(range(256)) * 300
"""The content of the model file of most tests, and two parts of it."""
FIRST, SECOND = VOICE[:40_000], VOICE[40_000:]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Told:
    """A progress that remembers what it was told."""

    begun: list[tuple[str, int]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: int = 0

    def begin(self, what: str, total: int) -> None:
        self.begun.append((what, total))

    def at(self, done: int) -> None:
        self.done.append(done)

    def end(self) -> None:
        self.ended += 1

    def note(self, line: str) -> None:
        self.notes.append(line)


def build_wheel(folder: Path, name: str, members: Mapping[str, bytes], version: str = "1.0") -> Path:
    """A wheel that pip accepts, with these members below its package folder and an ``__init__`` that must not run."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{module}/__init__.py", "raise SystemExit('a model wheel was imported')\n")
        for member, data in members.items():
            archive.writestr(f"{module}/{member}", data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def pin(path: Path) -> dict[str, object]:
    """The manifest's table for a wheel."""
    data = path.read_bytes()
    return {"version": path.name.split("-")[1], "size": len(data), "sha256": sha256(data)}


def part(wheel: str, member: str, data: bytes) -> dict[str, object]:
    module = wheel.replace("-", "_")
    return {"wheel": wheel, "member": f"{module}/{member}", "size": len(data), "sha256": sha256(data)}


def wheels_source(*parts: dict[str, object]) -> dict[str, object]:
    return {"kind": "wheels", "parts": list(parts)}


def hub_source(file: str = "voice.bin") -> dict[str, object]:
    return {"kind": "hub", "repo": "someone/models", "revision": "v1", "file": file}


def npm_source(package: str, member: str) -> dict[str, object]:
    return {"kind": "npm", "package": package, "member": member}


def manifest_of(
    data: bytes,
    *sources: dict[str, object],
    wheels: Mapping[str, object] | None = None,
    npm: Mapping[str, object] | None = None,
    name: str = "voice",
) -> Manifest:
    """A manifest with one model of one file, ``voice/voice.bin``."""
    file = {"name": "voice.bin", "size": len(data), "sha256": sha256(data), "sources": list(sources)}
    model = {"name": name, "description": "speaks", "origin": "made up", "licence": "MIT", "default": True}
    models = [{**model, "files": [file]}]
    return Manifest.model_validate({"models": models, "wheels": dict(wheels or {}), "npm": dict(npm or {})})


def store_of(tmp_path: Path, *sources: dict[str, object], **wheels: Path) -> ModelStore:
    """A store whose only model is VOICE; wheels by name, ``_`` for ``-``."""
    pinned = {name.replace("_", "-"): pin(path) for name, path in wheels.items()}
    return ModelStore(tmp_path / "cache", manifest_of(VOICE, *sources, wheels=pinned))


def one_wheel(tmp_path: Path, registry: Path, *before: dict[str, object]) -> ModelStore:
    """VOICE in a single wheel of the registry."""
    wheel = build_wheel(registry, "a-voice", {"data/voice.bin": VOICE})
    source = wheels_source(part("a-voice", "data/voice.bin", VOICE))
    return store_of(tmp_path, *before, source, a_voice=wheel)


def files_of(store: ModelStore) -> set[str]:
    return {str(path.relative_to(store.models_dir)) for path in store.models_dir.rglob("*") if path.is_file()}


@dataclass
class FakeHub:
    """Speaks the two requests of the model hub that a pull makes; ``requests`` holds ``METHOD range authorization``."""

    url: str
    requests: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]


@contextmanager
def hub_with(data: bytes, *, claims: bytes | None = None) -> Iterator[FakeHub]:
    """A hub whose every file is ``data``; it reports size and SHA-256 of ``claims`` when it is to lie."""
    claimed = data if claims is None else claims
    seen = FakeHub("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            seen.requests.append(("HEAD", None, self.headers["Authorization"]))
            self.send_response(200)
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("X-Linked-Size", str(len(claimed)))
            self.send_header("X-Linked-ETag", f'"{sha256(claimed)}"')
            self.send_header("Content-Length", str(len(claimed)))
            self.end_headers()

        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            seen.requests.append(("GET", wanted, self.headers["Authorization"]))
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:])

        def log_message(self, format: str, *args: object) -> None:  # the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
