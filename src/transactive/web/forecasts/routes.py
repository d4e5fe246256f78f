"""Routes of the API for forecasts that others submit: totals to forecast from, sealed and shown, how they fared."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter

from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.services.forecasts.leaderboard import Leader, leaders, totals
from transactive.services.forecasts.submitting import forecaster_named, seal, show
from transactive.store.read.history.kept import kept_sums
from transactive.texts.forecasters import milli_wh
from transactive.texts.formatting import stamp
from transactive.web.api.paging import PROBLEMS, SHARED, ApiRequest
from transactive.web.authentication import FORESEES, SUBMITS
from transactive.web.forecasts.records import (
    ForecastOpenings,
    ForecastSeals,
    LeaderList,
    LeaderView,
    PublishedTotalList,
    PublishedTotalView,
    TakenView,
)
from transactive.web.problems import AccessDenied, Problem
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

NOT_LIVE = {
    409: ResponseSpec(
        Problem,
        description="The run is on recorded data",
        media_type="application/problem+json",
        generate_examples=False,
    )
}
MOST_DAYS = 366
Days = Annotated[int, QueryParameter(ge=1, le=MOST_DAYS, description="Days before the newest delivered slot")]


@get("/forecasts/leaderboard", opt=FORESEES, **SHARED)
def leaderboard(run_context: NamedDependency[RunContext]) -> LeaderList:
    """Who submits forecasts of the community's total, and how much better than the market's own they are."""
    return LeaderList(items=[_view(one) for one in newest_leaders(run_context)])


@get("/forecasts/totals", opt=FORESEES, **SHARED)
def published_totals(run_context: NamedDependency[RunContext], days: Days = 28) -> PublishedTotalList:
    """Totals of all members, slot by slot: what a forecaster may learn from. No reading of a home is in it."""
    run_context.run()
    reader = run_context.reader
    last = reader.position().delivered
    found = [] if last is None else totals(reader, last - days * DAY, last)
    return PublishedTotalList(items=[PublishedTotalView(slot=stamp(t.slot), net_load_wh=t.net_load_wh) for t in found])


@post("/forecasts/seals", opt=SUBMITS, **{**SHARED, "responses": PROBLEMS | NOT_LIVE})
def seal_forecasts(
    request: ApiRequest, run_context: NamedDependency[RunContext], data: JSONBody[ForecastSeals]
) -> TakenView:
    """Seal forecasts of the community's total, until a quarter of an hour before each gate. All or none is taken."""
    name = _submits_as(run_context, request.user)
    taken = seal(run_context.reader.store, name, [(each.slot, each.sha256) for each in data.seals])
    return TakenView(forecaster=name, slots=len(data.seals), received=stamp(taken.received))


@post("/forecasts/openings", opt=SUBMITS, **{**SHARED, "responses": PROBLEMS | NOT_LIVE})
def open_forecasts(
    request: ApiRequest, run_context: NamedDependency[RunContext], data: JSONBody[ForecastOpenings]
) -> TakenView:
    """Show sealed forecasts, in the last quarter of an hour before each gate. All or none is taken."""
    name = _submits_as(run_context, request.user)
    shown = [(each.slot, tuple(each.quantiles_wh), each.salt) for each in data.openings]
    taken = show(run_context.reader.store, name, shown)
    return TakenView(forecaster=name, slots=len(shown), received=stamp(taken.received))


def _submits_as(run_context: RunContext, viewer: Viewer) -> str:
    """Name by which a viewer submits. Raises AccessDenied for a token that only looks, or that no forecaster has."""
    if viewer.member is not None and not viewer.acts:
        raise AccessDenied(detail="This token only looks; `transactive token create --acts` makes one that may act.")
    try:
        return forecaster_named(run_context.run().community, name=viewer.forecaster, member=viewer.member)
    except InputError as error:
        raise AccessDenied(detail=str(error)) from None


def newest_leaders(run_context: RunContext) -> list[Leader]:
    """Standings up to the newest delivered slot; none before there is one, or where nobody may submit."""
    run, reader = run_context.run(), run_context.reader
    last = reader.position().delivered
    if last is None or not run.community.forecasters:
        return []
    return kept_sums(reader).of(("forecasters", last), lambda: leaders(reader, run, last))


def _view(leader: Leader) -> LeaderView:
    standing = leader.standing
    low, mean, high = (milli_wh(each) for each in (standing.low, standing.mean, standing.high))
    return LeaderView(
        forecaster=standing.forecaster,
        days=standing.days,
        slots=leader.slots,
        not_shown=leader.hidden,
        gain=mean,
        gain_low=low,
        gain_high=high,
        is_sure=standing.is_sure,
        paid_n=None if leader.paid_n is None else str(leader.paid_n),
    )


HANDLERS = (leaderboard, published_totals, seal_forecasts, open_forecasts)
