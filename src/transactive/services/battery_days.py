"""A battery through a day: what it did and why, beside its plan; and what it plans next.

Reasons come from what the plan weighed as it was made, which the run keeps; slots of before it was kept have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.community.members import drawn_wh
from transactive.store.devices.plans import plans_of
from transactive.store.read.members import slots_of
from transactive.store.read.runs import Reader, Row, Run
from transactive.texts import battery_reasons as texts
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import _
from transactive.trading.devices.made import MadePlan, WeighedSlot
from transactive.trading.devices.neighbours import of_owners
from transactive.trading.devices.why import BatteryLimits, Did, MovedEnergy, Why, rule_flow_wh, why

LEAST_N = 500_000
"""What a plan would have cost otherwise is said from here on [n¤]: half of what the last digit shows."""


@dataclass(frozen=True, slots=True)
class ExplainedSlot:
    """A delivered slot: the member's row, what its battery held before and after it [charged Wh], and why."""

    row: Row
    before_wh: int
    after_wh: int
    planned: WeighedSlot | None
    why: Why
    reason: str


@dataclass(frozen=True, slots=True)
class ComingSlot:
    """A planned slot: what the battery would charge and give at the expected load [Wh], and why."""

    planned: WeighedSlot
    charge_wh: int
    discharge_wh: int
    why: Why
    reason: str


@dataclass(frozen=True, slots=True)
class BatteryDay:
    """A battery's day from midnight: delivered slots, then planned ones of the day, and those of the next day.

    made: when the plan of the coming slots was made [Unix s]; None without one.
    """

    start: int
    delivered: tuple[ExplainedSlot, ...]
    rest: tuple[ComingSlot, ...]
    next_day: tuple[ComingSlot, ...]
    made: int | None


def battery_day(
    reader: Reader, run: Run, member: int, first_wh: int, start: int, last: int, *, with_plans: bool = True
) -> BatteryDay | None:
    """The day of a member's battery that begins at `start`, delivered up to slot `last`; None without a battery.

    first_wh: what it held at midnight [charged Wh]. with_plans: whether its plans, which tell forecasts, may be seen.
    """
    limits = limits_of(run, member)
    if not limits.capacity_wh:
        return None
    clock, words = run.clock, Words(run.community.currency, run.community.zone)
    end = words.next_day(start)
    period = clock.slots_per_period * clock.length
    plans = [plan for plan in plans_of(reader.store, start - period, end) if with_plans and plan.made < end]
    rows = slots_of(reader, member, start, min(last, end - 1))
    found, held = [], first_wh
    for row in rows:
        planned = _weighed(plans, row["slot"], member)
        found.append(_explained(row, held, limits, planned, words, _promised_wh(run, member, row)))
        held = found[-1].after_wh
    first = max(last + clock.length, start)
    rest, held = _coming(plans, range(first, end, clock.length), member, held, limits, words)
    following, _ = _coming(plans, range(end, words.next_day(end), clock.length), member, held, limits, words)
    made = next((slot.planned.made for slot in (*following, *rest)), None)
    return BatteryDay(start, tuple(found), tuple(rest), tuple(following), made)


def limits_of(run: Run, member: int) -> BatteryLimits:
    """What a member's battery can hold and do."""
    device, devices = run.community.members[member], run.community.devices
    power = int(devices.power_wh[member])
    return BatteryLimits(device.battery_wh, device.battery_reserve_wh, power, device.battery_efficiency_ppm)


def reason_text(found: Why, planned: WeighedSlot | None, load_wh: int, words: Words) -> str:
    """A delivered slot's reason, in sentences. load_wh: of the home without the battery."""
    sentences = texts.PLAIN if found.worth is None else texts.WEIGHED
    parts = [_(sentences[found.did], **_figures(found, words))]
    if found.otherwise_n is not None and found.otherwise_n >= LEAST_N:
        saved = f"{words.small(found.otherwise_n, 1)} {words.coin}"
        parts.append(_(texts.OTHERWISE, saved=saved))
    if found.at_power:
        parts.append(_(texts.AT_POWER))
    if found.rule_wh is not None:
        by_plan = texts.BY_PLAN_CHARGED if found.rule_wh > 0 else texts.BY_PLAN_GIVEN
        parts.append(_(by_plan if found.rule_wh else texts.BY_PLAN_RESTED, kwh=kwh_text(abs(found.rule_wh), 2)))
    if found.surprised and planned is not None:
        low, high, came = (kwh_text(wh, 2) for wh in (planned.load_wh[0], planned.load_wh[-1], load_wh))
        parts.append(_(texts.SURPRISED, low=low, high=high, came=came))
    return " ".join(parts)


def _figures(found: Why, words: Words) -> dict[str, str]:
    price, worth = (words.per_kwh(each or 0) for each in (found.price, found.worth))
    return {"kwh": kwh_text(found.energy_wh, 2), "price": price, "worth": worth}


def _promised_wh(run: Run, member: int, row: Row) -> int:
    """Bought − sold ahead in a slot [Wh], where the member's battery keeps to it."""
    if not run.community.plans_among:
        return 0
    return int(of_owners(run.community.devices.rows(np.array([member])), row["bought_wh"] - row["sold_wh"])[0])


def _explained(
    row: Row, held: int, limits: BatteryLimits, planned: WeighedSlot | None, words: Words, promised_wh: int
) -> ExplainedSlot:
    load = row["consumption_wh"] - row["generation_wh"]
    found = why(MovedEnergy(row["charge_wh"], row["discharge_wh"], load, held, promised_wh), limits, planned)
    after = held + row["charge_wh"] - int(drawn_wh(row["discharge_wh"], limits.efficiency_ppm))
    return ExplainedSlot(row, held, after, planned, found, reason_text(found, planned, load, words))


def _coming(
    plans: Sequence[MadePlan], slots: range, member: int, held: int, limits: BatteryLimits, words: Words
) -> tuple[list[ComingSlot], int]:
    """Slots as planned, at the middle of the expected loads, and what is held after them."""
    found: list[ComingSlot] = []
    for slot in slots:
        planned = _weighed(plans, slot, member) or _lent(plans, slot, member)
        if planned is None:
            return found, held
        load = planned.load_wh[1]
        flow = rule_flow_wh(MovedEnergy(0, 0, load, held), limits, planned)
        moved = MovedEnergy(max(flow, 0), max(-flow, 0), load, held)
        each = why(moved, limits, planned)
        figures = _figures(each, words)
        text = _(texts.COMING[each.did], **figures)
        if each.worth is not None and each.did not in (Did.FULL, Did.EMPTY, Did.AT_RESERVE, Did.RESTED):
            text = f"{text} {_(texts.LATER, **figures)}"
        found.append(ComingSlot(planned, moved.charge_wh, moved.discharge_wh, each, text))
        held += moved.charge_wh - int(drawn_wh(moved.discharge_wh, limits.efficiency_ppm))
    return found, held


def _weighed(plans: Sequence[MadePlan], slot: int, member: int) -> WeighedSlot | None:
    """What the plan weighed that was made for a slot."""
    made = next((plan for plan in plans if plan.slots[0] <= slot <= plan.slots[plan.own - 1]), None)
    return None if made is None else made.of(slot, member)


def _lent(plans: Sequence[MadePlan], slot: int, member: int) -> WeighedSlot | None:
    """What the newest plan expects of a slot that a later one will be made for."""
    return next((each for plan in plans if (each := plan.of(slot, member)) is not None), None)
