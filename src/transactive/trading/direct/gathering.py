"""Everybody's side of a slot in one process: orders become curves, keys and a roll; for replays and rehearsals.

A real node does the same for one member: it makes its key and salt from its own secret, asks the operator for an
allowance, and fetches the roll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST, Limits
from transactive.core.proofs import signing
from transactive.core.proofs.deals.allowances import Allowance, Roll, member_commitment, slot_key, slot_salt
from transactive.core.proofs.deals.quotes import DemandCurve
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.signed_orders import Step
from transactive.core.tables import Orders
from transactive.trading.direct.board import SignerOf, signer_of
from transactive.trading.direct.demand import steps_of_orders
from transactive.trading.direct.negotiator import Draw, Negotiator
from transactive.trading.direct.terms import SlotTerms

CONTACT = b"TransActive contact of a slot"
CONTACT_BYTES = 6
"""As many as an IPv4 address and a port take."""


@dataclass(frozen=True, slots=True)
class MemberWish:
    """What a member wants of a slot. most_bought_wh, most_sold_wh: what the operator allows it [Wh].

    highest_buy, lowest_sell: prices [µ¤/kWh] beyond which it neither buys nor sells, not even to undo a deal.
    """

    member: int
    secret: bytes
    buys: Sequence[Step]
    sells: Sequence[Step]
    most_bought_wh: int
    most_sold_wh: int
    highest_buy: int = NO_HIGHEST
    lowest_sell: int = NO_LOWEST

    def key(self, slot: int) -> str:
        """Address of its key of a slot (its number)."""
        return signing.address_of(slot_key(self.secret, slot))

    def allowance(self, slot: int) -> Allowance:
        """What the operator signs for it."""
        commitment = member_commitment(self.member, slot_salt(self.secret, slot))
        return Allowance(slot, self.key(slot), commitment, self.most_bought_wh, self.most_sold_wh)

    def curve(self, slot: int, contact: bytes) -> DemandCurve:
        """Its curve; the curve's salt is none of the commitment's, which stays secret."""
        salt = keccak(CONTACT + slot_salt(self.secret, slot))
        return DemandCurve(slot, self.key(slot), salt, contact, *steps_of_orders(self.buys, self.sells))


def wishes_of(orders: Orders, secrets: Sequence[bytes], limits: Limits | None = None) -> list[MemberWish]:
    """Wishes of all who have orders, each allowed its own and to undo them once. secrets, limits: by member."""
    limits, made = limits or Limits.none(len(secrets)), []
    for member in np.unique(orders.member).tolist():
        rows = orders.member == member
        columns = zip(*(c[rows].tolist() for c in (orders.is_buy, orders.price, orders.energy_wh)), strict=True)
        sides: tuple[list[Step], list[Step]] = ([], [])
        for is_buy, price, energy in columns:
            sides[not is_buy].append((price, energy))
        most = sum(energy for side in sides for _, energy in side)
        within = int(limits.highest_buy[member]), int(limits.lowest_sell[member])
        made.append(MemberWish(member, secrets[member], *sides, most, most, *within))
    return made


def roll_of(slot: int, wishes: Sequence[MemberWish]) -> Roll:
    """Roll of a slot (its number)."""
    return Roll.of(slot, (wish.allowance(slot) for wish in wishes))


def nodes_of(
    wishes: Sequence[MemberWish], terms: SlotTerms, draws: Sequence[Draw], signer: SignerOf = signer_of
) -> tuple[list[Negotiator], list[bytes]]:
    """A node for each wish, which knows two others beforehand, and the contact of each. draws: of each node."""
    slot = terms.slot
    contacts = [keccak(CONTACT + slot_key(wish.secret, slot))[:CONTACT_BYTES] for wish in wishes]
    nodes = []
    for place, wish in enumerate(wishes):
        near = [contacts[(place + step) % len(contacts)] for step in (1, -1)]
        curve = wish.curve(slot, contacts[place])
        within = wish.highest_buy, wish.lowest_sell
        key = slot_key(wish.secret, slot)
        nodes.append(Negotiator(terms, key, curve, near, draws[place], signer=signer, within=within))
    return nodes, contacts
