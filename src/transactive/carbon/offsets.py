"""Automatic offsets: what a member's policy wants retired for a period, and which offers serve it.

Needs are whole kg, rounded up; what was retired beyond the need counts for the next period, so that nobody pays for
the same kg twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from transactive.carbon.credits import CreditRegister, allowed
from transactive.core.community import OffsetPolicy
from transactive.core.units import PPM

MG_PER_KG = 1_000_000


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Credits of a batch that a holder sells at a fixed price [µ¤/t, the same number as n¤/kg]."""

    batch: int
    seller: str
    kg: int
    price_micro_per_t: int


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """What to buy of which offer, and what it costs [n¤]."""

    offer: int
    kg: int
    amount_n: int


def need_kg(policy: OffsetPolicy, footprint_mg: int, ahead_mg: int) -> int:
    """Whole kg to retire for a footprint [mg], less what was retired ahead [mg]."""
    wanted = -(-footprint_mg * policy.coverage_ppm // PPM)
    return max(-(-(wanted - ahead_mg) // MG_PER_KG), 0)


def choose(
    register: CreditRegister, policy: OffsetPolicy, offers: Sequence[Offer], kg: int, funds_n: int
) -> list[Purchase]:
    """Serve a need from the cheapest offers that the policy allows, as far as the funds [n¤] go.

    Ties go to the earlier offer. What no offer serves stays a need of the next period.
    """
    usable = [
        (offer.price_micro_per_t, number)
        for number, offer in enumerate(offers)
        if offer.price_micro_per_t <= policy.most_micro_per_t
        and allowed(
            register,
            offer.batch,
            kinds=policy.kinds,
            vintage_from=policy.vintage_from,
            methodologies=policy.methodologies,
        )
    ]
    chosen: list[Purchase] = []
    for price, number in sorted(usable):
        payable = kg if price == 0 else min(kg, max(funds_n, 0) // price)
        taken = min(payable, offers[number].kg)
        if taken:
            chosen.append(Purchase(offer=number, kg=taken, amount_n=taken * price))
            kg, funds_n = kg - taken, funds_n - taken * price
    return chosen
