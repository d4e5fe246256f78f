"""Questions that a run's community asks about itself, with every trade, read from its chain."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.deployments.deployment import FILE, load
from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED
from transactive.store import Store

if TYPE_CHECKING:
    from transactive.chain.prediction.questions import MarketQuestion, Trade
    from transactive.chain.prediction.stakes import StakedPeriod

MARKET, POOL = "prediction_market", "forecast_pool"
DAYS_BACK, DAYS_AHEAD = 6, 2
"""Periods around the newest block whose stakes are shown."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question and its trades, oldest first."""

    question: MarketQuestion
    trades: list[Trade]


def has_market(folder: Path) -> bool:
    """Whether the deployment of a state folder names a market for predictions."""
    path = folder / FILE
    return path.is_file() and MARKET in load(path).contracts


@dataclass(frozen=True, slots=True)
class StakedTotals:
    """Periods on which somebody has staked, newest first. lane: which total; slot_seconds: length of a slot [s]."""

    lane: int
    slot_seconds: int
    periods: list[StakedPeriod]


def market_url(store: Store) -> str:
    """Chain of a run: the node at which it settled, or the file in its folder."""
    node: str | None = json.loads(store.setting("run") or "{}").get("node")
    return node or f"{EMBEDDED}{store.path.parent / CHAIN_FILE}"


def asked_questions(folder: Path, url: str) -> list[AskedQuestion]:
    """All questions of the market that the deployment of a state folder names, newest first; none without a market.

    Raises ChainError if the chain does not answer.
    """
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.prediction.questions import Predictions

    if not has_market(folder):
        return []
    known = load(folder / FILE)
    with closing(ChainClient.open(url)) as client:
        client.first_block = known.block
        found = Predictions(client, known)
        return [AskedQuestion(one, found.trades(one)) for one in reversed(found.questions())]


def staked_totals(folder: Path, url: str) -> StakedTotals | None:
    """Stakes on forecasts of the last and the next periods, with the deployment of a state folder; None without a pool.

    Raises ChainError if the chain does not answer.
    """
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.prediction.questions import Predictions
    from transactive.chain.prediction.stakes import Stakes

    path = folder / FILE
    if not path.is_file() or POOL not in load(path).contracts:
        return None
    with closing(ChainClient.open(url)) as client:
        known = Predictions(client, load(path))
        stakes, length = Stakes(known), known.per_period * known.slot_seconds
        today = client.head_timestamp // length
        found = [stakes.period(number) for number in range(today + DAYS_AHEAD, today - DAYS_BACK - 1, -1)]
        return StakedTotals(stakes.terms["lane"], known.slot_seconds, [each for each in found if each.wagers])
