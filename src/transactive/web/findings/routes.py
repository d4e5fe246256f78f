"""Routes of a finding's page: a member sees its own, who keeps lines those of the feeder; what people say about it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from msgspec import Meta

from transactive.core.errors import InputError
from transactive.core.items import Item
from transactive.core.slots import DAY
from transactive.services.finding_notes import LONGEST, FindingNote, FindingNotes, all_notes, say
from transactive.texts.formatting import Words
from transactive.web.accounts.book import read_book
from transactive.web.api.item_shapes import seen_by
from transactive.web.api.paging import looked
from transactive.web.authentication import EVERYONE, NOTES
from transactive.web.findings.page import finding_page, notes_part
from transactive.web.history.part import Past
from transactive.web.pages.parts.common import freshness
from transactive.web.problems import AccessDenied, NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer


@get("/findings/{number:int}", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def finding(
    request: Request[Viewer, Any, Any], run_context: NamedDependency[RunContext], number: FromPath[int]
) -> Template:
    """A finding with its evidence. Raises NotFound for one that there is not, or that is somebody else's."""
    return _page(request, run_context, number)


@dataclass
class SaidOfFinding:
    """Any of the forms. kind: note, hand-over, mute or unmute. days: to be muted."""

    kind: Annotated[str, Meta(max_length=20)]
    text: Annotated[str, Meta(max_length=2 * LONGEST)] = ""
    to: Annotated[str, Meta(max_length=64)] = ""
    days: Annotated[int, Meta(ge=0, le=3_650)] = 0


@post("/findings/{number:int}/notes", opt=NOTES, sync_to_thread=True, include_in_schema=False)
def say_of_finding(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    number: FromPath[int],
    data: Annotated[SaidOfFinding, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Keep a note of the operator or of whom the finding concerns; who operates hands it over and mutes it, too.

    Raises NotFound, AccessDenied.
    """
    _found(request.user, run_context, number)
    try:
        say(run_context.reader.store.path.parent, _note(request.user, run_context, number, data))
    except InputError as error:
        return _page(request, run_context, number, str(error))
    return Redirect(f"/findings/{number}#h-notes", status_code=303)


def _note(viewer: Viewer, run_context: RunContext, number: int, data: SaidOfFinding) -> FindingNote:
    """What a form says. Raises InputError, AccessDenied."""
    now, by = int(time.time()), _who(viewer)
    if data.kind == "note":
        return FindingNote(number, "note", by, now, text=data.text)
    if viewer.scope != "operator":
        raise AccessDenied(detail="Findings are handed over and muted by who operates the community.")
    if data.kind == "hand-over":
        if data.to not in _operators(run_context):
            raise InputError(f"{data.to}: has no operator's account here; choose one of the list")
        return FindingNote(number, "hand-over", by, now, to=data.to)
    if data.kind == "mute":
        return FindingNote(number, "mute", by, now, until=now + data.days * DAY)
    if data.kind == "unmute":
        return FindingNote(number, "unmute", by, now)
    raise InputError(f"{data.kind}: is no step of this page; go back and choose one")


def _who(viewer: Viewer) -> str:
    """Who speaks, with what an account stands for: a member may have called itself operator."""
    of = viewer.member or viewer.scope
    return f"{viewer.account} ({of})" if viewer.account else of


def _operators(run_context: RunContext) -> list[str]:
    """Accounts that a finding can be handed to."""
    book = read_book(run_context.reader.store.path.parent)
    return sorted(each.name for each in book.accounts if each.scope == "operator")


def _found(viewer: Viewer, run_context: RunContext, number: int) -> Item:
    """A finding that a viewer may see. Raises NotFound, AccessDenied."""
    run = run_context.run()
    if not viewer.sees_members and len(run.community.members) < run_context.least_homes:
        raise AccessDenied(detail="What concerns the whole feeder would tell of too few homes.")
    item = next((one for one in seen_by(run_context.reader.store, run, viewer) if one.number == number), None)
    if item is None:
        raise NotFound(f"finding {number}: there is none of that number for you")
    return item


def _page(request: Request[Viewer, Any, Any], run_context: RunContext, number: int, failed: str = "") -> Template:
    """The page. failed: why something could not be kept."""
    viewer, item = request.user, _found(request.user, run_context, number)
    run, position, totals = run_context.look()
    if item.member is not None:
        looked(run_context, request, run.community.ids[item.member])
    words = Words(run.community.currency, run.community.zone)
    past = Past.of(run_context.reader, run, totals.days, position)
    fresh = freshness(run, position, len(run.community.members), run_context.feed.idle, words)
    said = all_notes(run_context.reader.store.path.parent).get(number, FindingNotes())
    operators = _operators(run_context) if viewer.scope == "operator" else []
    notes = notes_part(said, viewer, operators, int(time.time()), words)
    frame = {"run": run, "words": words, "viewer": viewer, "fresh": fresh, "failed": failed, "number": number}
    context = {**frame, **finding_page(past, item), "notes": notes}
    return Template("finding.html", context=context, status_code=400 if failed else 200)


ROUTES = (finding, say_of_finding)
