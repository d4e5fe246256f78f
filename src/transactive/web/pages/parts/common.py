"""Parts that both pages show: the slot line, the supply and demand of a slot, its energy flow, freshness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.texts.formatting import Words, kwh_text, percent, span_of_time
from transactive.texts.language import N_, _, ngettext
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

    @property
    def state_text(self) -> str:
        """The state in words."""
        return _(STATES[self.state])


STATES = {"done": N_("done"), "current": N_("current"), "to come": N_("to come")}


def slot_line(row: Row, run: Run, words: Words, *, postings: int, bundles: int) -> list[LineStep]:
    """The seven steps of a slot with what each of them gave; the first one not done is lit."""
    delivered = row["meters"] is not None
    members = len(run.community.members)
    cleared = f"{words.price(row['price'])} {words.coin} · {kwh_text(row['traded_wh'])} kWh"
    steps = [
        (_("Reading"), _meters(row["meters"] if delivered else None, members)),
        (_("Forecast"), _("as known at %(clock)s", clock=words.clock(run.clock.gate(row["slot"])))),
        (_("Order"), _orders(row)),
        (_("Clearing"), cleared if row["traded_wh"] else _("no trade")),
        (_("Delivery"), _("%(kwh)s kWh used", kwh=kwh_text(row["consumption_wh"])) if delivered else _("under way")),
        (_("Settlement"), _postings(postings) if delivered else _("after delivery")),
        (_("Certificate"), _bundles(bundles) if delivered else _("after settlement")),
    ]
    lit = len(steps) if delivered else 4
    states = ["done" if k < lit else "current" if k == lit else "to come" for k in range(len(steps))]
    return [LineStep(name, text, state) for (name, text), state in zip(steps, states, strict=True)]


def _meters(read: int | None, members: int) -> str:
    if read is None:
        return ngettext("%(num)s meter", "%(num)s meters", members)
    return _("%(read)s of %(members)s meters", read=read, members=members)


def _orders(row: Row) -> str:
    orders = ngettext("%(num)s order", "%(num)s orders", row["orders"])
    return _("%(orders)s, %(refused)s refused", orders=orders, refused=row["refusals"]) if row["refusals"] else orders


def _postings(number: int) -> str:
    return ngettext("%(num)s posting", "%(num)s postings", number)


def _bundles(number: int) -> str:
    return ngettext("%(num)s bundle", "%(num)s bundles", number)


def covered(row: Row) -> int:
    """Share of a slot's consumption that did not come from the grid [%]."""
    return percent(row["consumption_wh"] - max(row["import_wh"] - row["export_wh"], 0), row["consumption_wh"])


def market_part(row: Row, orders: Sequence[Row], run: Run, words: Words) -> dict[str, Any]:
    """Supply and demand of a slot: the chart and its table."""
    demand, supply = curve(orders, buys=True), curve(orders, buys=False)
    return {
        "chart": curve_chart(row, demand, supply, run, words),
        "rows": [*_steps(_("Buy"), demand, words), *_steps(_("Sell"), supply, words)],
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
        "rows": [(_(pipe.label), kwh_text(getattr(flow, pipe.name), 3)) for pipe in PIPES],
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
        return {"state": "late", "text": _("no reading yet"), "long": ""}
    slot, members = position.delivered, len(run.community.members)
    read = _("%(read)s of %(members)s meters", read=meters, members=members) + " · "
    if position.delivered >= run.last_slot:
        return {"state": "fresh", "text": _("all slots read"), "long": read}
    if idle < LATE:
        text = words.span(slot, run.clock.length)
        return {"state": "fresh", "text": text, "long": f"{read}{words.short_day(slot)}, "}
    state = "late" if idle < SILENT else "silent"
    return {"state": state, "text": _("no new slot for %(time)s", time=span_of_time(int(idle))), "long": read}
