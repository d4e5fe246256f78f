"""What the routes of the API share: parameters, problems, cursor pages, and whose figures a viewer may see."""

from __future__ import annotations

import time
from typing import Annotated, Any

from litestar import Request
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from transactive.store.read.pages import Pageable, page
from transactive.store.read.runs import Row, Run
from transactive.web.accounts.looks import note_look
from transactive.web.api import cursor as cursors
from transactive.web.problems import AccessDenied, Problem
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

ApiRequest = Request[Viewer, Any, Any]
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="Rows of a page")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next` of the page before")]
AtSlot = Annotated[str | None, QueryParameter(name="slot", max_length=40, description="Only this slot, RFC 3339")]
OfMember = Annotated[str | None, QueryParameter(name="member", max_length=64, description="Only this member")]
PROBLEMS = {
    status: ResponseSpec(Problem, description=text, media_type="application/problem+json", generate_examples=False)
    for status, text in (
        (400, "A parameter cannot be used"),
        (401, "A token is needed"),
        (403, "The token does not reach this far"),
        (404, "There is no such thing, or not yet"),
    )
}
SHARED: dict[str, Any] = {"sync_to_thread": True, "responses": PROBLEMS, "raises": []}


def page_of(
    run_context: RunContext,
    listing: Pageable,
    limit: int,
    cursor: str | None,
    *,
    slot: int | None = None,
    member: int | None = None,
) -> tuple[list[Row], str | None]:
    """Rows of a listing after a cursor, of one slot and member or all, and the next cursor."""
    name, key = listing.title, listing.key
    after = None if cursor is None else cursors.decode(name, cursor, len(key))
    rows = page(run_context.reader.store, listing, limit + 1, after=after, slot=slot, member=member)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursors.encode(name, [rows[limit - 1][column] for column in key])


def at_slot(run_context: RunContext, run: Run, slot: str | None) -> int | None:
    """The slot that a query names, None for all."""
    return None if slot is None else run_context.slot(run, slot)


def looked(run_context: RunContext, request: ApiRequest, member: str | None) -> None:
    """Note that staff looks at a member's figures, or with None at those of all homes."""
    folder = run_context.reader.store.path.parent
    note_look(folder, request.user, member, request.url.path, int(time.time()))


def whose(
    run_context: RunContext, run: Run, request: ApiRequest, member: str | None, *, lists: bool = True
) -> int | None:
    """Index of the only member to show, or None for all; a look by staff is noted.

    lists: whether all are listed one by one, not only summed. Raises AccessDenied for somebody else's figures.
    """
    viewer = request.user
    if viewer.sees_all:
        if lists or member is not None:
            looked(run_context, request, member)
        return None if member is None else run_context.member(run, member)
    if viewer.member is None or member not in (None, viewer.member):
        raise AccessDenied(detail="This token shows its own member only.")
    return run_context.member(run, viewer.member)
