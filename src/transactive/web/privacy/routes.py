"""A person's data on the page: what is kept and what for, who looked, a copy of all of it."""

from __future__ import annotations

import time
from threading import Semaphore
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template
from msgspec import Meta

from transactive.services.privacy.copy_of_data import copy_of_data
from transactive.services.privacy.processing import PROCESSING
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words, stamp
from transactive.texts.language import _, ngettext
from transactive.web.accounts.assistant_log import AssistantRequest
from transactive.web.accounts.looks import EVERYBODY, StaffLook, looks_at
from transactive.web.api.paging import SHARED, ApiRequest, OfMember, looked
from transactive.web.api.records import Time, View
from transactive.web.authentication import NOTES, WITHOUT_GRID
from transactive.web.privacy.kept import asked_for, kept_of
from transactive.web.privacy.rows import complaint_rows, consent_rows, keep_words
from transactive.web.problems import AccessDenied, TooMany
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

MOST_SHOWN = 50
A_MINUTE = 60
_ROOM = Semaphore(1)
"""Copies that are made at once: one of a year reads all of it, and nobody's shall hold the pages of others up."""


class StaffLookView(View, frozen=True, kw_only=True):
    """A look by staff."""

    at: Time
    who: Annotated[str, Meta(description="Account, or name and id of a token")]
    scope: str
    all_homes: Annotated[bool, Meta(description="Whether it was at a list of all homes")]
    place: Annotated[str, Meta(description="Address that was looked at")]


class StaffLookList(View, frozen=True, kw_only=True):
    """Looks of a year, newest first."""

    items: list[StaffLookView]


@get("/looks", opt=WITHOUT_GRID, **SHARED)
def looks(request: ApiRequest, run_context: NamedDependency[RunContext], of: OfMember = None) -> StaffLookList:
    """Who of the staff looked at a home's figures; a member's token shows its own."""
    member = _home(run_context, run_context.run(), request.user, of)
    return StaffLookList(items=[_view(each) for each in looks_at(run_context.reader.store.path.parent, member)])


@get("/privacy", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def privacy_page(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    member: FromQuery[str | None] = None,
    about: FromQuery[int] = 0,
) -> Template:
    """What a community keeps of its people; to a home also who looked, what it agreed to, and its complaints."""
    return privacy_template(request, run_context, member, about=about)


def privacy_template(
    request: Request[Viewer, Any, Any],
    run_context: RunContext,
    member: str | None = None,
    failed: str = "",
    about: int = 0,
) -> Template:
    """The page. failed: why something could not be done, which is said on it. about: finding that is objected to."""
    run, viewer = run_context.run(), request.user
    words, folder = Words(run.community.currency, run.community.zone), run_context.reader.store.path.parent
    home = _home(run_context, run, viewer, member) if viewer.member or member else None
    found = [] if home is None else looks_at(folder, home)[:MOST_SHOWN]
    rows = [
        {
            "at": words.moment(each.at),
            "who": each.who,
            "scope": each.scope,
            "what": _("a list of all homes") if each.member == EVERYBODY else _("your home") if viewer.member else home,
            "place": each.place,
        }
        for each in found
    ]
    asked = [] if home is None else [_asked(each, words) for each in asked_for(folder, home)[: -MOST_SHOWN - 1 : -1]]
    now, index = int(time.time()), None if home is None else run.community.ids.index(home)
    context = {
        "viewer": viewer,
        "run": run,
        "home": home,
        "looks": rows,
        "asked": asked,
        "processing": PROCESSING,
        "failed": failed,
        "consents": [] if index is None else consent_rows(folder, run, index, now, words),
        "complaints": complaint_rows(folder, run, index, now, words),
        "days": run.community.privacy.answer_days,
        "keep": keep_words(run),
        "writes": viewer.acts and viewer.member is not None,
        "about": about,
    }
    return Template("privacy.html", context=context, status_code=400 if failed else 200)


@get("/privacy/copy", opt=NOTES, sync_to_thread=True, include_in_schema=False)
def privacy_copy(
    request: Request[Viewer, Any, Any], run_context: NamedDependency[RunContext], member: FromQuery[str | None] = None
) -> Response[bytes]:
    """Everything that is kept of a home, as a zip. Raises TooMany while another copy is being made."""
    home = _home(run_context, run_context.run(), request.user, member)
    looked(run_context, request, home)
    folder = run_context.reader.store.path.parent
    if not _ROOM.acquire(blocking=False):
        raise TooMany(A_MINUTE)
    try:
        archive = copy_of_data(folder, home, kept_of(folder, home))
    finally:
        _ROOM.release()
    headers = {"content-disposition": f'attachment; filename="{home}-data.zip"'}
    return Response(archive, media_type="application/zip", headers=headers)


def _home(run_context: RunContext, run: Run, viewer: Viewer, member: str | None) -> str:
    """Whose data are meant. Raises AccessDenied for somebody else's, InputError for nobody's."""
    if viewer.member is not None:
        if member not in (None, viewer.member):
            raise AccessDenied(detail="This is about your own home only.")
        return viewer.member
    run_context.member(run, member or "")
    return member or ""


def _view(look: StaffLook) -> StaffLookView:
    everybody = look.member == EVERYBODY
    return StaffLookView(at=stamp(look.at), who=look.who, scope=look.scope, all_homes=everybody, place=look.place)


def _asked(request: AssistantRequest, words: Words) -> dict[str, str]:
    """A request of an assistant, or how many were dropped, as the page shows it."""
    dropped = ngettext("%(num)s more line was dropped", "%(num)s more lines were dropped", request.dropped)
    what = dropped if request.dropped else f"{request.method} {request.place}"
    return {"at": words.moment(request.time), "token": request.token, "what": what}


ROUTES = (privacy_page, privacy_copy)
