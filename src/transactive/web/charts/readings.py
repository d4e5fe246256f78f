"""The chart of readings that somebody brought: what each register counted, day by day."""

from __future__ import annotations

from markupsafe import Markup

from transactive.services.readings.days import DayTotals
from transactive.texts.language import _
from transactive.web.charts.draw import Plot, both, steps, ticks

WIDE, NARROW = (760, 220), (296, 180)
COLOURS = {"import": "import", "consumption": "import", "export": "export", "generation": "solar"}
"""Which line a register is; all others are grey."""
MOST_DAYS = 8
"""Labels of days under the chart, at most."""


def colour(register: str) -> str:
    """The colour of a register's line."""
    return COLOURS.get(register, "grid")


def days_chart(totals: DayTotals) -> Markup:
    """One step line a register, kWh a day; a day without a reading is a gap in the line."""
    lines = {name: [None if wh is None else wh / 1000 for wh in day] for name, day in totals.registers.items()}
    known = [value for line in lines.values() for value in line if value is not None]
    low, high = min([0.0, *known]), max([1.0, *known])
    marks, days = ticks(high, 4), len(totals.days)
    shown = range(0, days, -(-days // MOST_DAYS))

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, days), (low, marks[-1]), left=44)
        plot.text(0, 9, _("kWh a day"))
        plot.horizontals(marks)
        for name, line in lines.items():
            plot.line(steps(line), f"s-{colour(name)}")
        plot.labels((k, f"{totals.days[k].day} {totals.days[k]:%B}") for k in shown)
        return plot

    return both(draw, _("What each register counted on each day"), WIDE, NARROW)
