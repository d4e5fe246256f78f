"""Why a bill changed from one period to the next: a split in whole n¤ that adds up, each cause in a sentence.

A home's bill is what it would have paid alone with its supplier, less what the market saved it. The bill alone is the
energy it used at its mean price, so a change of it is more or less use at the earlier price, and another price of what
was used: the classic split into quantity and price, in which the price takes the cross term.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Cause = Literal["use", "price", "alone", "market"]
USE = "More was used, at the price of the period before", "Less was used, at the price of the period before"
PRICE = (
    "A kWh used would have cost more alone: dearer prices or hours, or less own solar",
    "A kWh used would have cost less alone: cheaper prices or hours, or more own solar",
)
ALONE = "Alone the home would have paid more, or earned less", "Alone the home would have paid less, or earned more"
MARKET = "The market saved less", "The market saved more"
"""What a cause says where it raises the bill, and where it lowers it."""


@dataclass(frozen=True, slots=True)
class BillCause:
    """A part of the change [n¤]; positive raises the bill. text: what it is, whoever asks."""

    cause: Cause
    amount_n: int
    text: str


def bill_n(sums: Mapping[str, int]) -> int:
    """The bill of a period [n¤], positive is paid; what the supplier waits for is still to pay, and part of it."""
    return sums["paid_n"] + sums["advanced_n"]


def bill_causes(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[BillCause, ...]:
    """Split the change of a bill; the parts add up to it exactly. Sums are those of `SlotSums.of`.

    Of a home that alone would have earned money before, or used nothing, the mean price says nothing: there use and
    price are one cause.
    """
    alone, alone_before = now["without_n"], before["without_n"]
    used, used_before = now["consumption_wh"], before["consumption_wh"]
    found: list[tuple[Cause, int, str]] = []
    if used_before > 0 and alone_before > 0:
        by_use = _rounded(alone_before * (used - used_before), used_before)
        by_price = alone - alone_before - by_use
        found += [("use", by_use, USE[by_use < 0]), ("price", by_price, PRICE[by_price < 0])]
    else:
        found += [("alone", alone - alone_before, ALONE[alone < alone_before])]
    by_market = before["saved_n"] - now["saved_n"]
    found += [("market", by_market, MARKET[by_market < 0])]
    return tuple(BillCause(*each) for each in found if each[1])


def _rounded(value: int, by: int) -> int:
    """A quotient, rounded half up; by > 0."""
    return (2 * value + by) // (2 * by)
