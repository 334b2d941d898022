"""The models: find them, pull them, verify them."""

from assistant.models.manifest import Manifest, ModelEntry, ModelFile, read_manifest, shipped_manifest
from assistant.models.progress import Progress, Quiet
from assistant.models.store import ModelStore, State

__all__ = [
    "Manifest",
    "ModelEntry",
    "ModelFile",
    "ModelStore",
    "Progress",
    "Quiet",
    "State",
    "read_manifest",
    "shipped_manifest",
]
