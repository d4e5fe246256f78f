"""Items of a bill, and to which of them each posting of a member belongs.

A member has two streams: what it buys, for which it gets an invoice, and what it sells, for which it is given one in
its own name (self-billing). A price below zero turns the payment round, not who buys: it stays in its stream with the
other sign. What was bought and not used comes back on the invoice of what was bought; it is no sale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np

from transactive.core.postings import PostingKind as Kind
from transactive.core.postings import Postings
from transactive.core.units import IntArray

Stream = Literal["purchase", "sale"]
TaxGroup = Literal["energy", "network", "levies", "certificates", "standing"]


class BillItem(IntEnum):
    """What a line of a bill is about; the last two are on no bill: they move money, and owe none."""

    NEIGHBOURS = 0
    SUPPLIER = 1
    REPLACEMENT = 2
    NOT_USED = 3
    NETWORK_FEE = 4
    LEVY = 5
    LEVY_RETURN = 6
    CERTIFICATES = 7
    CREDITS = 8
    FORFEIT = 9
    DIVIDEND = 10
    STANDING = 11
    SOLD = 12
    FEED_IN = 13
    SOLD_REPLACED = 14
    FLEXIBILITY = 15
    CERTIFICATES_SOLD = 16
    CREDITS_SOLD = 17
    PLANT = 18
    PLANT_PASSED_ON = 19
    HELD = 20
    ADVANCE = 21


@dataclass(frozen=True, slots=True)
class ItemRule:
    """How an item stands on a bill. unit: of its quantity, whole Wh for kWh. tax: whose rate of VAT it has."""

    stream: Stream | None
    text: str
    unit: Literal["kWh", "kg", "day", ""]
    tax: TaxGroup = "energy"


RULES: Mapping[BillItem, ItemRule] = {
    BillItem.NEIGHBOURS: ItemRule("purchase", "Energy from neighbours", "kWh"),
    BillItem.SUPPLIER: ItemRule("purchase", "Energy from the supplier", "kWh"),
    BillItem.REPLACEMENT: ItemRule("purchase", "Energy bought in place of what was sold and not delivered", "kWh"),
    BillItem.NOT_USED: ItemRule("purchase", "Energy bought and not used, taken back", "kWh"),
    BillItem.NETWORK_FEE: ItemRule("purchase", "Network fee on local energy", "kWh", "network"),
    BillItem.LEVY: ItemRule("purchase", "Carbon levy", "kWh", "levies"),
    BillItem.LEVY_RETURN: ItemRule("purchase", "Carbon levy that comes back", "", "levies"),
    BillItem.CERTIFICATES: ItemRule("purchase", "Certificates of origin bought", "kWh", "certificates"),
    BillItem.CREDITS: ItemRule("purchase", "Carbon credits bought", "kg", "certificates"),
    BillItem.FORFEIT: ItemRule("purchase", "What selling without delivering would have gained", ""),
    BillItem.DIVIDEND: ItemRule("purchase", "Part of the community's surplus", ""),
    BillItem.STANDING: ItemRule("purchase", "Standing charge", "day", "standing"),
    BillItem.SOLD: ItemRule("sale", "Energy sold to neighbours", "kWh"),
    BillItem.FEED_IN: ItemRule("sale", "Energy sold to the supplier", "kWh"),
    BillItem.SOLD_REPLACED: ItemRule("sale", "Energy sold ahead and delivered by others", "kWh"),
    BillItem.FLEXIBILITY: ItemRule("sale", "Energy moved or held back for the network", "kWh"),
    BillItem.CERTIFICATES_SOLD: ItemRule("sale", "Certificates of origin sold", "kWh", "certificates"),
    BillItem.CREDITS_SOLD: ItemRule("sale", "Carbon credits sold", "kg", "certificates"),
    BillItem.PLANT: ItemRule("sale", "Part of what a shared plant earned", ""),
    BillItem.PLANT_PASSED_ON: ItemRule("sale", "Passed on to the owners of the plant", ""),
    BillItem.HELD: ItemRule(None, "Held back while a finding is open", ""),
    BillItem.ADVANCE: ItemRule(None, "Advanced by the supplier", ""),
}

BUYS: Mapping[Kind, tuple[BillItem, int]] = {
    Kind.BOUGHT: (BillItem.NEIGHBOURS, 1),
    Kind.EXTRA_INSIDE: (BillItem.NEIGHBOURS, 1),
    Kind.SHARED: (BillItem.NEIGHBOURS, 1),
    Kind.EXTRA_SUPPLIER: (BillItem.SUPPLIER, 1),
    Kind.SHORT_INSIDE: (BillItem.REPLACEMENT, 1),
    Kind.SHORT_SUPPLIER: (BillItem.REPLACEMENT, 1),
    Kind.NETWORK_FEE: (BillItem.NETWORK_FEE, 1),
    Kind.LEVY: (BillItem.LEVY, 1),
    Kind.CERTIFICATES: (BillItem.CERTIFICATES, 1),
    Kind.OFFSET: (BillItem.CREDITS, 1),
    Kind.FORFEIT: (BillItem.FORFEIT, 1),
    Kind.OWNERSHIP: (BillItem.PLANT_PASSED_ON, -1),
    Kind.HOLD: (BillItem.HELD, 1),
}
"""BillItem of who pays at a price above zero, and whether it adds to it."""
SELLS: Mapping[Kind, tuple[BillItem, int]] = {
    Kind.CERTIFIED: (BillItem.SOLD, 1),
    Kind.GIVE_INSIDE: (BillItem.SOLD, 1),
    Kind.SHARED: (BillItem.SOLD, 1),
    Kind.GIVE_SUPPLIER: (BillItem.FEED_IN, 1),
    Kind.SHORTFALL_REFUND: (BillItem.SOLD_REPLACED, 1),
    Kind.TRADED_AGAIN: (BillItem.NOT_USED, -1),
    Kind.FLEXIBILITY: (BillItem.FLEXIBILITY, 1),
    Kind.CURTAILMENT: (BillItem.FLEXIBILITY, 1),
    Kind.CERTIFICATES: (BillItem.CERTIFICATES_SOLD, 1),
    Kind.OFFSET: (BillItem.CREDITS_SOLD, 1),
    Kind.LEVY_RETURN: (BillItem.LEVY_RETURN, -1),
    Kind.DIVIDEND: (BillItem.DIVIDEND, -1),
    Kind.OWNERSHIP: (BillItem.PLANT, 1),
    Kind.RELEASE: (BillItem.HELD, -1),
    Kind.ADVANCE: (BillItem.ADVANCE, 1),
}
"""BillItem of who is paid at a price above zero, and whether it adds to it."""
WITHOUT_MEMBERS = (Kind.SPREAD, Kind.FEE_FOLLOWS, Kind.CONGESTION_RENT, Kind.LOSSES)
"""Kinds that move money between named accounts only."""
GIVEN = (Kind.GIVE_INSIDE, Kind.GIVE_SUPPLIER)
"""Kinds by which a buyer's unused energy leaves, as a producer's surplus does."""
NO_ITEM = -1


def _columns(sides: Mapping[Kind, tuple[BillItem, int]]) -> tuple[IntArray, IntArray]:
    """BillItem and sign by kind, for columns of kinds."""
    item, sign = (np.full(max(Kind) + 1, value, np.int64) for value in (NO_ITEM, 0))
    for kind, (of, adds) in sides.items():
        item[kind], sign[kind] = of, adds
    return item, sign


def tally(postings: Postings, members: int) -> tuple[IntArray, IntArray]:
    """Quantity [Wh, kg] and money [n¤] of each member's items in a slot, both (members, items).

    Positive is what the stream is about: owed by the member in purchases, owed to it in sales.
    """
    turned = postings.price < 0
    buyer = np.where(turned, postings.payee, postings.payer)
    seller = np.where(turned, postings.payer, postings.payee)
    cost = np.where(turned, -postings.amount_n, postings.amount_n)
    bought = np.zeros(members, bool)
    bought[buyer[(postings.kind == Kind.BOUGHT) & (buyer < members)]] = True
    quantity, money = (np.zeros((members, len(BillItem)), np.int64) for _ in range(2))
    for account, sides in ((buyer, BUYS), (seller, SELLS)):
        items, signs = _columns(sides)
        item, sign = items[postings.kind], signs[postings.kind]
        theirs = (account < members) & (item != NO_ITEM)
        who, item, sign = account[theirs], item[theirs], sign[theirs]
        if sides is SELLS:
            unused = np.isin(postings.kind[theirs], GIVEN) & bought[who]
            item, sign = np.where(unused, BillItem.NOT_USED, item), np.where(unused, -1, sign)
        np.add.at(quantity, (who, item), sign * postings.energy_wh[theirs])
        np.add.at(money, (who, item), sign * cost[theirs])
    return quantity, money


def balance_n(money: IntArray) -> IntArray:
    """Received − paid of each member [n¤], (members,), out of its items, (members, items)."""
    net = np.zeros(money.shape[0], np.int64)
    for item, rule in RULES.items():
        adds = rule.stream == "sale" or item == BillItem.ADVANCE
        net += money[:, item] if adds else -money[:, item]
    return net
