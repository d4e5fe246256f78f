"""Prices of members who have their own, in a slot: their own key's, their group's, or the common ones."""

from __future__ import annotations

import numpy as np

from transactive.core.community.community import Community
from transactive.core.tariff import OwnPrices, Tariff
from transactive.environment.prices import LocalTimes, prices_of

KEYS = ("supply_micro_per_kwh", "feed_in_micro_per_kwh", "network_fee_micro_per_kwh")
"""Keys of the prices in the order of `OwnPrices`."""


def own_prices(community: Community, slot: int, tariff: Tariff) -> OwnPrices | None:
    """Prices of all members in a slot [Unix s], each (members,); None where everybody has the common ones.

    They follow from the community file alone, so that whoever reads a state finds them again.
    """
    rules = community.at(slot)
    if not rules.own_prices:
        return None
    members = len(rules.members)
    found = [np.full(members, price, np.int64) for price in (tariff.supply, tariff.feed_in, tariff.fee)]
    starts = np.array([slot], np.int64)
    local = LocalTimes.of(starts, rules.tariff)
    for key, price, who in rules.own_prices:
        found[KEYS.index(key)][who] = prices_of(price, starts, local, {})[0]
    return OwnPrices(*found)
