"""Errors on the wire: RFC 9457 problems whose type is the error's code; on pages the same in words."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Template

from transactive.core.errors import ContractRevert, InputError, NodeUnreachable, StateError, TransactiveError
from transactive.web.languages.choosing import speak_to
from transactive.web.viewers import LOOPBACK, is_forwarded

URN = "urn:transactive:error:"
API = "/api/"
CODES = {
    400: "input",
    401: "access.token",
    403: "access.scope",
    404: "not-found",
    405: "method",
    421: "access.host",
    429: "access.rate",
}
WITHOUT_DETAIL = {
    404: "There is nothing at this address; correct it, or begin at the community.",
    405: "This address takes no such request; see the description of the API.",
}
"""What is said where the framework only repeats the title."""
LOG = logging.getLogger("transactive.web")


class Problem(msgspec.Struct, frozen=True, rename={"kind": "type"}):
    """What went wrong, RFC 9457. type: urn:transactive:error: and the error's code."""

    kind: str
    title: str
    status: int
    detail: str


class NotFound(TransactiveError):
    """There is nothing at this address, or not yet."""

    code = "not-found"


class NotBegun(NotFound):
    """The run has not begun: a page says so, and shows itself as soon as it has."""


class AccessDenied(HTTPException):
    """The token does not reach this far."""

    status_code = 403


class CrossSite(HTTPException):
    """A page of another site sends this through somebody's browser."""

    status_code = 403


class TokenNeeded(HTTPException):
    """A token is needed, or the one given is not known."""

    status_code = 401


class SignInNeeded(TokenNeeded):
    """A token is needed, and people can sign in: browsers are led there instead of being asked for a login."""


class PlainHttp(HTTPException):
    """A password would go over a line that others can read."""

    status_code = 403
    TEXT = "Over plain HTTP others could read a password. Open this page by https; examples/proxy says how."


class TooMany(HTTPException):
    """Too many requests, or tries of a password."""

    status_code = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            detail=f"Too many tries; try again in {-(-seconds // 60)} min.", headers={"Retry-After": str(seconds)}
        )


class WrongHost(HTTPException):
    """The request names a host that is not this machine: another site speaking through the browser."""

    status_code = 421


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any] | Template:
    """The answer to an error: a problem on the API, a page elsewhere."""
    speak_to(request)  # what is refused at the gate has not come further
    problem = describe(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    elsewhere = request.url.hostname not in LOOPBACK or is_forwarded(request.headers)
    asks = problem.status == 401 and not isinstance(error, SignInNeeded) and elsewhere  # here a link lets people in
    headers = {"WWW-Authenticate": 'Basic realm="TransActive", charset="UTF-8"'} if asks else {}
    headers |= (error.headers or {}) if isinstance(error, TooMany) else {}
    if request.url.path.startswith(API):
        return Response(problem, status_code=problem.status, headers=headers, media_type="application/problem+json")
    if isinstance(error, NotBegun) and request.method == "GET":
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    return Template(
        "error.html",
        context={
            "problem": problem,
            "sign_in": isinstance(error, SignInNeeded),
            "words": request.app.state.run_context.words,
        },
        status_code=problem.status,
        headers=headers,
        media_type=MediaType.HTML,
    )


def describe(error: Exception) -> Problem:
    """The problem that an error is."""
    if isinstance(error, HTTPException):
        status = error.status_code
        return _problem(CODES.get(status, "error"), status, _detail(error))
    if isinstance(error, TransactiveError):
        status = 404 if isinstance(error, NotFound) else 400 if isinstance(error, InputError) else 500
        status = 409 if isinstance(error, StateError | ContractRevert) else status
        status = 503 if isinstance(error, NodeUnreachable) else status
        return _problem(error.code, status, str(error))
    if isinstance(error, RecursionError):  # decoders of JSON say so; nothing here calls itself
        return _problem("input", 400, "What was sent has too many values within each other; send it flat.")
    return _problem("bug", 500, "The server failed; its log says where. Please report it.")


def _problem(code: str, status: int, detail: str) -> Problem:
    return Problem(URN + code, HTTPStatus(status).phrase, status, detail)


def _detail(error: HTTPException) -> str:
    """The text of an HTTP error; of a failed validation, field by field."""
    extra = error.extra if isinstance(error.extra, list) else []
    fields = [f"{item.get('key', 'request')}: {item.get('message', '')}" for item in extra if isinstance(item, dict)]
    phrase = HTTPStatus(error.status_code).phrase
    detail = "" if error.detail == phrase else error.detail
    return "; ".join(fields) or detail or WITHOUT_DETAIL.get(error.status_code, phrase)
