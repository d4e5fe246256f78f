"""What the database knows of one member: its slots, and why its bill is what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa

from transactive.core.postings import PostingKind
from transactive.core.tables import ReadingQuality
from transactive.core.tariff import Tariff
from transactive.environment.own_prices import own_prices
from transactive.environment.standing_charges import standing_charges_n
from transactive.insight.advice.saved import Sums
from transactive.store.read.runs import Reader, Row, Run, consumption_wh
from transactive.store.read.slot_columns import each_slot, has, rows_of
from transactive.store.schema import CLEARINGS, ORDERS, POSITIONS, POSTINGS, QUALITIES, READINGS

RETURNS = (PostingKind.DIVIDEND, PostingKind.LEVY, PostingKind.LEVY_RETURN)
ENERGY = (
    *(PostingKind.BOUGHT, PostingKind.CERTIFIED, PostingKind.SHORTFALL_REFUND, PostingKind.TRADED_AGAIN),
    *(PostingKind.SHORT_INSIDE, PostingKind.SHORT_SUPPLIER, PostingKind.EXTRA_INSIDE, PostingKind.EXTRA_SUPPLIER),
    *(PostingKind.GIVE_INSIDE, PostingKind.GIVE_SUPPLIER, PostingKind.NETWORK_FEE, PostingKind.FORFEIT),
)
"""Postings for energy itself; all that is neither energy, returned, nor advanced is a service."""


def slots_of(reader: Reader, member: int, first: int, last: int) -> list[Row]:
    """Slots from `first` to `last`: the member's meter, trade and money, and the prices around them.

    alone_n: bill of the same home without a market; paid_n: what it paid and still owes.
    """
    store, clearings = reader.store, _prices(reader, member, first, last)
    advanced = _advances(reader, member, first, last)
    rows: list[Row] = []
    for slot, columns in each_slot(store, READINGS, READINGS.c.slot.between(first, last)):
        mine = {name: int(column[member]) for name, column in columns.items()}
        prices = clearings[slot]
        alone_n = mine["baseline_import_wh"] * prices["supply_price"] - mine["baseline_export_wh"] * prices["feed_in"]
        alone_n += _standing_n(reader, member, slot)
        more = {
            "consumption_wh": int(consumption_wh(columns)[member]),
            "alone_n": alone_n,
            "paid_n": advanced.get(slot, 0) - mine["net_n"],
        }
        rows.append({**mine, **more, **prices})
    return rows


def qualities(reader: Reader, member: int, first: int, last: int) -> Counter[ReadingQuality]:
    """How many of the member's readings from slot `first` to `last` are of each quality but metered."""
    c = QUALITIES.c
    mine = sa.select(c.quality).where(c.member == member, c.slot.between(first, last))
    return Counter(ReadingQuality(row["quality"]) for row in reader.store.rows(mine))


def _prices(reader: Reader, member: int, first: int, last: int) -> dict[int, Row]:
    """Clearings of slots with the prices around them, as a member has them."""
    c, run = CLEARINGS.c, reader.run()
    names = (c.slot, c.price, c.traded_wh, c.supply_price, c.feed_in, c.fee)
    rows = {row["slot"]: row for row in reader.store.rows(sa.select(*names).where(c.slot.between(first, last)))}
    return rows if run is None else {slot: {**row, **_own(run, member, slot, row)} for slot, row in rows.items()}


def _standing_n(reader: Reader, member: int, slot: int) -> int:
    """Standing charge of a member with a slot [n¤], owed with a market as without."""
    run = reader.run()
    return 0 if run is None else int(standing_charges_n(run.community, slot)[member])


def _own(run: Run, member: int, slot: int, row: Row) -> Row:
    """Prices of a slot that a member has in place of the common ones; empty where it has none."""
    own = own_prices(run.community, slot, Tariff(row["supply_price"], row["feed_in"], row["fee"]))
    if own is None:
        return {}
    return {"supply_price": int(own.supply[member]), "feed_in": int(own.feed_in[member]), "fee": int(own.fee[member])}


def _advances(reader: Reader, member: int, first: int, last: int) -> dict[int, int]:
    """What the supplier advanced a member [n¤], by slot."""
    p, kind = POSTINGS.c, PostingKind.ADVANCE
    where = p.slot.between(first, last), has(p.kinds, kind)
    return {
        slot: int(columns["amount_n"][(columns["payee"] == member) & (columns["kind"] == kind)].sum())
        for slot, columns in each_slot(reader.store, POSTINGS, *where, names=("kind", "payee", "amount_n"))
    }


def orders_of(reader: Reader, member: int, slot: int) -> list[Row]:
    """A member's admitted orders of a slot with what they were given."""
    return rows_of(reader.store, ORDERS, slot, lambda columns: columns["member"] == member)


def postings_of(reader: Reader, member: int, slot: int) -> list[Row]:
    """Postings of a slot that a member pays or receives."""
    return rows_of(
        reader.store, POSTINGS, slot, lambda columns: (columns["payer"] == member) | (columns["payee"] == member)
    )


def saving(reader: Reader, member: int, last: int) -> Sums:
    """Sums that a member's saving is made of, over all slots up to `last`."""
    prices = _prices(reader, member, 0, last)
    alone, tariff, net = _metered(reader, member, prices, last)
    bought, sold = _traded(reader, member, prices, last)
    by_kind = _by_kind(reader, member, last)
    standing = -by_kind.pop(PostingKind.STANDING_CHARGE, 0)
    advanced = by_kind.pop(PostingKind.ADVANCE, 0)
    return Sums(
        alone_n=alone + standing,
        tariff_n=tariff + standing,
        bought_n=bought,
        sold_n=sold,
        returned_n=sum(by_kind.get(kind, 0) for kind in RETURNS),
        services_n=sum(amount for kind, amount in by_kind.items() if kind not in (*RETURNS, *ENERGY)),
        paid_n=advanced - net,
    )


def _traded(reader: Reader, member: int, prices: Mapping[int, Row], last: int) -> tuple[int, int]:
    """How much better than at the tariff the member bought, and sold, up to a slot [n¤]."""
    bought, sold = 0, 0
    for slot, columns in each_slot(reader.store, POSITIONS, POSITIONS.c.slot <= last):
        mine, is_buy, here = columns["member"] == member, columns["is_buy"] == 1, prices[slot]
        energy, price = columns["energy_wh"], columns["price"]
        bought += int((energy * (here["supply_price"] - here["fee"] - price))[mine & is_buy].sum())
        sold += int((energy * (price - here["feed_in"]))[mine & ~is_buy].sum())
    return bought, sold


def _metered(reader: Reader, member: int, prices: Mapping[int, Row], last: int) -> tuple[int, int, int]:
    """The bill without a market, that of the meter at the tariff, and received − paid, up to a slot [n¤]."""
    alone, tariff, net = 0, 0, 0
    names = ("baseline_import_wh", "baseline_export_wh", "import_wh", "export_wh", "net_n")
    for slot, columns in each_slot(reader.store, READINGS, READINGS.c.slot <= last, names=names):
        supply, feed_in = prices[slot]["supply_price"], prices[slot]["feed_in"]
        without_in, without_out, taken, given, received = (int(columns[name][member]) for name in names)
        alone += without_in * supply - without_out * feed_in
        tariff += taken * supply - given * feed_in
        net += received
    return alone, tariff, net


def _by_kind(reader: Reader, member: int, last: int) -> dict[int, int]:
    """Received − paid by kind of posting [n¤]."""
    found: Counter[int] = Counter()
    names = ("kind", "payer", "payee", "amount_n")
    for _, columns in each_slot(reader.store, POSTINGS, POSTINGS.c.slot <= last, names=names):
        receives, pays = columns["payee"] == member, columns["payer"] == member
        for place in np.flatnonzero(receives != pays).tolist():
            amount = int(columns["amount_n"][place])
            found[int(columns["kind"][place])] += amount if receives[place] else -amount
    return dict(found)
