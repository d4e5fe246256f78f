"""The language of a request: what the person chose, else this browser, else the community, else English.

What programs read has no language: the API, files, and whatever else is not a page.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from transactive.texts.language import ENGLISH, is_known, negotiated, speak
from transactive.web.viewers import Viewer

COOKIE = "transactive-language"
FOR_PROGRAMS = ("/api/", "/static/", "/metrics", "/papers/", "/privacy/copy")
"""Beginnings of addresses at which there are no pages."""
FILES = ("csv", "json", "parquet", "pdf", "xml", "svg", "zip")
"""Endings of addresses of files."""


class Languages(ASGIMiddleware):
    """Speaks the language of each request while it is answered."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Choose, and pass the request on."""
        speak_to(ASGIConnection(scope))
        await next_app(scope, receive, send)


def speak_to(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Speak the language of a request from here on."""
    speak(language_of(connection))


def language_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The language of a request, as a code such as de."""
    path = connection.scope["path"]
    if path.startswith(FOR_PROGRAMS) or path.rpartition("/")[2].rpartition(".")[2] in FILES:
        return ENGLISH
    viewer = connection.scope.get("user")
    chosen = viewer.language if isinstance(viewer, Viewer) else ""
    for language in (chosen, connection.cookies.get(COOKIE, "")):
        if is_known(language):
            return language
    return negotiated(connection.headers.get("accept-language", "")) or ENGLISH
