"""Postings: who pays whom for what, in one slot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from transactive.core.tables import Table, stacked
from transactive.core.units import BoolArray, IntArray


class PostingKind(IntEnum):
    """Why money moves, in the order in which a slot posts it.

    Later ones stand elsewhere: what was traded again after the refund of shortfalls, a congestion rent before advances,
    and so do what the network pays for flexibility and for what it curtailed, and certificates before levies; what
    a short seller forfeits comes last of the settlement's own, then corrected readings of earlier slots and standing
    charges; what a plant's owners and forecasters get before dividends, what is shared in place of deviations, with the
    surplus of fixed shares and an incentive behind it, what is held back or released last of all.
    Databases keep these numbers, so none is ever given anew.
    """

    BOUGHT = 1
    CERTIFIED = 2
    SHORTFALL_REFUND = 3
    SHORT_INSIDE = 4
    SHORT_SUPPLIER = 5
    EXTRA_INSIDE = 6
    EXTRA_SUPPLIER = 7
    GIVE_INSIDE = 8
    GIVE_SUPPLIER = 9
    SPREAD = 10
    NETWORK_FEE = 11
    FEE_FOLLOWS = 12
    ADVANCE = 13
    DIVIDEND = 14
    CONGESTION_RENT = 15
    LEVY = 16
    LEVY_RETURN = 17
    LOSSES = 18
    TRADED_AGAIN = 19
    FLEXIBILITY = 20
    CURTAILMENT = 21
    CERTIFICATES = 22
    FORFEIT = 23
    OFFSET = 24
    HOLD = 25
    RELEASE = 26
    OWNERSHIP = 27
    SHARED = 28
    CORRECTION = 29
    SURPLUS = 31
    INCENTIVE = 32
    STANDING_CHARGE = 33
    BONUS = 34


IN_KG = frozenset({PostingKind.OFFSET})
"""Kinds whose quantity is kg of CO₂e and whose price is µ¤ per tonne; that of all others is Wh at µ¤/kWh."""


@dataclass(frozen=True, slots=True, eq=False)
class Postings(Table):
    """Double-entry postings of one slot, shape (postings,): `amount_n` [n¤, ≥ 0] moves from payer to payee.

    amount_n = energy_wh x |price| wherever one price applies; an advance, a dividend and congestion rent have neither.
    An offset's quantity is kg, and its price µ¤ per tonne, the same number as n¤ per kg.
    """

    slot: int
    kind: IntArray
    payer: IntArray
    payee: IntArray
    energy_wh: IntArray
    price: IntArray
    amount_n: IntArray

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def none(cls, slot: int) -> Postings:
        """No posting."""
        return cls(slot, *[np.zeros(0, np.int64)] * 6)

    def other_than(self, kind: PostingKind) -> Postings:
        """These postings without those of a kind."""
        return self._chosen(self.kind != kind)

    def only(self, kind: PostingKind) -> Postings:
        """The postings of a kind."""
        return self._chosen(self.kind == kind)

    def _chosen(self, rows: BoolArray) -> Postings:
        return Postings(self.slot, **{name: column[rows] for name, column in self.columns().items() if name != "slot"})

    def and_then(self, more: Postings) -> Postings:
        """These postings followed by others of the same slot."""
        return stacked(self, more)

    def lost_beyond_wh(self, network: int) -> int:
        """What the network lacked of what lines lost − what it had bought too much [Wh]: its extras − its gives."""
        own = (self.payer == network) | (self.payee == network)
        extra = np.isin(self.kind, (PostingKind.EXTRA_INSIDE, PostingKind.EXTRA_SUPPLIER))
        give = np.isin(self.kind, (PostingKind.GIVE_INSIDE, PostingKind.GIVE_SUPPLIER))
        return int(self.energy_wh[extra & own].sum() - self.energy_wh[give & own].sum())

    def held_n(self, members: int) -> IntArray:
        """What these postings hold back of each member − what they release [n¤], (members,)."""
        held = np.zeros(members, np.int64)
        for kind, account, sign in ((PostingKind.HOLD, self.payer, 1), (PostingKind.RELEASE, self.payee, -1)):
            chosen = self.kind == kind
            np.add.at(held, account[chosen], sign * self.amount_n[chosen])
        return held

    def net_n(self, accounts: int) -> IntArray:
        """Received − paid per account [n¤], (accounts,). Sums to zero."""
        net = np.zeros(accounts, np.int64)
        np.add.at(net, self.payee, self.amount_n)
        np.subtract.at(net, self.payer, self.amount_n)
        return net
