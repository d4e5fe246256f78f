"""Routes of the API for forecasts and the models that make them."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from transactive.services.privacy.consents import withheld
from transactive.store.model_records import ActiveModelRecord, ModelEvent, ModelRecord
from transactive.store.read import models as kept
from transactive.store.read.forecasts import ForecastOutcome, forecasters, told_of
from transactive.store.read.pages import Pageable
from transactive.store.read.runs import Run
from transactive.texts.formatting import stamp
from transactive.web.api.model_records import (
    ForecastList,
    ModelDay,
    ModelDayList,
    ModelEventPage,
    ModelEventView,
    ModelPage,
    ModelView,
    SlotForecast,
)
from transactive.web.api.paging import SHARED, ApiRequest, Cursor, Limit, OfMember, page_of, whose
from transactive.web.authentication import SEES_ALL, WITHOUT_GRID
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext

Slot = Annotated[
    str | None, QueryParameter(name="slot", max_length=40, description="The slot, RFC 3339; without it the newest")
]
Target = Annotated[str, QueryParameter(name="target", max_length=40, description="What is forecast")]


@get("/forecasts", opt=WITHOUT_GRID, **SHARED)
def forecasts(
    request: ApiRequest, run_context: NamedDependency[RunContext], of_slot: Slot = None, of: OfMember = None
) -> ForecastList:
    """What was forecast of a slot, of all together and of each member; a member's token shows its own."""
    run = run_context.run()
    only, cleared = whose(run_context, run, request, of), run_context.reader.position().cleared
    slot = cleared if of_slot is None else run_context.slot(run, of_slot)
    if cleared is None or slot is None or slot > cleared:
        raise NotFound(f"slot {of_slot or 'of the run'}: its gate has not closed yet")
    names = forecasters(run_context.reader)
    now, folder = int(time.time()), run_context.reader.store.path.parent
    hidden = set() if request.user.member else withheld(folder, run.community, "forecasts", now)
    told = [one for one in told_of(run_context.reader, run, slot) if only is None or one.member in (None, only)]
    told = [one for one in told if one.member not in hidden]
    return ForecastList(items=[_forecast(one, names, run) for one in told])


@get("/models", opt=SEES_ALL, **SHARED)
def models(run_context: NamedDependency[RunContext], limit: Limit = 100, cursor: Cursor = None) -> ModelPage:
    """Trained models of the run, with their tests."""
    rows, after = page_of(run_context, Pageable.MODELS, limit, cursor)
    return ModelPage(items=[_model(msgspec.json.decode(row["record"], type=ModelRecord)) for row in rows], next=after)


@get("/model-events", opt=SEES_ALL, **SHARED)
def model_events(run_context: NamedDependency[RunContext], limit: Limit = 100, cursor: Cursor = None) -> ModelEventPage:
    """What happened to the models: trained, promoted, drifted, replaced, recovered."""
    rows, after = page_of(run_context, Pageable.MODEL_EVENTS, limit, cursor)
    events = [msgspec.json.decode(row["record"], type=ModelEvent) for row in rows]
    items = [
        ModelEventView(
            number=e.number, time=stamp(e.at), target=e.target, kind=e.kind, text=e.text, model=e.model, by=e.by
        )
        for e in events
    ]
    return ModelEventPage(items=items, next=after)


@get("/model-days", opt=SEES_ALL, **SHARED)
def model_days(run_context: NamedDependency[RunContext], target: Target = "consumption") -> ModelDayList:
    """How the forecasts of a target fared day by day, and which model was active."""
    active_records = kept.active_records(run_context.reader.store, target)
    if not active_records:
        raise NotFound(f"target {target}: is not forecast in this run")
    return ModelDayList(items=[_day(active) for active in active_records])


def _forecast(told: ForecastOutcome, names: dict[int | None, str], run: Run) -> SlotForecast:
    """What was said, with names and times as text."""
    said = told.said
    figures = told.figures.tolist()
    quantiles = dict(zip(("q05", "q25", "q50", "q75", "q95", "mean"), figures, strict=True))
    member = None if told.member is None else run.names[told.member]
    return msgspec.convert(
        {
            "slot": stamp(said.slot),
            "target": said.target,
            "member": member,
            "ahead": said.ahead,
            "issued": stamp(said.issued),
            "forecaster": names[said.model],
            "came": told.came,
            **quantiles,
        },
        type=SlotForecast,
    )


def _model(model: ModelRecord) -> ModelView:
    """A model; who its series are stays out."""
    test = model.contest
    return ModelView(
        number=model.number,
        target=model.target,
        forecaster=model.learnt.forecaster,
        status=model.status,
        sha256=model.hash,
        made_at=stamp(model.made_at),
        learnt_since=stamp(model.learnt.since),
        learnt_until=stamp(model.learnt.until),
        series=len(model.learnt.members),
        program=model.program,
        features=model.features,
        tested_days=test.days if test else None,
        pinball=test.pinball if test else None,
        covered=test.covered if test else None,
        against=test.against if test else None,
        against_pinball=test.against_pinball if test else None,
        statistic=test.statistic if test else None,
        p_value=test.p_value if test else None,
    )


def _day(active: ActiveModelRecord) -> ModelDay:
    """A day of a target."""
    day = active.day
    return ModelDay(
        target=active.target,
        until=stamp(active.since),
        model=active.model,
        inside=day.inside if day else None,
        counted=day.counted if day else None,
        pit=day.pit if day else None,
        pinball=day.pinball if day else None,
    )


HANDLERS = (forecasts, models, model_events, model_days)
