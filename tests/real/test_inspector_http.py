"""The outside Inspector against a running ``jarvis serve``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.models import ModelStore
from assistant.sentences.vocabulary import TOOLS
from tests.real.inspector import Inspector
from tests.serving import Served, serving

pytestmark = pytest.mark.real_server

CONFIGURATION = """
engine = "sentences"
[services.gitea]
url = "http://127.0.0.1:1/"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("served")
    with serving(folder, CONFIGURATION, JARVIS_MODELS=str(model_store.models_dir)) as started:
        yield started


def test_it_lists_the_tools_over_http(inspector: Inspector, served: Served) -> None:
    tools = inspector.over_http(f"{served.url}/mcp", "tools/list")["tools"]
    assert {tool["name"] for tool in tools} == set(TOOLS)
    assert all("title" not in tool["inputSchema"] for tool in tools)


def test_it_calls_a_tool_over_http(inspector: Inspector, served: Served) -> None:
    options = ("--tool-name", "check_services", "--tool-arg", "service=git tea")
    answer = inspector.over_http(f"{served.url}/mcp", "tools/call", *options)
    assert answer["structuredContent"]["arguments"] == {"service": "gitea"}
    assert answer["content"][0]["text"] == "Gitea is down: the connection is refused."
