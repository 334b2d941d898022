"""This is not kopia. It stands in for it where no kopia can be installed: the same commands, options, JSON and words of
error as kopia 0.2x prints them, over a little store of its own (one file for each content, named by its hash).

``python kopia_stand_in.py COMMAND …``, with KOPIA_CONFIG_PATH and KOPIA_PASSWORD as kopia reads them. What it cannot
show: that kopia itself behaves so.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class KopiaError(Exception):
    """kopia's line of error."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="kopia", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    snapshot = commands.add_parser("snapshot").add_subparsers(dest="snapshot", required=True)
    create = snapshot.add_parser("create")
    create.add_argument("--json", action="store_true")
    create.add_argument("--progress-update-interval")
    create.add_argument("--tags", action="append", default=[])
    create.add_argument("paths", nargs="+")
    listing = snapshot.add_parser("list")
    for flag in ("--json", "--all", "--incomplete"):
        listing.add_argument(flag, action="store_true")
    verify = snapshot.add_parser("verify")
    verify.add_argument("--verify-files-percent", type=float, default=0)
    verify.add_argument("ids", nargs="+")
    delete = snapshot.add_parser("delete")
    delete.add_argument("--delete", action="store_true")
    delete.add_argument("ids", nargs="+")
    restore = snapshot.add_parser("restore")
    restore.add_argument("--mode")
    restore.add_argument("--skip-owners", action="store_true")
    restore.add_argument("what")
    restore.add_argument("where")
    files = commands.add_parser("list")
    for flag in ("--long", "--recursive", "--no-error-summary"):
        files.add_argument(flag, action="store_true")
    files.add_argument("root")
    policy = commands.add_parser("policy").add_subparsers(dest="policy", required=True).add_parser("set")
    policy.add_argument("--add-ignore", action="append", default=[])
    policy.add_argument("paths", nargs="+")
    repository = commands.add_parser("repository").add_subparsers(dest="repository", required=True).add_parser("create")
    repository.add_argument("--path")
    asked = parser.parse_args()
    try:
        return run(asked)
    except KopiaError as error:
        print(f"ERROR {error}", file=sys.stderr)  # noqa: T201
    except OSError as error:
        print(f"ERROR {error.filename}: {str(error.strerror).lower()}", file=sys.stderr)  # noqa: T201
    return 1


def run(asked: argparse.Namespace) -> int:
    config = Path(os.environ.get("KOPIA_CONFIG_PATH", "/nonexistent"))
    if asked.command == "repository":
        store = Path(asked.path)
        store.mkdir(parents=True)
        (store / "kopia.repository.f").write_text(hashlib.sha256(os.environ["KOPIA_PASSWORD"].encode()).hexdigest())
        config.write_text(json.dumps({"storage": {"type": "filesystem", "config": {"path": str(store)}}}))
        return 0
    if not config.exists():
        raise KopiaError("open repository: repository is not connected. See https://kopia.io/docs/repositories/")
    store = Path(json.loads(config.read_text())["storage"]["config"]["path"])
    if not store.is_dir():
        raise KopiaError(f"open repository: cannot access storage path: stat {store}: no such file or directory")
    if not (store / "kopia.repository.f").exists():
        raise KopiaError("open repository: unable to read format blob: BLOB not found")
    known = hashlib.sha256(os.environ.get("KOPIA_PASSWORD", "").encode()).hexdigest()
    if (store / "kopia.repository.f").read_text() != known:
        raise KopiaError("open repository: invalid repository password")
    if asked.command == "policy":
        (store / "policy").write_text(json.dumps(asked.add_ignore))
        return 0
    if asked.command == "list":
        return show(store, tree(store, asked.root))
    return {"create": create, "list": listing, "verify": verify, "delete": delete, "restore": restore}[asked.snapshot](
        store, asked
    )


def put(store: Path, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()[:32]
    if not (store / f"p{name}").exists():
        (store / f"p{name}").write_bytes(content)
    return name


def get(store: Path, name: str) -> bytes:
    try:
        content = (store / f"p{name}").read_bytes()
    except FileNotFoundError:
        raise KopiaError(f"error reading object {name}: BLOB not found") from None
    if hashlib.sha256(content).hexdigest()[:32] != name:
        raise KopiaError(f"error reading object {name}: invalid checksum at p{name} offset 0 length {len(content)}/0")
    return content


def tree(store: Path, root: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(store, root.removeprefix("k")))
    return found


def create(store: Path, asked: argparse.Namespace) -> int:
    began = datetime.now(UTC)
    source = Path(asked.paths[0])
    ignored = json.loads((store / "policy").read_text()) if (store / "policy").exists() else []
    entries: dict[str, Any] = {}
    failed = []
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored):
            continue
        name = str(path.relative_to(source))
        try:
            content = path.read_bytes()
        except OSError as error:
            failed.append({"path": name, "error": str(error.strerror).lower()})
            print(f'\n ! Error when processing "{name}": {failed[-1]["error"]}', file=sys.stderr)  # noqa: T201
            continue
        entries[name] = {"size": len(content), "obj": put(store, content)}
        done = (
            f" | 1 hashing, {len(entries)} hashed (1 MB), 0 cached (0 B), uploaded 1 MB, estimated 2 MB (50.0%) 1s left"
        )
        print(f"\r{done}", end="", file=sys.stderr)  # noqa: T201
    size = sum(entry["size"] for entry in entries.values())
    manifest = {
        "id": secrets.token_hex(16),
        "source": {"host": socket.gethostname().lower(), "userName": "root", "path": str(source)},
        "description": "",
        "startTime": began.strftime("%Y-%m-%dT%H:%M:%S.%f123Z"),
        "endTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f123Z"),
        "rootEntry": {
            "name": source.name,
            "type": "d",
            "mode": "0755",
            "mtime": "2026-01-01T00:00:00Z",
            "obj": "k" + put(store, json.dumps(entries).encode()),
            "summ": {
                "size": size,
                "files": len(entries),
                "symlinks": 0,
                "dirs": 1,
                "maxTime": "2026-01-01T00:00:00Z",
                "numFailed": len(failed),
                **({"errors": failed} if failed else {}),
            },
        },
        **(
            {"tags": {f"tag:{tag.partition(':')[0]}": tag.partition(":")[2] for tag in asked.tags}}
            if asked.tags
            else {}
        ),
    }
    (store / f"manifest-{manifest['id']}").write_text(json.dumps(manifest))
    sys.stdout.write(json.dumps(manifest) + "\n")
    if failed:
        raise KopiaError(f"Found {len(failed)} fatal error(s) while snapshotting root@host:{source}.")
    return 0


def manifests(store: Path) -> Iterator[dict[str, Any]]:
    for path in store.glob("manifest-*"):
        yield json.loads(path.read_text())


def listing(store: Path, asked: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(sorted(manifests(store), key=lambda one: str(one["startTime"]))) + "\n")
    return 0


def verify(store: Path, asked: argparse.Namespace) -> int:
    errors = 0
    for one in manifests(store):
        if one["id"] in asked.ids:
            for entry in tree(store, one["rootEntry"]["obj"]).values():
                try:
                    if asked.verify_files_percent:
                        get(store, entry["obj"])
                    elif not (store / f"p{entry['obj']}").exists():
                        raise KopiaError(f"object {entry['obj']} is backed by missing blob p{entry['obj']}")
                except KopiaError as error:
                    errors += 1
                    print(f"ERROR {error}", file=sys.stderr)  # noqa: T201
    if errors:
        raise KopiaError(f"encountered {errors} errors")
    return 0


def delete(store: Path, asked: argparse.Namespace) -> int:
    for identity in asked.ids:
        if asked.delete:
            (store / f"manifest-{identity}").unlink()
    return 0


def restore(store: Path, asked: argparse.Namespace) -> int:
    root, _, below = asked.what.partition("/")
    entries = tree(store, root)
    if below and below not in entries:
        raise KopiaError(f"unable to get filesystem entry: error getting nested entry {below!r}: entry not found")
    for name, entry in ({below: entries[below]} if below else entries).items():
        where = Path(asked.where) if below else Path(asked.where, name)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(get(store, entry["obj"]))
    return 0


def show(store: Path, entries: dict[str, Any]) -> int:
    """As ``list --long --recursive`` has it: folders before what is in them."""
    seen: set[str] = set()
    for name, entry in entries.items():
        for folder in reversed(Path(name).parents[:-1]):
            if str(folder) not in seen:
                seen.add(str(folder))
                sys.stdout.write(
                    f"drwxr-xr-x {entry['size']:12} 2026-01-01 00:00:00 UTC k{entry['obj']:33} {folder}/\n"
                )
        sys.stdout.write(f"-rw-r--r-- {entry['size']:12} 2026-01-01 00:00:00 UTC {entry['obj']:34} {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
