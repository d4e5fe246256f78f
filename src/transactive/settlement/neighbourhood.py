"""Local energy that stays near: used in the neighbourhood in which it was given, so that it bears a lower network fee.

In each neighbourhood the near energy is what its members gave inside the community, by their meters, or what they used
of it, whichever is less; it counts for its users in proportion to their use, by largest remainder. Nobody trades with
neighbours by name: the fee follows the meters alone, and no order need know of it.

Source: reduced local tariffs of energy communities, such as Austria's for a low-voltage line (ElWOG, § 52 (2a)).
"""

from __future__ import annotations

import numpy as np

from transactive.core.tariff import NearFee
from transactive.core.trades.delivery import Delivery
from transactive.core.units import IntArray, share_columns


def near_use_wh(delivery: Delivery, near: NearFee | None) -> IntArray:
    """Part of each member's local use that was given in its own neighbourhood [Wh], (members,)."""
    spare = np.minimum(delivery.give_supplier_wh, np.maximum(delivery.exported_wh - delivery.sold_wh, 0))
    return near_wh(delivery.local_use_wh, delivery.exported_wh - spare, near)


def near_wh(used: IntArray, given: IntArray, near: NearFee | None) -> IntArray:
    """Part of what each member used that was given in its own neighbourhood [Wh], (members,)."""
    found = np.zeros_like(used)
    if near is None:
        return found
    for place in range(int(near.place.max()) + 1):
        here = near.place == place
        met = min(int(used[here].sum()), int(given[here].sum()))
        found[here] = share_columns(met, used[here])
    return found
