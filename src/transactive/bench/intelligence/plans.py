"""What the batteries' plans are worth: ten weeks of the demo's homes, at expected and at flat prices of deviations.

Saved = each home's bill with its own plan at the tariff − its bill with the market, all fourteen together, energy left
in the batteries credited in both. No chain and no database: they do not change a bill. Decision 0007 rests on these
rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.slots import parse_time
from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import NANO
from transactive.engine.devices.fleet import Prices
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_of
from transactive.trading.devices.energy_value import PricePair, inside_prices

WEEKS = (
    *("2016-09-05", "2016-10-17", "2016-12-05", "2017-01-16", "2017-02-27"),
    *("2017-04-10", "2017-05-15", "2017-06-05", "2017-06-26", "2017-07-17"),
)


@dataclass(frozen=True, slots=True)
class Week:
    """What a week brought: saved by all members [n¤], and how many of them ended worse."""

    saved_n: int
    worse: int


@bench("plans", summary="battery plans at expected against flat prices of deviations, ten weeks")
def plans(_: BenchTimer) -> Iterator[Row]:
    """Compare what all members save, week by week and in sum."""
    setting = load_setting(DEMO)
    expected, flat = [], []
    for start in WEEKS:
        expected.append(week(setting, start, inside_prices))
        flat.append(week(setting, start, flat_prices))
        yield _row(f"saved in the week from {start}", expected[-1].saved_n, flat[-1].saved_n)
    yield _row("saved in ten weeks", sum(w.saved_n for w in expected), sum(w.saved_n for w in flat))
    yield Row(
        name="member-weeks that end worse",
        value=sum(w.worse for w in expected),
        unit="of 140",
        reference="flat prices",
        reference_value=sum(w.worse for w in flat),
    )


def week(setting: Setting, start: str, prices: Prices) -> Week:
    """Run one week without a chain."""
    walk = recorded_run(setting, slots_of(setting, parse_time(f"{start}T00:00Z"), 7), prices=prices)
    walk.run()
    saved = [bill.saved_n for bill in bills_of(walk)]
    return Week(sum(saved), sum(amount < 0 for amount in saved))


def flat_prices(_: Forecast, tariffs: Sequence[Tariff]) -> PricePair:
    """The prices at which deviations meet inside, whichever way the community leans [µ¤/kWh]."""
    need, spare = np.array([(t.needs_pay + t.fee, t.gives_receive) for t in tariffs], np.int64).T
    return need, spare


def _row(name: str, saved_n: int, reference_n: int) -> Row:
    """One comparison in whole currency."""
    return Row(
        name=name,
        value=saved_n / NANO,
        unit="USD",
        reference="flat prices",
        reference_value=reference_n / NANO,
        ratio=saved_n / reference_n,
    )
