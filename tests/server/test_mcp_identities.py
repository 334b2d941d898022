"""/mcp by several identities, with the real client in every protocol: what each sees, may do, and is asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client import session
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult, InputRequiredResult

from assistant.app import App, open_app
from assistant.config import Settings
from assistant.server.auth import Authenticator
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.server.mcp_door import McpDoor
from assistant.tokens import hashed
from tests.fakes_mcp import Person, Things, outcome_of
from tests.server.conftest import listening
from tests.server.test_mcp_door import ACCEPT, hello
from tools.policy import VOID

PROTOCOLS = pytest.mark.parametrize("protocol", ["2026-07-28", "2025-11-25", "2025-06-18"])
PEOPLE = {
    "guest": Identity("visitor", "guest"),
    "member": Identity("phone", "member"),
    "owner": Identity("tablet", "owner"),
    "limited": Identity("gamer", "member", only=("vm:windows",)),
}
LISTING = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


@pytest.fixture
def people() -> dict[bytes, str | Identity]:
    """By the hash of the token, which is the word for them; tests may change who one is."""
    return {hashed(word): who for word, who in PEOPLE.items()}


@pytest.fixture
async def url(app: App, people: dict[bytes, str | Identity]) -> AsyncIterator[str]:
    async with listening(http_app(app, Authenticator(people))) as opened:
        yield f"{opened}/mcp"


@pytest.fixture
def things(app: App, tmp_path: Path) -> Iterator[Things]:
    inside = Things.into(app.house, tmp_path)
    yield inside
    inside.store.close()


@asynccontextmanager
async def client(
    url: str, word: str, protocol: str, monkeypatch: pytest.MonkeyPatch, person: Person | None = None
) -> AsyncIterator[Client]:
    """The real one, which speaks that protocol."""
    mode = "auto" if protocol >= "2026" else "legacy"
    if mode == "legacy":
        monkeypatch.setattr(session, "LATEST_HANDSHAKE_VERSION", protocol)
    headers = {"Authorization": f"Bearer {word}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, elicitation_callback=person) as opened,
    ):
        assert opened.protocol_version == protocol
        yield opened


@PROTOCOLS
async def test_each_identity_is_shown_what_it_may_ever_do(
    url: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: dict[str, list[str]] = {}
    for word in PEOPLE:
        async with client(url, word, protocol, monkeypatch) as opened:
            listed[word] = [tool.name for tool in (await opened.list_tools()).tools]
    assert len(listed["owner"]) == len(listed["member"]) == 16
    assert "check_backups" in listed["guest"]
    assert not {"vm_power", "service_power", "run_backup", "notify"} & set(listed["guest"])
    assert "vm_power" in listed["limited"]
    assert not {"service_power", "run_backup"} & set(listed["limited"])


@PROTOCOLS
async def test_a_guest_who_calls_what_is_not_shown_changes_nothing(
    url: str, things: Things, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person()
    async with client(url, "guest", protocol, monkeypatch, person) as opened:
        assert [tool.name for tool in (await opened.list_tools()).tools] == ["look"]
        for tool in ("switch", "break"):
            assert outcome_of(await opened.call_tool(tool, {"thing": "lamp"})).error == "refused"
        assert outcome_of(await opened.call_tool("look", {})).ok
    assert (person.asked, things.broken, things.switch.executed) == ([], [], [])


@PROTOCOLS
async def test_two_clients_at_once_are_asked_their_own_question(
    url: str, things: Things, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = asyncio.Barrier(2)

    async def wait_for_the_other() -> None:
        await both.wait()

    async def breaking(word: str, person: Person, thing: str) -> bool:
        async with client(url, word, protocol, monkeypatch, person) as opened:
            return outcome_of(await opened.call_tool("break", {"thing": thing})).ok

    phone, tablet = Person(then=wait_for_the_other), Person("decline", then=wait_for_the_other)
    done = await asyncio.gather(breaking("member", phone, "lamp"), breaking("owner", tablet, "kettle"))
    assert [*done] == [True, False]
    assert (phone.asked, tablet.asked) == (["Shall I break lamp?"], ["Shall I break kettle?"])
    assert things.broken == ["lamp"]
    decisions = sorted((line["who"], line["decision"]) for line in things.store.audit_lines())
    assert ("phone", "confirmed") in decisions
    assert ("tablet", "confirmed") not in decisions


async def test_a_yes_is_worth_nothing_once_the_token_has_other_rights(
    url: str, things: Things, people: dict[bytes, str | Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(url, "member", "2026-07-28", monkeypatch, Person()) as opened:
        asked = await opened.session.call_tool("break", {"thing": "lamp"}, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)

        async def yes() -> object:
            return await opened.session.call_tool(
                "break",
                {"thing": "lamp"},
                input_responses={"confirmation": ElicitResult(action="accept")},
                request_state=asked.request_state,
            )

        people[hashed("member")] = Identity("phone", "guest")
        with pytest.raises(MCPError, match="requestState"):
            await yes()
        people[hashed("member")] = PEOPLE["member"]
        assert things.broken == []
        await yes()
        assert things.broken == ["lamp"]
        await yes()
    assert things.broken == ["lamp"]


async def test_a_replayed_answer_is_void_over_http(url: str, things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client(url, "member", "2026-07-28", monkeypatch, Person()) as opened:
        asked = await opened.session.call_tool("break", {"thing": "lamp"}, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        answers = await asyncio.gather(
            *(
                opened.session.call_tool(
                    "break",
                    {"thing": "lamp"},
                    input_responses={"confirmation": ElicitResult(action="accept")},
                    request_state=asked.request_state,
                )
                for _ in range(4)
            )
        )
    spoken = sorted(outcome_of(answer).spoken for answer in answers)
    assert spoken == ["Done.", VOID, VOID, VOID]
    assert things.broken == ["lamp"]


@pytest.mark.parametrize("protocol", ["2025-06-18", "2025-11-25"])
async def test_a_session_ends_for_a_token_that_is_given_other_rights(
    url: str, people: dict[bytes, str | Identity], protocol: str
) -> None:
    headers = {**ACCEPT, "Authorization": "Bearer owner"}
    async with httpx.AsyncClient(trust_env=False) as http:
        opened = await http.post(url, json=hello(protocol), headers=headers)
        headers |= {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": protocol}
        assert (await http.post(url, json=LISTING, headers=headers)).status_code == 200
        people[hashed("owner")] = Identity("tablet", "guest")
        assert (await http.post(url, json=LISTING, headers=headers)).status_code == 404
        again = await http.post(url, json=hello(protocol), headers={**ACCEPT, "Authorization": "Bearer owner"})
        headers |= {"Mcp-Session-Id": again.headers["mcp-session-id"]}
        assert "vm_power" not in (await http.post(url, json=LISTING, headers=headers)).text


async def test_without_a_known_token_there_is_only_the_challenge(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic b3duZXI="}):
            answer = await http.post(url, json=LISTING, headers={**ACCEPT, **headers})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "resource_metadata" not in answer.headers["www-authenticate"]  # there is no OAuth to begin
            assert "check_backups" not in answer.text


async def test_names_are_told_as_far_as_they_are_somebodys_business(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str] = {}
    for word in ("member", "limited"):
        async with client(url, word, "2026-07-28", monkeypatch) as opened:
            (content,) = (await opened.read_resource("jarvis://names")).contents
            told[word] = content.text  # type: ignore[union-attr]
    assert "gitea" in json.loads(told["member"])["service"]
    assert "gitea" not in told["limited"]


FOREIGN_HOSTS = [
    "evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.nip.example", "localhost@evil.example",
    "evil.example@localhost", "127.0.0.2", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::2]", "localhost:8765:1",
    "localhost:", "localhost/", "local host", "", "localhost.",
]  # fmt: skip
FOREIGN_ORIGINS = [
    "http://evil.example", "http://evil.example:8765", "https://localhost.evil.example", "null", "http://[::2]",
    "http://localhost@evil.example", "http://127.0.0.1.nip.example", "file://", "http://", "evil", "http://[",
]  # fmt: skip


FOREIGN = [({"Host": host}, 421) for host in FOREIGN_HOSTS] + [({"Origin": origin}, 403) for origin in FOREIGN_ORIGINS]


async def test_a_name_that_was_bent_to_this_machine_and_a_page_of_another_site_are_not_answered(
    client: httpx.AsyncClient,
) -> None:
    for headers, status in FOREIGN:
        answer = await client.post("/mcp", json=LISTING, headers={**ACCEPT, **headers})
        assert answer.status_code == status, headers


async def test_the_door_keeps_foreign_names_out_by_itself(app: App) -> None:
    door = McpDoor(app.mcp_server(), ["localhost", "127.0.0.1", "::1"])
    async with door.open():
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as outside:
            for headers, status in FOREIGN:
                if not headers.get("Host", "").startswith("localhost:"):  # the library takes anything for a port
                    answer = await outside.post("/mcp", json=LISTING, headers={**ACCEPT, **headers})
                    assert answer.status_code == status, headers


@pytest.fixture
async def hanging() -> AsyncIterator[int]:
    """A port that takes connections and never says a word."""
    ending = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ending.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    ending.set()
    server.close()
    await server.wait_closed()


async def test_listing_waits_for_nobody(tmp_path: Path, hanging: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.outside.server.RETRY_AFTER_S", 0.0)  # every listing sends for the sick server anew
    (tmp_path / "token").write_text("x")
    settings = Settings.model_validate(
        {
            "state_dir": tmp_path / "state",
            "engine": "sentences",
            "home_assistant": {"url": f"http://127.0.0.1:{hanging}/", "token_file": tmp_path / "token"},
            "mcp_servers": {"notes": {"url": f"http://127.0.0.1:{hanging}/mcp", "timeout_s": 0.2}},
        }
    )
    async with (
        open_app(settings) as app,
        listening(http_app(app, Authenticator({}))) as url,
        Client(f"{url}/mcp") as opened,
    ):
        started = time.monotonic()
        for _ in range(5):
            assert len((await opened.list_tools(cache_mode="bypass")).tools) == 16
        took_s = time.monotonic() - started
    assert took_s < 5 * 0.15  # one that waited for the sick server would take 0.2 s each
