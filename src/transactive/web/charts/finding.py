"""The evidence of a finding: a register day by day, the days concerned, and what was usual before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from transactive.texts.language import _
from transactive.web.charts.draw import Plot, both, ticks

WIDE, NARROW = (720, 200), (296, 180)
LABELS, LABELS_SMALL = 8, 3
"""Labels of days under the chart, at most."""


@dataclass(frozen=True, slots=True)
class EvidenceDay:
    """A day: its label, its energy [Wh], None where nothing was delivered, and whether the finding is about it."""

    label: str
    energy_wh: int | None
    concerned: bool


def evidence_chart(name: str, days: Sequence[EvidenceDay], usual_wh: int | None) -> Markup:
    """Bars of the days, those concerned in the colour of a warning; what was usual as a dashed line."""
    known = [day.energy_wh / 1000 for day in days if day.energy_wh is not None]
    marks = ticks(max([*known, (usual_wh or 0) / 1000, 0.01]), 3)

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, len(days)), (0, marks[-1]), left=44)
        plot.text(0, 9, _("%(name)s [kWh a day]", name=name))
        plot.horizontals(marks)
        for place, day in enumerate(days):
            if day.energy_wh:
                css = "k-warn" if day.concerned else "k-grid faint"
                plot.rect((place + 0.14, place + 0.86), (0, day.energy_wh / 1000), css, 2)
        if usual_wh is not None:
            plot.rule((0, usual_wh / 1000), (len(days), usual_wh / 1000), "l s-grid dash")
        every = -(-len(days) // (LABELS_SMALL if plot.small else LABELS))
        plot.labels((place + 0.5, days[place].label) for place in range(0, len(days), every))
        return plot

    return both(draw, _("%(name)s, day by day, with what was usual before", name=name), WIDE, NARROW)
