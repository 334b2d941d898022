"""Answers in one form: every error is ``{"error": {"code", "message", "mend"}}``."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response


class RequestError(Exception):
    """A request that cannot be taken, and the answer that says why."""

    def __init__(
        self, status: int, code: str, message: str, mend: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.answer = problem(status, code, message, mend, headers)


def problem(
    status: int, code: str, message: str, mend: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error answer."""
    content = {"error": {"code": code, "message": message, "mend": mend}}
    return JSONResponse(content, status_code=status, headers=headers)


def shown(answer: BaseModel, status: int = 200) -> Response:
    """A model as JSON; it tells of the house, so nothing on the way keeps it."""
    headers = {"Cache-Control": "no-store"}
    return Response(answer.model_dump_json(), status, media_type="application/json", headers=headers)
