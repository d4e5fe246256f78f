"""The charts of the market: a day's price and energy, and the supply and demand of one slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import _
from transactive.web.charts.draw import Plot, Point, both, hours, steps, ticks

WIDE_DAY, NARROW_DAY = (720, 320), (296, 300)
WIDE_CURVE, NARROW_CURVE = (620, 330), (296, 240)
LABEL = 130
"""Pixels that the words at the clearing point take."""


# -- a day ----------------------------------------------------------------------------------------


def day_chart(rows: Sequence[Row], run: Run, chosen: int, delivered: int | None, words: Words) -> Markup:
    """Price over traded energy, one time axis; tariffs dashed, what is still to come shaded."""
    start, length = words.day_start(chosen), run.clock.length
    count = (words.next_day(start) - start) // length
    by_index: list[Row | None] = [None] * count
    for row in rows:
        by_index[(row["slot"] - start) // length] = row
    top = ticks(max([words.price_value(row["supply_price"]) for row in rows], default=1.0), 4)
    low = min([0.0, *(words.price_value(row["floor"]) for row in rows)])
    energy = ticks(max([row["traded_wh"] / 1000 for row in rows], default=1.0) or 1.0, 2)
    future = min(count, max(0, ((delivered if delivered is not None else start - length) - start) // length + 1))
    picked = (chosen - start) // length

    def draw(width: int, height: int) -> Plot:
        split = int(height * 0.66)
        price = Plot(width, split, (0, count), (low, top[-1]), right=18, bottom=6)
        traded = Plot(width, height, (0, count), (0, energy[-1]), right=18, top=split + 24, bottom=24)
        for panel, unit, y in ((price, words.price_unit, 9), (traded, _("kWh traded"), split + 12)):
            if future < count:
                panel.rect((future, count), panel.y, "future")
            panel.text(0, y, unit)
        price.horizontals(top)
        traded.horizontals(energy)
        _prices(price, by_index, words)
        for index, row in enumerate(by_index):
            if row and row["traded_wh"]:
                traded.rect((index + 0.14, index + 0.86), (0, row["traded_wh"] / 1000), "k-export", 2)
        traded.labels(hours(start, words, length, small=price.small))
        _pick(price, traded, picked, by_index[picked], words)
        price.parts += traded.parts
        price.height = height
        return price

    return both(draw, _("Market price and traded energy per slot, %(day)s", day=words.day(start)), WIDE_DAY, NARROW_DAY)


def _prices(plot: Plot, rows: Sequence[Row | None], words: Words) -> None:
    """The market price where there was a trade, and the supplier's two tariffs."""
    for column, label in (("supply_price", _("supplier sells")), ("feed_in", _("supplier buys"))):
        values = [words.price_value(row[column]) if row else None for row in rows]
        plot.line(steps(values), "s-grid dash thin")
        first = next((i for i, value in enumerate(values) if value is not None), None)
        if first is not None and not plot.small:
            plot.text(plot.px(first + 0.2), plot.py(values[first] or 0) - 6, label, "halo")
    plot.line(steps([words.price_value(r["price"]) if r and r["traded_wh"] else None for r in rows]), "s-import")


def _pick(price: Plot, traded: Plot, index: int, row: Row | None, words: Words) -> None:
    """Frame the chosen slot across both panels and write its price at its place."""
    x, width = price.px(index), price.px(index + 1) - price.px(index)
    height = traded.height - traded.bottom - price.top
    price.add(f'<rect class="sel" x="{x:.1f}" y="{price.top}" width="{width:.1f}" height="{height}" rx="4"/>')
    if row and row["traded_wh"]:
        value, middle = words.price_value(row["price"]), index + 0.5
        price.dot(middle, value, "k-import")
        room = price.width - price.right - price.px(middle)
        side = "mid" if 40 < room < price.width - 120 else "endt" if room <= 40 else ""
        price.text(
            price.px(middle),
            price.py(value) - 12,
            f"{words.price(row['price'])} {words.coin}",
            f"strong halo {side}",
        )


# -- a slot ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CurveStep:
    """One step of a curve: orders of one limit [µ¤/kWh], from and to in the running sum [Wh]."""

    limit: int
    from_wh: int
    to_wh: int


def curve(orders: Sequence[Row], *, buys: bool) -> list[CurveStep]:
    """Merit order of one side: buys from the dearest limit down, sells from the cheapest up."""
    side = sorted((row for row in orders if bool(row["is_buy"]) == buys), key=lambda row: row["price"], reverse=buys)
    merged: list[CurveStep] = []
    for limit, group in groupby(side, key=lambda row: int(row["price"])):
        start = merged[-1].to_wh if merged else 0
        merged.append(CurveStep(limit, start, start + sum(row["energy_wh"] for row in group)))
    return merged


def curve_chart(slot: Row, demand: Sequence[CurveStep], supply: Sequence[CurveStep], run: Run, words: Words) -> Markup:
    """Supply and demand as steps, with the clearing point and what it gains for both sides."""
    last_wh = max([step.to_wh for step in (*demand[-1:], *supply[-1:])], default=1000)
    top = ticks(words.price_value(max([slot["cap"], *(s.limit for s in (*demand, *supply))])), 4)
    low = min(0.0, words.price_value(slot["floor"]))
    title = _("Supply and demand for %(span)s", span=words.span(slot["slot"], run.clock.length))

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, last_wh / 1000), (low, top[-1]), left=30, right=8, top=26, bottom=38)
        plot.horizontals(top)
        plot.text(0, 9, words.price_unit)
        marks = [tick for tick in ticks(last_wh / 1000, 4 if plot.small else 7) if tick <= last_wh / 1000]
        plot.labels((tick, f"{tick:g}") for tick in marks)
        plot.text(width - plot.right, height - 4, "kWh", "endt")
        if slot["traded_wh"]:
            _gain(plot, slot, demand, supply, words)
        plot.line(_points(demand, words), "s-import")
        plot.line(_points(supply, words), "s-export")
        if slot["traded_wh"]:
            _cross(plot, slot, (*demand, *supply), words)
        else:
            both_sides = demand and supply
            text = (
                _("No price suits both sides")
                if both_sides
                else _("Orders on one side only")
                if demand or supply
                else _("No orders")
            )
            plot.text((plot.left + width - plot.right) / 2, plot.top + 34, text, "strong mid halo")
        return plot

    return both(draw, title, WIDE_CURVE, NARROW_CURVE)


def _points(side: Sequence[CurveStep], words: Words, until_wh: int | None = None) -> list[Point]:
    """Corners of a step curve, up to a volume if one is given."""
    points: list[Point] = []
    for step in side:
        if until_wh is not None and step.from_wh >= until_wh:
            break
        end = step.to_wh if until_wh is None else min(step.to_wh, until_wh)
        value = words.price_value(step.limit)
        points += [(step.from_wh / 1000, value), (end / 1000, value)]
    return points


def _gain(plot: Plot, slot: Row, demand: Sequence[CurveStep], supply: Sequence[CurveStep], words: Words) -> None:
    """Tint what buyers and sellers gain against their limits."""
    volume, price = slot["traded_wh"], words.price_value(slot["price"])
    flat: list[Point] = [(0, price), (volume / 1000, price)]
    plot.area(flat, _points(demand, words, volume), "fill-import")
    plot.area(_points(supply, words, volume), flat, "fill-export")


def _cross(plot: Plot, slot: Row, steps: Sequence[CurveStep], words: Words) -> None:
    """Mark the clearing point and write price and volume beside it, clear of both curves."""
    volume, price = slot["traded_wh"] / 1000, words.price_value(slot["price"])
    plot.rule((0, price), (volume, price), "nowl")
    plot.rule((volume, plot.y[0]), (volume, price), "nowl")
    plot.dot(volume, price, "k-ink", 6)
    text = f"{words.price(slot['price'])} {words.coin} · {kwh_text(slot['traded_wh'])} kWh"
    x = plot.px(volume)
    left = x > plot.width - LABEL
    low, high = (x - LABEL, x) if left else (x, x + LABEL)
    crossed = [s.limit for s in steps if plot.px(s.from_wh / 1000) <= high and plot.px(s.to_wh / 1000) >= low]
    above = plot.py(max(price, words.price_value(max(crossed, default=0)))) - 12
    below = plot.py(min(price, words.price_value(min(crossed, default=0)))) + 22
    y = above if above > plot.top else below
    plot.text(x + (-10 if left else 10), y, text, f"strong halo {'endt' if left else ''}")
