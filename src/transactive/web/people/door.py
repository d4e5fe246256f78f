"""What all routes of people who sign in share: who asks, from where, whether nobody can read it, and the way in."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.texts.language import _
from transactive.web.accounts.book import SESSION_DAYS
from transactive.web.authentication import House, is_private, session_name
from transactive.web.problems import PlainHttp
from transactive.web.viewers import LOOPBACK, SCOPES, Viewer

OPEN = {"scopes": SCOPES, "open": True}
PeopleRequest = Request[Viewer, Any, Any]


def let_in(request: PeopleRequest, house: House, session: str) -> Response[None]:
    """Open the community with a new session."""
    cookie = Cookie(
        key=session_name(house.port),
        value=session,
        max_age=SESSION_DAYS * DAY,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return Redirect("/", status_code=303, cookies=[cookie])


def signed_in(request: PeopleRequest) -> str:
    """Name of who asks. Raises InputError for who came by a token or the link of the server."""
    if not request.user.account:
        raise InputError("this browser is in without an account; sign in first")
    return request.user.account


def session_of(request: PeopleRequest, house: House) -> str:
    """What the browser keeps of its session."""
    return request.cookies.get(session_name(house.port)) or ""


def address_of(request: PeopleRequest) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def site_of(request: PeopleRequest) -> str:
    """Scheme and host under which the browser knows these pages: a proxy may have put another host into the request."""
    origin = request.headers.get("origin") or ""
    return origin if origin.startswith(("https://", "http://")) else str(request.base_url).rstrip("/")


def why_no_passkeys(request: PeopleRequest, house: House) -> str:
    """Why passkeys cannot be used under the address that a page was opened by, in a sentence; empty where they can."""
    host = request.url.hostname or ""
    if not is_private(request, house):
        return _("Browsers offer passkeys over HTTPS only. Open this page by https; examples/proxy has what it takes.")
    if host != "localhost" and is_number(host):
        return _(
            "A passkey belongs to a name, not a number. Open this page under its name, on this machine as localhost."
        )
    return ""


def is_number(host: str) -> bool:
    """Whether a host is an address of the internet, not a name."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def refuse_plain(request: PeopleRequest, house: House) -> None:
    """Raise PlainHttp unless nobody on the way can read a password."""
    if not is_private(request, house):
        raise PlainHttp(detail=PlainHttp.TEXT)


def where_of(request: PeopleRequest) -> tuple[str, str]:
    """Site and origin that the browser knows these pages by. Raises InputError, PlainHttp.

    Each passkey is kept with its site, and a browser signs for the site of its page only: so an origin that lies here
    matches no passkey.
    """
    origin = request.headers.get("origin") or ""
    parts = urlsplit(origin)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
        raise PlainHttp(detail=PlainHttp.TEXT)
    if is_number(parts.hostname):
        raise InputError("A passkey belongs to a name, not a number; open this page as localhost.")
    return parts.hostname, origin
