"""What the web page asks for, and the streams that it leaves open until somebody closes it."""

from __future__ import annotations

from assistant.soak.visitor import Visitor, expect

LOOKS = ("services", "alerts", "backups", "tasks")


async def look(visitor: Visitor) -> None:
    """What a tool says now."""
    answer = await visitor.http.get(f"/api/{visitor.chance.choice(LOOKS)}", headers=visitor.bearer())
    expect(answer.status_code == 200 and answer.json()["ok"], "a good answer", answer)


async def lists(visitor: Visitor) -> None:
    """Turns, audit, tokens, who one is: each a list or an object of its own."""
    path = visitor.chance.choice(["/api/turns?limit=20", "/api/audit?limit=50", "/api/tokens", "/api/me", "/api/rooms"])
    answer = await visitor.http.get(path, headers=visitor.bearer())
    expect(answer.status_code == 200 and bool(answer.json()), f"200 at {path}", answer)


async def files(visitor: Visitor) -> None:
    """The page itself, without a token; whether the server is ready."""
    path = visitor.chance.choice(["/", "/health", "/ready", "/openapi.json"])
    headers = visitor.bearer() if path == "/ready" else {}
    answer = await visitor.http.get(path, headers=headers)
    expect(answer.status_code == 200, f"200 at {path}", answer)


async def announcements(visitor: Visitor) -> None:
    """The stream of announcements is opened, and left."""
    headers = visitor.bearer() | {"Accept": "text/event-stream"}
    async with visitor.http.stream("GET", "/announcements", headers=headers) as answer:
        expect(answer.status_code == 200, "200", answer.status_code)
