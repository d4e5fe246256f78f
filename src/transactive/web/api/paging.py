"""What the routes of the API share: parameters, problems, cursor pages, and whose figures a viewer may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from litestar import Request
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from transactive.store.read.runs import Row, Run
from transactive.web.access import Viewer
from transactive.web.api import cursor as cursors
from transactive.web.problems import AccessDenied, Problem
from transactive.web.run_context import RunContext

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
    desk: RunContext, table: sa.Table, where: Sequence[sa.ColumnElement[bool]], limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Rows of a table after a cursor, and the next cursor."""
    key = list(table.primary_key.columns)
    statement = sa.select(table).where(*where).order_by(*key).limit(limit + 1)
    if cursor is not None:
        after = cursors.decode(str(table.name), cursor, len(key))
        statement = statement.where(sa.tuple_(*key) > sa.tuple_(*after))
    rows = desk.reader.store.rows(statement)
    more = len(rows) > limit
    last = [rows[limit - 1][column.name] for column in key] if more else []
    return rows[:limit], cursors.encode(str(table.name), last) if more else None


def at_slot(desk: RunContext, run: Run, table: sa.Table, slot: str | None) -> list[sa.ColumnElement[bool]]:
    """The condition that a slot in the query sets."""
    return [] if slot is None else [table.c.slot == desk.slot(run, slot)]


def whose(desk: RunContext, run: Run, viewer: Viewer, member: str | None) -> int | None:
    """Index of the only member to show, or None for all. Raises AccessDenied for somebody else's figures."""
    if viewer.sees_all:
        return None if member is None else desk.member(run, member)
    if viewer.member is None or member not in (None, viewer.member):
        raise AccessDenied(detail="This token shows its own member only.")
    return desk.member(run, viewer.member)
