"""What members are told of their own meters: kept of the newest day, and the bills that it is made from."""

from __future__ import annotations

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.core.postings import PostingKind
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.insight.advice.insight import Insight
from transactive.store.database import Database
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import ADVICE, CLEARINGS, POSTINGS, READINGS
from transactive.store.slot_blocks import unpack_texts


class ClearedPrice(msgspec.Struct, frozen=True):
    """Prices of a cleared slot [µ¤/kWh] and what its grid emits [g/kWh]."""

    slot: int
    price: int
    traded_wh: int
    supply_price: int
    feed_in: int
    fee: int
    grid_g_per_kwh: int

    @property
    def paid(self) -> int:
        """What a Wh more from neighbours costs, fee included; the supplier's price where nothing was traded."""
        return self.price + self.fee if self.traded_wh else self.supply_price

    @property
    def received(self) -> int:
        """What a Wh more for neighbours brings; what the supplier pays where nothing was traded."""
        return self.price if self.traded_wh else self.feed_in


def read_advice(store: Database, member: int) -> tuple[int, list[Insight]] | None:
    """When a member was told what, or None before the first day is over."""
    told = advice_texts(store)
    return None if told is None else (told[0], msgspec.json.decode(told[1][member], type=list[Insight]))


def advice_texts(store: Database) -> tuple[int, list[bytes]] | None:
    """When members were told what, each a JSON list of insights, in their order; None before the first day is over."""
    rows = store.rows(sa.select(ADVICE))
    return (rows[0]["at"], unpack_texts(rows[0]["block"], f"{store.path}: advice")) if rows else None


def daily_bills(store: Database, members: int, first: int, end: int) -> IntArray:
    """What members paid and still owe by day [n¤], (days, members), from `first` to before `end`, starts of days."""
    r, p, kind = READINGS.c, POSTINGS.c, PostingKind.ADVANCE
    bills: dict[int, IntArray] = {}
    for slot, columns in each_slot(store, READINGS, r.slot >= first, r.slot < end, names=("net_n",)):
        bills.setdefault(slot - slot % DAY, np.zeros(members, np.int64))[:] -= columns["net_n"]
    where = p.slot >= first, p.slot < end, has(p.kinds, kind)
    for slot, columns in each_slot(store, POSTINGS, *where, names=("kind", "payee", "amount_n")):
        rows = columns["kind"] == kind
        np.add.at(bills[slot - slot % DAY], columns["payee"][rows], columns["amount_n"][rows])
    return np.array([bills[day] for day in sorted(bills)], np.int64).reshape(len(bills), members)


def paid_prices(store: Database, last: int, slots: int) -> IntArray:
    """What a Wh from neighbours cost in the newest slots up to `last`, fee included [µ¤/kWh], (slots,) or fewer.

    Without a trade it is the supplier's price.
    """
    c = CLEARINGS.c
    price = sa.case((c.traded_wh > 0, c.price + c.fee), else_=c.supply_price)
    newest = sa.select(price.label("price")).where(c.slot <= last).order_by(c.slot.desc()).limit(slots)
    return np.array([row["price"] for row in store.rows(newest)][::-1], np.int64)


def cleared_prices(store: Database, since: int) -> list[ClearedPrice]:
    """What was cleared of the slots from a time on [Unix s], in order."""
    c = CLEARINGS.c
    names = (c.slot, c.price, c.traded_wh, c.supply_price, c.feed_in, c.fee, c.grid_g_per_kwh)
    return [ClearedPrice(**row) for row in store.rows(sa.select(*names).where(c.slot >= since).order_by(c.slot))]
