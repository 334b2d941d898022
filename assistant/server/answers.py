"""Answers in one form: every error is ``{"error": {"code", "message", "mend"}}``."""

from __future__ import annotations

from starlette.responses import JSONResponse

from assistant.errors import JarvisError


class RequestError(Exception):
    """A request that cannot be taken, and the answer that says why."""

    def __init__(self, status: int, code: str, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.answer = problem(status, code, message, mend)


def problem(status: int, code: str, message: str, mend: str = "") -> JSONResponse:
    """An error answer."""
    return JSONResponse({"error": {"code": code, "message": message, "mend": mend}}, status_code=status)


def refused(status: int, error: JarvisError) -> JSONResponse:
    """An error of ours as an answer."""
    return problem(status, error.code, error.detail, error.mend)
