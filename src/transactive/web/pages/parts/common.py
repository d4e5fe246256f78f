"""Parts that both pages show: the slot line, the supply and demand of a slot, its energy flow, freshness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transactive.core.units import kwh_text
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.texts.formatting import Words, counted, percent, span_of_time
from transactive.web.charts.flow import PIPES, Flow, flow_chart
from transactive.web.charts.market import CurveStep, curve, curve_chart
from transactive.web.events import id_text, newest

LATE, SILENT = 30, 120
"""Seconds without a new slot after which an unfinished run counts as late, and as silent."""


@dataclass(frozen=True, slots=True)
class LineStep:
    """One step on the slot line. state: done, current or to come."""

    name: str
    text: str
    state: str


def slot_line(row: Row, run: Run, words: Words, *, postings: int, bundles: int) -> list[LineStep]:
    """The seven steps of a slot with what each of them gave; the first one not done is lit."""
    delivered = row["meters"] is not None
    members = len(run.community.members)
    refused = f", {row['refusals']} refused" if row["refusals"] else ""
    cleared = f"{words.price(row['price'])} {words.coin} · {kwh_text(row['traded_wh'])} kWh"
    steps = [
        ("Reading", f"{row['meters']} of {members} meters" if delivered else counted(members, "meter")),
        ("Forecast", f"as known at {words.clock(run.clock.gate(row['slot']))}"),
        ("Order", counted(row["orders"], "order") + refused),
        ("Clearing", cleared if row["traded_wh"] else "no trade"),
        ("Delivery", f"{kwh_text(row['consumption_wh'])} kWh used" if delivered else "under way"),
        ("Settlement", counted(postings, "posting") if delivered else "after delivery"),
        ("Certificate", counted(bundles, "bundle") if delivered else "after settlement"),
    ]
    lit = len(steps) if delivered else 4
    states = ["done" if k < lit else "current" if k == lit else "to come" for k in range(len(steps))]
    return [LineStep(name, text, state) for (name, text), state in zip(steps, states, strict=True)]


def covered(row: Row) -> int:
    """Share of a slot's consumption that did not come from the grid [%]."""
    return percent(row["consumption_wh"] - max(row["import_wh"] - row["export_wh"], 0), row["consumption_wh"])


def market_part(row: Row, orders: Sequence[Row], run: Run, words: Words) -> dict[str, Any]:
    """Supply and demand of a slot: the chart and its table."""
    demand, supply = curve(orders, buys=True), curve(orders, buys=False)
    return {
        "chart": curve_chart(row, demand, supply, run, words),
        "rows": [*_steps("Buy", demand, words), *_steps("Sell", supply, words)],
    }


def _steps(side: str, merit: Sequence[CurveStep], words: Words) -> list[tuple[str, ...]]:
    return [(side, kwh_text(step.from_wh, 3), kwh_text(step.to_wh, 3), words.price(step.limit, 2)) for step in merit]


def flow_part(reader: Reader, slot: int, run: Run, words: Words) -> dict[str, Any] | None:
    """Energy flow of a slot: the drawing and its table; None before delivery."""
    readings = reader.readings(slot)
    if readings is None:
        return None
    flow = Flow.of(readings)
    return {
        "chart": flow_chart(flow, readings, words.span(slot, run.clock.length)),
        "rows": [(pipe.label, kwh_text(getattr(flow, pipe.name), 3)) for pipe in PIPES],
    }


def freshness(run: Run, position: RunProgress, meters: int, idle: float, words: Words) -> dict[str, str]:
    """How new the newest reading is, always in words; and the event after which a page that shows it is old.

    idle: seconds since the server saw the run move.
    """
    news = {"after": id_text(newest(run, position)), "over": "over" if position.over else ""}
    return {**_age(run, position, meters, idle, words), **news}


def _age(run: Run, position: RunProgress, meters: int, idle: float, words: Words) -> dict[str, str]:
    """The newest reading in words, and whether it is fresh, late or silent."""
    if position.delivered is None:
        return {"state": "late", "text": "no reading yet", "long": ""}
    slot, members = position.delivered, len(run.community.members)
    read = f"{meters} of {members} meters · "
    if position.delivered >= run.last_slot:
        return {"state": "fresh", "text": "all slots read", "long": read}
    if idle < LATE:
        text = words.span(slot, run.clock.length)
        return {"state": "fresh", "text": text, "long": f"{read}{words.short_day(slot)}, "}
    state = "late" if idle < SILENT else "silent"
    return {"state": state, "text": f"no new slot for {span_of_time(int(idle))}", "long": read}
