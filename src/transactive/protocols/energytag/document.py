"""The OpenAPI document of the registry, made from what it reads and says."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from transactive.carbon.certificates.handover import BundleOffer, BundleRecall, WordSaid
from transactive.protocols.energytag import objects
from transactive.protocols.energytag.problems import HTTPValidationError

REF = "#/components/schemas/{name}"
ANSWERS: dict[str, type[msgspec.Struct]] = {"query": objects.GranularCertificateQueryResponse}
ERRORS = {401: "no token", 403: "not for this token", 409: "not as things are", 413: "too large", 422: "malformed"}


@cache
def openapi() -> bytes:
    """The document, OpenAPI 3.1, as JSON."""
    sent: dict[str, type[msgspec.Struct]] = {f"/certificates/{deed}": kind for deed, kind in objects.REQUESTS.items()}
    sent |= {"/hand-overs": BundleOffer, "/hand-overs/recall": BundleRecall}
    said = {path: _answer(path) for path in sent}
    told: tuple[type[msgspec.Struct], ...] = (objects.GranularCertificateBundle, HTTPValidationError)
    kinds = {kind.__name__: kind for kind in (*sent.values(), *said.values(), *told)}
    _, schemas = msgspec.json.schema_components([kinds[name] for name in sorted(kinds)], ref_template=REF)
    paths = {path: {"post": _operation(path, kind, said[path])} for path, kind in sent.items()}
    facts: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Registry of granular certificates", "version": "2.0"},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }
    return msgspec.json.encode(facts)


def _answer(path: str) -> type[msgspec.Struct]:
    """What is said at an address."""
    if path.startswith("/hand-overs"):
        return WordSaid
    return ANSWERS.get(path.rpartition("/")[2], objects.GranularCertificateActionResponse)


def _operation(path: str, sent: type[msgspec.Struct], said: type[msgspec.Struct]) -> dict[str, Any]:
    """What can be posted to an address, and what comes back."""
    deed = path.rpartition("/")[2]
    answer: dict[str, Any] = {"$ref": REF.format(name=said.__name__)}
    if deed == "create":
        answer = {"type": "array", "items": {"$ref": REF.format(name="GranularCertificateBundle")}}
    codes = {"create": "201", "query": "200", "hand-overs": "201", "recall": "201"}
    return {
        "operationId": path.strip("/").replace("/", "_"),
        "requestBody": {"required": True, "content": _json({"$ref": REF.format(name=sent.__name__)})},
        "responses": {
            codes.get(deed, "202"): {"description": "done", "content": _json(answer)},
            **{
                str(code): {"description": why, "content": _json({"$ref": REF.format(name="HTTPValidationError")})}
                for code, why in ERRORS.items()
            },
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
