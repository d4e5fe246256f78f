"""Money that is held back while a finding against a member is open, and released once it is closed.

The community's account keeps it, apart from what it pays out. It stays the member's: nothing is lost, and nothing is
taken beyond what the slot itself brought, so a hold never makes anybody owe.
"""

from __future__ import annotations

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind, Postings
from transactive.core.units import BoolArray, IntArray
from transactive.settlement.funds import collect, transfer


def hold(postings: Postings, held_n: IntArray, suspects: BoolArray, accounts: Accounts) -> Postings:
    """Hold back what a slot brings suspects on balance, and release all that is held of the others.

    postings: all others of the slot. held_n: what is held of each member [n¤], (members,). suspects: (members,).
    """
    income_n = np.maximum(postings.net_n(accounts.total)[: accounts.members], 0)
    back = collect(postings.slot, PostingKind.HOLD, accounts.community, np.where(suspects, income_n, 0))
    members = np.arange(accounts.members)
    free = transfer(postings.slot, PostingKind.RELEASE, accounts.community, members, np.where(suspects, 0, held_n))
    return back.and_then(free)
