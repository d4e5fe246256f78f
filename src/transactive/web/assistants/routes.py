"""Drafts over the API: an assistant proposes, and reads what became of it. Nothing here accepts one."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from transactive.texts.formatting import Words, stamp
from transactive.web.api.paging import SHARED, ApiRequest
from transactive.web.api.records import Time, View
from transactive.web.assistants.drafts import (
    LAPSE_DAYS,
    AssistantDraft,
    Draftable,
    Reason,
    drafts_of,
    propose,
)
from transactive.web.assistants.effects import effect
from transactive.web.authentication import MEMBERS
from transactive.web.problems import AccessDenied
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer


class DraftRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What shall be done, as POST /api/v1/acts takes it, and why."""

    act: Draftable
    reason: Reason = ""


class DraftView(View, frozen=True, kw_only=True):
    """A draft. It does nothing until the member accepts it on its own page."""

    number: int
    member: str
    by: Annotated[str, Meta(description="Name of the token that proposed it")]
    made: Time
    act: Draftable
    effect: Annotated[str, Meta(description="What accepting does, in words of this program")]
    reason: Annotated[str, Meta(description="In the words of who proposed it")]
    state: Literal["waits", "accepted", "declined", "lapsed"]
    lapses: Time
    act_number: Annotated[int | None, Meta(description="The act that it became")]
    page: Annotated[str, Meta(description="Where the member answers")]


class DraftList(View, frozen=True, kw_only=True):
    """Drafts of a home, newest first."""

    items: list[DraftView]


@get("/drafts", opt=MEMBERS, **SHARED)
def drafts(request: ApiRequest, run_context: NamedDependency[RunContext]) -> DraftList:
    """What was proposed for one's own home, and what became of it."""
    run, member = run_context.run(), _member(request.user)
    words, now = Words(run.community.currency, run.community.zone), int(time.time())
    found = drafts_of(run_context.reader.store.path.parent, member)
    return DraftList(items=[_view(each, words, now) for each in found])


@post("/drafts", opt=MEMBERS, **SHARED)
def draft(request: ApiRequest, run_context: NamedDependency[RunContext], data: JSONBody[DraftRequest]) -> DraftView:
    """Propose something for one's own home: it waits until the member accepts it on its page, signed in there."""
    run, member, now = run_context.run(), _member(request.user), int(time.time())
    run_context.member(run, member)
    words = Words(run.community.currency, run.community.zone)
    effect(data.act, words)  # refuses times that are none before anything is kept
    made = AssistantDraft(0, member, request.user.token, request.user.name, now, data.act, data.reason)
    return _view(propose(run_context.reader.store.path.parent, made), words, now)


def _member(viewer: Viewer) -> str:
    """Whose home it is. Raises AccessDenied."""
    if viewer.member is None:
        raise AccessDenied(detail="Drafts are for a home; use a token of its member.")
    return viewer.member


def _view(found: AssistantDraft, words: Words, now: int) -> DraftView:
    return DraftView(
        number=found.number,
        member=found.member,
        by=found.by,
        made=stamp(found.made),
        act=found.asked,
        effect=effect(found.asked, words),
        reason=found.reason,
        state=found.state(now),
        lapses=stamp(found.made + LAPSE_DAYS * 86_400),
        act_number=found.act or None,
        page="/member#h-drafts",
    )


HANDLERS = (drafts, draft)
