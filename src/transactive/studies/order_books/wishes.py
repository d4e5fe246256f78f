"""The columns of preferences: what buys wish and pay for it, and what sells are."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from transactive.market.auction.preferences import NOBODY, Wish, Wishes
from transactive.market.result import Result
from transactive.studies.order_books.figures import Figures
from transactive.studies.order_books.orders import OrderFile, read_orders, refuse_row
from transactive.tabular.source import Source

PREMIUM = "premium_micro_per_kwh"
WISH_COLUMNS = ("prefer", "partner", PREMIUM)
ATTRIBUTES = ("green", "zone")
"""Columns that only describe an order; other mechanisms may pass over them."""
PREFER = {"green": Wish.GREEN, "local": Wish.LOCAL, "partner": Wish.PARTNER}
GREEN = {"yes": True, "no": False, None: False}


def read_wishes(path: Source) -> tuple[OrderFile, Wishes]:
    """Read and check an order file with preferences. Raises DataError naming file, row and column."""
    texts = ("prefer", "partner", *ATTRIBUTES)
    book = read_orders(path, located=False, spare_texts=texts, spare_numbers=[PREMIUM])
    members = dict(zip(book.spare["member"], book.orders.member.tolist(), strict=True))
    zones = {name: number for number, name in enumerate(sorted({z for z in book.spare["zone"] if z is not None}))}
    columns = (*texts, PREMIUM)
    for order in range(len(book.ids)):
        _check(path, book, order, {name: book.spare[name][order] for name in columns}, members)
    spare = book.spare
    return book, Wishes(
        prefer=np.array([PREFER.get(name, Wish.NONE) for name in spare["prefer"]], np.int64),
        partner=np.array([members.get(name, NOBODY) for name in spare["partner"]], np.int64),
        premium=np.array([premium or 0 for premium in spare[PREMIUM]], np.int64),
        green=np.array([GREEN[value] for value in spare["green"]], np.bool_),
        zone=np.array([zones.get(name, NOBODY) for name in spare["zone"]], np.int64),
    )


def with_wishes(figures: Figures, book: OrderFile, wishes: Wishes, result: Result) -> Figures:
    """The figures with the energy that was bought with a wish, and how much of it meets it."""
    trades = result.trades
    if trades is None:
        return figures
    wished, met = wishes.prefer[trades.buy] != Wish.NONE, wishes.met(book.orders, trades)
    energy = trades.energy_wh
    return msgspec.structs.replace(figures, wished_wh=int(energy[wished].sum()), met_wh=int(energy[met].sum()))


def _check(path: Source, book: OrderFile, order: int, row: dict[str, Any], members: dict[str, int]) -> None:
    """Raise DataError for the first column that an order cannot have."""
    prefer, is_buy = row["prefer"], bool(book.orders.is_buy[order])
    if row["green"] not in GREEN:
        refuse_row(path, book, order, "green", "give yes or no, or leave it empty for no")
    if prefer is not None and prefer not in PREFER:
        refuse_row(path, book, order, "prefer", f"known are {', '.join(PREFER)}")
    for column in WISH_COLUMNS:
        if row[column] is not None and not is_buy:
            refuse_row(path, book, order, column, "only a buy wishes; leave it empty")
    if row["partner"] is not None and row["partner"] not in members:
        refuse_row(path, book, order, "partner", "is no member of this file; correct it")
    if (row["partner"] is None) == (prefer == "partner"):
        refuse_row(path, book, order, "partner", "prefer = partner and the partner's name go together; give both")
    if row["partner"] is not None and row["partner"] == book.spare["member"][order]:
        refuse_row(path, book, order, "partner", "is the buyer itself; name another member")
    if prefer == "local" and row["zone"] is None:
        refuse_row(path, book, order, "zone", "who prefers local energy needs one")
    if row[PREMIUM] is not None and (row[PREMIUM] < 0 or prefer is None):
        refuse_row(path, book, order, PREMIUM, "give 0 or more, and what it is for in prefer")
