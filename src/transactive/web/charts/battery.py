"""A battery through a day: what energy cost, what it took and gave, and what it held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import Words
from transactive.web.charts.draw import Plot, both, hours, steps, ticks

WIDE, NARROW = (1160, 380), (296, 340)


@dataclass(frozen=True, slots=True)
class BatterySlot:
    """A delivered slot: the member's row, what its battery held before and after it [charged Wh], and why it did so."""

    row: Row
    before_wh: int
    after_wh: int
    reason: str


def battery_chart(slots: Sequence[BatterySlot], run: Run, start: int, capacity_wh: int, words: Words) -> Markup:
    """Prices above, then charge (up) and discharge (down), then the level; one time axis from midnight on."""
    length = run.clock.length
    count = (words.next_day(start) - start) // length
    places: list[BatterySlot | None] = [None] * count
    for slot in slots:
        places[(slot.row["slot"] - start) // length] = slot
    top = ticks(max([words.price_value(slot.row["supply_price"]) for slot in slots], default=1.0), 3)
    most = max([max(s.row["charge_wh"], s.row["discharge_wh"]) / 1000 for s in slots], default=1.0)
    moved, full = ticks(most or 1.0, 1)[-1], capacity_wh / 1000

    def draw(width: int, height: int) -> Plot:
        first, second = int(height * 0.38), int(height * 0.68)
        price = Plot(width, first, (0, count), (0, top[-1]), right=18, bottom=6)
        flow = Plot(width, second, (0, count), (-moved, moved), right=18, top=first + 24, bottom=6)
        level = Plot(width, height, (0, count), (0, full), right=18, top=second + 24, bottom=24)
        for panel, unit, y in ((price, words.price_unit, 9), (flow, "kWh, + charged − given", first + 12)):
            panel.text(0, y, unit)
        level.text(0, second + 12, "kWh held after each slot")
        price.horizontals(top)
        flow.horizontals([-moved, 0, moved])
        level.horizontals([0, full])
        price.line(steps([words.price_value(s.row["supply_price"]) if s else None for s in places]), "s-grid dash thin")
        traded = [words.price_value(s.row["price"]) if s and s.row["traded_wh"] else None for s in places]
        price.line(steps(traded), "s-import")
        for place, slot in enumerate(places):
            if slot:
                _moved(flow, place, slot.row)
        _held(level, places)
        level.labels(hours(start, words, length, small=price.small))
        price.parts += [*flow.parts, *level.parts]
        price.height = height
        return price

    return both(draw, f"Price, charge, discharge and level of the battery, {words.day(start)}", WIDE, NARROW)


def _moved(plot: Plot, place: int, row: Row) -> None:
    for name, sign in (("charge_wh", 1), ("discharge_wh", -1)):
        if row[name]:
            plot.rect((place + 0.14, place + 0.86), (0, sign * row[name] / 1000), "k-battery", 2)


def _held(plot: Plot, places: Sequence[BatterySlot | None]) -> None:
    """The level as a line from the start of the day's first slot to the end of its newest."""
    known = [(place, slot) for place, slot in enumerate(places) if slot is not None]
    if known:
        points = [(float(known[0][0]), known[0][1].before_wh / 1000)]
        points += [(place + 1.0, slot.after_wh / 1000) for place, slot in known]
        plot.area([(x, 0.0) for x, _ in points], points, "fill-battery")
        plot.line(points, "s-battery")
