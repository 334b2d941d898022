"""What asking for a token costs a request: `python -m tests.bench_tokens` (the figures of docs/access-tokens.md).

The guard's own work for one request, without network: finding the token among 100, with the file at rest and just
after it was changed, and where nobody needs a token.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from starlette.datastructures import Headers

from assistant.server.auth import Authenticator
from assistant.server.token_book import COARSEST_TIMES_S, TokenBook
from assistant.tokens import Token, TokenStore

TOKENS = 100
TIMES = 1000


async def milliseconds(authenticator: Authenticator, token: str | None) -> float:
    """Median of many."""
    headers = Headers({"Authorization": f"Bearer {token}"} if token else {})
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await authenticator.identify(headers, "127.0.0.1")
        taken.append((time.perf_counter() - began) * 1000)
    await authenticator.close()
    return statistics.median(taken)


async def main() -> None:
    """Print the three."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.db"
        open_house = await milliseconds(Authenticator({}, book=TokenBook(path)), None)
        secrets = [TokenStore(path).create(Token(f"device {number}", "member"))[1] for number in range(TOKENS)]
        changed = await milliseconds(Authenticator({}, book=TokenBook(path)), secrets[-1])
        rested = TokenBook(path, lambda: time.time() + 2 * COARSEST_TIMES_S)
        resting = await milliseconds(Authenticator({}, book=rested), secrets[-1])
    sys.stdout.write(f"no token needed           {open_house:.3f} ms\n")
    sys.stdout.write(f"one of {TOKENS}, file at rest    {resting:.3f} ms\n")
    sys.stdout.write(f"one of {TOKENS}, file just made  {changed:.3f} ms\n")


if __name__ == "__main__":
    asyncio.run(main())
