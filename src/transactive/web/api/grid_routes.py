"""Routes of the API for the lines of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from litestar import get
from litestar.di import NamedDependency

from transactive.store.read.pages import Pageable
from transactive.store.read.runs import Row
from transactive.web.api.grid_shapes import (
    InterventionPage,
    LineForecastPage,
    LineLoadPage,
    forecast,
    intervention,
    load,
)
from transactive.web.api.paging import SHARED, ApiRequest, AtSlot, Cursor, Limit, at_slot, page_of
from transactive.web.authentication import WITHOUT_MEMBER
from transactive.web.lines.seen import SeenLines
from transactive.web.run_context import RunContext

T = TypeVar("T")


@get("/grid/loads", opt=WITHOUT_MEMBER, **SHARED)
def loads(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LineLoadPage:
    """What the lines of the network carried in delivered slots, and what they would have without their limits."""
    run = run_context.run()
    rows, after = page_of(run_context, Pageable.LINE_LOADS, limit, cursor, slot=at_slot(run_context, run, at))
    return LineLoadPage(items=_seen(load, rows, run_context, request), next=after)


@get("/grid/forecasts", opt=WITHOUT_MEMBER, **SHARED)
def line_forecasts(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LineForecastPage:
    """What lines were expected to carry, a day ahead and at the gate, and how likely they would pass their limits."""
    run = run_context.run()
    rows, after = page_of(run_context, Pageable.CONGESTION, limit, cursor, slot=at_slot(run_context, run, at))
    return LineForecastPage(items=_seen(forecast, rows, run_context, request), next=after)


@get("/grid/interventions", opt=WITHOUT_MEMBER, **SHARED)
def interventions(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    at: AtSlot = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> InterventionPage:
    """What was asked of devices for lines, summed over the homes of each, and what the network pays for it."""
    run = run_context.run()
    rows, after = page_of(run_context, Pageable.INTERVENTIONS, limit, cursor, slot=at_slot(run_context, run, at))
    return InterventionPage(items=_seen(intervention, rows, run_context, request), next=after)


def _seen(
    record: Callable[[Row, SeenLines], T], rows: Sequence[Row], run_context: RunContext, request: ApiRequest
) -> list[T]:
    """Records of rows as far as the viewer sees them; without a network there are none."""
    lines = run_context.lines(run_context.run(), request.user)
    return [] if lines is None else [record(row, lines) for row in rows]


HANDLERS = (loads, line_forecasts, interventions)
