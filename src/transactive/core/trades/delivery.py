"""Delivery: trades of a slot against its meters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.tables import Table
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Delivery(Table):
    """Trades against meters for one slot, shape (members,), Wh.

    short: sold, not delivered. extra: taken, not bought. give: bought and not taken, or delivered and not sold. Each is
    split in the part met inside the community and the part met by the supplier. local_use_wh: energy that
    bears the network fee. lost_wh: what the network bought for losses; what it did not need is a give of its own, what
    lines lost beyond it an extra.
    """

    slot: int
    bought_wh: IntArray
    sold_wh: IntArray
    imported_wh: IntArray
    exported_wh: IntArray
    short_inside_wh: IntArray
    short_supplier_wh: IntArray
    extra_inside_wh: IntArray
    extra_supplier_wh: IntArray
    give_inside_wh: IntArray
    give_supplier_wh: IntArray
    local_use_wh: IntArray
    lost_wh: int = 0
    lost_give_inside_wh: int = 0
    lost_give_supplier_wh: int = 0
    lost_extra_inside_wh: int = 0
    lost_extra_supplier_wh: int = 0

    @property
    def both_ways_wh(self) -> IntArray:
        """What meters counted in both directions and nobody traded, (members,): the supplier's, both ways."""
        extra, give = self.extra_inside_wh + self.extra_supplier_wh, self.give_inside_wh + self.give_supplier_wh
        return np.minimum(extra, give)  # type: ignore[no-any-return]

    @property
    def lost_used_wh(self) -> int:
        """What lines lost of what members gave each other [Wh]."""
        bought = self.lost_wh + self.lost_extra_inside_wh + self.lost_extra_supplier_wh
        return bought - self.lost_give_inside_wh - self.lost_give_supplier_wh
