"""The rows of a comparison as people read them, in terminal and page alike: name, unit, where best has a meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from transactive.core.units import kwh_text, money_text
from transactive.insight.studies.comparison import MechanismFigures

Value = int | float | None


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One row. unit: "¤" stands for the community's currency. best: which end of the scale is better, if one is."""

    name: str
    unit: str
    value: Callable[[MechanismFigures], Value]
    text: Callable[[int], str] | Callable[[float], str]
    best: Literal["most", "least"] | None = None

    def show(self, figures: MechanismFigures) -> str:
        """The figure for people; a dash where there is none."""
        value = self.value(figures)
        return "–" if value is None else self.text(value)  # type: ignore[arg-type]  # the pair is made to fit below

    def winners(self, mechanisms: tuple[MechanismFigures, ...]) -> set[str]:
        """Labels of the best mechanisms, as far as the figure is shown; of none where all read alike."""
        values = {m.label: value for m in mechanisms if (value := self.value(m)) is not None}
        shown = {m.label: self.show(m) for m in mechanisms}
        if self.best is None or len(set(shown.values())) == 1 or not values:
            return set()
        top = (max if self.best == "most" else min)(values, key=values.__getitem__)
        return {label for label in values if shown[label] == shown[top]}


def _money(digits: int) -> Callable[[int], str]:
    return lambda amount_n: money_text(amount_n, digits=digits)


def _price(micro_per_kwh: int) -> str:
    return money_text(micro_per_kwh * 1_000, digits=4)


def _count(number: int) -> str:
    return f"{number:,}"


def _kg(mg: int) -> str:
    return f"{mg // 10_000 / 100:,.2f}"


MEASURES = (
    ComparisonRow("Gain of trade", "¤", lambda m: int(m.welfare_n), _money(2), "most"),
    ComparisonRow("… of which buyers have", "%", lambda m: m.buyers_share, lambda share: f"{share * 100:.0f}"),
    ComparisonRow("… of which the network has", "¤", lambda m: int(m.left_over_n), _money(2)),
    ComparisonRow("Traded", "kWh", lambda m: m.traded_wh, kwh_text),
    ComparisonRow("Slots with a trade", "", lambda m: m.trading_slots, _count),
    ComparisonRow("Congested slots", "", lambda m: m.congested_slots, _count),
    ComparisonRow("Price, mean", "¤/kWh", lambda m: m.price, _price),
    ComparisonRow("Price, mean step", "¤/kWh", lambda m: m.price_jump, _price, "least"),
    ComparisonRow("Paid, all members", "¤", lambda m: int(m.bill_n), _money(2), "least"),
    ComparisonRow("… of which levy", "¤", lambda m: int(m.levy_n), _money(2)),
    ComparisonRow("Emitted, by location", "kg CO₂e", lambda m: m.location_mg, _kg, "least"),
    ComparisonRow("Emitted, by claims", "kg CO₂e", lambda m: m.market_mg, _kg, "least"),
    ComparisonRow("Saved, all members", "¤", lambda m: int(m.saved_n), _money(2), "most"),
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
