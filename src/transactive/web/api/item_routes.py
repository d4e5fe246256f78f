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
from transactive.core.items import Item
from transactive.store.read.items import item_of
from transactive.store.read.pages import Pageable
from transactive.web.access import Viewer
from transactive.web.api import item_shapes
from transactive.web.api.item_shapes import STATES, ItemPage, ItemRecord, State, item_record, visible
from transactive.web.api.paging import SHARED, Cursor, Limit, page_of
from transactive.web.authentication import EVERYONE, OPERATES
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext

ItemRequest = Request[Viewer, Any, Any]


@get("/items", opt=EVERYONE, **SHARED)
def items(
    request: ItemRequest, desk: NamedDependency[RunContext], limit: Limit = 100, cursor: Cursor = None
) -> ItemPage:
    """Findings of detection; a member's token shows its own, one of scope grid those of the whole feeder."""
    run = desk.run()
    rows, after = page_of(desk, Pageable.ITEMS, limit, cursor, member=visible(run, request.user))
    return ItemPage(items=[item_record(item_of(row), run) for row in rows], next=after)


@put("/items/{number:int}/{outcome:str}", opt=OPERATES, **SHARED)
def step(desk: NamedDependency[RunContext], number: FromPath[int], outcome: FromPath[State]) -> ItemRecord:
    """Acknowledge or close an item, or open it again. What it held is released once it is closed."""
    return item_record(stepped(desk, number, outcome), desk.run())


@put("/items/{number:int}/{outcome:str}", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def step_on_page(desk: NamedDependency[RunContext], number: FromPath[int], outcome: FromPath[State]) -> Redirect:
    """The same from the page, which shows itself anew."""
    stepped(desk, number, outcome)
    return Redirect("/", status_code=303)


def stepped(desk: RunContext, number: int, outcome: State) -> Item:
    """Move an item on, or back. Raises NotFound, InputError."""
    run, position = desk.run(), desk.reader.position()
    if outcome not in STATES:
        raise InputError(f"{outcome}: an item can be {', '.join(STATES)}")
    try:
        return item_shapes.step(desk.reader.store, run, position, number, STATES[outcome])
    except InputError as error:
        raise NotFound(str(error)) from None


HANDLERS = (items, step)
