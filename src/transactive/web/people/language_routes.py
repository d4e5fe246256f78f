"""The switch in the foot of every page: this browser keeps the choice, and the account of who is signed in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from litestar import Response, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.texts.language import LANGUAGES, is_known
from transactive.web.accounts.book import changed_book, session_viewer
from transactive.web.authentication import House
from transactive.web.languages.choosing import COOKIE
from transactive.web.people.door import OPEN, PeopleRequest, session_of

YEAR = 365 * DAY


@dataclass
class LanguageChoice:
    """Form of the switch."""

    language: str


@post("/language", opt=OPEN, sync_to_thread=True, include_in_schema=False)
def choose_language(
    request: PeopleRequest,
    house: NamedDependency[House],
    data: Annotated[LanguageChoice, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[None]:
    """Keep a language, and show the page again that asked. Raises InputError."""
    if not is_known(data.language):
        raise InputError(f"language: choose one of {', '.join(LANGUAGES)}")
    session, now = session_of(request, house), int(time.time())
    viewer = session_viewer(house.folder, session, now) if session else None
    if viewer is not None:
        with changed_book(house.folder, now) as book:
            account = book.account(viewer.account)
            if account is not None:
                book.keep(msgspec.structs.replace(account, language=data.language))
    cookie = Cookie(
        key=COOKIE,
        value=data.language,
        max_age=YEAR,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return Redirect(_back(request), status_code=303, cookies=[cookie])


def _back(request: PeopleRequest) -> str:
    """Path and question of the page that asked, of this site only; else the community."""
    from_page = urlsplit(request.headers.get("referer") or "")
    ours = from_page.netloc == request.headers.get("host") and from_page.path.startswith("/")
    if not ours or from_page.path.startswith("//"):
        return "/"
    return f"{from_page.path}?{from_page.query}" if from_page.query else from_page.path
