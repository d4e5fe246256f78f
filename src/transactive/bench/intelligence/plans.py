"""What the batteries' plans are worth: ten weeks of the demo's homes, at expected and at flat prices of deviations.

And how near a run's plans come to perfect foresight: the homes alone with their tariff, the last 73 days, 6.4 kWh each.

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
from transactive.core.community.members import Devices
from transactive.core.slots import DAY, parse_time
from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import NANO
from transactive.engine.devices.fleet import Prices
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_of
from transactive.studies.battery import Recorded, as_in_a_run, foreseen, without_control
from transactive.trading.devices.energy_value import PricePair, inside_prices
from transactive.trading.devices.stores import NO_LIMIT_WH

WEEKS = (
    *("2016-09-05", "2016-10-17", "2016-12-05", "2017-01-16", "2017-02-27"),
    *("2017-04-10", "2017-05-15", "2017-06-05", "2017-06-26", "2017-07-17"),
)


TESTED_DAYS = 73
EXPORT_PRICE = 80_000
"""What an exported Wh brings where energy costs more [µ¤/kWh]."""


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
    yield foresight_share(setting)


def foresight_share(setting: Setting) -> Row:
    """Part of what perfect foresight saves against batteries at rest that plans made as in a run save."""
    community, measured, environment = setting.community, setting.measured, setting.environment
    homes, slots = len(community.members), len(measured.consumption_wh)
    capacity, power, efficiency = (np.full(homes, value, np.int64) for value in (6_400, 5_000, 900_000))
    price = environment.supply_price[(measured.first_slot - environment.first_slot) // community.clock.length :][:slots]
    recorded = Recorded(
        measured.first_slot,
        community.clock.length,
        measured.consumption_wh,
        measured.generation_wh,
        price,
        np.minimum(EXPORT_PRICE, price),
        Devices(0 * capacity, capacity, power, efficiency),
        initial_wh=0,
        most_import_wh=NO_LIMIT_WH,
    )
    tested = range(slots - TESTED_DAYS * DAY // recorded.length, slots)
    ways = without_control(recorded, tested), as_in_a_run(recorded, tested), foreseen(recorded, tested, lambda _: None)
    idle, planned, best = (int(way.cost_n.sum()) for way in ways)
    return Row(
        name=f"share of what perfect foresight saves, {homes} homes, {TESTED_DAYS} days",
        value=100 * (idle - planned) / (idle - best),
        unit="%",
        reference="perfect foresight",
        reference_value=100.0,
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
