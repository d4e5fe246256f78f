"""A member's battery as programs read it: a day with its plan and reasons, and the next day's plan."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from transactive.core.errors import InputError
from transactive.services.battery_days import ComingSlot, ExplainedSlot, battery_day
from transactive.services.privacy.consents import sees_forecasts
from transactive.texts.formatting import Words, stamp
from transactive.web.api.paging import SHARED, ApiRequest, OfMember, whose
from transactive.web.api.records import Money, Price, Time, View, Wh
from transactive.web.authentication import WITHOUT_GRID
from transactive.web.history.periods import time_of
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext

Day = Annotated[
    str | None, QueryParameter(max_length=10, description="A local day, such as 2017-06-05; else the newest")
]
Band = Annotated[list[Wh], Meta(description="Low, middle and high: of ten cases one is below, and one above")]


class BatterySlotView(View, frozen=True, kw_only=True):
    """A slot of a battery, delivered or planned. Prices and worth are what the plan weighed as it was made."""

    slot: Time
    charge_wh: Annotated[Wh, Meta(description="At the meter")]
    discharge_wh: Annotated[Wh, Meta(description="At the meter")]
    held_wh: Annotated[Wh | None, Meta(description="After the slot; null while it is only planned")]
    planned_held_wh: Annotated[
        Band | None,
        Meta(description="After the slot; null where no plan was kept, or the home keeps its forecasts to itself"),
    ]
    planned_net_load_wh: Annotated[Band | None, Meta(description="Of the home without its battery")]
    planned_at: Annotated[Time | None, Meta(description="When the plan was made")]
    did: Annotated[str, Meta(description="Such as stored, took, served, gave, kept, left_room, full, empty, rested")]
    price_micro_per_kwh: Annotated[Price | None, Meta(description="What a kWh cost, saved or brought")]
    worth_micro_per_kwh: Annotated[Price | None, Meta(description="What it was worth held")]
    otherwise_n: Annotated[Money | None, Meta(description="What the plan would have cost more without it [n¤]")]
    reason: str


class BatteryDayView(View, frozen=True, kw_only=True):
    """A battery's day: what is delivered, what is planned of it, and the plan of the next day."""

    member: str
    start: Time
    delivered: list[BatterySlotView]
    rest: list[BatterySlotView]
    next_day: list[BatterySlotView]


@get("/battery", opt=WITHOUT_GRID, **SHARED)
def battery(
    request: ApiRequest, run_context: NamedDependency[RunContext], of: OfMember = None, day: Day = None
) -> BatteryDayView:
    """A member's battery on a day: each slot with the reason that its plan weighed, and the next day as planned."""
    run, position, totals = run_context.look()
    if of is None and request.user.member is None:
        raise InputError("member: name whose battery, such as ?member=house-04")
    index = whose(run_context, run, request, of)
    if index is None or position.delivered is None:
        raise NotFound("nothing is delivered yet: ask again when the first slot is over")
    words, device = Words(run.community.currency, run.community.zone), run.community.members[index]
    start = words.day_start(position.delivered if day is None else time_of(day, words))
    if not words.day_start(run.first_slot) <= start <= position.delivered:
        raise NotFound(f"day {day}: nothing of it is delivered in this run")
    held = device.battery_initial_wh + totals.days.before(start, "charged_wh", index)
    seen = sees_forecasts(run_context.reader.store.path.parent, run.community, index, request.user.member)
    found = battery_day(run_context.reader, run, index, held, start, position.delivered, with_plans=seen)
    if found is None:
        raise NotFound(f"member {device.id}: has no battery")
    return BatteryDayView(
        member=device.id,
        start=stamp(start),
        delivered=[_delivered(slot) for slot in found.delivered],
        rest=[_view(slot, slot.charge_wh, slot.discharge_wh, None) for slot in found.rest],
        next_day=[_view(slot, slot.charge_wh, slot.discharge_wh, None) for slot in found.next_day],
    )


def _delivered(slot: ExplainedSlot) -> BatterySlotView:
    return _view(slot, slot.row["charge_wh"], slot.row["discharge_wh"], slot.after_wh)


def _view(slot: ExplainedSlot | ComingSlot, charge_wh: int, discharge_wh: int, held_wh: int | None) -> BatterySlotView:
    planned, found = slot.planned, slot.why
    start = slot.planned.slot if isinstance(slot, ComingSlot) else slot.row["slot"]
    return BatterySlotView(
        slot=stamp(start),
        charge_wh=charge_wh,
        discharge_wh=discharge_wh,
        held_wh=held_wh,
        planned_held_wh=None if planned is None else list(planned.held_wh),
        planned_net_load_wh=None if planned is None else list(planned.load_wh),
        planned_at=None if planned is None else stamp(planned.made),
        did=found.did,
        price_micro_per_kwh=found.price,
        worth_micro_per_kwh=found.worth,
        otherwise_n=None if found.otherwise_n is None else str(found.otherwise_n),
        reason=slot.reason,
    )
