"""A battery through a day: what energy cost, what it took and gave, what it held, and what its plan had expected."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from transactive.services.battery_days import ComingSlot, ExplainedSlot
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words
from transactive.texts.language import _
from transactive.trading.devices.made import WeighedSlot
from transactive.web.charts.draw import Plot, Point, both, hours, steps, ticks

WIDE, NARROW = (1160, 380), (296, 340)


def battery_chart(
    delivered: Sequence[ExplainedSlot],
    coming: Sequence[ComingSlot],
    run: Run,
    start: int,
    capacity_wh: int,
    words: Words,
) -> Markup:
    """Prices above, then charge (up) and discharge (down), then the level with its plan; from midnight on."""
    length = run.clock.length
    count = (words.next_day(start) - start) // length
    place = {start + k * length: k for k in range(count)}
    known = {place[slot.row["slot"]]: slot for slot in delivered}
    ahead = {place[slot.planned.slot]: slot for slot in coming}
    planned: dict[int, WeighedSlot] = {k: slot.planned for k, slot in ahead.items()}
    planned |= {k: slot.planned for k, slot in known.items() if slot.planned is not None}
    prices = [slot.row["supply_price"] for slot in delivered] + [each.need_price for each in planned.values()]
    top = ticks(max([words.price_value(price) for price in prices], default=1.0), 3)
    flows = {k: (slot.row["charge_wh"], slot.row["discharge_wh"]) for k, slot in known.items()}
    flows_ahead = {k: (slot.charge_wh, slot.discharge_wh) for k, slot in ahead.items()}
    most = max([max(pair) / 1000 for pair in (*flows.values(), *flows_ahead.values())], default=1.0)
    moved, full = ticks(most or 1.0, 1)[-1], capacity_wh / 1000

    def draw(width: int, height: int) -> Plot:
        first, second = int(height * 0.38), int(height * 0.68)
        price = Plot(width, first, (0, count), (0, top[-1]), right=18, bottom=6)
        flow = Plot(width, second, (0, count), (-moved, moved), right=18, top=first + 24, bottom=6)
        level = Plot(width, height, (0, count), (0, full), right=18, top=second + 24, bottom=24)
        for panel, unit, y in ((price, words.price_unit, 9), (flow, _("kWh, + charged − given"), first + 12)):
            panel.text(0, y, unit)
        level.text(0, second + 12, _("kWh held after each slot"))
        price.horizontals(top)
        flow.horizontals([-moved, 0, moved])
        level.horizontals([0, full])
        _prices(price, known, planned, count, words)
        _moved(flow, flows, "k-battery")
        _moved(flow, flows_ahead, "k-battery ahead")
        _held(level, known, planned)
        level.labels(hours(start, words, length, small=price.small))
        price.parts += [*flow.parts, *level.parts]
        price.height = height
        return price

    title = _("Price, charge, discharge and level of the battery with its plan, %(day)s", day=words.day(start))
    return both(draw, title, WIDE, NARROW)


def _prices(
    plot: Plot, known: dict[int, ExplainedSlot], planned: dict[int, WeighedSlot], count: int, words: Words
) -> None:
    """The supplier's price and the market's, and what the plan had expected a kWh to cost the home."""
    rows = [known[k].row if k in known else None for k in range(count)]
    plot.line(steps([words.price_value(row["supply_price"]) if row else None for row in rows]), "s-grid dash thin")
    expected = [words.price_value(planned[k].need_price) if k in planned else None for k in range(count)]
    plot.line(steps(expected), "s-battery dash thin")
    traded = [words.price_value(row["price"]) if row and row["traded_wh"] else None for row in rows]
    plot.line(steps(traded), "s-import")


def _moved(plot: Plot, flows: dict[int, tuple[int, int]], css: str) -> None:
    for place, pair in flows.items():
        for energy_wh, sign in zip(pair, (1, -1), strict=True):
            if energy_wh:
                plot.rect((place + 0.14, place + 0.86), (0, sign * energy_wh / 1000), css, 2)


def _held(plot: Plot, known: dict[int, ExplainedSlot], planned: dict[int, WeighedSlot]) -> None:
    """The plan's band and its middle, and over it the level from the day's first slot to the end of its newest."""
    if planned:
        low, middle, high = (_after_each(planned, k) for k in range(3))
        plot.area(low, high, "band")
        plot.line(middle, "s-battery dash thin")
    if known:
        places = sorted(known)
        points = [(float(places[0]), known[places[0]].before_wh / 1000)]
        points += [(place + 1.0, known[place].after_wh / 1000) for place in places]
        plot.area([(x, 0.0) for x, _ in points], points, "fill-battery")
        plot.line(points, "s-battery")


def _after_each(planned: dict[int, WeighedSlot], which: int) -> list[Point]:
    return [(place + 1.0, planned[place].held_wh[which] / 1000) for place in sorted(planned)]
