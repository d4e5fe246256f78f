"""Items of detection: who may see which, and the steps that an operator takes with them.

A step is a PUT: a browser asks before it sends one for another site, and is refused.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from transactive.core.errors import InputError
from transactive.core.items import Item, ItemState
from transactive.store.read.items import item_of
from transactive.store.read.pages import Pageable
from transactive.web.api import item_shapes
from transactive.web.api.item_shapes import (
    STATES,
    ItemPage,
    ItemRecord,
    State,
    item_record,
    require_reason,
    shown,
    visible,
)
from transactive.web.api.paging import SHARED, Cursor, Limit, looked, page_of
from transactive.web.authentication import EVERYONE, OPERATES
from transactive.web.problems import AccessDenied, NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

ItemRequest = Request[Viewer, Any, Any]


@get("/items", opt=EVERYONE, **SHARED)
def items(
    request: ItemRequest, run_context: NamedDependency[RunContext], limit: Limit = 100, cursor: Cursor = None
) -> ItemPage:
    """Findings of detection; a member's token shows its own, one of scope grid those of the whole feeder."""
    run = run_context.run()
    if not request.user.sees_members and len(run.community.members) < run_context.least_homes:
        raise AccessDenied(detail="What concerns the whole feeder would tell of too few homes.")
    looked(run_context, request, None)
    rows, after = page_of(run_context, Pageable.ITEMS, limit, cursor, member=visible(run, request.user))
    found = shown(run_context.reader.store, run, request.user, [item_of(row) for row in rows])
    return ItemPage(items=[item_record(item, run) for item in found], next=after)


@put("/items/{number:int}/{outcome:str}", opt=OPERATES, **SHARED)
def step(run_context: NamedDependency[RunContext], number: FromPath[int], outcome: FromPath[State]) -> ItemRecord:
    """Acknowledge or close an item, or open it again. What it held is released once it is closed."""
    return item_record(stepped(run_context, number, outcome), run_context.run())


@put("/items/{number:int}/{outcome:str}", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def step_on_page(run_context: NamedDependency[RunContext], number: FromPath[int], outcome: FromPath[State]) -> Redirect:
    """The same from the page, which shows itself anew."""
    stepped(run_context, number, outcome)
    return Redirect("/", status_code=303)


def stepped(run_context: RunContext, number: int, outcome: State) -> Item:
    """Move an item on, or back. Raises NotFound, InputError."""
    run, position = run_context.run(), run_context.reader.position()
    if outcome not in STATES:
        raise InputError(f"{outcome}: an item can be {', '.join(STATES)}")
    if STATES[outcome] == ItemState.ACKNOWLEDGED:
        require_reason(run_context.reader.store, run, number)
    try:
        return item_shapes.step(run_context.reader.store, run, position, number, STATES[outcome])
    except InputError as error:
        raise NotFound(str(error)) from None


HANDLERS = (items, step)
