"""Routes of the page on which whoever operates drafts rules."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Meta

from transactive.core.errors import InputError, StateError
from transactive.services.governing.drafts import Draft, draft_of
from transactive.services.governing.rules_file import set_numbers, undo
from transactive.services.readings.inbox import community_file
from transactive.texts.formatting import Words
from transactive.web.authentication import OPERATES
from transactive.web.deciding.wording import numbers_in
from transactive.web.history.periods import time_of
from transactive.web.pages.parts.common import freshness
from transactive.web.rules.page import open_from, rules_page
from transactive.web.rules.rehearsing import Rehearsals
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

PageRequest = Request[Viewer, Any, Any]
Field = Annotated[str, Meta(max_length=100)]


@dataclass
class DraftForm:
    """Numbers that are drafted, each in the field of its name and the unit that the page shows; empty ones stay."""

    since: Field
    days: Annotated[int, Meta(ge=1, le=365)] = 14
    network_fee: Field = ""
    near_fee: Field = ""
    levy_mode: Field = ""
    levy_price: Field = ""
    sharing_price: Field = ""
    sharing_fee: Field = ""


@dataclass
class SetForm:
    """A draft, by the digest of its consequences."""

    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


@dataclass
class UndoForm:
    """What was set last, by its slot [Unix s]."""

    since: Annotated[int, Meta(ge=0, le=2**53)]


@get("/rules", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def rules(
    request: PageRequest, run_context: NamedDependency[RunContext], rehearsals: NamedDependency[Rehearsals]
) -> Template:
    """Where the numbers stand, drafts with what they would mean, and what was set."""
    return _page(request, run_context, rehearsals)


@post("/rules/drafts", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def draft(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    rehearsals: NamedDependency[Rehearsals],
    data: Annotated[DraftForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Rehearse a draft on the last days."""
    run = run_context.run()
    words = Words(run.community.currency, run.community.zone)
    try:
        rehearsals.begin(numbers_in(data, words), time_of(data.since, words), data.days)
    except (InputError, StateError) as error:
        return _page(request, run_context, rehearsals, str(error))
    return Redirect("/rules#h-drafts", status_code=303)


@post("/rules/blocks", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def hold(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    rehearsals: NamedDependency[Rehearsals],
    data: Annotated[SetForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Let a draft hold from its slot on."""
    store = run_context.reader.store
    folder, opens = store.path.parent, open_from(store, run_context.run().community)
    try:
        found = _draft(folder, data.digest)
        who = (request.user.account or request.user.scope, int(time.time()))
        set_numbers(folder, _file(folder), found.numbers, found.since, opens, who)
    except (InputError, StateError) as error:
        return _page(request, run_context, rehearsals, str(error))
    return Redirect("/rules#h-blocks", status_code=303)


@post("/rules/undo", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def take_back(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    rehearsals: NamedDependency[Rehearsals],
    data: Annotated[UndoForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Take back what was set last, before its slot."""
    store = run_context.reader.store
    folder, opens = store.path.parent, open_from(store, run_context.run().community)
    try:
        undo(folder, _file(folder), data.since, opens)
    except (InputError, StateError) as error:
        return _page(request, run_context, rehearsals, str(error))
    return Redirect("/rules#h-blocks", status_code=303)


def _draft(folder: Path, digest: str) -> Draft:
    """A draft. Raises InputError where it is gone."""
    found = draft_of(folder, digest)
    if found is None:
        raise InputError("there is no such draft; rehearse it again")
    return found


def _file(folder: Path) -> Path:
    """The community file. Raises InputError where it is not known."""
    found = community_file(folder)
    if found is None:
        raise InputError("the community file of this run is not known here; change it where it is")
    return found


def _page(request: PageRequest, run_context: RunContext, rehearsals: Rehearsals, failed: str = "") -> Template:
    """The page. failed: why something could not be done."""
    run, position = run_context.run(), run_context.reader.position()
    words = Words(run.community.currency, run.community.zone)
    fresh = freshness(run, position, len(run.community.members), run_context.feed.idle, words)
    frame = {"run": run, "words": words, "viewer": request.user, "fresh": fresh, "failed": failed}
    context = {**frame, **rules_page(run_context.reader.store, run.community, rehearsals.latest, words)}
    return Template("rules.html", context=context, status_code=400 if failed else 200)


ROUTES = (rules, draft, hold, take_back)
