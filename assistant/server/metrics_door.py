"""``GET /metrics``: numbers for Prometheus. ``docs/observability.md`` is its page.

For the owner, and for a token that is limited to ``tool:metrics``, which opens nothing else.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant.app import App, app_version
from assistant.observing.metrics import CONTENT_TYPE, Metrics
from assistant.observing.turn_counts import TurnCounts
from assistant.roles import OWNER
from assistant.server.answers import RequestError
from assistant.server.identity import identity

GRANT = "tool:metrics"
"""What a scraper's token is limited to: `jarvis token create --name prometheus --role guest --only tool:metrics`."""


class MetricsDoor:
    """The route over one app, whose turns are counted from when it is made."""

    def __init__(self, app: App) -> None:
        tools = [tool.name for tool in app.house.path.tools]
        self._app = app
        self._metrics = Metrics(app, TurnCounts(tools, app.settings.wake.words), app_version())
        app.observers.append(self._metrics.counts.turn_ended)

    @property
    def routes(self) -> list[Route]:
        """To be added to the application's."""
        return [Route("/metrics", self.metrics)]

    async def metrics(self, _: Request) -> Response:
        """All that is counted."""
        if not self._may_scrape():
            mend = f"Make a token for it: `jarvis token create --name prometheus --role guest --only {GRANT}`."
            raise RequestError(403, "owner_only", "Only the owner and a scraper may see that.", mend)
        return Response(await self._metrics.page(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    def _may_scrape(self) -> bool:
        """Every list that limits the caller has to name it, as for a tool."""
        me = identity.get()
        limits = self._app.house.access.rights(me.caller()).limits
        return all(GRANT in limit for limit in limits) if limits else me.role == OWNER
