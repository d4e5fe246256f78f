"""How the price of each outcome of a question went, trade by trade."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from transactive.core.units import PPM
from transactive.web.charts.draw import Plot, both

WIDE, NARROW = (760, 200), (296, 180)
LINES = (
    ("line", "import"), ("line", "export"), ("line", "battery"), ("line", "solar"), ("line", "home"), ("line", "grid"),
    ("dash", "import"), ("dash", "export"),
)  # fmt: skip
"""Kind and colour of the line of each of eight outcomes, as a legend takes them."""
PERCENT = 100


def price_chart(prices: Sequence[Sequence[int]], title: str) -> Markup:
    """Prices of all outcomes [ppm] after each trade, the first before any."""

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, max(len(prices) - 1, 1)), (0, PERCENT), left=40)
        plot.text(0, 9, "%")
        plot.horizontals([0.0, 50.0, 100.0])
        for outcome in range(len(prices[0])):
            points = [(float(place), at[outcome] * PERCENT / PPM) for place, at in enumerate(prices)]
            kind, colour = LINES[outcome]
            plot.line(points, f"s-{colour}" + (" dash" if kind == "dash" else ""))
        plot.labels([(0, "asked"), (max(len(prices) - 1, 1), "now")])
        return plot

    return both(draw, f"Price of each outcome in per cent, {title}", WIDE, NARROW)
