"""Lines through a day: what they carried, the interval that was forecast, and their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from transactive.core.community.network import Network
from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import Words
from transactive.web.charts.draw import Plot, both, hours, steps, ticks

WIDE, NARROW = (520, 220), (296, 200)


def line_chart(
    line: int,
    network: Network,
    carried: Mapping[int, Row],
    expected: Mapping[tuple[int, int], Row],
    run: Run,
    start: int,
    words: Words,
) -> Markup:
    """Draw a line's day [kWh a slot], to its far end above zero. carried: rows of this line by slot."""
    length = run.clock.length
    slots = range(-(-start // length) * length, words.next_day(start), length)
    most, back = int(network.limit_wh[line]), int(network.back_wh[line])
    flows = [carried[slot]["flow_wh"] / 1000 if slot in carried else None for slot in slots]
    told = [expected.get((slot, line)) for slot in slots]
    ends = [row[name] / 1000 for row in told if row for name in ("low_wh", "high_wh")]
    seen = [*(value for value in flows if value is not None), *ends, 0.0]
    high = max(*seen, *((most / 1000,) if max(seen) > most / 2000 else ()), 0.1) * 1.08
    low = min(*seen, *((-back / 1000,) if min(seen) < -back / 2000 else ()), 0.0) * 1.08

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, len(slots)), (low, high), left=40)
        for band in _bands(told):
            plot.area([(x, y / 1000) for x, y, _ in band], [(x, y / 1000) for x, _, y in band], "band")
        plot.horizontals(sorted({0.0, *_round(low, high)}))
        for limit in (most / 1000, -back / 1000):
            if low <= limit <= high:
                plot.rule((0, limit), (len(slots), limit), "limit")
        plot.line(steps(flows), "s-import")
        plot.text(0, 9, "kWh")
        plot.labels(hours(start, words, length, small=plot.small))
        return plot

    return both(draw, f"Line {network.label(line)}, {words.day(start)}", WIDE, NARROW)


def _bands(told: Sequence[Row | None]) -> list[list[tuple[float, float, float]]]:
    """Stretches of forecast intervals: place, low and high [Wh] at both ends of each slot."""
    bands: list[list[tuple[float, float, float]]] = [[]]
    for place, row in enumerate(told):
        if row is None:
            bands.append([])
        else:
            bands[-1] += [(place, row["low_wh"], row["high_wh"]), (place + 1, row["low_wh"], row["high_wh"])]
    return [band for band in bands if band]


def _round(low: float, high: float) -> list[float]:
    """A few round values between two, the same below zero as above."""
    above = ticks(max(high, -low), 5)
    return [value for value in (*above, *(-value for value in above)) if low <= value <= high]
