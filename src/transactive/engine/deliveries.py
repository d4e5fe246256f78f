"""What trades and meters of a slot make of each other: netted against trades, or shared by keys."""

from __future__ import annotations

import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.sharing_rules import SHARING
from transactive.core.tables import Delivery, Positions, Readings
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.settlement.netted import deliver
from transactive.settlement.sharing import deliver_shared


def delivered(community: Community, positions: Positions, readings: Readings, tariff: Tariff) -> Delivery:
    """Delivery of a slot by the community's rules of then."""
    rules = community.at(positions.slot).sharing
    if community.market.mechanism != SHARING or rules is None:
        return deliver(positions, readings, meet=tariff.meets)
    return deliver_shared(positions, readings, rules.keys, shares_of(community, positions.slot))


def shares_of(community: Community, slot: int) -> IntArray:
    """Agreed shares of all members in a slot [ppm], (members,): none of who is no member then."""
    shares = np.array([member.share_ppm for member in community.at(slot).members], np.int64)
    return np.where(community.membership.present(slot), shares, 0)
