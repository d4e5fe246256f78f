"""The grid page: what each line carries, may carry and will carry; what was asked of devices. No member is named.

Rows come as `SeenLines` lets the viewer see them: of a hidden line there is a state, and figures that stand in for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from transactive.core.community.network import Network
from transactive.core.congestion import Measure
from transactive.core.slots import DAY, time_text
from transactive.core.units import IntArray, kwh_text
from transactive.market.mechanisms import Site
from transactive.store.read.grid import forecasts, interventions, loads, sums
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.texts.formatting import Words, counted
from transactive.web.charts.grid import line_chart
from transactive.web.charts.network import Cable, Picture, cables, network_chart
from transactive.web.lines.seen import FULL, SeenLines, loading
from transactive.web.pages.parts.common import freshness
from transactive.web.pages.parts.lines.ahead import AHEAD, LinesAhead, likely, look_ahead
from transactive.web.pages.parts.lines.measures import measures_done, sums_since
from transactive.web.viewers import Viewer

STRIP = 24
"""Slots that the strip shows."""
DRAWN, MOST_ROWS = 4, 8
"""Lines whose day is drawn, and rows of a table before the rest is folded."""
WEEK = 7 * DAY
ASKED = {Measure.MOVE: "batteries moved", Measure.CURTAIL: "PV held back", Measure.OPEN: "over its limit"}
"""Words of what a slot's lines asked for."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A slot on the strip: its tightest line, how full that is [%], and what was asked, if anything."""

    slot: int
    share: int
    chosen: bool
    flag: str
    span: str
    line: str
    loaded: str

    @property
    def at(self) -> str:
        """The slot as the page's address names it."""
        return time_text(self.slot)

    @property
    def label(self) -> str:
        """The bar for those who listen."""
        return f"{self.span}: {self.line} {self.loaded}{', ' + self.flag if self.flag else ''}"


def grid_page(
    reader: Reader,
    run: Run,
    position: RunProgress,
    viewer: Viewer,
    lines: SeenLines | None,
    *,
    chosen: int | None,
    idle: float,
) -> dict[str, Any]:
    """Everything that the page shows of a delivered slot, by default the newest; `site` is None without a network."""
    words, site = Words(run.community.currency, run.community.zone), run.site
    frame = {
        "run": run,
        "words": words,
        "viewer": viewer,
        "fresh": freshness(run, position, len(run.community.members), idle, words),
        "managed": run.community.grid.manage,
        "site": site,
    }
    newest = position.delivered
    if site is None or lines is None or newest is None:
        return frame
    slot, length = newest if chosen is None else min(chosen, newest), run.clock.length
    start = words.day_start(slot)
    day = lines.loads(loads(reader, start, min(words.next_day(start) - 1, newest)))
    forecast = forecasts(reader, min(start, slot), max(words.next_day(start), slot + AHEAD * length))
    told = {key: lines.forecast(row) for key, row in forecast.items()}
    here = [row for row in day if row["slot"] == slot]
    ahead = look_ahead(lines, told, lines.loads(loads(reader, slot, slot + AHEAD * length)), run, slot, words)
    done = lines.interventions(interventions(reader, slot - WEEK, slot))
    return frame | {
        "slot": slot,
        "span": words.span(slot, length),
        "day": words.day(slot),
        "earlier": time_text(max(words.before(slot), run.first_slot)) if slot > run.first_slot else None,
        "later": time_text(min(words.after(slot), newest)) if slot < newest else None,
        "following": chosen is None,
        "size": _size(site, run),
        "head": _head(lines, here, ahead, run, words),
        "feeder": _feeder(site, lines, here, told, words.span(slot, length)),
        "strip": _strip(lines, reader, run, slot, newest, words),
        "ahead": ahead,
        "days": _days(lines, day, told, run, start, words),
        "asked": measures_done(lines, done, run, words, Measure.CALL, Measure.MOVE),
        "held": measures_done(lines, done, run, words, Measure.CURTAIL),
        "open": measures_done(lines, done, run, words, Measure.OPEN),
        "kpis": sums_since(sums(reader, slot, {kind: lines.lines_with_sums(kind) for kind in Measure}), words),
        "most_rows": MOST_ROWS,
        "groups": None if lines.whole else _groups(lines),
    }


# -- words ------------------------------------------------------------------------------------------


def _size(site: Site, run: Run) -> str:
    """How large the network is."""
    parts = (len(site.network.start), "line"), (len(site.network), "node"), (len(run.community.members), "home")
    return " · ".join(counted(number, noun) for number, noun in parts)


def _groups(lines: SeenLines) -> str:
    """What is shown to whom the grid is all that it may see."""
    least, hidden = lines.groups.least, sum(lines.hides(line) for line in range(len(lines.groups.group)))
    text = f"Each figure covers at least {counted(least, 'home')}."
    return f"{text} Of {counted(hidden, 'line')} only the state is shown." if hidden else text


def _head(lines: SeenLines, here: Sequence[Row], ahead: LinesAhead, run: Run, words: Words) -> dict[str, str]:
    """The answer, and where it will be tight."""
    over = [lines.network.label(row["line"]) for row in here if row["state"] == "beyond"]
    title = "All lines inside their limits" if not over else f"{' and '.join(over)} over the limit"
    if len(over) > 2:
        title = f"{len(over)} lines over their limits"
    return {"title": title, "text": _sentence(ahead, run, words)}


def _sentence(ahead: LinesAhead, run: Run, words: Words) -> str:
    """Where it will be tight, or was expected to be."""
    tightest = ahead.tightest()
    if tightest is None:
        return "Lines of groups are forecast as states only." if ahead.slots else "No forecast was made of this slot."
    cell, name, slot = tightest
    where = f"{words.span(slot, run.clock.length)} on {name}"
    if cell.came:
        return f"The forecast from here on saw up to {cell.to} % of a limit, {where}; {cell.came} came."
    return f"The tightest slot ahead is {where}: it may reach {cell.to} % of its limit."


# -- the network in a slot --------------------------------------------------------------------------


def _feeder(
    site: Site, lines: SeenLines, here: Sequence[Row], told: Mapping[tuple[int, int], Row], span: str
) -> dict[str, Any]:
    """The drawing, and tables of lines and nodes."""
    network = site.network
    flow = np.array([row["flow_wh"] for row in here], np.int64)
    hidden = frozenset(row["line"] for row in here if row["hidden"])
    shown = cables(network, flow, network.lost_wh(flow), hidden)
    net = network.net_wh(flow) if lines.whole else np.zeros(len(network), np.int64)
    over = sum(cable.over for cable in shown)
    homes = np.bincount(site.node, minlength=len(network)).tolist()
    return {
        "chart": network_chart(Picture(network, net, _labels(net), shown), span),
        "badge": ("bad", f"{counted(over, 'line')} over the limit") if over else ("ok", "No line over its limit"),
        "lines": [
            _line(cable, row, told.get((row["slot"], row["line"]))) for cable, row in zip(shown, here, strict=True)
        ],
        "nodes": [
            (name, str(count), *((kwh_text(max(wh, 0), 3), kwh_text(max(-wh, 0), 3)) if lines.whole else ("–", "–")))
            for name, count, wh in zip(network.names, homes, net.tolist(), strict=True)
        ],
    }


def _labels(net: IntArray) -> list[str]:
    """What each node does, in words."""
    return [f"{'draws' if wh > 0 else 'feeds in'} {kwh_text(abs(wh), 2)} kWh" if wh else "" for wh in net.tolist()]


def _line(cable: Cable, row: Row, told: Row | None) -> tuple[str, ...]:
    """One line as numbers."""
    way = f"{cable.start} → {cable.end}"
    if row["hidden"]:
        return way, "–", kwh_text(cable.limit_wh, 3), row["state"], "–", "–", told["state"] if told else "–"
    unlimited = abs(row["unlimited_wh"])
    expected = (kwh_text(abs(told["expected_wh"]), 3), likely(told)) if told else ("–", "–")
    return (
        way,
        kwh_text(cable.flow_wh, 3),
        kwh_text(cable.limit_wh, 3),
        f"{cable.percent} %",
        kwh_text(unlimited, 3),
        *expected,
    )


def _strip(lines: SeenLines, reader: Reader, run: Run, slot: int, newest: int, words: Words) -> dict[str, Any]:
    """The slots around the chosen one: how full the tightest line was, and whether something was asked."""
    network, length = lines.network, run.clock.length
    last = min(newest, slot + (STRIP // 2 - 1) * length)
    first = max(last - (STRIP - 1) * length, run.first_slot)
    asked = {row["slot"]: row["kind"] for row in interventions(reader, first, last) if row["kind"] != Measure.CALL}
    tightest: dict[int, tuple[int, int, str]] = {}
    for row in lines.loads(loads(reader, first, last)):
        full = (loading(network, row["line"], row["flow_wh"]), row["line"], _loaded(row, network))
        tightest[row["slot"]] = max(full, tightest.get(row["slot"], (-1, 0, "")))
    bars = [
        Bar(
            slot=at,
            share=min(percent, FULL),
            chosen=at == slot,
            flag=ASKED[Measure(asked[at])] if at in asked else "",
            span=f"{words.span(at, length)}, {words.short_day(at)}",
            line=network.label(line),
            loaded=loaded,
        )
        for at, (percent, line, loaded) in sorted(tightest.items())
    ]
    return {
        "bars": bars,
        "axis": [words.clock(bar.slot) if k % 6 == 0 else "" for k, bar in enumerate(bars)],
        "rows": [(bar.span, bar.line, bar.loaded.removeprefix("at "), bar.flag or "nothing") for bar in bars],
    }


def _loaded(row: Row, network: Network) -> str:
    """How loaded a line was, as far as it is seen."""
    if row["hidden"]:
        return f"{row['state']} its limit"
    return f"at {loading(network, row['line'], row['flow_wh'])} %"


# -- through the day ---------------------------------------------------------------------------------


def _days(
    lines: SeenLines, day: Sequence[Row], told: Mapping[tuple[int, int], Row], run: Run, start: int, words: Words
) -> list[dict[str, Any]]:
    """The day of the tightest lines of which flows are seen, drawn and as numbers."""
    network, tightest = lines.network, dict[int, int]()
    for row in day:
        if row["hidden"]:
            continue
        tightest[row["line"]] = max(tightest.get(row["line"], 0), loading(network, row["line"], row["flow_wh"]))
    found = []
    for line in sorted(tightest, key=lambda k: (-tightest[k], k))[:DRAWN]:
        carried = {row["slot"]: row for row in day if row["line"] == line}
        found.append(
            {
                "name": network.label(line),
                "most": f"{tightest[line]} %",
                "chart": line_chart(line, network, carried, told, run, start, words),
                "rows": [_day_row(row, told.get((at, line)), run, words) for at, row in carried.items()],
            }
        )
    return found


def _day_row(row: Row, told: Row | None, run: Run, words: Words) -> tuple[str, ...]:
    """One slot of a line's day."""
    expected = [kwh_text(told[name], 3) for name in ("expected_wh", "low_wh", "high_wh")] if told else ["–"] * 3
    return (
        words.span(row["slot"], run.clock.length),
        kwh_text(row["flow_wh"], 3),
        kwh_text(row["unlimited_wh"], 3),
        *expected,
    )


# -- what was done ----------------------------------------------------------------------------------
