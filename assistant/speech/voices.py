"""Which voice is meant by a name or a path."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import ModelFilesError
from assistant.models import ModelStore

CONFIG_SUFFIX = ".json"
"""A Piper voice is a ``.onnx`` with its configuration beside it: ``NAME.onnx.json``."""


def voices(models: ModelStore) -> list[str]:
    """The Piper voices of the manifest, whether they are there or not."""
    suffix = ".onnx" + CONFIG_SUFFIX
    return [entry.name for entry in models.entries if any(file.name.endswith(suffix) for file in entry.files)]


def find_voice(wanted: str, models: ModelStore) -> Path:
    """The voice's ``.onnx``: of that name in the manifest, or at that path (a file, or a folder with one in it).

    Raises ModelFilesError: unknown_voice, which says what there is; model_missing, model_damaged, ambiguous_model_file.
    """
    if wanted in voices(models):
        return models.resolve(wanted, ".onnx")
    path = Path(wanted).expanduser()
    if path.is_dir():
        path = models.resolve(path, ".onnx")
    config = path.with_name(path.name + CONFIG_SUFFIX)
    if path.is_file() and config.is_file():
        return path
    if path.is_file():
        raise ModelFilesError("unknown_voice", f"{path} is no voice: {config.name} is not beside it.", mend=_MEND)
    detail = f"There is no voice {wanted!r}. There are: {', '.join(voices(models))}"
    beside = _beside(path)
    if beside:
        detail += f"; in {path.parent}: {', '.join(beside)}"
    raise ModelFilesError("unknown_voice", f"{detail}.", mend=_MEND)


_MEND = "Name one of these, or the path of a Piper voice: its .onnx file, with its .onnx.json beside it."


def _beside(path: Path) -> list[str]:
    """The voices in the folder where it was looked for."""
    if path.parent == Path():
        return []
    found = sorted(path.parent.glob("*.onnx"))
    return [file.name for file in found if file.with_name(file.name + CONFIG_SUFFIX).is_file()]
