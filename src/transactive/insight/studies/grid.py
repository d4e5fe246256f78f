"""What keeping the lines of a network costs and brings: the same days watched, limited, and priced as well."""

from __future__ import annotations

import msgspec

from transactive.insight.summary import GridSummary


class LineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A line: its limits each way, and the most that it carried each way [Wh a slot]."""

    name: str
    limit_wh: int
    limit_back_wh: int
    most_wh: int
    most_back_wh: int
    slots_over: int


class GridVariant(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run the days. Money in n¤, as text.

    members_pay_n: bills of all members, after the credit for what their batteries hold and with what the network paid
    them; network_n: what its account took in less what it paid. members_worse_off: who pays more than without a market;
    members_below_watched: more than where lines are only watched. missing_wh: energy beyond limits, line by line.
    """

    name: str
    grid: GridSummary
    members_pay_n: str
    network_n: str
    members_worse_off: int
    members_below_watched: int
    generation_wh: int
    missing_wh: int
    lines: tuple[LineFigures, ...]


class ForecastScores(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts of one kind against what lines carried while they were only watched.

    brier: mean squared error of the probability that a limit is passed; beside it that of climatology and of one by
    the hour, both in hindsight. coverage: of the interval that should hold nine of ten, mean and least of the lines.
    """

    name: str
    said: float
    passed: float
    brier: float
    climatology: float
    hourly_climatology: float
    coverage: float
    coverage_least: float


class GridStudy(msgspec.Struct, frozen=True, kw_only=True):
    """One object for scripts; `grid study --json` prints exactly these fields."""

    community: str
    currency: str
    mechanism: str
    first_slot: str
    slots: int
    members: int
    variants: tuple[GridVariant, ...]
    forecasts: tuple[ForecastScores, ...]
