"""What the API says of lines: loads, forecasts, and what was asked of devices for them. No member is named."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from transactive.core.congestion import FORECAST, Measure
from transactive.store.read.runs import Row, Run
from transactive.texts.formatting import stamp
from transactive.web.api.records import Money, Next, Time, View, Wh

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


class LineLoad(LineView, frozen=True, kw_only=True):
    """What a line carried."""

    flow_wh: Wh
    unlimited_wh: Annotated[int, Meta(description="What it would have carried without limits [Wh]")]
    price: Annotated[int, Meta(description="What batteries planned with for a Wh over the line [µ¤/kWh]")]


class LineForecast(LineView, frozen=True, kw_only=True):
    """What a line was expected to carry; low to high holds nine of ten."""

    made: Literal["day ahead", "gate"]
    expected_wh: Wh
    low_wh: Wh
    high_wh: Wh
    over_ppm: Probability
    back_ppm: Probability
    beyond_wh: Annotated[int, Meta(description="Expected energy beyond the limits [Wh]")]


class Intervention(LineView, frozen=True, kw_only=True):
    """What was asked for a line: batteries by price or by limit, PV held back, or nothing left to ask."""

    kind: Kind
    homes: int
    energy_wh: Wh
    amount_n: Annotated[Money, Meta(description="What the network pays [n¤], as text")]


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


def load(row: Row, run: Run) -> LineLoad:
    """A line's load."""
    return LineLoad(**_line(row, run), **{name: row[name] for name in ("flow_wh", "unlimited_wh", "price")})


def forecast(row: Row, run: Run) -> LineForecast:
    """A line's forecast."""
    made: Any = "day ahead" if row["ahead"] else "gate"
    return LineForecast(made=made, **_line(row, run), **{name: row[name] for name in FORECAST})


def intervention(row: Row, run: Run) -> Intervention:
    """What was asked for a line."""
    figures = {name: row[name] for name in ("homes", "energy_wh")}
    return Intervention(kind=KINDS[row["kind"]], amount_n=str(row["amount_n"]), **_line(row, run), **figures)


def _line(row: Row, run: Run) -> dict[str, Any]:
    """Which line, and its limits."""
    network, line = run.network, row["line"]
    return {
        "slot": stamp(row["slot"]),
        "start": network.names[network.start[line]],
        "end": network.names[network.end[line]],
        "limit_wh": int(network.limit_wh[line]),
        "limit_back_wh": int(network.back_wh[line]),
    }
