"""The gate in front of every route: whose request this is, and whether the route is for them."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.types import ASGIApp

from transactive.web.accounts.assistants import AssistantGate
from transactive.web.accounts.book import read_book, session_viewer
from transactive.web.entry import BrowserEntry, cookie_name
from transactive.web.problems import AccessDenied, SignInNeeded, TokenNeeded, WrongHost
from transactive.web.tokens import note_use, read_grants, viewer_of
from transactive.web.viewers import INSIDE, LOOPBACK, OWNER, Scope, Viewer, is_forwarded

Connection = ASGIConnection[Any, Any, Any, Any]
STATIC = "/static"
OPT, OPEN = "scopes", "open"
EVERYONE = {OPT: INSIDE}
OPERATES: dict[str, tuple[Scope, ...]] = {OPT: ("operator",)}
SEES_ALL: dict[str, tuple[Scope, ...]] = {OPT: ("operator", "auditor")}
NOTES: dict[str, tuple[Scope, ...]] = {OPT: ("member", "operator")}
BILLED: dict[str, tuple[Scope, ...]] = {OPT: ("member", "operator")}
"""Papers name persons: they are for the operator, and each member's own for itself."""
MEMBERS: dict[str, tuple[Scope, ...]] = {OPT: ("member",)}
"""What a home does is its own: nobody else does it in its place."""
FORESEES: dict[str, tuple[Scope, ...]] = {OPT: ("member", "operator", "auditor", "forecaster")}
SUBMITS: dict[str, tuple[Scope, ...]] = {OPT: ("member", "forecaster")}
"""Forecasts are a member's own, or of somebody outside."""
WITHOUT_MEMBER: dict[str, tuple[Scope, ...]] = {OPT: ("operator", "grid", "auditor")}
WITHOUT_GRID: dict[str, tuple[Scope, ...]] = {OPT: ("member", "operator", "auditor")}


@dataclass(frozen=True, slots=True)
class House:
    """What the gate knows of the server: its folder, whether it listens on this machine only, and who comes in how.

    entry: links for browsers; None where the state is open to whoever sits at this machine.
    """

    folder: Path
    local: bool
    entry: BrowserEntry | None = None
    port: int = 0


class TokenMiddleware(AbstractAuthenticationMiddleware):
    """Turns a token, or the cookie of a browser that came in by a link, into a `Viewer`: `request.user` of handlers."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        super().__init__(app, exclude=f"^{STATIC}", exclude_from_auth_key=OPEN, exclude_http_methods=())
        self.house, self.assistants = house, AssistantGate(house.folder)

    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        """Say who asks, and whether it still may a while later. Raises WrongHost, TokenNeeded, SignInNeeded."""
        viewer = self._viewer(connection)

        def still() -> bool:
            try:
                return self._viewer(connection) == viewer
            except HTTPException:
                return False

        return AuthenticationResult(user=viewer, auth=still)

    def _viewer(self, connection: Connection) -> Viewer:
        """Who asks now. Raises WrongHost, TokenNeeded, SignInNeeded."""
        house, header = self.house, connection.headers.get("authorization")
        if house.local and connection.url.hostname not in LOOPBACK:
            raise WrongHost(detail="This server answers on this machine only; open it as 127.0.0.1 or localhost.")
        if header is not None:
            return self._by_token(_token(header), connection)
        signed = connection.cookies.get(session_name(house.port))
        viewer = session_viewer(house.folder, signed, int(time.time())) if signed else None
        if viewer is not None:
            return viewer
        session = connection.cookies.get(cookie_name(house.port))
        if house.entry and session and house.entry.knows(session):
            return OWNER
        if house.local and house.entry is None and not is_forwarded(connection.headers):
            return OWNER
        if read_book(house.folder).accounts:
            raise SignInNeeded(detail="Sign in, or send a token: Authorization: Bearer …")
        raise TokenNeeded(detail=_HOW_LOCAL if house.local and house.entry else _HOW)

    def _by_token(self, token: str, connection: Connection) -> Viewer:
        """Who a token stands for; its use is noted. Raises TokenNeeded; AccessDenied, TooMany for an assistant."""
        now = int(time.time())
        found = viewer_of(token, read_grants(self.house.folder), now)
        if found is None:
            raise TokenNeeded(detail=_HOW)
        if found[1].assistant:
            method, url = str(connection.scope.get("method", "GET")), connection.url
            self.assistants.admit(found[1].id, method, url.path, url.query)
        note_use(self.house.folder, found[1], now)
        return found[0]


def session_name(port: int) -> str:
    """Name of the cookie of who signed in at the server at a port."""
    return f"transactive-session-{port or 80}"


def is_private(connection: Connection, house: House) -> bool:
    """Whether nobody on the way can read what a form sends: TLS, or this machine alone."""
    return connection.url.scheme == "https" or (house.local and not is_forwarded(connection.headers))


_HOW = "Send a token of this run: Authorization: Bearer …, or as the password of a login."
_HOW_LOCAL = "Open the link that was printed when this server started. Programs send a token: Authorization: Bearer …"


def gate(house: House) -> DefineMiddleware:
    """The middleware for one run."""
    return DefineMiddleware(TokenMiddleware, house=house)


def for_scopes(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of every route: a route that names no scopes is closed."""
    if connection.scope["path"].startswith(STATIC) or handler.opt.get(OPEN):
        return
    viewer = connection.user
    if connection.scope.get("method") == "OPTIONS":  # says which methods there are, and nothing of the run
        return
    if not isinstance(viewer, Viewer) or viewer.scope not in handler.opt.get(OPT, ()):
        raise AccessDenied(detail="The scope of this token does not include this.")


def _token(header: str) -> str:
    """The token of a header: a bearer, or the password of a login, which browsers ask for."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value.strip() if scheme.lower() == "bearer" else ""
