"""What a request must be before anybody asks whose it is: a path of text, and no form of another site.

A browser says where a request comes from (Fetch Metadata, and Origin for what has a body). Programs say nothing of the
kind, so a request without these headers passes.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from transactive.core.errors import InputError
from transactive.web.problems import CrossSite, NotFound

API = "/api/"
SAFE = ("GET", "HEAD", "OPTIONS")
WITHOUT_QUERY = (
    *("request", "run_context", "entry", "port", "house", "rates", "data", "paper_jobs", "passkey_challenges"),
)
"""Arguments of handlers that no address names."""
OWN = ("same-origin", "none")
"""Values of Sec-Fetch-Site that are ours, or typed by the user."""
DEEPEST = 10_240
"""Calls within each other: py-evm wants as many, and decoders of JSON stay within the stack of a thread."""


class RequestChecks(ASGIMiddleware):
    """Refuses paths with control characters, and steps that another site sends through somebody's browser."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a sound request on. Raises NotFound, CrossSite."""
        if any(ord(character) < 32 or ord(character) == 127 for character in scope["path"]):
            raise NotFound("there is nothing at an address with control characters; correct it")
        if scope.get("method", "GET") not in SAFE and _of_another_site(ASGIConnection(scope)):
            raise CrossSite(detail="This step was sent by a page of another site; open this page and take it there.")
        await next_app(scope, receive, send)


def bound_recursion() -> None:
    """Let input of any depth be an error in Python: a library of the chain allows so much that the process crashes."""
    import eth_account  # noqa: F401 - it raises the limit when it is imported, so before it is set

    sys.setrecursionlimit(DEEPEST)


def known_queries(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of pages: a question that a page does not know must not be answered with something else.

    Raises InputError. Programs that ask the API may send what a later version knows.
    """
    if not isinstance(handler, HTTPRouteHandler) or connection.scope["path"].startswith((API, "/static/")):
        return
    known = [name for name in handler.parsed_fn_signature.parameters if name not in WITHOUT_QUERY]
    for name in connection.query_params:
        if name not in known:
            path, knows = connection.scope["path"], _listed(known) or "no questions"
            raise InputError(f"?{name}=: {path} knows {knows}; correct the address")


def _listed(names: list[str]) -> str:
    """Names as a sentence has them: member, span and day."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _of_another_site(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether a browser says that a page of another origin sends this, or names an origin that is none."""
    site, origin = (connection.headers.get(name) for name in ("sec-fetch-site", "origin"))
    try:
        place = urlsplit(origin or "").netloc
    except ValueError:  # such as https://[
        return True
    if site is not None:  # a proxy may rewrite Host, but not this
        return site not in OWN
    return origin is not None and place != connection.headers.get("host")
