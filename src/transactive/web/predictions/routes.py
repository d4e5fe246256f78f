"""Routes of the questions that a community asks about itself: a page, and the API."""

from __future__ import annotations

import time
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Template

from transactive.core.errors import ChainError
from transactive.services.predictions import (
    AskedQuestion,
    StakedTotals,
    asked_questions,
    has_market,
    market_url,
    staked_totals,
)
from transactive.store.read.history.kept import kept_sums
from transactive.store.read.runs import Reader
from transactive.texts.formatting import Words, stamp
from transactive.texts.predictions import QUANTITIES, THIN_MARKETS, TOOLS, outcome_words
from transactive.web.api.paging import SHARED
from transactive.web.authentication import WITHOUT_GRID
from transactive.web.explorer.pages import frame
from transactive.web.forecasts.routes import newest_leaders
from transactive.web.predictions.page import predictions_page
from transactive.web.predictions.records import PredictionList, PredictionView, ShareTrade
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

KEPT_SECONDS = 10
"""How long an answer of the chain is shown again, so that many viewers ask it once."""


@get("/predictions", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def predictions(request: Request[Viewer, Any, Any], run_context: NamedDependency[RunContext]) -> Template:
    """Questions with their odds, newest first; a chain that does not answer is told."""
    run, reader = run_context.run(), run_context.reader
    context = frame(run, reader.position(), request.user, run_context.feed.idle)
    asked, staked, silent = list[AskedQuestion](), None, ""
    try:
        asked, staked = _asked(reader), _staked(reader)
    except ChainError as error:
        silent = str(error)
    page = predictions_page(
        asked, newest_leaders(run_context), staked, Words(run.community.currency, run.community.zone)
    )
    there = has_market(reader.store.path.parent)
    return Template("predictions.html", context={**context, **page, "silent": silent, "there": there})


@get("/predictions", opt=WITHOUT_GRID, **SHARED)
def prediction_list(run_context: NamedDependency[RunContext]) -> PredictionList:
    """Questions about what the community will use or make, with the prices of their shares; none without a market."""
    run_context.run()
    items = [_view(one) for one in _asked(run_context.reader)]
    return PredictionList(items=items, means=TOOLS, thin_markets=THIN_MARKETS)


def _asked(reader: Reader) -> list[AskedQuestion]:
    """All questions, as the chain has them or had them a moment ago. Raises ChainError if it does not answer."""
    folder = reader.store.path.parent
    key = ("predictions", int(time.time()) // KEPT_SECONDS)
    return kept_sums(reader).of(key, lambda: asked_questions(folder, market_url(reader.store)))


def _staked(reader: Reader) -> StakedTotals | None:
    """Stakes on the days around now, as the chain has them or had them a moment ago. Raises ChainError."""
    folder = reader.store.path.parent
    key = ("stakes", int(time.time()) // KEPT_SECONDS)
    return kept_sums(reader).of(key, lambda: staked_totals(folder, market_url(reader.store)))


def _view(asked: AskedQuestion) -> PredictionView:
    """A question as the API says it."""
    question, found = asked.question, asked.question.outcome
    return PredictionView(
        number=question.number,
        quantity=QUANTITIES[question.lane],
        begins=stamp(question.begins),
        ends=stamp(question.ends),
        trading_ends=stamp(question.closes_at),
        stage=question.stage,
        outcomes=[outcome_words(question.bounds, place) for place in range(len(question.prices))],
        bounds_wh=list(question.bounds),
        blur_wh=question.blur,
        prices=list(question.prices),
        metered_wh=None if found is None else found.total,
        substituted_wh=None if found is None else found.substituted,
        trades=[
            ShareTrade(
                time=stamp(trade.at),
                outcome=trade.outcome,
                shares_n=str(trade.shares),
                money_n=str(trade.money),
                prices=list(trade.prices),
            )
            for trade in asked.trades
        ],
    )
