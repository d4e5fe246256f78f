"""From what homes pay without a market down to what one plan for all pays, step by step: who knew what, who agreed.

Each step differs from the one before by one thing, so that the differences say where a gain was left, and sum to it. In
another order they would be others: true forecasts are worth most to homes that agree.
Money that moves between members sums to nothing, so only what batteries did counts: trades that were not kept, and
orders that did not meet, cost those who sent them, and not all together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec.structs import replace as replace_fields

from transactive.config.setting import Setting
from transactive.core.slot_book import SlotBook
from transactive.core.units import PPM, IntArray
from transactive.engine.devices.fleet import LOOK_AHEAD
from transactive.engine.kernel import Kernel
from transactive.engine.observer import Observer
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of
from transactive.environment.standing_charges import standing_charges_n
from transactive.forecasting.series import FloatArray
from transactive.insight.shares import ratio
from transactive.studies.gain.faced import Foreknown, faced, part
from transactive.studies.gain.program import BestPlan, FacedStreet, best_plan

ROUNDS = 3
"""So often each home plans anew for what the others plan."""


@dataclass(frozen=True, slots=True)
class GainSteps:
    """What all members pay [n¤], charge credited; from apart_n on each differs from the one before by one thing.

    without_n: without a market. alone_n: so, and each home knew all that came. met_n: batteries as without a market,
    but what one gives and another takes meets. apart_n: with the market, each battery planned for its own home.
    market_n: as they were run. gates_n: so, and at each gate what the slot will bring was known. foreknown_n: all that
    came was. agreed_n: each home's plan, made once a period for as far as a run looks, is
    the best for all, given what the others plan. by_period_n: one plan for all, so. together_n: one plan for all and
    all slots. guessed_n: as agreed_n, but on the means of what the run forecast, and kept to whatever came.
    """

    without_n: int
    alone_n: int
    met_n: int
    apart_n: int
    market_n: int
    gates_n: int
    foreknown_n: int
    agreed_n: int
    by_period_n: int
    together_n: int
    guessed_n: int

    @property
    def left(self) -> dict[str, int]:
        """Where the gain that was not reached went [n¤], by its reason; they sum to it."""
        return {
            "what a gate cannot know of its slot": self.market_n - self.gates_n,
            "forecasts that plans are made of": self.gates_n - self.foreknown_n,
            "homes that plan at once, each for its share": self.foreknown_n - self.agreed_n,
            "homes that agree in turn, and not all together": self.agreed_n - self.by_period_n,
            "plans that look a day beyond their period": self.by_period_n - self.together_n,
        }


def share(saved_n: int, without_n: int, together_n: int) -> float | None:
    """Part of the possible gain that was saved, below 0 where something was lost; None where nothing can be gained."""
    whole = without_n - together_n
    return ratio(saved_n, whole) if whole > 0 else None


@dataclass(slots=True)
class SeenRun(Observer):
    """What a run metered and traded, slot by slot; for those that differ, counted.

    beside_wh: sold and not delivered, or bought and not taken. apart: slots with orders of both sides and no trade.
    """

    meters: list[tuple[IntArray, ...]] = field(default_factory=list)
    beside_wh: int = 0
    traded_wh: int = 0
    apart: int = 0

    def settled(self, book: SlotBook) -> None:
        """Count a slot."""
        readings, baseline, positions = book.readings, book.baseline, book.positions
        self.meters.append((readings.import_wh, readings.export_wh, baseline.import_wh, baseline.export_wh))
        short = np.maximum(positions.sold_wh - readings.export_wh, 0)
        unused = np.maximum(positions.bought_wh - readings.import_wh, 0)
        self.beside_wh += int(short.sum() + unused.sum())
        self.traded_wh += int(positions.bought_wh.sum())
        buys = book.orders.is_buy
        self.apart += bool(buys.any() and not buys.all() and not positions.bought_wh.any())


def paid_by(walk: Kernel) -> tuple[int, int]:
    """What all members paid in a finished run without the market, and with it [n¤]."""
    bills = bills_of(walk)
    without = sum(bill.without_market_n - bill.without_market_credit_n for bill in bills)
    return without, without - sum(bill.saved_n for bill in bills)


def possible(setting: Setting, slots: range, rest_price: int) -> tuple[int, int]:
    """Find what could have been paid at least [n¤]: by each home alone with its tariff, and by one plan for all.

    rest_price: what a Wh is worth that batteries can deliver after the last slot: in a run the cheapest supply price.
    Raises InputError for a community that the plan for all does not know how to serve.
    """
    street, standing = faced(setting, slots, rest_price), _standing_n(setting, slots)
    alone, together = (round(best_plan(each).cost_n) + standing for each in (street.alone(), street))
    return alone, together


def steps(setting: Setting, slots: range) -> tuple[GainSteps, SeenRun]:
    """Run slots as they are and with true forecasts, and plan them in each better way. Raises as `possible` does."""
    walk, seen = recorded_run(setting, slots), SeenRun()
    walk.observers.append(seen)
    walk.run()
    rest, standing = walk.tally.cheapest_supply, _standing_n(setting, slots)
    alone, together = possible(setting, slots, rest)
    knowing, near = recorded_run(setting, slots), recorded_run(setting, slots)
    knowing.known.net_load_forecast = Foreknown(setting)
    near.known.net_load_forecast = Foreknown(setting, near.known.net_load_forecast)
    apart = recorded_run(_apart(setting), slots)
    for run in (knowing, near, apart):
        run.run()
    without, market = paid_by(walk)
    unmoved = [np.array([row[side] for row in seen.meters]) for side in (2, 3)]
    left_wh = walk.baseline_fleet.left_wh() - walk.devices.deliverable_wh(walk.devices.first_charged_wh)
    periods = _periods(setting, slots)
    reach = range(slots[0], slots[0] + periods[-1][2] * slots.step, slots.step)
    ahead = faced(setting, reach, rest)

    def forecast(first: int, looks: int) -> IntArray:
        at = walk.timetable.planned_at(slots[first])
        means: IntArray = walk.known.forecast(at, reach[first:looks]).net_load_wh.mean(axis=1).round().astype(np.int64)
        return means

    found = GainSteps(
        without_n=without,
        alone_n=alone,
        met_n=round(cost_n(faced(setting, slots, rest), *unmoved)) - rest * int(left_wh.sum()) + standing,
        apart_n=paid_by(apart)[1],
        market_n=market,
        gates_n=paid_by(near)[1],
        foreknown_n=paid_by(knowing)[1],
        agreed_n=round(_by_period(ahead, periods, _agreed)) + standing,
        by_period_n=round(_by_period(ahead, periods, best_plan)) + standing,
        together_n=together,
        guessed_n=round(_by_period(ahead, periods, _agreed, forecast)) + standing,
    )
    return found, seen


def cost_n(street: FacedStreet, taken_wh: IntArray | FloatArray, given_wh: IntArray | FloatArray) -> float:
    """What all pay for what their meters count, (slots, homes), whoever traded with whom [n¤]."""
    taken, given = taken_wh.sum(axis=1), given_wh.sum(axis=1)
    local = np.minimum(taken, given) * np.maximum(street.room, 0)
    return float((street.supply * taken - street.feed_in * given - local).sum())


def _apart(setting: Setting) -> Setting:
    """The same community, each battery planned for its own home."""
    trading = replace_fields(setting.community.trading, plans="alone")
    return replace(setting, community=replace_fields(setting.community, trading=trading))


def _standing_n(setting: Setting, slots: range) -> int:
    """Standing charges of all members, which are owed with a market as without [n¤]."""
    return sum(int(standing_charges_n(setting.community, slot).sum()) for slot in slots)


def _periods(setting: Setting, slots: range) -> list[tuple[int, int, int]]:
    """First and end row of each period in `slots`, and the row up to which its plan looks."""
    clock = setting.community.clock
    whole = clock.slots_per_period * clock.length
    starts = [slot for slot in slots if slot == slots[0] or slot % whole == 0]
    looks = [min(slot // whole * whole + whole + LOOK_AHEAD, setting.end) for slot in starts]
    times = zip(starts, [*starts[1:], slots.stop], looks, strict=True)
    return [
        ((a - slots[0]) // clock.length, (b - slots[0]) // clock.length, (c - slots[0]) // clock.length)
        for a, b, c in times
    ]


def _by_period(
    street: FacedStreet,
    periods: list[tuple[int, int, int]],
    plan: Callable[[FacedStreet], BestPlan],
    forecast: Callable[[int, int], IntArray] | None = None,
) -> float:
    """What is paid [n¤] where batteries follow a plan of each period, which knows no more than it looks at.

    street: of all rows that plans look at, with what counts as the worth of a Wh at the end. forecast: of net load in
    rows from a first to an end [Wh], (rows, homes); without it what will come is known.
    """
    charged = street.charged_wh
    drawn, discharged = [], []
    for first, end, looks in periods:
        seen = part(street, first, looks, charged, int(street.supply[first:looks].min()))
        found = plan(seen if forecast is None else replace(seen, net_load_wh=forecast(first, looks)))
        rows = end - first
        drawn.append(found.draw_wh[:rows])
        discharged.append(found.give_wh[:rows])
        charged = found.held_wh[rows - 1]
    followed = part(street, 0, periods[-1][1], street.charged_wh, street.rest_price)
    return _followed(followed, np.concatenate(drawn), np.concatenate(discharged), charged)


def _agreed(street: FacedStreet) -> BestPlan:
    """Let each home in turn plan the best for all, given what the others plan, from batteries at rest."""
    draw, give = (np.zeros(street.net_load_wh.shape) for _ in range(2))
    held = draw + street.charged_wh
    for _ in range(ROUNDS):
        for home in np.flatnonzero(street.devices.capacity_wh).tolist():
            net = street.net_load_wh + draw - give
            own = best_plan(street.of_home(home, np.maximum(net, 0), np.maximum(-net, 0)))
            draw[:, home], give[:, home], held[:, home] = own.draw_wh[:, 0], own.give_wh[:, 0], own.held_wh[:, 0]
    return BestPlan(_followed(street, draw, give, held[-1]), draw, give, held)


def _followed(street: FacedStreet, draw_wh: FloatArray, give_wh: FloatArray, held_wh: FloatArray) -> float:
    """What is paid [n¤] where batteries did so and hold so much at the end, (homes,)."""
    net = street.net_load_wh + draw_wh - give_wh
    more = ((held_wh - street.charged_wh) * street.devices.efficiency_ppm).sum() / PPM
    return cost_n(street, np.maximum(net, 0), np.maximum(-net, 0)) - street.rest_price * float(more)
