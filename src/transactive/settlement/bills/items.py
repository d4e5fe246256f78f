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


class Item(IntEnum):
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


RULES: Mapping[Item, ItemRule] = {
    Item.NEIGHBOURS: ItemRule("purchase", "Energy from neighbours", "kWh"),
    Item.SUPPLIER: ItemRule("purchase", "Energy from the supplier", "kWh"),
    Item.REPLACEMENT: ItemRule("purchase", "Energy bought in place of what was sold and not delivered", "kWh"),
    Item.NOT_USED: ItemRule("purchase", "Energy bought and not used, taken back", "kWh"),
    Item.NETWORK_FEE: ItemRule("purchase", "Network fee on local energy", "kWh", "network"),
    Item.LEVY: ItemRule("purchase", "Carbon levy", "kWh", "levies"),
    Item.LEVY_RETURN: ItemRule("purchase", "Carbon levy that comes back", "", "levies"),
    Item.CERTIFICATES: ItemRule("purchase", "Certificates of origin bought", "kWh", "certificates"),
    Item.CREDITS: ItemRule("purchase", "Carbon credits bought", "kg", "certificates"),
    Item.FORFEIT: ItemRule("purchase", "What selling without delivering would have gained", ""),
    Item.DIVIDEND: ItemRule("purchase", "Part of the community's surplus", ""),
    Item.STANDING: ItemRule("purchase", "Standing charge", "day", "standing"),
    Item.SOLD: ItemRule("sale", "Energy sold to neighbours", "kWh"),
    Item.FEED_IN: ItemRule("sale", "Energy sold to the supplier", "kWh"),
    Item.SOLD_REPLACED: ItemRule("sale", "Energy sold ahead and delivered by others", "kWh"),
    Item.FLEXIBILITY: ItemRule("sale", "Energy moved or held back for the network", "kWh"),
    Item.CERTIFICATES_SOLD: ItemRule("sale", "Certificates of origin sold", "kWh", "certificates"),
    Item.CREDITS_SOLD: ItemRule("sale", "Carbon credits sold", "kg", "certificates"),
    Item.PLANT: ItemRule("sale", "Part of what a shared plant earned", ""),
    Item.PLANT_PASSED_ON: ItemRule("sale", "Passed on to the owners of the plant", ""),
    Item.HELD: ItemRule(None, "Held back while a finding is open", ""),
    Item.ADVANCE: ItemRule(None, "Advanced by the supplier", ""),
}

BUYS: Mapping[Kind, tuple[Item, int]] = {
    Kind.BOUGHT: (Item.NEIGHBOURS, 1),
    Kind.EXTRA_INSIDE: (Item.NEIGHBOURS, 1),
    Kind.SHARED: (Item.NEIGHBOURS, 1),
    Kind.EXTRA_SUPPLIER: (Item.SUPPLIER, 1),
    Kind.SHORT_INSIDE: (Item.REPLACEMENT, 1),
    Kind.SHORT_SUPPLIER: (Item.REPLACEMENT, 1),
    Kind.NETWORK_FEE: (Item.NETWORK_FEE, 1),
    Kind.LEVY: (Item.LEVY, 1),
    Kind.CERTIFICATES: (Item.CERTIFICATES, 1),
    Kind.OFFSET: (Item.CREDITS, 1),
    Kind.FORFEIT: (Item.FORFEIT, 1),
    Kind.OWNERSHIP: (Item.PLANT_PASSED_ON, -1),
    Kind.HOLD: (Item.HELD, 1),
}
"""Item of who pays at a price above zero, and whether it adds to it."""
SELLS: Mapping[Kind, tuple[Item, int]] = {
    Kind.CERTIFIED: (Item.SOLD, 1),
    Kind.GIVE_INSIDE: (Item.SOLD, 1),
    Kind.SHARED: (Item.SOLD, 1),
    Kind.GIVE_SUPPLIER: (Item.FEED_IN, 1),
    Kind.SHORTFALL_REFUND: (Item.SOLD_REPLACED, 1),
    Kind.TRADED_AGAIN: (Item.NOT_USED, -1),
    Kind.FLEXIBILITY: (Item.FLEXIBILITY, 1),
    Kind.CURTAILMENT: (Item.FLEXIBILITY, 1),
    Kind.CERTIFICATES: (Item.CERTIFICATES_SOLD, 1),
    Kind.OFFSET: (Item.CREDITS_SOLD, 1),
    Kind.LEVY_RETURN: (Item.LEVY_RETURN, -1),
    Kind.DIVIDEND: (Item.DIVIDEND, -1),
    Kind.OWNERSHIP: (Item.PLANT, 1),
    Kind.RELEASE: (Item.HELD, -1),
    Kind.ADVANCE: (Item.ADVANCE, 1),
}
"""Item of who is paid at a price above zero, and whether it adds to it."""
WITHOUT_MEMBERS = (Kind.SPREAD, Kind.FEE_FOLLOWS, Kind.CONGESTION_RENT, Kind.LOSSES)
"""Kinds that move money between named accounts only."""
GIVEN = (Kind.GIVE_INSIDE, Kind.GIVE_SUPPLIER)
"""Kinds by which a buyer's unused energy leaves, as a producer's surplus does."""
NO_ITEM = -1


def _columns(sides: Mapping[Kind, tuple[Item, int]]) -> tuple[IntArray, IntArray]:
    """Item and sign by kind, for columns of kinds."""
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
    quantity, money = (np.zeros((members, len(Item)), np.int64) for _ in range(2))
    for account, sides in ((buyer, BUYS), (seller, SELLS)):
        items, signs = _columns(sides)
        item, sign = items[postings.kind], signs[postings.kind]
        theirs = (account < members) & (item != NO_ITEM)
        who, item, sign = account[theirs], item[theirs], sign[theirs]
        if sides is SELLS:
            unused = np.isin(postings.kind[theirs], GIVEN) & bought[who]
            item, sign = np.where(unused, Item.NOT_USED, item), np.where(unused, -1, sign)
        np.add.at(quantity, (who, item), sign * postings.energy_wh[theirs])
        np.add.at(money, (who, item), sign * cost[theirs])
    return quantity, money


def balance_n(money: IntArray) -> IntArray:
    """Received − paid of each member [n¤], (members,), out of its items, (members, items)."""
    net = np.zeros(money.shape[0], np.int64)
    for item, rule in RULES.items():
        adds = rule.stream == "sale" or item == Item.ADVANCE
        net += money[:, item] if adds else -money[:, item]
    return net
