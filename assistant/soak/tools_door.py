"""Calls of tools at ``/mcp``: single requests of the newest protocol, and whole sessions of an older one."""

from __future__ import annotations

import json
from typing import Any

import httpx

from assistant.soak.typed import expect_state
from assistant.soak.visitor import Visitor, expect
from tools.contract import JsonObject

NEW, OLD = "2026-07-28", "2025-06-18"
ACCEPT = {"Accept": "application/json, text/event-stream"}
META = "io.modelcontextprotocol"
ABOUT = {
    f"{META}/protocolVersion": NEW,
    f"{META}/clientInfo": {"name": "soak", "version": "1"},
    f"{META}/clientCapabilities": {},
}


async def call(visitor: Visitor) -> None:
    """One request, one answer, no session."""
    name = visitor.chance.choice(sorted(visitor.home.states))
    params = {"name": "check_services", "arguments": {"service": name}, "_meta": ABOUT}
    headers = {"MCP-Protocol-Version": NEW, "Mcp-Method": "tools/call", "Mcp-Name": "check_services"}
    answer = await _post(visitor, "tools/call", params, headers)
    expect_state(visitor, name, _text(answer))


async def session(visitor: Visitor) -> None:
    """Opened, used, ended."""
    who = {"protocolVersion": OLD, "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}
    opened = await _post(visitor, "initialize", who, {})
    expect("Mcp-Session-Id" in opened.headers, "a session", opened)
    headers = {"MCP-Protocol-Version": OLD, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    await visitor.http.post("/mcp", json=_message("notifications/initialized"), headers=_headers(visitor, headers))
    listed = _result(await _post(visitor, "tools/list", {}, headers))
    expect(len(listed["tools"]) == 16, "sixteen tools", [tool["name"] for tool in listed["tools"]])
    name = visitor.chance.choice(sorted(visitor.home.states))
    params = {"name": "check_services", "arguments": {"service": name}}
    expect_state(visitor, name, _text(await _post(visitor, "tools/call", params, headers)))
    ended = await visitor.http.delete("/mcp", headers=_headers(visitor, headers))
    expect(ended.is_success, "the session ends", ended)


async def order(visitor: Visitor) -> None:
    """An order from outside is not carried out without a person's yes."""
    params = {"name": "service_power", "arguments": {"service": visitor.chance.choice(visitor.mine), "action": "stop"}}
    headers = {"MCP-Protocol-Version": NEW, "Mcp-Method": "tools/call", "Mcp-Name": "service_power"}
    answer = await _post(visitor, "tools/call", {**params, "_meta": ABOUT}, headers)
    expect(_result(answer).get("isError") is True, "a refusal", answer)


async def nonsense(visitor: Visitor) -> None:
    """A message that is none."""
    answer = await visitor.http.post("/mcp", content=b'{"jsonrpc": "2.0", "id": 1', headers=_headers(visitor, {}))
    expect(answer.status_code == 400, "400", answer)


async def _post(visitor: Visitor, method: str, params: JsonObject, headers: dict[str, str]) -> httpx.Response:
    answer = await visitor.http.post("/mcp", json=_message(method, params), headers=_headers(visitor, headers))
    expect(answer.status_code == 200, f"200 to {method}", answer)
    return answer


def _headers(visitor: Visitor, more: dict[str, str]) -> dict[str, str]:
    return {**ACCEPT, "Content-Type": "application/json", **visitor.bearer(), **more}


def _message(method: str, params: JsonObject | None = None) -> JsonObject:
    """A request; without parameters a notification."""
    head = {"jsonrpc": "2.0", "method": method}
    return head if params is None else {**head, "id": 1, "params": params}


def _result(answer: httpx.Response) -> dict[str, Any]:
    """Of an answer as JSON, or as the last event of a stream."""
    text = answer.text
    if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        text = [line for line in text.splitlines() if line.startswith("data: {")][-1].removeprefix("data: ")
    decoded = json.loads(text)
    expect("result" in decoded, "a result", decoded)
    result: dict[str, Any] = decoded["result"]
    return result


def _text(answer: httpx.Response) -> str:
    result = _result(answer)
    expect(not result.get("isError"), "no error", result)
    return str(result["content"][0]["text"])
