"""What Jarvis is made of: the locked packages with the licences that they state, the models and voices with theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from assistant.models.manifest import ModelEntry, shipped_manifest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "run.txt"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(?:[ ]*;[ ]*([^\\\n]+))?", re.MULTILINE)

_CLASSIFIED: Mapping[str, str] = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
}
"""Classifiers that name one licence and no family of them."""

_LOOKED_UP: Mapping[str, str] = {
    "cloudpickle": "BSD-3-Clause",
    "colorama": "BSD-3-Clause",
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "httpx": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "matplotlib": "PSF-2.0",
    "piper-tts": "GPL-3.0-or-later",
    "prompt-toolkit": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "python-dotenv": "BSD-3-Clause",
    "pywin32": "PSF-2.0",
    "scipy": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "sniffio": "MIT OR Apache-2.0",
    "tflite-runtime": "Apache-2.0",
    "tqdm": "MPL-2.0 AND MIT",
}
"""By their licence files and pages, where the metadata hold a whole text or a family's name, or where the package is
for other systems and not installed here."""

_SHORT = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """``licence``: an SPDX expression; ``only``: the environment that it is for, empty for all."""

    name: str
    version: str
    licence: str
    only: str = ""


def packages(lock: Path = LOCK) -> tuple[Package, ...]:
    """Of the lock, by name. Raises LookupError: a package states no licence that can be read, and none is looked up."""
    found: dict[tuple[str, str], Package] = {}
    for name, version, only in _LOCKED.findall(lock.read_text("utf-8")):
        plain = normalized(name)
        marker = _readable(only)
        found[plain, version] = Package(name=plain, version=version, licence=licence_of(plain), only=marker)
    return tuple(sorted(found.values(), key=lambda package: (package.name, package.version)))


def models() -> tuple[ModelEntry, ...]:
    """Those of the manifest, in its order."""
    return shipped_manifest().models


def licence_of(name: str) -> str:
    """As an SPDX expression. Raises LookupError."""
    if name in _LOOKED_UP:
        return _LOOKED_UP[name]
    try:
        stated = list(_stated(distribution(name).metadata))
    except PackageNotFoundError:
        stated = []
    if not stated:
        raise LookupError(f"{name} states no licence that can be read; look it up: tests/trust/components.py")
    return stated[0]


def _stated(metadata: PackageMetadata) -> Iterator[str]:
    """In the order in which they are believed."""
    for key in ("License-Expression", "License"):
        text = "".join(metadata.get_all(key) or []).strip().removesuffix(" License")
        if text and _SHORT.fullmatch(text):
            yield "Apache-2.0" if text == "Apache 2.0" else text
    for classifier in metadata.get_all("Classifier") or []:
        if (licence := _CLASSIFIED.get(classifier.rpartition(" :: ")[2])) is not None:
            yield licence


def normalized(name: str) -> str:
    """As the package index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _readable(marker: str) -> str:
    return " ".join(marker.split())
