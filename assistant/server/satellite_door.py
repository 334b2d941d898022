"""``GET /api/satellites``: which satellites there are, and how they are."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant.app import App


class SatelliteDoor:
    """The route over one app."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def routes(self) -> list[Route]:
        """To be added to the application's."""
        return [Route("/api/satellites", self.states)]

    async def states(self, _: Request) -> Response:
        """``{"satellites": […]}`` by name (docs/satellites.md); times in UTC."""
        there = self._app.satellites.states if self._app.satellites is not None else []
        return JSONResponse({"satellites": [asdict(state) for state in there]})
