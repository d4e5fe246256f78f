"""What the database knows of one member: its slots, and why its bill is what it is."""

from __future__ import annotations

import sqlalchemy as sa

from transactive.core.postings import PostingKind
from transactive.insight.advice.saved import Sums
from transactive.store.read.orders import order_rows
from transactive.store.read.runs import CONSUMPTION, Reader, Row
from transactive.store.schema import CLEARINGS, POSITIONS, POSTINGS, READINGS

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
    r, c = READINGS.c, CLEARINGS.c
    advanced = (
        sa.select(sa.func.coalesce(sa.func.sum(POSTINGS.c.amount_n), 0))
        .where(POSTINGS.c.slot == r.slot, POSTINGS.c.payee == member, POSTINGS.c.kind == PostingKind.ADVANCE)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            *READINGS.c,
            CONSUMPTION.label("consumption_wh"),
            (r.baseline_import_wh * c.supply_price - r.baseline_export_wh * c.feed_in).label("alone_n"),
            (advanced - r.net_n).label("paid_n"),
            *(c.price, c.traded_wh, c.supply_price, c.feed_in, c.fee),
        )
        .join(CLEARINGS, c.slot == r.slot)
        .where(r.member == member, r.slot.between(first, last))
        .order_by(r.slot)
    )
    return reader.store.rows(statement)


def orders_of(reader: Reader, member: int, slot: int) -> list[Row]:
    """A member's admitted orders of a slot with what they were given."""
    return order_rows(reader.store, slot, member)


def postings_of(reader: Reader, member: int, slot: int) -> list[Row]:
    """Postings of a slot that a member pays or receives."""
    c = POSTINGS.c
    mine = sa.or_(c.payer == member, c.payee == member)
    return reader.store.rows(sa.select(POSTINGS).where(c.slot == slot, mine).order_by(c.row))


def saving(reader: Reader, member: int, last: int) -> Sums:
    """Sums that a member's saving is made of, over all slots up to `last`."""
    rows = reader.store.rows
    r, c, p = READINGS.c, CLEARINGS.c, POSITIONS.c
    metered = rows(
        sa.select(
            sa.func.sum(r.baseline_import_wh * c.supply_price - r.baseline_export_wh * c.feed_in).label("alone"),
            sa.func.sum(r.import_wh * c.supply_price - r.export_wh * c.feed_in).label("tariff"),
            sa.func.sum(r.net_n).label("net"),
        )
        .join(CLEARINGS, c.slot == r.slot)
        .where(r.member == member, r.slot <= last)
    )[0]
    better = sa.case((p.is_buy == 1, c.supply_price - c.fee - p.price), else_=p.price - c.feed_in)
    traded = {
        row["is_buy"]: row["n"]
        for row in rows(
            sa.select(p.is_buy, sa.func.sum(p.energy_wh * better).label("n"))
            .join(CLEARINGS, c.slot == p.slot)
            .where(p.member == member, p.slot <= last)
            .group_by(p.is_buy)
        )
    }
    by_kind = _by_kind(reader, member, last)
    advanced = by_kind.pop(PostingKind.ADVANCE, 0)
    return Sums(
        alone_n=metered["alone"] or 0,
        tariff_n=metered["tariff"] or 0,
        bought_n=traded.get(1, 0),
        sold_n=traded.get(0, 0),
        returned_n=sum(by_kind.get(kind, 0) for kind in RETURNS),
        services_n=sum(amount for kind, amount in by_kind.items() if kind not in (*RETURNS, *ENERGY)),
        paid_n=advanced - (metered["net"] or 0),
    )


def _by_kind(reader: Reader, member: int, last: int) -> dict[int, int]:
    """Received − paid by kind of posting [n¤]."""
    c = POSTINGS.c
    signed = sa.case((c.payee == member, c.amount_n), else_=-c.amount_n)
    mine = sa.or_(c.payer == member, c.payee == member), c.payer != c.payee, c.slot <= last
    statement = sa.select(c.kind, sa.func.sum(signed).label("n")).where(*mine).group_by(c.kind)
    return {row["kind"]: row["n"] for row in reader.store.rows(statement)}
