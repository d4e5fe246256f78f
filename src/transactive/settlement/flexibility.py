"""What the network pays: for energy moved for a line, and for solar energy held back."""

from __future__ import annotations

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind, Postings
from transactive.core.units import IntArray
from transactive.settlement.netted import book


def flexibility(
    slot: int,
    called_wh: IntArray,
    call_price: IntArray,
    moved_wh: IntArray,
    move_price: int,
    curtailed_wh: IntArray,
    compensation: int,
    accounts: Accounts,
) -> Postings:
    """Postings from the network's account, energy [Wh], (members,), each at its price [µ¤/kWh].

    called_wh: relief by plan at the price of the member's lines, (members,). moved_wh: by what batteries were moved
    beyond their plan. curtailed_wh: PV held back. All prices are at least 0.
    """
    members, kind = np.arange(accounts.members), PostingKind
    return book(
        slot,
        [
            (kind.FLEXIBILITY, accounts.network, members, called_wh * (call_price > 0), call_price),
            (kind.FLEXIBILITY, accounts.network, members, moved_wh * int(move_price > 0), move_price),
            (kind.CURTAILMENT, accounts.network, members, curtailed_wh * int(compensation > 0), compensation),
        ],
    )
