"""Routes of the API under /api/v1: cursor pages over what the run wrote, its totals, and its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import ServerSentEvent

from transactive.insight.studies.comparison import Comparison
from transactive.store.read.pages import Pageable
from transactive.store.read.runs import Row, Run
from transactive.web.api import cursor as cursors
from transactive.web.api import shapes
from transactive.web.api.act_routes import HANDLERS as ACT_HANDLERS
from transactive.web.api.bill_routes import HANDLERS as BILL_HANDLERS
from transactive.web.api.deciding.routes import HANDLERS as DECIDING_HANDLERS
from transactive.web.api.grid_routes import HANDLERS as GRID_HANDLERS
from transactive.web.api.held_routes import HANDLERS as HELD_HANDLERS
from transactive.web.api.item_routes import HANDLERS as ITEM_HANDLERS
from transactive.web.api.model_routes import HANDLERS
from transactive.web.api.paging import (
    PROBLEMS,
    SHARED,
    ApiRequest,
    AtSlot,
    Cursor,
    Limit,
    OfMember,
    at_slot,
    looked,
    page_of,
    whose,
)
from transactive.web.api.reading_routes import HANDLERS as READING_HANDLERS
from transactive.web.api.records import (
    BlockPage,
    CertificatePage,
    ClearingPage,
    InsightsPage,
    MemberPage,
    OrderPage,
    PostingPage,
    RefusalPage,
    SlotPage,
    StreamEvent,
    SummaryView,
)
from transactive.web.authentication import EVERYONE, SEES_ALL, WITHOUT_GRID
from transactive.web.events import parse_id, stream
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext

SSE = "text/event-stream"
STREAM = ResponseSpec(StreamEvent, description="Events, one after the other", media_type=SSE, generate_examples=False)
T = TypeVar("T")


def _items(make: Callable[[Row, Run], T], rows: Sequence[Row], run: Run) -> list[T]:
    return [make(row, run) for row in rows]


@get("/slots", opt=WITHOUT_GRID, **SHARED)
def slots(run_context: NamedDependency[RunContext], limit: Limit = 100, cursor: Cursor = None) -> SlotPage:
    """Slots: state, trade, and what the community's meters together say."""
    run = run_context.run()
    rows, after = page_of(run_context, Pageable.CLEARINGS, limit, cursor)
    full = run_context.reader.slots(rows[0]["slot"], rows[-1]["slot"]) if rows else []
    return SlotPage(items=_items(shapes.slot, full, run), next=after)


@get("/clearings", opt=WITHOUT_GRID, **SHARED)
def clearings(
    run_context: NamedDependency[RunContext], at: AtSlot = None, limit: Limit = 100, cursor: Cursor = None
) -> ClearingPage:
    """Results of the market, with the tariff around them."""
    run = run_context.run()
    rows, after = page_of(run_context, Pageable.CLEARINGS, limit, cursor, slot=at_slot(run_context, run, at))
    return ClearingPage(items=_items(shapes.clearing, rows, run), next=after)


@get("/orders", opt=WITHOUT_GRID, **SHARED)
def orders(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> OrderPage:
    """Admitted orders with what they were given; a member's token shows its own."""
    run = run_context.run()
    only = whose(run_context, run, request, of)
    rows, after = page_of(run_context, Pageable.ORDERS, limit, cursor, slot=at_slot(run_context, run, at), member=only)
    return OrderPage(items=_items(shapes.order, rows, run), next=after)


@get("/refusals", opt=WITHOUT_GRID, **SHARED)
def refusals(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> RefusalPage:
    """Orders that a free balance could not lock; a member's token shows its own."""
    run = run_context.run()
    only = whose(run_context, run, request, of)
    rows, after = page_of(
        run_context, Pageable.REFUSALS, limit, cursor, slot=at_slot(run_context, run, at), member=only
    )
    return RefusalPage(items=_items(shapes.refusal, rows, run), next=after)


@get("/members", opt=WITHOUT_GRID, **SHARED)
def members(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> MemberPage:
    """Members over the slots so far; a member's token shows its own."""
    run, _, totals = run_context.look()
    only = whose(run_context, run, request, of)
    first = 0 if cursor is None else cursors.decode("members", cursor, 1)[0] + 1
    indices = range(len(totals.members)) if only is None else range(only, only + 1)
    chosen = [index for index in indices if index >= first]
    after = cursors.encode("members", [chosen[limit - 1]]) if len(chosen) > limit else None
    return MemberPage(items=[shapes.member(index, totals, run) for index in chosen[:limit]], next=after)


@get("/insights", opt=WITHOUT_GRID, **SHARED)
def insights(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> InsightsPage:
    """What each member's meter says, as told at the end of the newest day; a member's token shows its own."""
    run = run_context.run()
    only = whose(run_context, run, request, of)
    rows, after = page_of(run_context, Pageable.ADVICE, limit, cursor, member=only)
    return InsightsPage(items=_items(shapes.insights, rows, run), next=after)


@get("/postings", opt=WITHOUT_GRID, **SHARED)
def postings(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PostingPage:
    """Money that moved; a member's token shows what it paid and received."""
    run = run_context.run()
    only = whose(run_context, run, request, of)
    rows, after = page_of(
        run_context, Pageable.POSTINGS, limit, cursor, slot=at_slot(run_context, run, at), member=only
    )
    return PostingPage(items=_items(shapes.posting, rows, run), next=after)


@get("/certificates", opt=WITHOUT_GRID, **SHARED)
def certificates(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CertificatePage:
    """Certified energy; a member's token shows what its devices made and what it owns, without naming neighbours."""
    run = run_context.run()
    only = whose(run_context, run, request, of)
    rows, after = page_of(
        run_context, Pageable.CERTIFICATES, limit, cursor, slot=at_slot(run_context, run, at), member=only
    )
    shown = None if request.user.sees_all else only
    return CertificatePage(items=[shapes.certificate(row, run, shown) for row in rows], next=after)


@get("/blocks", opt=WITHOUT_GRID, **SHARED)
def blocks(
    run_context: NamedDependency[RunContext], at: AtSlot = None, limit: Limit = 100, cursor: Cursor = None
) -> BlockPage:
    """Blocks that committed slots."""
    run = run_context.run()
    rows, after = page_of(run_context, Pageable.BLOCKS, limit, cursor, slot=at_slot(run_context, run, at))
    return BlockPage(items=_items(shapes.block, rows, run), next=after)


@get("/summary", opt=WITHOUT_GRID, **SHARED)
def summary(run_context: NamedDependency[RunContext]) -> SummaryView:
    """The community over the slots so far."""
    run, position, totals = run_context.look()
    return shapes.summary(run, position, totals, run_context.reader.outcome())


@get("/compare", opt=SEES_ALL, **SHARED)
def compare(request: ApiRequest, run_context: NamedDependency[RunContext]) -> Comparison:
    """The same days under several mechanisms, as `transactive compare --state` kept it."""
    comparison = run_context.reader.comparison()
    if comparison is None:
        raise NotFound("no comparison is kept here; run transactive compare with this --state")
    looked(run_context, request, None)
    return comparison


@get("/events", opt=EVERYONE, responses={200: STREAM, **PROBLEMS}, raises=[], media_type=SSE)
async def events(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    last_event_id: Annotated[
        str | None, HeaderParameter(name="Last-Event-ID", description="Resume after this event")
    ] = None,
    after: Annotated[str | None, QueryParameter(description="The same for readers that cannot set the header")] = None,
) -> ServerSentEvent:
    """Server-sent events: each stage of a slot once, in order, from the first or after a given one; then `end`."""
    return ServerSentEvent(stream(run_context.reader, run_context.feed, parse_id(last_event_id or after), request.auth))


def api_router(*more: HTTPRouteHandler) -> Router:
    """All routes of the API; more: those that other parts of the page bring."""
    handlers = [
        slots,
        clearings,
        orders,
        refusals,
        members,
        insights,
        postings,
        certificates,
        blocks,
        summary,
        compare,
        *GRID_HANDLERS,
        *HANDLERS,
        *ITEM_HANDLERS,
        *BILL_HANDLERS,
        *HELD_HANDLERS,
        *READING_HANDLERS,
        *ACT_HANDLERS,
        *DECIDING_HANDLERS,
        *more,
        events,
    ]
    return Router("/api/v1", route_handlers=handlers)
