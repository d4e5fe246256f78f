"""Charts of a comparison: the price slot by slot under each mechanism, and who saves how much."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from transactive.core.units import NANO
from transactive.insight.studies.comparison import Comparison, MechanismFigures
from transactive.texts.formatting import Words
from transactive.web.charts.draw import Plot, both, steps, ticks

WIDE_PRICE, NARROW_PRICE = (380, 190), (296, 170)
STRIP_WIDTHS = (560, 296)
ROW = 56
"""Pixels of one mechanism's row of dots."""
MOST_DAYS = 8
"""Labels of days under a chart, at most."""


def price_chart(
    figures: MechanismFigures, comparison: Comparison, first_slot: int, top: Sequence[float], words: Words, name: str
) -> Markup:
    """Price of each slot of one mechanism, with the supplier's; `top`: ticks of the scale that all charts share."""
    slots, length = comparison.slots, comparison.slot_minutes * 60
    prices = [None if price is None else words.price_value(price) for price in figures.prices]
    low = min([0.0, *(price for price in prices if price is not None)])
    moments = [first_slot + k * length for k in range(slots + 1)]
    midnights = [k for k, at in enumerate(moments) if at - words.day_start(at) < length]
    shown = midnights[:: -(-len(midnights) // MOST_DAYS) or 1]

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, slots), (low, top[-1]), left=30, right=6)
        plot.text(0, 9, words.price_unit)
        plot.horizontals(top)
        plot.line(steps([words.price_value(price) for price in comparison.supply]), "s-grid thin")
        plot.line(steps(prices), "s-import")
        plot.labels((k, words.short_day(first_slot + k * length).split()[0]) for k in shown if k < slots)
        return plot

    return both(draw, f"Price of each slot under {name}", WIDE_PRICE, NARROW_PRICE)


def scale(comparison: Comparison, words: Words) -> list[float]:
    """Ticks of the scale that all price charts share."""
    known = [price for figures in comparison.mechanisms for price in figures.prices if price is not None]
    return ticks(words.price_value(max([*known, *comparison.supply], default=1)), 4)


def savings_chart(comparison: Comparison, names: Sequence[str]) -> Markup:
    """One row a mechanism, one dot a member: what it saves."""
    rows = [[int(part) / NANO for part in figures.saved] for figures in comparison.mechanisms]
    flat = [value for row in rows for value in row]
    marks = span_ticks(min([0.0, *flat]), max([0.0, *flat]), 6)
    height = ROW * len(rows) + 30

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (marks[0], marks[-1]), (0, len(rows)), left=14, right=14, top=0, bottom=30)
        for mark in marks:
            plot.rule((mark, 0), (mark, len(rows)), "ax" if mark == 0 else "gl")
        plot.labels((mark, f"{mark:g}".replace("-", "−")) for mark in (marks[:: 2 if plot.small else 1]))
        for number, (name, values) in enumerate(zip(names, rows, strict=True)):
            line = len(rows) - number - 0.68
            plot.text(0, plot.py(line) - 16, name, "strong halo")
            plot.rule((marks[0], line), (marks[-1], line), "gl")
            for value in values:
                plot.dot(value, line, "k-export soft", 6)
        return plot

    widths = ((width, height) for width in STRIP_WIDTHS)
    return both(draw, "Saving of each member under each mechanism", *widths)


def span_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values around 0 that reach from at most `low` to at least `high`."""
    step = ticks((high - low) or 1.0, most)[1]
    first, last = int(low // step), int(-(-high // step))
    return [round(step * k, 9) for k in range(first, max(last, first + 1) + 1)]
