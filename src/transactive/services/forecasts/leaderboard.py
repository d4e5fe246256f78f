"""How those who submit forecasts fare: gains against the market's own forecast, with intervals, and what was paid.

Everything follows from what the run kept of each slot. The newest 13 weeks count, as a forecaster is as good as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.slots import DAY
from transactive.engine.models.said_of_total import SaidOfTotal, accounts_of, heard_in, scored
from transactive.forecasting.pool.bonuses import ForecasterStanding, leaderboard
from transactive.store.read.history.submitted import bonuses_n, metered
from transactive.store.read.models import said
from transactive.store.read.runs import Reader, Run

DAYS = 91
SEED = 1
"""Of the days that are drawn for intervals: everybody sees the same ones."""
CRPS = 50
"""Twentieths of a Wh of summed pinball loss in a Wh of CRPS."""


@dataclass(frozen=True, slots=True)
class Leader:
    """A forecaster's standing. slots: for which it sealed a forecast; hidden: of them, that it did not show.

    paid_n: what its account got for forecasts in the whole run [n¤]; None without an account.
    """

    standing: ForecasterStanding
    slots: int
    hidden: int
    paid_n: int | None


@dataclass(frozen=True, slots=True)
class PublishedTotal:
    """What all members used together in a slot, less what they made [Wh]; None where not all meters were read."""

    slot: int
    net_load_wh: int | None


def leaders(reader: Reader, run: Run, last: int) -> list[Leader]:
    """Everybody who submitted for the newest slots up to a delivered one [Unix s], who is better for sure first."""
    first, accounts = max(last - DAYS * DAY, run.first_slot), accounts_of(run.community)
    heard, daily = dict(heard_in(said(reader.store, first, last))), dict[str, dict[int, int]]()
    for slot, net_load in metered(reader, first, last):
        if slot not in heard or net_load is None:
            continue
        for name, gain in scored(heard[slot], net_load, accounts).gains.items():
            of_day = daily.setdefault(name, {})
            of_day[slot // DAY] = of_day.get(slot // DAY, 0) + gain
    columns = {name: np.array(list(days.values()), np.int64) for name, days in daily.items()}
    paid = bonuses_n(reader, run, last)
    return [
        Leader(one, *_counted(heard, one.forecaster), None if (k := accounts[one.forecaster]) is None else paid[k])
        for one in leaderboard(columns, np.random.default_rng(SEED))
    ]


def totals(reader: Reader, first: int, last: int) -> list[PublishedTotal]:
    """Totals of delivered slots, which anybody may see who forecasts them."""
    found = metered(reader, first, last)
    return [PublishedTotal(slot, None if each is None else int(each.sum())) for slot, each in found]


def _counted(heard: dict[int, SaidOfTotal], name: str) -> tuple[int, int]:
    """For how many slots somebody sealed a forecast, and how many of these it did not show."""
    sealed = [of.shown[name] for of in heard.values() if name in of.shown]
    return len(sealed), sealed.count(None)
