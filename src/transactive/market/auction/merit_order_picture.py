"""The merit order as a picture: demand falling, supply rising, and where they meet.

The SVG brings its own colours for light and dark, needs no script and no font, and says in words what it shows.
Coordinates are whole tenths of a pixel.
"""

from __future__ import annotations

import numpy as np

from transactive.core.tables import Orders
from transactive.core.units import BoolArray, IntArray, kwh_text, price_text

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 92, 20, 44, 48
STYLE = """
text{font:13px system-ui,sans-serif;fill:#2b2f33}.ground{fill:#fff}.axis{stroke:#8a9096;fill:none}
.buy{stroke:#1b62b5;fill:none;stroke-width:2}.sell{stroke:#a3540b;fill:none;stroke-width:2}
.buys{fill:#1b62b5}.sells{fill:#a3540b}.met{stroke:#2b2f33;stroke-dasharray:4 4;fill:none}.point{fill:#2b2f33}
@media(prefers-color-scheme:dark){text{fill:#e4e7ea}.ground{fill:#16191c}.axis{stroke:#767d84}
.buy{stroke:#7db4f5}.sell{stroke:#f0a35e}.buys{fill:#7db4f5}.sells{fill:#f0a35e}
.met{stroke:#e4e7ea}.point{fill:#e4e7ea}}
"""


def draw(orders: Orders, price: int | None, traded_wh: int) -> str:
    """Draw the curves of a book, and its price and volume if it traded, as an SVG file.

    price: µ¤/kWh. At most two points a pixel are drawn, however large the book.
    """
    curves = [_curve(orders, side) for side in (orders.is_buy, ~orders.is_buy)]
    most_wh = max(int(energy[-1]) if len(energy) else 0 for energy, _ in curves) or 1
    low, high = (int(bound) for bound in (orders.price.min(), orders.price.max())) if len(orders) else (0, 1)
    low, high = (low, high) if high > low else (low - 1, high + 1)

    def px(energy: int) -> str:
        return _pixels(10 * LEFT + 10 * (WIDTH - LEFT - RIGHT) * energy // most_wh)

    def py(level: int) -> str:
        return _pixels(10 * (HEIGHT - BOTTOM) - 10 * (HEIGHT - TOP - BOTTOM) * (level - low) // (high - low))

    paths = [
        f'<path class="{name}" d="{_steps([px(wh) for wh in energy.tolist()], [py(p) for p in level.tolist()])}"/>'
        for name, (energy, level) in zip(("buy", "sell"), curves, strict=True)
        if len(energy)
    ]
    words = "No trade: the curves do not meet"
    if price is not None:
        words = f"{kwh_text(traded_wh)} kWh at {price_text(price)}"
        x, y = px(traded_wh), py(price)
        paths.append(f'<path class="met" d="M{LEFT} {y}H{x}V{HEIGHT - BOTTOM}"/>')
        paths.append(f'<circle class="point" cx="{x}" cy="{y}" r="4"/>')
    return _frame(words, paths, kwh_text(most_wh), low, high)


def _frame(words: str, paths: list[str], most_kwh: str, low: int, high: int) -> str:
    """The whole file: title, axes with their ends, legend, curves."""
    base = HEIGHT - BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">',
        f"<title>Merit order: {words}</title><style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/><text x="{LEFT}" y="24">{words}</text>',
        f'<text class="buys" x="{WIDTH - 150}" y="24">demand</text>',
        f'<text class="sells" x="{WIDTH - 80}" y="24">supply</text>',
        f'<path class="axis" d="M{LEFT} {TOP}V{base}H{WIDTH - RIGHT}"/>',
        f'<text x="{LEFT - 8}" y="{TOP + 5}" text-anchor="end">{_axis(high)}</text>',
        f'<text x="{LEFT - 8}" y="{base}" text-anchor="end">{_axis(low)}</text>',
        f'<text x="{LEFT - 8}" y="{(TOP + base) // 2}" text-anchor="end">¤/kWh</text>',
        f'<text x="{LEFT}" y="{base + 22}">0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{base + 22}" text-anchor="end">{most_kwh} kWh</text>',
    ]
    return "\n".join([*lines, *paths, "</svg>", ""])


def _axis(price: int) -> str:
    """An end of the axis of prices, without its unit."""
    return price_text(price).removesuffix(" ¤/kWh")


def _curve(orders: Orders, side: BoolArray) -> tuple[IntArray, IntArray]:
    """Energy up to and including each price [Wh], rising, and the prices from the best one on, thinned to pixels."""
    price, energy = orders.price[side], orders.energy_wh[side]
    levels, at = np.unique(price, return_inverse=True)
    wh = np.zeros(len(levels), np.int64)
    np.add.at(wh, at, energy)
    if side is orders.is_buy:
        levels, wh = levels[::-1], wh[::-1]
    total = np.cumsum(wh)
    if len(total) <= 2 * WIDTH:
        return total, levels
    keep = np.append(np.flatnonzero(np.diff(total // max(int(total[-1]) // (2 * WIDTH), 1))), len(total) - 1)
    return total[keep], levels[keep]


def _steps(x: list[str], y: list[str]) -> str:
    """Path of a staircase from the price axis on: at each price to the energy up to it."""
    parts = [f"M{LEFT} {y[0]}", f"H{x[0]}"]
    parts += [f"V{level}H{energy}" for energy, level in zip(x[1:], y[1:], strict=True)]
    return "".join(parts)


def _pixels(tenths: int) -> str:
    """Tenths of a pixel as pixels."""
    return f"{tenths // 10}.{tenths % 10}"
