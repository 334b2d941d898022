"""The outside Inspector against a running ``jarvis serve``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.models import ModelStore
from assistant.sentences.vocabulary import TOOLS
from tests.real.inspector import Inspector
from tests.serving import Served, serving
from tools.store import Store

pytestmark = pytest.mark.real_server

CONFIGURATION = """
engine = "sentences"
[services.gitea]
url = "http://127.0.0.1:1/"
"""

TOKENS = {"guest": "correct-horse-battery", "member": "staple-correct-horse"}


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


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    tokens = folder / "tokens"
    tokens.write_text("".join(f"the {role}:{role}:{token}\n" for role, token in TOKENS.items()))
    tokens.chmod(0o600)
    configuration = f'{CONFIGURATION}[server]\ntokens_file = "{tokens}"\n'
    with serving(folder, configuration, JARVIS_MODELS=str(model_store.models_dir)) as started:
        yield started


def bearer(role: str) -> tuple[str, str]:
    return "--header", f"Authorization: Bearer {TOKENS[role]}"


def test_a_guest_is_not_shown_what_acts_and_cannot_call_it(inspector: Inspector, guarded: Served) -> None:
    url = f"{guarded.url}/mcp"
    shown = {
        role: {tool["name"] for tool in inspector.over_http(url, "tools/list", *bearer(role))["tools"]}
        for role in TOKENS
    }
    assert shown["member"] == set(TOOLS)
    assert shown["guest"] < shown["member"]
    assert "service_power" not in shown["guest"]
    looked = ("--tool-name", "check_services", "--tool-arg", "service=gitea")
    assert inspector.over_http(url, "tools/call", *looked, *bearer("guest"))["structuredContent"]["level"] == "read"
    order = ("--tool-name", "notify", "--tool-arg", "message=hello")
    with pytest.raises(
        AssertionError, match="not found on server"
    ):  # what it is not shown, the Inspector does not call
        inspector.over_http(url, "tools/call", *order, *bearer("guest"))
    with pytest.raises(AssertionError, match="isError"):  # no phone is configured
        inspector.over_http(url, "tools/call", *order, *bearer("member"))
    with Store(Path(guarded.environment["JARVIS_STATE"]) / "jarvis.db") as store:
        decided = [(line["who"], line["tool"], line["decision"]) for line in reversed(store.audit_lines())]
    assert decided == [("the guest", "check_services", "allowed"), ("the member", "notify", "allowed")]


def test_nobody_gets_in_without_a_token(inspector: Inspector, guarded: Served) -> None:
    with pytest.raises(AssertionError, match="auth_required"):
        inspector.over_http(f"{guarded.url}/mcp", "tools/list")
