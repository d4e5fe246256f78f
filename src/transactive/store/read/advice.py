"""What members are told of their own meters: kept of the newest day, and the bills that it is made from."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.core.postings import PostingKind
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.insight.advice.insight import Insight
from transactive.store.database import Database
from transactive.store.schema import ADVICE, CLEARINGS, POSTINGS, READINGS
from transactive.store.slot_blocks import unpack_texts


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
    r, p = READINGS.c, POSTINGS.c
    paid = _by_day(r.slot, r.member, -r.net_n).where(r.slot >= first, r.slot < end)
    advanced = _by_day(p.slot, p.payee, p.amount_n).where(p.slot >= first, p.slot < end, p.kind == PostingKind.ADVANCE)
    rows = [*store.rows(paid), *store.rows(advanced)]
    days = sorted({row["day"] for row in rows})
    bills = np.zeros((len(days), members), np.int64)
    place = {start: index for index, start in enumerate(days)}
    for row in rows:
        bills[place[row["day"]], row["member"]] += row["n"]
    return bills


def _by_day(
    slot: sa.Column[Any], member: sa.Column[Any], amount: sa.ColumnElement[Any]
) -> sa.Select[tuple[Any, Any, Any]]:
    """An amount by day and member."""
    day = slot - slot % DAY
    sums = sa.select(day.label("day"), member.label("member"), sa.func.sum(amount).label("n"))
    return sums.group_by(day, member)


def paid_prices(store: Database, last: int, slots: int) -> IntArray:
    """What a Wh from neighbours cost in the newest slots up to `last`, fee included [µ¤/kWh], (slots,) or fewer.

    Without a trade it is the supplier's price.
    """
    c = CLEARINGS.c
    price = sa.case((c.traded_wh > 0, c.price + c.fee), else_=c.supply_price)
    newest = sa.select(price.label("price")).where(c.slot <= last).order_by(c.slot.desc()).limit(slots)
    return np.array([row["price"] for row in store.rows(newest)][::-1], np.int64)
