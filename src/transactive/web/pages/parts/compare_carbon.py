"""What a comparison of prices of carbon and levies says in its headline: kg and cost, beside the first of them."""

from __future__ import annotations

from transactive.core.units import money_text
from transactive.insight.studies.comparison import Comparison, MechanismFigures


def carbon_title(comparison: Comparison) -> str:
    """Which variant emits least, by location."""
    first, least = comparison.mechanisms[0], _least(comparison)
    if least.location_mg == first.location_mg:
        return "None emits less than the first"
    return f"{_terms(least)}: {_change(first.location_mg, least.location_mg)} carbon"


def carbon_text(comparison: Comparison) -> str:
    """What the headline rests on: kg and cost of that variant and of the first."""
    first, least = comparison.mechanisms[0], _least(comparison)
    text = f"{_terms(first)}, all homes emit {_kg(first.location_mg)} kg by location and pay"
    text += f" {money_text(int(first.bill_n), comparison.currency)}."
    if least.location_mg != first.location_mg:
        text += f" {_terms(least)}, it is {_kg(least.location_mg)} kg and"
        text += f" {money_text(int(least.bill_n), comparison.currency)}, what came back of a levy taken off."
    return text


def _least(comparison: Comparison) -> MechanismFigures:
    """The variant that emits least, the first of several."""
    return min(comparison.mechanisms, key=lambda figures: figures.location_mg)


def _terms(figures: MechanismFigures) -> str:
    """A variant at the beginning of a sentence."""
    price = figures.carbon_price_per_t
    parts = [] if price is None else [f"At {price:,} a tonne"]
    if figures.levy is not None:
        parts.append(f"{'with' if parts else 'With'} levy {figures.levy}")
    return " ".join(parts) or "As it is"


def _change(before: int, after: int) -> str:
    """By how much less, in per cent to one decimal."""
    return f"{(before - after) * 1_000 // before / 10:.1f} % less"


def _kg(mg: int) -> str:
    """Carbon [mg] in kg."""
    return f"{mg // 10_000 / 100:,.2f}"
