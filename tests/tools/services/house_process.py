"""``python -m tests.tools.services.house_process COUNT [hanging]``: services and six watchers on loopback.

It prints their URLs as one line of JSON and ends with its standard input. The watchers are not the real ones.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from tests.tools.services.http_server import Answer, Handler, always, hang, serving
from tests.tools.services.shapes_of_watchers import (
    BeszelServer,
    Watched,
    beszel,
    gatus,
    kuma_metrics,
    kuma_page,
    page_server,
    prometheus_server,
)

HANGING = "the slow one"
PASSWORD = "letmein"

KINDS: Mapping[str, str] = {
    "gatus": "gatus",
    "kuma": "uptime-kuma",
    "the status page": "uptime-kuma",
    "prometheus": "prometheus",
    "beszel": "beszel",
    HANGING: "gatus",
}
"""The six watchers. The last one answers in the first measure, and hangs in the second."""


async def serve(count: int, *, hanging: bool) -> None:
    """The house, until standard input ends. Prints the URLs as one line of JSON."""
    async with AsyncExitStack() as stack:
        urls = {}
        things = []
        for number in range(count):
            server = await stack.enter_async_context(serving(always(b"fine")))
            urls[f"service {number}"] = server.url
            things.append(Watched(f"service {number}", address=server.url.removeprefix("http://")))
        for name, handler in _watchers(things, hanging=hanging).items():
            urls[name] = (await stack.enter_async_context(serving(handler))).url
        print(json.dumps(urls), flush=True)  # noqa: T201 - to the measuring process
        await asyncio.to_thread(sys.stdin.read)


def _watchers(things: Sequence[Watched], *, hanging: bool) -> dict[str, Handler]:
    async def gatus_answer(_: object) -> Answer:
        return Answer(gatus(things))

    return {
        "gatus": gatus_answer,
        "kuma": always(kuma_metrics([Watched(t.name, t.looks, f"http://{t.address}") for t in things])),
        "the status page": page_server(kuma_page(things)),
        "prometheus": prometheus_server(things),
        "beszel": BeszelServer(beszel(things)),
        HANGING: hang if hanging else gatus_answer,
    }


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), hanging="hanging" in sys.argv))
