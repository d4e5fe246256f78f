"""Money for certificates that were traded apart from their energy."""

from __future__ import annotations

import numpy as np

from transactive.core.postings import PostingKind, Postings
from transactive.core.units import IntArray


def pay_certificates(slot: int, seller: IntArray, buyer: IntArray, energy_wh: IntArray, price: int) -> Postings:
    """Pay Wh x price [µ¤/kWh] from each buyer to each seller, (pairs,); both know what was issued, so nothing waits."""
    same = [np.full(len(seller), value, np.int64) for value in (PostingKind.CERTIFICATES, price)]
    return Postings(slot, same[0], buyer, seller, energy_wh, same[1], energy_wh * price)
