"""Charts of one member: what it saved through a day, what it traded at which price, and when energy is cheap."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from transactive.insight.advice.cheapest import Window
from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import Words
from transactive.texts.language import _
from transactive.web.charts.draw import Plot, Point, both, hours, steps, ticks

WIDE_SAVED, NARROW_SAVED = (720, 250), (296, 150)
WIDE_DAY, NARROW_DAY = (720, 300), (296, 280)
WIDE_PRICE, NARROW_PRICE = (340, 190), (296, 170)
MILLION = 10**9


def saved_chart(rows: Sequence[Row], run: Run, start: int, words: Words) -> Markup:
    """What was saved from midnight on."""
    length = run.clock.length
    count = (words.next_day(start) - start) // length
    points: list[Point] = [((rows[0]["slot"] - start) / length, 0.0)] if rows else []
    saved = 0
    for row in rows:
        saved += row["alone_n"] - row["paid_n"]
        points.append(((row["slot"] - start) / length + 1, saved / MILLION))
    values = [value for _, value in points] or [0.0]
    high, low = ticks(max([*values, 0.01]), 2), min([*values, 0.0])
    bottom = -high[1] * math.ceil(-low / high[1])  # whole steps, so that its label keeps its distance

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, count), (bottom, high[-1]), top=14, right=18, left=40)
        plot.horizontals([*([bottom] if low < 0 else []), *high])
        plot.labels(hours(start, words, length, small=plot.small))
        if points:
            plot.area([(x, 0.0) for x, _ in points], points, "fill-export")
            plot.line(points, "s-export")
            x, y = points[-1]
            plot.dot(x, y, "k-export")
            side = "endt" if x > count * 0.8 else ""
            plot.text(
                plot.px(x) + (-10 if side else 10),
                plot.py(y) - 8,
                words.money(saved),
                f"strong halo {side}",
            )
        return plot

    return both(
        draw,
        _("Saved in %(currency)s, %(day)s", currency=words.currency, day=words.day(start)),
        WIDE_SAVED,
        NARROW_SAVED,
    )


def day_chart(rows: Sequence[Row], run: Run, start: int, words: Words) -> Markup:
    """Market price with the member's trades on it, over what it bought (up) and sold (down)."""
    length = run.clock.length
    count = (words.next_day(start) - start) // length
    places: list[Row | None] = [None] * count
    for row in rows:
        places[(row["slot"] - start) // length] = row
    top = ticks(max([words.price_value(row["supply_price"]) for row in rows], default=1.0), 4)
    most = max([max(row["bought_wh"], row["sold_wh"]) / 1000 for row in rows], default=1.0) or 1.0
    energy = ticks(most, 1)[-1]

    def draw(width: int, height: int) -> Plot:
        split = int(height * 0.6)
        price = Plot(width, split, (0, count), (0, top[-1]), right=18, bottom=6)
        traded = Plot(width, height, (0, count), (-energy, energy), right=18, top=split + 24, bottom=24)
        price.text(0, 9, words.price_unit)
        traded.text(0, split + 12, _("kWh, + bought − sold"))
        price.horizontals(top)
        traded.horizontals([-energy, 0, energy])
        price.line(steps([words.price_value(r["supply_price"]) if r else None for r in places]), "s-grid dash thin")
        traded_at = [words.price_value(r["price"]) if r and r["traded_wh"] else None for r in places]
        price.line(steps(traded_at), "s-import")
        for index, row in enumerate(places):
            if row:
                _trade(price, traded, index, row, words)
        traded.labels(hours(start, words, length, small=price.small))
        price.parts += traded.parts
        price.height = height
        return price

    return both(draw, _("Market price, bought and sold, %(day)s", day=words.day(start)), WIDE_DAY, NARROW_DAY)


def _trade(price: Plot, traded: Plot, index: int, row: Row, words: Words) -> None:
    """A slot's trade: bars of energy, and a triangle at its price, down for bought and up for sold."""
    for name, css, sign in (("bought_wh", "k-import", 1), ("sold_wh", "k-export", -1)):
        if row[name]:
            traded.rect((index + 0.14, index + 0.86), (0, sign * row[name] / 1000), css, 2)
            x, y = price.px(index + 0.5), price.py(words.price_value(row["price"]))
            price.add(f'<path class="{css}" d="M{x:.1f} {y + 5 * sign:.1f}l-5 {-8 * sign}h10z"/>')


def price_chart(prices: Sequence[int], low: Window, first: int, length: int, words: Words) -> Markup:
    """Expected price of each slot of the coming day, the cheapest stretch marked. first: start of the first slot."""
    top = ticks(max([words.price_value(price) for price in prices] + [1.0]), 3)
    bottom = min([words.price_value(price) for price in prices] + [0.0])

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, len(prices)), (bottom, top[-1]), left=26, right=4)
        plot.text(0, 9, words.price_unit)
        plot.horizontals(top)
        for index, price in enumerate(prices):
            cheap = (index - low.first) % len(prices) < low.slots
            css = "k-export" if cheap else "k-grid faint"
            plot.rect((index + 0.1, index + 0.9), (0, words.price_value(price)), css, 2)
        middle, value = min(low.first + low.slots / 2, len(prices) - 2), words.price_value(low.price)
        label = f"{words.price(low.price)} {words.coin}"
        plot.text(plot.px(middle), plot.py(value) - 8, label, "strong mid halo")
        quarter = len(prices) / 4
        plot.labels((k * quarter, words.clock(first + int(k * quarter) * length)[:2]) for k in range(4))
        return plot

    return both(draw, _("Expected price of the coming 24 hours"), WIDE_PRICE, NARROW_PRICE)
