"""The addresses of the registry: what EnergyTag's API has below /certificates, and hand-overs between registries."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath, RawBody

from transactive.carbon.certificates.handover import BundleOffer, BundleRecall
from transactive.core.errors import CertificateError, StateError, TransactiveError
from transactive.protocols.energytag.clients import RegistryClient, client_of
from transactive.protocols.energytag.desk import RegistryDesk
from transactive.protocols.energytag.document import openapi
from transactive.protocols.energytag.objects import REQUESTS
from transactive.protocols.energytag.problems import RegistryRefusal

MOST_BYTES = 64 * 1024
"""Largest request."""
LOG = logging.getLogger("transactive.energytag")
JSON = "application/json"
PLACE = re.compile(r"\$\.?([\w.\[\]]*)`")
STATUS = {"create": HTTPStatus.CREATED, "query": HTTPStatus.OK}
"""Of answers; the others have 202, as the specification says."""
ApiRequest = Request[Any, Any, Any]
T = TypeVar("T")


def build_registry_app(desk: RegistryDesk) -> Litestar:
    """The application of a registry."""
    return Litestar(
        route_handlers=[named, document, act, hand_over, recall],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        exception_handlers={Exception: refused},
        request_max_body_size=MOST_BYTES,
        openapi_config=None,
        logging_config=None,
    )


@get("/registry", sync_to_thread=True)
def named(request: ApiRequest, desk: NamedDependency[RegistryDesk]) -> dict[str, str]:
    """Which registry this is, for registries that may hand over."""
    _client(request, desk, "hand-over")
    return {"registry": desk.name}


@get("/openapi.json", sync_to_thread=False)
def document() -> Response[bytes]:
    """The document of these addresses."""
    return Response(openapi(), media_type=JSON)


@post("/certificates/{deed:str}")
async def act(
    request: ApiRequest, desk: NamedDependency[RegistryDesk], deed: FromPath[str], body: RawBody
) -> Response[bytes]:
    """Create, query, transfer, cancel, claim, withdraw or reserve."""
    if deed not in REQUESTS:
        known = ", ".join(REQUESTS)
        raise RegistryRefusal(
            HTTPStatus.NOT_FOUND, f"there is nothing at {deed[:50]}; there are {known}", "path", "path"
        )
    client = _client(request, desk, deed)
    asked = _decoded(body, REQUESTS[deed])
    said = await sync_to_thread(getattr(desk, deed), client, asked)
    return Response(said, status_code=STATUS.get(deed, HTTPStatus.ACCEPTED), media_type=JSON)


@post("/hand-overs")
async def hand_over(request: ApiRequest, desk: NamedDependency[RegistryDesk], body: RawBody) -> Response[bytes]:
    """Hear what another registry hands over, and say a word."""
    client, offer = _client(request, desk, "hand-over"), _decoded(body, BundleOffer)
    _require_giver(client, offer.register)
    return Response(msgspec.json.encode(await sync_to_thread(desk.hand_overs.hear, offer)), media_type=JSON)


@post("/hand-overs/recall")
async def recall(request: ApiRequest, desk: NamedDependency[RegistryDesk], body: RawBody) -> Response[bytes]:
    """Hear what another registry wants back, and say a word."""
    client, wanted = _client(request, desk, "hand-over"), _decoded(body, BundleRecall)
    _require_giver(client, wanted.register)
    return Response(msgspec.json.encode(await sync_to_thread(desk.hand_overs.hear_recall, wanted)), media_type=JSON)


def refused(_: ApiRequest, error: Exception) -> Response[Any]:
    """The answer to an error."""
    problem = _problem(error)
    headers = {"www-authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else {}
    return Response(problem.problem, status_code=problem.status, media_type=JSON, headers=headers)


def _problem(error: Exception) -> RegistryRefusal:
    """The refusal that an error is."""
    match error:
        case RegistryRefusal():
            return error
        case CertificateError():
            return RegistryRefusal(HTTPStatus.CONFLICT, str(error), error.code, "body")
        case HTTPException():
            status = HTTPStatus(error.status_code)
            return RegistryRefusal(status, error.detail or status.phrase, "http", "path")
        case StateError():
            LOG.warning("a request failed: %s", error)
            said = "the registry cannot do it now, and has done nothing; its log says why. Ask again"
            return RegistryRefusal(HTTPStatus.SERVICE_UNAVAILABLE, said, error.code, "body")
        case TransactiveError():
            return RegistryRefusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), error.code, "body")
    LOG.error("a request failed", exc_info=error)
    return RegistryRefusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says where", "server", "body")


def _client(request: ApiRequest, desk: RegistryDesk, scope: str) -> RegistryClient:
    """Who asks. Raises RegistryRefusal."""
    return client_of(desk.folder, request.headers.get("authorization", ""), scope)


def _require_giver(client: RegistryClient, register: str) -> None:
    """Raise RegistryRefusal for a registry that speaks for another one."""
    if client.account != register:
        raise RegistryRefusal(
            HTTPStatus.FORBIDDEN, f"this token is of the registry {client.account}", "forbidden", "body", "register"
        )


def _decoded(body: bytes, kind: type[T]) -> T:
    """What a message says. Raises RegistryRefusal naming the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        found = PLACE.search(str(error))
        fields = found[1].split(".") if found and found[1] else []
        raise RegistryRefusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), "value_error", "body", *fields) from None
