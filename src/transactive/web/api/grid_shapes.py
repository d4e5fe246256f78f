"""What the API says of lines: loads, forecasts, and what was asked of devices for them. No member is named.

A grid token gets null for figures that would tell of too few homes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from transactive.core.congestion import FORECAST, Measure
from transactive.store.read.runs import Row
from transactive.texts.formatting import stamp
from transactive.web.api.records import Money, Next, Time, View, Wh
from transactive.web.lines.seen import LineState, SeenLines

Kind = Literal["call", "move", "curtail", "open"]
KINDS: dict[Measure, Kind] = {
    Measure.CALL: "call", Measure.MOVE: "move", Measure.CURTAIL: "curtail", Measure.OPEN: "open"
}  # fmt: skip
Probability = Annotated[int, Meta(description="Parts in a million", ge=0, le=1_000_000)]


class LineView(View, frozen=True, kw_only=True):
    """A line in a slot; flows are positive from `start` to `end`, away from the grid's side in a tree."""

    slot: Time
    start: str
    end: str
    limit_wh: Annotated[int, Meta(description="Most that may enter from start to end [Wh]")]
    limit_back_wh: Annotated[int, Meta(description="Most that may enter from end to start [Wh]")]
    group: Annotated[int, Meta(description="Group of lines; figures of a grid token are for whole groups")]


class LineLoad(LineView, frozen=True, kw_only=True):
    """What a line carried."""

    state: Annotated[LineState, Meta(description="How it stands to its limit")]
    flow_wh: Wh | None
    unlimited_wh: Annotated[int | None, Meta(description="What it would have carried without limits [Wh]")]
    price: Annotated[int | None, Meta(description="What batteries planned with for a Wh over the line [µ¤/kWh]")]


class LineForecast(LineView, frozen=True, kw_only=True):
    """What a line was expected to carry; low to high holds nine of ten."""

    made: Literal["day ahead", "gate"]
    state: Annotated[LineState, Meta(description="How it will stand to its limit: near is at risk, beyond is likely")]
    expected_wh: Wh | None
    low_wh: Wh | None
    high_wh: Wh | None
    over_ppm: Probability | None
    back_ppm: Probability | None
    beyond_wh: Annotated[int | None, Meta(description="Expected energy beyond the limits [Wh]")]


class Intervention(LineView, frozen=True, kw_only=True):
    """What was asked for a line: batteries by price or by limit, PV held back, or nothing left to ask."""

    kind: Kind
    homes: int | None
    energy_wh: Wh | None
    amount_n: Annotated[Money | None, Meta(description="What the network pays [n¤], as text")]


class LineLoadPage(View, frozen=True, kw_only=True):
    """Loads by slot and line."""

    items: list[LineLoad]
    next: Next


class LineForecastPage(View, frozen=True, kw_only=True):
    """Forecasts by slot and line, that of the gate first."""

    items: list[LineForecast]
    next: Next


class InterventionPage(View, frozen=True, kw_only=True):
    """Interventions by slot, line and kind."""

    items: list[Intervention]
    next: Next


def load(row: Row, lines: SeenLines) -> LineLoad:
    """A line's load."""
    seen = lines.loads([row])[0]
    figures: dict[str, Any] = {
        name: None if seen["hidden"] else row[name] for name in ("flow_wh", "unlimited_wh", "price")
    }
    return LineLoad(state=seen["state"], **_line(row, lines), **figures)


def forecast(row: Row, lines: SeenLines) -> LineForecast:
    """A line's forecast."""
    made: Any = "day ahead" if row["ahead"] else "gate"
    seen = lines.forecast(row)
    figures: dict[str, Any] = {name: None if seen["hidden"] else row[name] for name in FORECAST}
    return LineForecast(made=made, state=seen["state"], **_line(row, lines), **figures)


def intervention(row: Row, lines: SeenLines) -> Intervention:
    """What was asked for a line."""
    summed = lines.interventions([row])[0]["summed"]
    return Intervention(
        kind=KINDS[row["kind"]],
        homes=row["homes"] if lines.whole else None,
        energy_wh=row["energy_wh"] if summed else None,
        amount_n=str(row["amount_n"]) if summed else None,
        **_line(row, lines),
    )


def _line(row: Row, lines: SeenLines) -> dict[str, Any]:
    """Which line, its limits and its group."""
    network, line = lines.network, row["line"]
    return {
        "slot": stamp(row["slot"]),
        "start": network.names[network.start[line]],
        "end": network.names[network.end[line]],
        "limit_wh": int(network.limit_wh[line]),
        "limit_back_wh": int(network.back_wh[line]),
        "group": int(lines.groups.group[line]),
    }
