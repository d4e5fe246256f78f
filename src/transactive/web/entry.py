"""The link that lets the browser of who started the server in: used once, within ten minutes, then a cookie.

The code stands behind the # of the link, which browsers send to nobody: it is in no log and no referrer. The page
/enter sends it back as a form. What is kept is a hash, in memory: with the server, all browsers are out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from transactive.web.problems import TokenNeeded
from transactive.web.viewers import SCOPES

PATH = "/enter"
SECONDS = 600
OPEN = {"scopes": SCOPES, "open": True}


@dataclass
class BrowserEntry:
    """Codes that were printed and not used yet, and the sessions that came of them. clock: seconds, for the age."""

    clock: Callable[[], float] = time.monotonic
    _codes: dict[str, float] = field(default_factory=dict)
    _sessions: list[str] = field(default_factory=list)

    def link(self, url: str) -> str:
        """A new link to the server at a URL that ends in a slash."""
        code = secrets.token_urlsafe(24)
        self._codes[_hash(code)] = self.clock() + SECONDS
        return f"{url}{PATH[1:]}#{code}"

    def enter(self, code: str) -> str | None:
        """A session for a code, which is used up by this; None for one that is not known, or too old."""
        end = self._codes.pop(_hash(code), None)
        if end is None or self.clock() >= end:
            return None
        session = secrets.token_urlsafe(32)
        self._sessions.append(_hash(session))
        return session

    def knows(self, session: str) -> bool:
        """Whether a browser came in by a link."""
        given = _hash(session)
        return any([hmac.compare_digest(given, known) for known in self._sessions])  # noqa: C419 - constant time


def cookie_name(port: int | None) -> str:
    """Name of the cookie of the server at a port: browsers keep one jar for all ports of a host."""
    return f"transactive-{port or 80}"


@dataclass
class Code:
    """A form with the code of a link."""

    code: str


@get(PATH, opt=OPEN, sync_to_thread=False, include_in_schema=False)
def ask() -> Template:
    """The page that the link opens: it sends the code on, or asks for it."""
    return Template("enter.html", context={})


@post(PATH, opt=OPEN, sync_to_thread=False, include_in_schema=False)
def enter(
    entry: NamedDependency[BrowserEntry],
    port: NamedDependency[int],
    data: Annotated[Code, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[None]:
    """Let a browser in that has a code. Raises TokenNeeded."""
    session = entry.enter(data.code)
    if session is None:
        raise TokenNeeded(
            detail="This link was used, or is older than ten minutes; start the server again for another."
        )
    cookie = Cookie(key=cookie_name(port), value=session, httponly=True, samesite="strict")
    return Redirect("/", status_code=303, cookies=[cookie])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
