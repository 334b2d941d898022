"""The evaluated constant prefix of the prompt (system prompt and tools), kept on disk between starts of the model.

Reading a prompt of 500 tokens costs a small machine 5 to 20 s; loading what came of it costs milliseconds. llama.cpp
saves and restores a slot's KV cache; here is what belongs to which prompt, and that there are few such files. Only the
constant prefix is ever saved, never what somebody said.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

from assistant.ports import ToolDescription

KEPT = 4
"""Files of this kind, the youngest; one is 5 to 30 MB."""

SLOT_TIMEOUT_S = 20.0


class PrefixCache:
    """The files in ``folder``, which the model's server must have as its ``slot_save_path``."""

    def __init__(self, folder: Path, gguf: Path, context_tokens: int) -> None:
        self.folder = folder
        self._gguf = gguf
        self._context_tokens = context_tokens

    def prepare(self) -> None:
        """Make the folder. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def name(self, prefix: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> str:
        """File name for this prefix, model, context length and engine. Raises OSError."""
        about = self._gguf.stat()
        engine = importlib.metadata.version("xllamacpp")
        model = [str(self._gguf), about.st_size, about.st_mtime_ns, self._context_tokens, engine]
        content = json.dumps([model, list(prefix), [tool.as_openai() for tool in tools]], sort_keys=True, default=str)
        return f"prefix-{hashlib.sha256(content.encode()).hexdigest()[:32]}.bin"

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    async def restore(self, server: httpx2.AsyncClient, name: str) -> bool:
        """Put the saved prefix into the slot. A file that cannot be restored is deleted, so it is tried once."""
        if not self.has(name):
            return False
        if await self._slot(server, "restore", name):
            (self.folder / name).touch()
            return True
        (self.folder / name).unlink(missing_ok=True)
        return False

    async def save(self, server: httpx2.AsyncClient, name: str) -> None:
        """Save the slot as it is, and delete the oldest files. Whatever goes wrong, the model works without."""
        unfinished = f"{name}.part"
        if await self._slot(server, "save", unfinished):
            (self.folder / unfinished).replace(self.folder / name)
        for old in sorted(self.folder.glob("prefix-*"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)

    async def _slot(self, server: httpx2.AsyncClient, action: str, name: str) -> bool:
        try:
            answer = await server.post(
                "/slots/0", params={"action": action}, json={"filename": name}, timeout=SLOT_TIMEOUT_S
            )
        except httpx2.HTTPError:
            return False
        return answer.status_code == 200
