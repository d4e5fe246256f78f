"""Questions about what a community will use or make, their outcomes and odds, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from transactive.core.units import PPM, kwh_text

Quantity = Literal["imported", "exported", "produced"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
"""Totals of a settlement that can be asked about, in the order of its lanes."""
WHAT = {
    "imported": "kWh that all members together take from their connections",
    "exported": "kWh that all members together give to their connections",
    "produced": "kWh that all plants of the community produce",
}
ONE_IN = ((900_000, "almost certain"), (600_000, "likely"), (400_000, "about even"))
RARE = 20_000
"""Below this, odds are called very unlikely, not one in so many [ppm]."""
TOOLS = (
    "The pool of forecasters is what the market forecasts with; no money is in it. Stakes pay members whose sealed"
    " forecasts of a day were better than those of others. Shares can be bought and sold at any time, and their price"
    " says what members expect together."
)
"""Which of the three does what."""
THIN_MARKETS = (
    "Prices of shares are no good forecast where few trade. Against the best single forecaster in hindsight, on homes,"
    " learnt weights were 4.9 to 5.3 % better (CRPS), wagers 2.9 to 3.2 % better, and a market of shares 3.4 to 4.2 %"
    " worse; on a region's load it was 37 % worse."
)
"""What the measurement found, as docs/concepts/predictions.md tells it."""


def outcome_words(bounds: Sequence[int], outcome: int) -> str:
    """What an outcome of a question means; bounds [Wh], rising."""
    low = bound_text(bounds[outcome - 1]) if outcome else ""
    high = bound_text(bounds[outcome]) if outcome < len(bounds) else ""
    if not low:
        return f"less than {high} kWh"
    return f"{low} to {high} kWh" if high else f"{low} kWh or more"


def bound_text(bound_wh: int) -> str:
    """A bound in kWh, exactly: somebody pays by it."""
    digits = next(digits for digits in (1, 2, 3) if digits == 3 or not bound_wh % 10 ** (3 - digits))
    return kwh_text(bound_wh, digits)


def odds_words(price_ppm: int) -> str:
    """How likely the market holds an outcome: almost certain, likely, about even, one in three, very unlikely."""
    for least, words in ONE_IN:
        if price_ppm >= least:
            return words
    if price_ppm < RARE:
        return "very unlikely"
    return f"about one in {(PPM + price_ppm // 2) // price_ppm}"
