"""Why a battery did what it did: each slot of a day in words, from its meters, its level and the prices around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.core.community.members import Member, drawn_wh
from transactive.core.units import kwh_text
from transactive.store.read.members import slots_of
from transactive.store.read.runs import Reader, Row, Run
from transactive.texts.formatting import Words
from transactive.web.charts.battery import BatterySlot, battery_chart
from transactive.web.pages.parts.times import slot_mark

NEARLY = 50
"""A battery is full or empty within a fiftieth of what it holds."""


def battery_part(reader: Reader, run: Run, member: int, first_wh: int, start: int, last: int) -> dict[str, Any] | None:
    """The card of a member's battery from midnight `start` to slot `last`; None without a battery.

    first_wh: what it held at midnight [charged Wh].
    """
    device = run.community.members[member]
    if not device.battery_wh:
        return None
    words, length = Words(run.community.currency, run.community.zone), run.clock.length
    rows = slots_of(reader, member, start, min(last, words.next_day(start) - 1))
    slots = battery_slots(rows, device, first_wh, length, words)
    return {
        "chart": battery_chart(slots, run, start, device.battery_wh, words),
        "text": _day_text(slots, device, length, words),
        "rows": [
            (
                slot_mark(slot.row["slot"], length, words),
                kwh_text(slot.row["charge_wh"], 3),
                kwh_text(slot.row["discharge_wh"], 3),
                kwh_text(slot.after_wh, 2),
                slot.reason,
            )
            for slot in slots
        ],
    }


def battery_slots(rows: Sequence[Row], device: Member, first_wh: int, length: int, words: Words) -> list[BatterySlot]:
    """The slots of a day with the battery's levels around each, and why it did what it did."""
    found, held = [], first_wh
    for place, row in enumerate(rows):
        after = held + row["charge_wh"] - drawn_wh(row["discharge_wh"], device.battery_efficiency_ppm)
        found.append(BatterySlot(row, held, after, _reason(row, rows[place + 1 :], held, device, length, words)))
        held = after
    return found


def _reason(row: Row, later: Sequence[Row], held: int, device: Member, length: int, words: Words) -> str:
    """One slot in words: what the home had to spare or needed, what the battery did, and for when."""
    spare = row["generation_wh"] - row["consumption_wh"]
    if row["charge_wh"]:
        return _charged(row, spare, _use(later, length, words), words)
    if row["discharge_wh"]:
        return _gave(row, spare, words)
    margin = device.battery_wh // NEARLY
    if spare > 0:
        if held >= device.battery_wh - margin:
            return "Full: what the home had to spare went to the street."
        return f"Left room, and gave what the home had to spare to the street{_at_price(row, words)}."
    if spare < 0:
        if held <= device.battery_reserve_wh + margin:
            state = "At its reserve" if device.battery_reserve_wh else "Empty"
            return f"{state}: the home took what it needed from the street."
        use = _use(later, length, words)
        return f"Kept {kwh_text(held)} kWh{use}; the home took what it needed from the street{_at_price(row, words)}."
    return "The home neither needed anything nor had anything to spare."


def _charged(row: Row, spare: int, use: str, words: Words) -> str:
    if spare >= row["charge_wh"]:
        return f"Stored what the home had to spare{use}."
    if spare > 0:
        return f"Stored what the home had to spare, and took more from the street{_at_price(row, words)}{use}."
    return f"Charged from the street{_at_price(row, words)}{use}."


def _gave(row: Row, spare: int, words: Words) -> str:
    need = max(-spare, 0)
    tariff = f"{words.price(row['supply_price'])} {words.price_unit}"
    if row["discharge_wh"] <= need:
        rest = "" if row["discharge_wh"] == need else " in part"
        return f"Served the home{rest}: the supplier asks {tariff}."
    if need:
        return f"Served the home, and gave the rest to the street{_at_price(row, words)}."
    return f"Gave to the street{_at_price(row, words)}."


def _at_price(row: Row, words: Words) -> str:
    """The slot's market price, where there was a trade."""
    return f" at {words.price(row['price'])} {words.price_unit}" if row["traded_wh"] else ""


def _use(later: Sequence[Row], length: int, words: Words) -> str:
    """When on the same day the energy was used next, and what a kWh of the supplier costs there."""
    given = [row for row in later if row["discharge_wh"]]
    if not given:
        return ""
    dearest = max(given, key=lambda row: row["supply_price"])
    price = f"{words.price(dearest['supply_price'])} {words.price_unit}"
    return f" for {words.span(dearest['slot'], length)}, when the supplier asks {price}"


def _day_text(slots: Sequence[BatterySlot], device: Member, length: int, words: Words) -> str:
    """The day in a sentence or two."""
    if not slots:
        return "Nothing is delivered on this day yet."
    charged, given = (sum(slot.row[name] for slot in slots) for name in ("charge_wh", "discharge_wh"))
    size = f"{device.battery_wh / 1000:g}"
    text = f"It took {kwh_text(charged)} kWh and gave {kwh_text(given)}; {kwh_text(slots[-1].after_wh)} of {size} kWh"
    return f"{text} were left at {words.clock(slots[-1].row['slot'] + length)}."
