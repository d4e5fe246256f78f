"""The card of a member's battery: a day in one chart with its plan, each slot with its reason, and the next day."""

from __future__ import annotations

from typing import Any

from transactive.services.battery_days import BatteryDay, ComingSlot, ExplainedSlot, battery_day
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import figure
from transactive.web.charts.battery import battery_chart
from transactive.web.pages.parts.times import slot_mark


def battery_part(
    reader: Reader, run: Run, member: int, first_wh: int, start: int, last: int, *, with_plans: bool = True
) -> dict[str, Any] | None:
    """The card of a member's battery from midnight `start` to slot `last`; None without a battery.

    first_wh: what it held at midnight [charged Wh]. with_plans: whether its plans may be seen.
    """
    day = battery_day(reader, run, member, first_wh, start, last, with_plans=with_plans)
    if day is None:
        return None
    words, device = Words(run.community.currency, run.community.zone), run.community.members[member]
    tomorrow = words.next_day(start)
    return {
        "chart": battery_chart(day.delivered, day.rest, run, start, device.battery_wh, words),
        "withheld": not with_plans,
        "size": figure(f"{device.battery_wh / 1000:g}"),
        "sums": _sums(day, run, words),
        "rows": [_delivered_row(slot, run, words) for slot in day.delivered],
        "rest": [_coming_row(slot, run, words) for slot in day.rest],
        "next": {
            "day": words.day(tomorrow),
            "chart": battery_chart((), day.next_day, run, tomorrow, device.battery_wh, words),
            "rows": [_coming_row(slot, run, words) for slot in day.next_day],
        }
        if day.next_day
        else None,
        "made": None if day.made is None else words.moment(day.made),
        "explained": any(slot.planned for slot in day.delivered),
    }


def _sums(day: BatteryDay, run: Run, words: Words) -> dict[str, str] | None:
    """What the day came to so far."""
    if not day.delivered:
        return None
    charged, given = (sum(slot.row[name] for slot in day.delivered) for name in ("charge_wh", "discharge_wh"))
    newest = day.delivered[-1]
    return {
        "charged": kwh_text(charged),
        "given": kwh_text(given),
        "left": kwh_text(newest.after_wh),
        "at": words.clock(newest.row["slot"] + run.clock.length),
    }


def _delivered_row(slot: ExplainedSlot, run: Run, words: Words) -> tuple[str, ...]:
    row = slot.row
    flows = kwh_text(row["charge_wh"], 3), kwh_text(row["discharge_wh"], 3)
    planned = "–" if slot.planned is None else kwh_text(slot.planned.held_wh[1], 2)
    held = kwh_text(slot.after_wh, 2)
    return (slot_mark(row["slot"], run.clock.length, words), slot.reason, *flows, held, planned)


def _coming_row(slot: ComingSlot, run: Run, words: Words) -> tuple[str, ...]:
    low, middle, high = (kwh_text(wh, 2) for wh in slot.planned.held_wh)
    flows = kwh_text(slot.charge_wh, 3), kwh_text(slot.discharge_wh, 3)
    mark = slot_mark(slot.planned.slot, run.clock.length, words)
    return (mark, slot.reason, *flows, middle, f"{low} – {high}")
