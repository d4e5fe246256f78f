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

from transactive.core.community.tariff_rules import BillItem
from transactive.core.postings import PostingKind as Kind
from transactive.core.postings import Postings
from transactive.core.proofs.corrections import Corrections
from transactive.core.units import IntArray

Stream = Literal["purchase", "sale"]


class LineItem(IntEnum):
    """What a line of a bill is about; the last two are on no bill: they move money, and owe none."""

    NEIGHBOURS = 0
    SUPPLIER = 1
    REPLACED_INSIDE = 2
    REPLACED_SUPPLIER = 3
    NOT_USED = 4
    NETWORK_FEE = 5
    LEVY = 6
    LEVY_RETURN = 7
    CERTIFICATES = 8
    CREDITS = 9
    FORFEIT = 10
    DIVIDEND = 11
    STANDING = 12
    SOLD = 13
    FEED_IN = 14
    SOLD_REPLACED = 15
    FLEXIBILITY = 16
    CERTIFICATES_SOLD = 17
    CREDITS_SOLD = 18
    PLANT = 19
    PLANT_PASSED_ON = 20
    SURPLUS = 21
    SURPLUS_PASSED_ON = 22
    INCENTIVE = 23
    HELD = 24
    ADVANCE = 25
    BONUS = 26


@dataclass(frozen=True, slots=True)
class ItemRule:
    """How an item stands on a bill. unit: of its quantity, whole Wh for kWh.

    tax: the item whose rate of VAT it has; None of what is no supply, but money passed on.
    """

    stream: Stream | None
    text: str
    unit: Literal["kWh", "kg", ""]
    tax: BillItem | None = "local_energy"


RULES: Mapping[LineItem, ItemRule] = {
    LineItem.NEIGHBOURS: ItemRule("purchase", "Energy from neighbours", "kWh"),
    LineItem.SUPPLIER: ItemRule("purchase", "Energy from the supplier", "kWh", "supply"),
    LineItem.REPLACED_INSIDE: ItemRule("purchase", "From neighbours in place of what was not delivered", "kWh"),
    LineItem.REPLACED_SUPPLIER: ItemRule(
        "purchase", "From the supplier in place of what was not delivered", "kWh", "supply"
    ),
    LineItem.NOT_USED: ItemRule("purchase", "Energy bought and not used, taken back", "kWh"),
    LineItem.NETWORK_FEE: ItemRule("purchase", "Network fee on local energy", "kWh", "network_fee"),
    LineItem.LEVY: ItemRule("purchase", "Carbon levy", "kWh", "levy"),
    LineItem.LEVY_RETURN: ItemRule("purchase", "Carbon levy that comes back", "", "levy"),
    LineItem.CERTIFICATES: ItemRule("purchase", "Certificates of origin bought", "kWh", "certificates"),
    LineItem.CREDITS: ItemRule("purchase", "Carbon credits bought", "kg", "credits"),
    LineItem.FORFEIT: ItemRule("purchase", "What selling without delivering would have gained", ""),
    LineItem.DIVIDEND: ItemRule("purchase", "Part of the community's surplus", "", None),
    LineItem.STANDING: ItemRule("purchase", "Standing charge", "", "standing_charge"),
    LineItem.SOLD: ItemRule("sale", "Energy sold to neighbours", "kWh"),
    LineItem.FEED_IN: ItemRule("sale", "Energy sold to the supplier", "kWh", "feed_in"),
    LineItem.SOLD_REPLACED: ItemRule("sale", "Energy sold ahead and delivered by others", "kWh"),
    LineItem.FLEXIBILITY: ItemRule("sale", "Energy moved or held back for the network", "kWh", "network_fee"),
    LineItem.CERTIFICATES_SOLD: ItemRule("sale", "Certificates of origin sold", "kWh", "certificates"),
    LineItem.CREDITS_SOLD: ItemRule("sale", "Carbon credits sold", "kg", "credits"),
    LineItem.PLANT: ItemRule("sale", "Part of what a shared plant earned", "", None),
    LineItem.PLANT_PASSED_ON: ItemRule("sale", "Passed on to the owners of the plant", "", None),
    LineItem.SURPLUS: ItemRule("sale", "Surplus of a fixed share, sold for its holder", "kWh", "feed_in"),
    LineItem.SURPLUS_PASSED_ON: ItemRule(
        "sale", "Surplus of fixed shares, passed on to their holders", "kWh", "feed_in"
    ),
    LineItem.INCENTIVE: ItemRule("sale", "Incentive for shared energy", "kWh", None),
    LineItem.BONUS: ItemRule("sale", "For forecasts that saved the community money", "", None),
    LineItem.HELD: ItemRule(None, "Held back: an open finding, or a silent meter", "", None),
    LineItem.ADVANCE: ItemRule(None, "Advanced by the supplier", "", None),
}

BUYS: Mapping[Kind, tuple[LineItem, int]] = {
    Kind.BOUGHT: (LineItem.NEIGHBOURS, 1),
    Kind.EXTRA_INSIDE: (LineItem.NEIGHBOURS, 1),
    Kind.SHARED: (LineItem.NEIGHBOURS, 1),
    Kind.EXTRA_SUPPLIER: (LineItem.SUPPLIER, 1),
    Kind.SHORT_INSIDE: (LineItem.REPLACED_INSIDE, 1),
    Kind.SHORT_SUPPLIER: (LineItem.REPLACED_SUPPLIER, 1),
    Kind.NETWORK_FEE: (LineItem.NETWORK_FEE, 1),
    Kind.LEVY: (LineItem.LEVY, 1),
    Kind.CERTIFICATES: (LineItem.CERTIFICATES, 1),
    Kind.OFFSET: (LineItem.CREDITS, 1),
    Kind.FORFEIT: (LineItem.FORFEIT, 1),
    Kind.STANDING_CHARGE: (LineItem.STANDING, 1),
    Kind.OWNERSHIP: (LineItem.PLANT_PASSED_ON, -1),
    Kind.SURPLUS: (LineItem.SURPLUS_PASSED_ON, -1),
    Kind.HOLD: (LineItem.HELD, 1),
}
"""LineItem of who pays at a price above zero, and whether it adds to it."""
SELLS: Mapping[Kind, tuple[LineItem, int]] = {
    Kind.CERTIFIED: (LineItem.SOLD, 1),
    Kind.GIVE_INSIDE: (LineItem.SOLD, 1),
    Kind.SHARED: (LineItem.SOLD, 1),
    Kind.GIVE_SUPPLIER: (LineItem.FEED_IN, 1),
    Kind.SHORTFALL_REFUND: (LineItem.SOLD_REPLACED, 1),
    Kind.TRADED_AGAIN: (LineItem.NOT_USED, -1),
    Kind.FLEXIBILITY: (LineItem.FLEXIBILITY, 1),
    Kind.CURTAILMENT: (LineItem.FLEXIBILITY, 1),
    Kind.CERTIFICATES: (LineItem.CERTIFICATES_SOLD, 1),
    Kind.OFFSET: (LineItem.CREDITS_SOLD, 1),
    Kind.LEVY_RETURN: (LineItem.LEVY_RETURN, -1),
    Kind.DIVIDEND: (LineItem.DIVIDEND, -1),
    Kind.OWNERSHIP: (LineItem.PLANT, 1),
    Kind.SURPLUS: (LineItem.SURPLUS, 1),
    Kind.INCENTIVE: (LineItem.INCENTIVE, 1),
    Kind.BONUS: (LineItem.BONUS, 1),
    Kind.RELEASE: (LineItem.HELD, -1),
    Kind.ADVANCE: (LineItem.ADVANCE, 1),
}
"""LineItem of who is paid at a price above zero, and whether it adds to it."""
WITHOUT_MEMBERS = (Kind.SPREAD, Kind.FEE_FOLLOWS, Kind.CONGESTION_RENT, Kind.LOSSES)
"""Kinds that move money between named accounts only."""
OF_EARLIER_SLOTS = (Kind.CORRECTION,)
"""Kinds of what stands on the bill of another slot, the one that was metered (`tally_corrections`)."""
GIVEN = (Kind.GIVE_INSIDE, Kind.GIVE_SUPPLIER)
"""Kinds by which a buyer's unused energy leaves, as a producer's surplus does."""
NO_ITEM = -1


def _columns(sides: Mapping[Kind, tuple[LineItem, int]]) -> tuple[IntArray, IntArray]:
    """LineItem and sign by kind, for columns of kinds."""
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
    quantity, money = (np.zeros((members, len(LineItem)), np.int64) for _ in range(2))
    for account, sides in ((buyer, BUYS), (seller, SELLS)):
        items, signs = _columns(sides)
        item, sign = items[postings.kind], signs[postings.kind]
        theirs = (account < members) & (item != NO_ITEM)
        who, item, sign = account[theirs], item[theirs], sign[theirs]
        if sides is SELLS:
            unused = np.isin(postings.kind[theirs], GIVEN) & bought[who]
            item, sign = np.where(unused, LineItem.NOT_USED, item), np.where(unused, -1, sign)
        np.add.at(quantity, (who, item), sign * postings.energy_wh[theirs])
        np.add.at(money, (who, item), sign * cost[theirs])
    return quantity, money


def tally_corrections(corrections: Corrections, origin: int, members: int) -> tuple[IntArray, IntArray]:
    """Quantity and money of corrected readings of the slot `origin`, as `tally` gives them of its postings.

    What is more or less is the supplier's, at the prices of that slot (`settlement.corrections`).
    """
    c, quantity, money = corrections, *(np.zeros((members, len(LineItem)), np.int64) for _ in range(2))
    rows = c.origin == origin
    who, taken, given = c.member, c.now_import_wh - c.was_import_wh, c.now_export_wh - c.was_export_wh
    for item, energy, price in ((LineItem.SUPPLIER, taken, c.supply), (LineItem.FEED_IN, given, c.feed_in)):
        np.add.at(quantity, (who[rows], item), energy[rows])
        np.add.at(money, (who[rows], item), (energy * price)[rows])
    return quantity, money


def balance_n(money: IntArray) -> IntArray:
    """Received − paid of each member [n¤], (members,), out of its items, (members, items)."""
    net = np.zeros(money.shape[0], np.int64)
    for item, rule in RULES.items():
        adds = rule.stream == "sale" or item == LineItem.ADVANCE
        net += money[:, item] if adds else -money[:, item]
    return net
