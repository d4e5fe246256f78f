"""The addresses of the VTN: six kinds of objects, tokens, and what else OpenADR 3.1 asks for."""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

from litestar import Litestar, Request, Response, delete, get, post, put
from litestar.concurrency import sync_to_thread
from litestar.config.compression import CompressionConfig
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath, RawBody

from transactive.core.errors import StateError, TransactiveError
from transactive.protocols.openadr.clients import HOLDS_SECONDS, SCOPES, VtnClient
from transactive.protocols.openadr.objects import ObjectKind
from transactive.protocols.openadr.problems import OAuthWord, Refused, TokenError, TokenRefused, WireProblem
from transactive.protocols.openadr.visibility import FIELDS
from transactive.protocols.openadr.vtn import MOST_LISTED, ObjectSearch, Vtn

MOST_BYTES = 1024 * 1024
"""Largest request."""
LOG = logging.getLogger("transactive.openadr")
KINDS = {kind.path: kind for kind in ObjectKind}
JSON = "application/json"
ApiRequest = Request[Any, Any, Any]


def build_vtn_app(vtn: Vtn, url: Callable[[], str]) -> Litestar:
    """The application of a VTN. url: where clients reach it."""
    return Litestar(
        route_handlers=[search, create, fetch, update, remove, auth_server, token, notifiers],
        dependencies={
            "vtn": Provide(lambda: vtn, sync_to_thread=False),
            "base": Provide(url, sync_to_thread=False),
        },
        exception_handlers={Exception: refused},
        request_max_body_size=MOST_BYTES,
        compression_config=CompressionConfig("gzip", minimum_size=4_000),
        openapi_config=None,
        logging_config=None,
    )


@get("/{path:str}", sync_to_thread=False)
def search(request: ApiRequest, vtn: NamedDependency[Vtn], path: FromPath[str]) -> Response[bytes]:
    """Objects of a kind that the client may see."""
    client, kind = _client(request, vtn), _kind(path)
    return _json(vtn.search(client, kind, _asked(request)))


@post("/{path:str}")
async def create(request: ApiRequest, vtn: NamedDependency[Vtn], path: FromPath[str], body: RawBody) -> Response[bytes]:
    """Make an object."""
    client, kind = _client(request, vtn), _kind(path)
    return _json(await sync_to_thread(vtn.create, client, kind, body), HTTPStatus.CREATED)


@get("/{path:str}/{name:str}", sync_to_thread=False)
def fetch(request: ApiRequest, vtn: NamedDependency[Vtn], path: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """One object."""
    return _json(vtn.fetch(_client(request, vtn), _kind(path), name))


@put("/{path:str}/{name:str}")
async def update(
    request: ApiRequest, vtn: NamedDependency[Vtn], path: FromPath[str], name: FromPath[str], body: RawBody
) -> Response[bytes]:
    """Put something else in place of an object."""
    client, kind = _client(request, vtn), _kind(path)
    return _json(await sync_to_thread(vtn.update, client, kind, name, body))


@delete("/{path:str}/{name:str}", status_code=200)
async def remove(
    request: ApiRequest, vtn: NamedDependency[Vtn], path: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """Take an object away."""
    client, kind = _client(request, vtn), _kind(path)
    return _json(await sync_to_thread(vtn.delete, client, kind, name))


@get("/auth/server", sync_to_thread=False)
def auth_server(base: NamedDependency[str]) -> dict[str, str]:
    """Where tokens are."""
    return {"tokenURL": f"{base}/auth/token"}


@get("/notifiers", sync_to_thread=False)
def notifiers(request: ApiRequest, vtn: NamedDependency[Vtn]) -> dict[str, bool]:
    """How clients can be told: over webhooks."""
    _client(request, vtn)
    return {"WEBHOOK": True}


@post("/auth/token", status_code=200, sync_to_thread=False)
def token(request: ApiRequest, vtn: NamedDependency[Vtn], body: RawBody) -> Response[dict[str, object]]:
    """Trade the secret of a client for a token. Source: RFC 6749, section 4.4."""
    try:
        form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace"), max_num_fields=20).items()}
    except ValueError:
        raise TokenRefused(HTTPStatus.BAD_REQUEST, "invalid_request", "the form has more than 20 fields") from None
    if (kind := form.get("grant_type")) != "client_credentials":
        word: OAuthWord = "unsupported_grant_type" if kind else "invalid_request"
        raise TokenRefused(HTTPStatus.BAD_REQUEST, word, "grant_type must be client_credentials")
    shown = _basic(request.headers.get("authorization", "")) or (form.get("client_id"), form.get("client_secret"))
    if not all(shown):
        raise TokenRefused(HTTPStatus.BAD_REQUEST, "invalid_request", "client_id and client_secret are missing")
    found = vtn.door.token(str(shown[0]), str(shown[1]), int(time.time()))
    if found is None:
        raise TokenRefused(HTTPStatus.UNAUTHORIZED, "invalid_client", "this client and secret are not known here")
    made, client = found
    allowed = SCOPES[client.role].split()
    scopes = form.get("scope", "").split() or allowed
    if not set(scopes) <= set(allowed):
        raise TokenRefused(HTTPStatus.BAD_REQUEST, "invalid_scope", f"this client may {', '.join(allowed)}")
    said = {"access_token": made, "token_type": "Bearer", "expires_in": HOLDS_SECONDS, "scope": " ".join(allowed)}
    return Response(said, headers={"cache-control": "no-store"}, media_type=JSON)


def refused(_: ApiRequest, error: Exception) -> Response[Any]:
    """The answer to an error."""
    if isinstance(error, TokenRefused):
        return Response(TokenError(error.word, str(error)), status_code=error.status, media_type=JSON)
    problem = _problem(error)
    headers = {"www-authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else {}
    return Response(problem, status_code=problem.status, media_type=JSON, headers=headers)


def _problem(error: Exception) -> WireProblem:
    """The problem that an error is."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return WireProblem(status.phrase, status.value, error.detail or status.phrase)
    if isinstance(error, TransactiveError) and not isinstance(error, StateError):
        return Refused(HTTPStatus.BAD_REQUEST, str(error)).problem
    LOG.error("a request failed", exc_info=error)
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says where").problem


def _json(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response[bytes]:
    return Response(body, status_code=status, media_type=JSON)


def _kind(path: str) -> ObjectKind:
    """The kind of objects at a path. Raises Refused."""
    if path not in KINDS:
        raise Refused(HTTPStatus.NOT_FOUND, f"there is nothing at /{path[:100]}; it has {', '.join(KINDS)}")
    return KINDS[path]


def _client(request: ApiRequest, vtn: Vtn) -> VtnClient:
    """Who asks. Raises Refused."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown:
        raise Refused(
            HTTPStatus.UNAUTHORIZED, "send a token: Authorization: Bearer …; /auth/server says where to get one"
        )
    return vtn.door.client(shown.strip(), int(time.time()))


def _asked(request: ApiRequest) -> ObjectSearch:
    """What a query asks for. Raises Refused for a number that cannot be."""
    query = request.query_params
    return ObjectSearch(
        fields={name: str(query[name]) for name in FIELDS if name in query},
        targets=[str(target) for target in query.getall("targets", [])],
        skip=_number(query.get("skip"), "skip", 0, 2**31 - 1),
        limit=_number(query.get("limit"), "limit", MOST_LISTED, MOST_LISTED),
        objects=[str(kind) for kind in query.getall("objects", [])],
        active=str(query.get("active", "")).lower() == "true",
    )


def _number(text: object, name: str, default: int, most: int) -> int:
    """A number of a query. Raises Refused."""
    if text is None:
        return default
    said = str(text)
    if not (said.isascii() and said.isdecimal() and len(said) <= 10 and int(said) <= most):
        raise Refused(HTTPStatus.BAD_REQUEST, f"{name}={said[:20]}: give a whole number from 0 to {most}")
    return int(said)


def _basic(header: str) -> tuple[str, str] | None:
    """Name and secret of a login. Source: RFC 6749, section 2.3.1."""
    scheme, _, shown = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(shown, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TokenRefused(HTTPStatus.BAD_REQUEST, "invalid_request", "the login cannot be read") from None
    return unquote(name), unquote(secret)
