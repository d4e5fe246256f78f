"""The columns of listings: what an order names, when it comes and when it expires."""

from __future__ import annotations

import numpy as np

from transactive.market.orderbook.listings import NEVER, NONE, ListingSteps
from transactive.studies.order_books.orders import OrderFile, read_orders, refuse_row
from transactive.tabular.source import Source

LISTING_COLUMNS = ("listing", "at_s", "expires_s")


def read_listings(path: Source) -> tuple[OrderFile, ListingSteps]:
    """Read and check an order file with listings. Raises DataError naming file, row and column."""
    book = read_orders(path, located=False, spare_texts=LISTING_COLUMNS[:1], spare_numbers=LISTING_COLUMNS[1:])
    at = [0 if value is None else value for value in book.spare["at_s"]]
    expires = [NEVER if value is None else value for value in book.spare["expires_s"]]
    rows = {name: row for row, name in enumerate(book.ids)}
    sides, named = book.orders.is_buy.tolist(), []
    for row, name in enumerate(book.spare["listing"]):
        if expires[row] <= at[row]:
            refuse_row(path, book, row, "expires_s", f"not after at_s = {at[row]}; an order must have time")
        if name is None:
            named.append(NONE)
            continue
        found = rows.get(name)
        if found is None:
            refuse_row(
                path, book, row, "listing", "no order has this id; correct it, or leave it empty for the cheapest"
            )
        if sides[found] == sides[row]:
            refuse_row(path, book, row, "listing", "is of the same side; a buy names a sell and a sell names a buy")
        if book.spare["expires_s"][row] is not None:
            refuse_row(path, book, row, "expires_s", "an order that names a listing is not listed; leave it empty")
        named.append(found)
    return book, ListingSteps(*(np.array(column, np.int64) for column in (at, named, expires)))
