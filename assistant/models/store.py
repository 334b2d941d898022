"""Where the model files are, whether they are what the manifest says, and how they get there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import platformdirs

from assistant.errors import ModelFilesError
from assistant.models.manifest import Manifest, ModelEntry, ModelFile, shipped_manifest
from assistant.models.progress import Progress, Quiet

ENVIRONMENT = "JARVIS_MODELS"
"""Environment variable with the folder of the model cache."""

_BLOCK = 1 << 20


class State(StrEnum):
    """Of a model in the cache; ``DAMAGED``: a file is there and is not what the manifest says."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"


def default_models_dir() -> Path:
    """JARVIS_MODELS, else ``models`` in the platform's cache folder."""
    named = os.environ.get(ENVIRONMENT, "").strip()
    return Path(named).expanduser() if named else platformdirs.user_cache_path("jarvis", appauthor=False) / "models"


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hex SHA-256 of a file; ``on_bytes`` is told how many bytes were read so far. Raises OSError."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            on_bytes(done)
    return digest.hexdigest()


class ModelStore:
    """The model cache: ``<folder>/<model>/<file>``, exactly as the manifest lists them.

    Looking something up touches neither the network nor the files' content; :meth:`verify` reads every byte and
    :meth:`pull` is the only way in.
    """

    def __init__(self, models_dir: Path | None = None, manifest: Manifest | None = None) -> None:
        self.models_dir = (models_dir or default_models_dir()).expanduser()
        self.manifest = manifest or shipped_manifest()

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        return self.manifest.models

    def folder(self, name: str) -> Path:
        """Folder of a model, all of whose files are there in the right size. Raises ModelFilesError."""
        entry = self.manifest.entry(name)
        for file in entry.files:
            self._present(entry, file)
        return self.models_dir / name

    def file(self, name: str, filename: str) -> Path:
        """One file of a model, there and in the right size. Raises ModelFilesError."""
        entry = self.manifest.entry(name)
        for file in entry.files:
            if file.name == filename:
                return self._present(entry, file)
        known = ", ".join(file.name for file in entry.files)
        raise ModelFilesError("unknown_model_file", f"The model {name} has no file {filename!r}, but {known}.")

    def resolve(self, name_or_path: str | Path, suffix: str | None = None) -> Path:
        """What a setting means: a name in the manifest, or a path on disk.

        Without ``suffix`` the model's folder (or the path as it is); with it (``".onnx"``) the one file that ends so.
        Raises ModelFilesError when it is neither, or the file is missing or not the only one.
        """
        text = str(name_or_path)
        if any(entry.name == text for entry in self.entries):
            found = self.folder(text)
        else:
            found = Path(text).expanduser()
            if not found.exists():
                self._neither(text, suffix)
        if suffix is None or found.is_file():
            return found
        files = sorted(path for path in found.iterdir() if path.name.endswith(suffix) and path.is_file())
        if len(files) != 1:
            names = ", ".join(path.name for path in files) or "none"
            raise ModelFilesError(
                "ambiguous_model_file",
                f"{found} should hold exactly one {suffix} file and holds {names}.",
                mend=f"Name the {suffix} file itself.",
            )
        return files[0]

    def state(self, name: str) -> State:
        """By presence and size only; :meth:`verify` reads the bytes."""
        entry = self.manifest.entry(name)
        sizes = [self._size(entry, file) for file in entry.files]
        if any(size is not None and size != file.size for size, file in zip(sizes, entry.files, strict=True)):
            return State.DAMAGED
        return State.MISSING if None in sizes else State.PRESENT

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of the models that are not all there, in the order given."""
        return [name for name in names if self.state(name) is not State.PRESENT]

    def verify(self, name: str, progress: Progress | None = None) -> None:
        """Read every byte of a model. Raises ModelFilesError naming each file that is missing or damaged."""
        progress = progress or Quiet()
        entry = self.manifest.entry(name)
        wrong = []
        before = 0
        progress.begin(name, entry.size)
        try:
            for file in entry.files:
                path = self._present(entry, file)
                digest = sha256_of(path, lambda done, before=before: progress.at(before + done))  # type: ignore[misc]
                before += file.size
                if digest != file.sha256:
                    wrong.append(f"{path}: SHA-256 is {digest}, should be {file.sha256}")
        except OSError as error:
            raise ModelFilesError("model_unreadable", f"{self.models_dir / name} cannot be read: {error}.") from error
        finally:
            progress.end()
        if wrong:
            raise ModelFilesError("model_damaged", "Damaged: " + "; ".join(wrong) + ".", mend=_command(name))

    def pull(
        self,
        names: Iterable[str],
        progress: Progress | None = None,
        *,
        from_dir: Path | None = None,
        recheck: bool = False,
    ) -> None:
        """Get what is missing of these models; see :mod:`assistant.models.pull`. Raises ModelFilesError."""
        from assistant.models.pull import Pull  # only a pull needs it

        entries = [self.manifest.entry(name) for name in dict.fromkeys(names)]
        Pull(self.models_dir, self.manifest, progress or Quiet(), from_dir).run(entries, recheck=recheck)

    def _size(self, entry: ModelEntry, file: ModelFile) -> int | None:
        try:
            return (self.models_dir / entry.name / file.name).stat().st_size
        except OSError:
            return None

    def _present(self, entry: ModelEntry, file: ModelFile) -> Path:
        size = self._size(entry, file)
        path = self.models_dir / entry.name / file.name
        if size == file.size:
            return path
        sources = " or ".join(str(source) for source in file.sources)
        if size is None:
            code, what = "model_missing", f"The model file {path} is missing"
        else:
            code, what = "model_damaged", f"The model file {path} has {size} bytes instead of {file.size}"
        raise ModelFilesError(
            code, f"{what}. It comes from {sources} ({file.size / 1e6:.1f} MB).", mend=_command(entry.name)
        )

    def _neither(self, text: str, suffix: str | None) -> None:
        if "/" not in text and not (suffix and text.endswith(suffix)):
            self.manifest.entry(text)  # raises, with the nearest names
        names = ", ".join(entry.name for entry in self.entries)
        raise ModelFilesError(
            "model_missing", f"{text} is neither a file or folder nor a model of the manifest ({names})."
        )


def _command(name: str) -> str:
    return f"Get it with `jarvis models pull {name}`; without a network, `jarvis models pull {name} --from FOLDER`."
