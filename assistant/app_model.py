"""The chat model and the router's embedder of an app, built from its configuration."""

from __future__ import annotations

import asyncio
import logging

from assistant.api_key import read_api_key
from assistant.chat.chain import ClosableModel, ModelChain
from assistant.chat.discovery import find_chat_server
from assistant.chat.embedded import EmbeddedModel
from assistant.chat.embedder import MiniLmEmbedder
from assistant.chat.openai_compatible import OpenAICompatible
from assistant.config import Settings
from assistant.errors import JarvisError, ModelFilesError
from assistant.models import ModelStore
from assistant.state import StateFolder

log = logging.getLogger(__name__)

EMBEDDER = "minilm-l6-v2"
"""The router's model, by its name in the manifest."""


def model_chain(settings: Settings, models: ModelStore, state: StateFolder) -> ModelChain:
    """The server that is configured or found, and the embedded model behind it; close it."""
    return ModelChain(lambda: _find_server(settings), lambda: _embedded_model(settings, models, state))


def embedder(models: ModelStore) -> MiniLmEmbedder | None:
    """None when its files are not there: the router then goes by common words, which is coarser."""
    try:
        return MiniLmEmbedder(models.folder(EMBEDDER))
    except ModelFilesError as error:
        log.warning("%s The tools are narrowed by common words instead.", error.detail)
        return None


async def _find_server(settings: Settings) -> ClosableModel | None:
    """The server that is configured or found. Raises ChatError, ConfigError, EgressError."""
    chosen = settings.model
    found = await find_chat_server(chosen)
    if found is None:
        return None
    key = await asyncio.to_thread(read_api_key, chosen.api_key_file) if chosen.api_key_file else None
    server = OpenAICompatible(
        found.base_url,
        chosen.name,
        api_key=key,
        first_delta_timeout_s=chosen.first_delta_timeout_s,
        timeout_s=chosen.timeout_s,
    )
    try:
        await server.check()
    except JarvisError:
        await server.close()
        raise
    return server


def _embedded_model(settings: Settings, models: ModelStore, state: StateFolder) -> ClosableModel:
    """Raises ModelFilesError."""
    chosen = settings.model
    return EmbeddedModel(
        models.resolve(chosen.embedded, ".gguf"),
        state.path / "embedded-model.log",
        context_tokens=chosen.context_tokens,
        threads=chosen.threads,
        first_delta_timeout_s=chosen.first_delta_timeout_s,
        timeout_s=chosen.timeout_s,
        prefix_cache_dir=state.path / "prefix-cache",
    )
