"""The rows of a comparison as people read them, in terminal and page alike: name, unit, where best has a meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from transactive.core.units import kwh_text, money_text
from transactive.insight.studies.comparison import MechanismFigures

Number = TypeVar("Number", int, float)


class PriceTexts(Protocol):
    """How prices of the community read."""

    @property
    def currency(self) -> str:
        """The currency."""

    @property
    def price_unit(self) -> str:
        """Unit of prices."""

    def price(self, micro_per_kwh: int, digits: int = 1) -> str:
        """Price [µ¤/kWh] in that unit, without it."""


@dataclass(frozen=True, slots=True)
class ComparisonRow(Generic[Number]):
    """One row. unit: "¤" stands for the community's currency. best: which end of the scale is better, if one is.

    text: of the figure, for people; None for a price [µ¤/kWh], which reads as all others of the community do.
    """

    name: str
    unit: str
    value: Callable[[MechanismFigures], Number | None]
    text: Callable[[Number], str] | None
    best: Literal["most", "least"] | None = None

    def unit_text(self, words: PriceTexts) -> str:
        """The unit in the community's currency."""
        return words.price_unit if self.text is None else self.unit.replace("¤", words.currency)

    def show(self, figures: MechanismFigures, words: PriceTexts) -> str:
        """The figure for people; a dash where there is none."""
        value = self.value(figures)
        if value is None:
            return "–"
        if self.text is None:
            return words.price(int(value), 2)
        return self.text(value)

    def winner(self, mechanisms: tuple[MechanismFigures, ...], words: PriceTexts) -> str | None:
        """Label of the best mechanism; None where best has no meaning, or where another reads the same."""
        values = {m.label: value for m in mechanisms if (value := self.value(m)) is not None}
        if self.best is None or len(mechanisms) == 1 or not values:
            return None
        top = (max if self.best == "most" else min)(values, key=values.__getitem__)
        shown = {m.label: self.show(m, words) for m in mechanisms}
        return top if list(shown.values()).count(shown[top]) == 1 else None


def _money(digits: int) -> Callable[[int], str]:
    return lambda amount_n: money_text(amount_n, digits=digits)


def _count(number: int) -> str:
    return f"{number:,}"


def _kg(mg: int) -> str:
    return f"{mg // 10_000 / 100:,.2f}"


MEASURES: tuple[ComparisonRow[Any], ...] = (
    ComparisonRow("Gain of trade", "¤", lambda m: int(m.welfare_n), _money(2), "most"),
    ComparisonRow("… of which buyers have", "%", lambda m: m.buyers_share, lambda share: f"{share * 100:.0f}"),
    ComparisonRow("… of which the network has", "¤", lambda m: int(m.left_over_n), _money(2)),
    ComparisonRow("Traded", "kWh", lambda m: m.traded_wh, kwh_text),
    ComparisonRow("Slots with a trade", "", lambda m: m.trading_slots, _count),
    ComparisonRow("Congested slots", "", lambda m: m.congested_slots, _count),
    ComparisonRow("Price, mean", "¤/kWh", lambda m: m.price, None),
    ComparisonRow("Price, mean step", "¤/kWh", lambda m: m.price_jump, None, "least"),
    ComparisonRow("Paid, all members", "¤", lambda m: int(m.bill_n), _money(2), "least"),
    ComparisonRow("… of which levy", "¤", lambda m: int(m.levy_n), _money(2)),
    ComparisonRow("Emitted, by location", "kg CO₂e", lambda m: m.location_mg, _kg, "least"),
    ComparisonRow("Emitted, by claims", "kg CO₂e", lambda m: m.market_mg, _kg, "least"),
    ComparisonRow("Saved, all members", "¤", lambda m: int(m.saved_n), _money(2), "most"),
    ComparisonRow("… of what was possible", "%", lambda m: m.gain_share, lambda share: f"{share * 100:.1f}", "most"),
    ComparisonRow("Saved, least", "¤", lambda m: int(m.saved_least_n), _money(2), "most"),
    ComparisonRow("Saved, median", "¤", lambda m: int(m.saved_median_n), _money(2), "most"),
    ComparisonRow("Saved, most", "¤", lambda m: int(m.saved_most_n), _money(2)),
    ComparisonRow("Members worse off", "", lambda m: m.members_worse_off, _count, "least"),
    ComparisonRow("Inequality of savings", "Gini", lambda m: m.gini, lambda index: f"{index:.3f}", "least"),
    ComparisonRow("Gain by holding 1 Wh back, mean", "¤", lambda m: int(m.withheld_mean_n), _money(6), "least"),
    ComparisonRow("Gain by holding 1 Wh back, most", "¤", lambda m: int(m.withheld_most_n), _money(6), "least"),
    ComparisonRow("Gain by a shaded limit, mean", "¤", lambda m: int(m.shaded_mean_n), _money(6), "least"),
    ComparisonRow("Gain by a shaded limit, most", "¤", lambda m: int(m.shaded_most_n), _money(6), "least"),
    ComparisonRow("On chain", "gas", lambda m: m.gas, _count),
    ComparisonRow("Clearing a slot", "ms", lambda m: m.clearing_ms, lambda ms: f"{ms:.2f}"),
)
TRAFFIC: tuple[ComparisonRow[Any], ...] = (
    ComparisonRow("Datagrams between members", "", lambda m: m.datagrams, _count),
    ComparisonRow("… of together", "MB", lambda m: m.sent_bytes, lambda sent: f"{sent / 1e6:,.1f}"),
)
"""Rows of a comparison in which members negotiate."""


def measures_of(mechanisms: tuple[MechanismFigures, ...]) -> tuple[ComparisonRow[Any], ...]:
    """The rows that a comparison of these has."""
    return (*MEASURES, *TRAFFIC) if any(figures.datagrams for figures in mechanisms) else MEASURES
