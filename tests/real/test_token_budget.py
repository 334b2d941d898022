"""Measure: what prompts and tools cost a small model, counted by the Qwen tokenizer of the embedded one."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from assistant.chat.embedded import EmbeddedModel
from assistant.model_turn import system_prompt, tools_prompt
from assistant.models import ModelStore
from assistant.ports import ToolDescription
from assistant.resources import resource
from tools.outside.tokens import estimated_tokens
from tools.server import ToolHouse
from tools.settings import ToolSettings
from tools.tool import schema_of

PROMPT_LIMIT = 250
TOOLS_LIMIT = 1_200
ESTIMATE_WITHIN = 0.1
"""Share by which the estimate for outside tools (tools/outside/tokens.py) may miss, over our own."""
SMALL = "qwen2.5-coder-0.5b"
"""Has the tokenizer of its big sister, and starts quicker."""


@pytest.mark.real_models
async def test_prompts_and_the_tool_list_stay_within_their_budget(model_store: ModelStore, tmp_path: Path) -> None:
    with ToolHouse(ToolSettings(), tmp_path) as house:
        described = [
            ToolDescription(tool.name, tool.description, schema_of(tool.arguments)).as_openai()
            for tool in house.path.tools
        ]
    texts = {
        "prompts/system.md": system_prompt(),
        "prompts/tools.md": tools_prompt(),
        "prompts/phrasing.md": resource("prompts", "phrasing.md").read_text(encoding="utf-8"),
        f"{len(described)} tools": "\n".join(json.dumps(tool) for tool in described),
    }
    guessed = sum(estimated_tokens(one["function"]["name"], one["function"]["description"],
                                   one["function"]["parameters"]) for one in described)  # fmt: skip
    model = EmbeddedModel(
        model_store.resolve(SMALL, ".gguf"),
        tmp_path / "model.log",
        context_tokens=2048,
        threads=0,
        first_delta_timeout_s=60.0,
        timeout_s=60.0,
    )
    async with model:
        counts = {name: await _tokens(model, text) for name, text in texts.items()}
    print("\n" + "\n".join(f"{name}: {count} tokens" for name, count in counts.items()))  # noqa: T201 - a measurement
    counted = counts.pop("16 tools")
    print(f"16 tools, as outside ones are estimated: {guessed} tokens")  # noqa: T201 - a measurement
    assert counted <= TOOLS_LIMIT
    assert abs(guessed - counted) <= ESTIMATE_WITHIN * counted
    assert max(counts.values()) <= PROMPT_LIMIT


async def _tokens(model: EmbeddedModel, text: str) -> int:
    """As llama.cpp's own server counts them."""
    ready = await model.child.ready()
    base_url = str(ready["url"]).removesuffix("/v1")
    headers = {"Authorization": f"Bearer {model.api_key}"}
    async with httpx2.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as server:
        answer = await server.post("/tokenize", json={"content": text})
        answer.raise_for_status()
        return len(answer.json()["tokens"])
