"""The gate in front of every route: whose request this is, and whether the route is for them."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.types import ASGIApp

from transactive.web.access import LOOPBACK, OWNER, SCOPES, Scope, Viewer, read_grants, viewer_of
from transactive.web.problems import AccessDenied, TokenNeeded, WrongHost

Connection = ASGIConnection[Any, Any, Any, Any]
STATIC = "/static"
OPT = "scopes"
EVERYONE = {OPT: SCOPES}
OPERATES: dict[str, tuple[Scope, ...]] = {OPT: ("operator",)}
SEES_ALL: dict[str, tuple[Scope, ...]] = {OPT: ("operator", "auditor")}
WITHOUT_MEMBER: dict[str, tuple[Scope, ...]] = {OPT: ("operator", "grid", "auditor")}
WITHOUT_GRID: dict[str, tuple[Scope, ...]] = {OPT: ("member", "operator", "auditor")}


class TokenMiddleware(AbstractAuthenticationMiddleware):
    """Turns the Authorization header into a `Viewer`, which handlers find as `request.user`."""

    def __init__(self, app: ASGIApp, folder: Path, *, local: bool) -> None:
        super().__init__(app, exclude=f"^{STATIC}", exclude_http_methods=())
        self.folder, self.local = folder, local

    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        """Raise WrongHost, TokenNeeded, or say who asks."""
        if self.local and connection.url.hostname not in LOOPBACK:
            raise WrongHost(detail="This server answers on this machine only; open it as 127.0.0.1 or localhost.")
        header = connection.headers.get("authorization")
        if header is None and self.local:
            return AuthenticationResult(user=OWNER, auth=None)
        viewer = viewer_of(_token(header or ""), read_grants(self.folder))
        if viewer is None:
            raise TokenNeeded(
                detail="Send a token of this run: Authorization: Bearer …, or as the password of a login."
            )
        return AuthenticationResult(user=viewer, auth=None)


def gate(folder: Path, *, local: bool) -> DefineMiddleware:
    """The middleware for one run."""
    return DefineMiddleware(TokenMiddleware, folder=folder, local=local)


def for_scopes(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of every route: a route that names no scopes is closed."""
    if connection.scope["path"].startswith(STATIC):
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
