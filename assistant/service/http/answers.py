"""Errors as answers: one JSON shape, ``{"error": {"code", "message"}}``, and never a trace of the program."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Route

from assistant.errors import (
    AccessDenied,
    CatalogMissing,
    OrderError,
    PaymentUnavailable,
    StoreError,
    UsageError,
    VoicecartError,
)


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable, lower-case, underscored.")
    message: str = Field(description="For people: what is wrong and what to do.")


class ErrorAnswer(BaseModel):
    """The answer to every request that was not done."""

    error: ErrorDetail


class Missing(OrderError):
    """What was asked for is not there, or belongs to another household, which is the same."""

    code = "not_found"


class TooManyFailures(AccessDenied):
    """Wrong tokens again and again from one place."""

    code = "too_many_failures"


_STATUS: Mapping[type[VoicecartError], int] = {
    Missing: 404,
    TooManyFailures: 429,
    AccessDenied: 401,
    CatalogMissing: 404,
    OrderError: 409,
    UsageError: 400,
    StoreError: 503,
    PaymentUnavailable: 503,
}
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_RETRY_SECONDS = "60"


def error_answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer for an error."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What a route's description says of its errors: those named, and those that every route may answer with."""
    return {status: {"model": ErrorAnswer} for status in (*statuses, 400, 401, 413, 422, 429, 503)}


def answer_errors(application: FastAPI) -> None:
    """Makes every error of ``application`` an answer of this shape."""
    application.add_exception_handler(VoicecartError, _told)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(HTTPException, _http)
    application.add_exception_handler(Exception, _unexpected)


def _told(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VoicecartError)
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = _RETRY_SECONDS
    # What a database says of itself (places, addresses) is for the log, not for whoever asks.
    message = "The shop cannot do this just now. Try again later." if status >= 500 else error.message
    request.state.trouble = f"{error.code}: {error.message}"
    return error_answer(status, error.code, message, headers)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    return error_answer(422, "request_invalid", "; ".join(problems[:5]))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "request_invalid")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return error_answer(error.status_code, code, str(error.detail), headers)


def _methods(request: Request) -> set[str]:
    """Every method of the path: the router's own answer names those of the first route alone."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.path_regex.match(request.url.path)
        for method in route.methods or ()
    }


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    return error_answer(500, VoicecartError.code, "Something went wrong in the shop. Try again later.")
