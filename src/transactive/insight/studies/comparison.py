"""Figures that set mechanisms side by side, from whole numbers; docs/concepts/compare.md defines each of them.

Money is n¤ as text, energy Wh, prices µ¤/kWh. A share or an index is a number with six decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from transactive.insight.shares import ratio


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """What days are put under: a mechanism, and where they are not the community's own, members' price of carbon, levy.

    carbon_price_per_t: what a tonne less is worth to each member, in whole ¤.
    """

    name: str
    carbon_price_per_t: int | None = None
    levy: str | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """What is beside the mechanism, in words."""
        price = () if self.carbon_price_per_t is None else (f"{self.carbon_price_per_t} a tonne",)
        return (*price, *(() if self.levy is None else (f"levy {self.levy}",)))

    @property
    def label(self) -> str:
        """One line that tells it from the others."""
        return ", ".join((self.name, *self.terms))


class MechanismFigures(Variant, frozen=True, kw_only=True):
    """One mechanism, or one variant of it, over all slots.

    bill_n: what all members paid, levy and what came back of it included, less the credit for charged batteries.
    congested_slots: slots with a line that is full or beyond its limit; None without a network.
    price, price_jump: mean by energy, and mean step between consecutive slots that traded; None without one.
    prices: of each slot, None without a trade. saved: of each member. clearing_ms: mean time to clear a slot.
    gain_share: saved of what one plan for all that knew everything would have; None where it is not known.
    datagrams, sent_bytes: between all members, where they negotiate; then what untrue limits gain is not sought.
    """

    orders: int
    refused: int
    traded_wh: int
    trading_slots: int
    welfare_n: str
    buyers_share: float
    left_over_n: str
    congested_slots: int | None
    price: int | None
    price_jump: int | None
    bill_n: str
    levy_n: str
    location_mg: int
    market_mg: int
    saved_n: str
    saved_least_n: str
    saved_median_n: str
    saved_most_n: str
    members_worse_off: int
    gini: float
    gas: int
    withheld_mean_n: str
    withheld_most_n: str
    shaded_mean_n: str
    shaded_most_n: str
    altered: int
    clearing_ms: float
    prices: tuple[int | None, ...]
    saved: tuple[str, ...]
    datagrams: int | None = None
    sent_bytes: int | None = None
    gain_share: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The same slots under several mechanisms.

    supply: the supplier's price of each slot. gas_from: where the figures of gas come from. added: what each market
    would have added for each member to what sharing by keys saved [n¤], by its label; empty where nothing is shared.
    """

    community: str
    currency: str
    first_slot: str
    slot_minutes: int
    slots: int
    members: tuple[str, ...]
    gas_from: str
    supply: tuple[int, ...]
    mechanisms: tuple[MechanismFigures, ...]
    added: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


def added_to(shared: str, mechanisms: Sequence[MechanismFigures]) -> dict[str, tuple[str, ...]]:
    """What each other mechanism saved each member beyond the one named `shared` [n¤], by its label."""
    base = next((figures for figures in mechanisms if figures.name == shared), None)
    if base is None:
        return {}
    return {
        figures.label: tuple(str(int(one) - int(two)) for one, two in zip(figures.saved, base.saved, strict=True))
        for figures in mechanisms
        if figures.name != shared
    }


def gini(values: Sequence[int]) -> float:
    """Inequality of whole numbers of any sign, from 0 (all equal) to 1, to six decimals.

    Half the mean difference of all pairs, relative to the largest that the same gains and losses allow:

        sum over pairs |x_i − x_j| ÷ ((n − 1) x sum |x_i|)

    Without negative values it is the classic index x n / (n − 1). Source: Raffinetti, Siletti, Vernizzi (2015), On the
    Gini coefficient normalization when attributes with negative values are considered, Stat. Methods Appl. 24.
    """
    ordered, count = sorted(values), len(values)
    whole = (count - 1) * sum(map(abs, ordered))
    pairs = sum((2 * rank - count + 1) * value for rank, value in enumerate(ordered))
    return ratio(pairs, whole)


def median(values: Sequence[int]) -> int:
    """Middle of whole numbers; of two middles their mean, rounded down."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2


def mean(values: Sequence[int]) -> int | None:
    """Mean of whole numbers to the nearest whole one, halves up; None of none."""
    return rounded(sum(values), len(values))


def jump(prices: Iterable[int | None]) -> int | None:
    """Mean step of a price between neighbouring slots that both traded [µ¤/kWh]; None without such a pair."""
    return mean([abs(b - a) for a, b in pairwise(prices) if a is not None and b is not None])


def rounded(part: int, whole: int) -> int | None:
    """Quotient to the nearest whole number, halves up; None without a whole."""
    return (2 * part + whole) // (2 * whole) if whole else None
