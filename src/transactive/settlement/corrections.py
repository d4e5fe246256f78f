"""What a corrected reading of a settled slot costs: the difference, with the supplier, at that slot's own tariff.

    more imported    the member pays the supply price of the slot that was metered; less: it gets it back
    more exported    the member receives the feed-in of that slot; less: it gives it back

So a difference is linear in both registers: corrections of one slot add up to that between its first and its last
reading, in any order, and going back to the first value costs nothing on balance. Nobody else's posting changes: what
was traded and shared in that slot stands.
"""

from __future__ import annotations

from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.corrections import Corrections
from transactive.core.units import IntArray
from transactive.settlement.netted import book


def correct(corrections: Corrections, accounts: Accounts) -> Postings:
    """Postings of corrected readings in the slot that settles them, each between one member and the supplier."""
    c, kind = corrections, PostingKind.CORRECTION
    taken, given = c.now_import_wh - c.was_import_wh, c.now_export_wh - c.was_export_wh
    member, supplier = c.member, accounts.supplier
    return book(
        c.slot,
        [
            (kind, member, supplier, taken.clip(min=0), c.supply),
            (kind, supplier, member, (-taken).clip(min=0), c.supply),
            (kind, supplier, member, given.clip(min=0), c.feed_in),
            (kind, member, supplier, (-given).clip(min=0), c.feed_in),
        ],
    )


def charged_n(postings: Postings, members: int) -> IntArray:
    """What corrections take from each member on balance [n¤], (members,); 0 for who gains by them."""
    rows = postings.only(PostingKind.CORRECTION)
    cost: IntArray = -rows.net_n(Accounts(members).total)[:members]
    return cost.clip(min=0)
