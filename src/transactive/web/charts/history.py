"""The bars of a period, each beside its place in the period before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from transactive.texts.language import _
from transactive.web.charts.draw import Plot, both, steps, ticks

WIDE, NARROW = (1160, 240), (296, 200)
LABELS, LABELS_SMALL = 12, 4
"""Labels under the chart, at most."""


@dataclass(frozen=True, slots=True)
class HistoryBar:
    """A day, month or slot: its label, value and that of the period before in units of the drawing, and all figures.

    value: None where nothing was delivered; below: what is drawn under the line, None for most.
    """

    label: str
    value: float | None
    before: float | None
    below: float | None
    texts: tuple[str, ...]


def history_chart(bars: Sequence[HistoryBar], axis: str, css: str, title: str) -> Markup:
    """Bars of the period, and the period before as a dashed line over them.

    axis: what is drawn, with its unit; css: its colour.
    """
    values = [value for bar in bars for value in (bar.value, bar.before) if value is not None]
    down = [-bar.below for bar in bars if bar.below is not None]
    marks = ticks(max([*values, 0.01]), 3)
    low = min([0.0, *values, *down])
    lowest = -marks[1] * math.ceil(-low / marks[1]) if low < 0 else 0.0

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, len(bars)), (lowest, marks[-1]), left=48)
        plot.text(0, 9, axis)
        plot.horizontals([*([lowest] if lowest else []), *marks])
        for place, bar in enumerate(bars):
            if bar.value:
                plot.rect((place + 0.14, place + 0.86), (0, bar.value), css, 2)
            if bar.below:
                plot.rect((place + 0.14, place + 0.86), (0, -bar.below), "k-export", 2)
        plot.line(steps([bar.before for bar in bars]), "s-grid dash thin")
        every = -(-len(bars) // (LABELS_SMALL if plot.small else LABELS))
        plot.labels((place + 0.5, bars[place].label) for place in range(0, len(bars), every))
        return plot

    return both(draw, _("%(axis)s, %(title)s, with the period before", axis=axis, title=title), WIDE, NARROW)
