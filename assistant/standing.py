"""How whoever scheduled something stands when it is done: whether their token still opens anything, and what for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from assistant.errors import JarvisError
from assistant.tokens import TokenStore
from tools.contract import Caller

log = logging.getLogger(__name__)


def standing(tokens: TokenStore, clock: Callable[[], float] = time.time) -> Callable[[Caller], Caller | None]:
    """For ``CallPath.standing``; ``clock``: seconds since 1970. Blocks.

    None: the token of that name was revoked or has expired, and no other has its name, or the tokens cannot be read.
    Who never had one of the house's tokens (this machine, a tokens file, a header) stands as they stood.
    """

    def now(caller: Caller) -> Caller | None:
        try:
            named = [token for token in tokens.tokens() if token.name == caller.name]
        except JarvisError as error:
            log.warning("nobody knows whether %s may still come in: %s", caller.name, error.detail)
            return None
        if not named:
            return caller
        valid = next((token for token in named if token.state(clock()) == "valid"), None)
        return None if valid is None else caller.model_copy(update={"role": valid.role, "only": valid.only})

    return now
