"""Automatic offsets: what a member's policy wants retired for a period, and which offers serve it.

Needs are whole kg, rounded up; what was retired beyond the need counts for the next period, so that nobody pays for
the same kg twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from transactive.carbon.credits.register import BUFFER, CreditRegister, allowed
from transactive.core.community.community import Community
from transactive.core.community.members import OffsetPolicy
from transactive.core.errors import DataError
from transactive.core.units import PPM

MG_PER_KG = 1_000_000
TREASURY = "levy"
"""Name of the levy's account in the register."""


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


def wanted_mg(policy: OffsetPolicy, footprint_mg: int) -> int:
    """What a policy wants covered of a footprint [mg], rounded up."""
    return -(-footprint_mg * policy.coverage_ppm // PPM)


def need_kg(wanted: int, ahead_mg: int) -> int:
    """Whole kg to retire for what is wanted covered [mg], less what was retired ahead [mg]."""
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


def check_offsets(community: Community) -> None:
    """Raise DataError unless who wants offsets has something to buy, and a name that a register of credits takes."""
    rules, avoided = community.carbon.offsets, community.carbon.avoided
    for member in community.members:
        if member.offset and rules.file is None and (avoided is None or avoided.price_micro_per_t is None):
            raise DataError(f"{member.id}: offset has nothing to buy; name a file of credits in carbon.offsets")
        if member.offset and member.id in (BUFFER, TREASURY):
            raise DataError(f"{member.id}: is a name of the register of credits; choose another members.id")
    if rules.community and community.carbon.levy.use != "offsets":
        raise DataError('carbon.offsets.community is for carbon.levy.use = "offsets"; set it, or leave it out')
