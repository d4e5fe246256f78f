"""What was said of a slot's total by the market, the pool and each who submitted: kept, read again, scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from transactive.core.community.community import Community
from transactive.core.units import IntArray
from transactive.forecasting.pool.bonuses import Gains, copies
from transactive.forecasting.pool.submissions import gains, loss
from transactive.forecasting.pool.totals import with_mean
from transactive.forecasting.series import LEVELS
from transactive.store.model_records import POOLED, SUBMITTED, ToldForecast

COPY_PARTS = 50
"""Forecasts are copies of one if they are nearer than this part of the market's own 90 % interval."""


@dataclass(frozen=True, slots=True, eq=False)
class SaidOfTotal:
    """What was said of a slot's total. own: by the market; made: by the pool, each (6,) [Wh].

    shown: quantiles as submitted, None where they were not shown, by forecaster. whole: the same for all members
    together, (6,). references: the market's own quantiles of what each forecasts.
    """

    own: IntArray
    made: IntArray
    shown: Mapping[str, tuple[int, ...] | None]
    whole: Mapping[str, IntArray]
    references: Mapping[str, tuple[int, ...]]


class ScoredSlot(NamedTuple):
    """Gains of a slot, how many gave each forecast, and by what the pool beat the market's own; gains in 1/20 Wh."""

    gains: Gains
    copies: Mapping[str, int]
    saved: int


def accounts_of(community: Community) -> dict[str, int | None]:
    """Member that each forecaster is paid as, by name."""
    ids = community.ids
    return {each.name: None if each.account is None else ids.index(each.account) for each in community.forecasters}


def scored(of: SaidOfTotal, net_load_wh: IntArray, accounts: Mapping[str, int | None]) -> ScoredSlot:
    """Score a slot that is over. net_load_wh: as metered, (members,)."""
    came = int(net_load_wh.sum())
    own = {name: 0 if (k := accounts[name]) is None else int(net_load_wh[k]) for name in of.shown}
    gained = gains(of.shown, of.references, {name: came - own[name] for name in of.shown})
    apart = max(int(of.own[len(LEVELS) - 1] - of.own[0]) // COPY_PARTS, 1)
    alike = copies({name: each[: len(LEVELS)].tolist() for name, each in of.whole.items()}, apart)
    saved = loss(of.own[: len(LEVELS)].tolist(), came) - loss(of.made[: len(LEVELS)].tolist(), came)
    return ScoredSlot(gained, alike, saved)


def rows_of(slot: int, gate: int, of: SaidOfTotal) -> Iterator[ToldForecast]:
    """What is kept of a slot: by the market and by the pool, then by each who sealed a forecast."""
    figures = {POOLED: np.stack((of.made, of.own))}
    for name in of.shown:
        reference, quantiles = with_mean(of.references[name]), of.shown[name]
        shown = () if quantiles is None else (with_mean(quantiles), of.whole[name])
        figures[SUBMITTED + name] = np.stack((reference, *shown))
    for target, each in figures.items():
        yield ToldForecast(slot=slot, target=target, ahead="slot", issued=gate, model=None, figures=each)


def heard_in(rows: Sequence[ToldForecast]) -> Iterator[tuple[int, SaidOfTotal]]:
    """What was said of each slot, from what was kept of it."""
    by_slot: dict[int, dict[str, IntArray]] = {}
    for row in rows:
        if row.target.startswith(POOLED):
            by_slot.setdefault(row.slot, {})[row.target] = row.figures
    for slot, figures in by_slot.items():
        made, own = figures.pop(POOLED)
        named = {target.removeprefix(SUBMITTED): each for target, each in sorted(figures.items())}
        shown = {n: tuple(each[1, : len(LEVELS)].tolist()) if len(each) > 1 else None for n, each in named.items()}
        whole = {name: each[2] for name, each in named.items() if len(each) > 1}
        references = {name: tuple(each[0, : len(LEVELS)].tolist()) for name, each in named.items()}
        yield slot, SaidOfTotal(own, made, shown, whole, references)
