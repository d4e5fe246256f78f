"""`transactive.clear`: anyone's order book under a mechanism."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from transactive.face.frames import Columns, Frame, Library, giving, table, taken
from transactive.face.spoken import spoken
from transactive.studies.order_books.clearing import clear_book
from transactive.studies.order_books.figures import ClearedBook, Figures, in_words


@dataclass(frozen=True, eq=False, repr=False)
class ClearingResult:
    """What a mechanism made of a book; printed, it is one line.

    allocation: what every order got: id, allocated_wh, price_micro_per_kwh, money_n (received − paid); with slot and
    side where orders have slots. trades: buy_id, sell_id, energy_wh, price_micro_per_kwh, money_n; None on a network,
    where buyer and seller have two prices. slots: price and energy of each slot where orders have slots. nodes, lines:
    prices and flows of a network. figures: everything in one dictionary, as `transactive clear --json` prints it.
    """

    allocation: Frame
    trades: Frame | None
    slots: Frame | None
    nodes: Frame | None
    lines: Frame | None
    figures: dict[str, Any]
    _told: Figures = field(repr=False)
    _book: ClearedBook = field(repr=False)

    @property
    def price_micro_per_kwh(self) -> int | None:
        """Price of the book [µ¤/kWh], None without a trade; where trades have their own, their mean by energy."""
        return self._told.price_micro_per_kwh

    @property
    def traded_wh(self) -> int:
        """Energy bought [Wh]."""
        return self._told.traded_wh

    @property
    def welfare_n(self) -> int:
        """Limits of what was bought less limits of what was sold, times energy [n¤]."""
        return self._told.welfare_n

    def svg(self) -> str:
        """Draw the merit order. Raises InputError for a book of several slots."""
        return self._book.picture()

    def __repr__(self) -> str:
        return in_words(self._told)


@spoken
def clear(
    orders: Frame | str | PathLike[str],
    mechanism: str = "uniform",
    *,
    network: str | PathLike[str] | None = None,
    frames: Library | None = None,
    floats: bool = False,
) -> ClearingResult:
    """Clear an order book under a mechanism, exact to the Wh.

    Examples
    --------
    >>> import polars as pl
    >>> import transactive as ta
    >>> orders = pl.DataFrame(
    ...     {
    ...         "id": ["1", "2", "3", "4"],
    ...         "side": ["sell", "sell", "buy", "buy"],
    ...         "price_micro_per_kwh": [80_000, 120_000, 250_000, 200_000],
    ...         "energy_wh": [2_000, 1_500, 1_800, 1_000],
    ...         "member": ["A", "B", "C", "D"],
    ...     }
    ... )
    >>> result = ta.clear(orders)
    >>> result
    uniform: 2.800 kWh at 0.12 ¤/kWh, welfare 0.394000 ¤; 3 of 4 orders filled, 1 in part
    >>> result.allocation["allocated_wh"].to_list()
    [2000, 800, 1800, 1000]

    Parameters
    ----------
    orders
        Table of Polars or pandas, or a CSV or Parquet file: id, side (buy or sell), price_micro_per_kwh [µ¤/kWh],
        energy_wh [Wh, > 0], member. Order kinds, listings, preferences and nodes have columns of their own.
    mechanism
        How to clear: uniform, pay_as_bid, continuous, listings, preferences, balance, locational or an installed one.
    network
        For locational, with a column node: TOML with nodes and lines, or JSON of pandapower.
    frames
        Library of the results, polars or pandas; without it that of the orders.
    floats
        Add columns in kWh, ¤/kWh and ¤ beside the whole numbers.

    Returns
    -------
    ClearingResult
        Allocation and trades as tables, price, energy and welfare; the same orders give equal tables.

    Raises
    ------
    DataError
        Naming column and row (the first row of a table is 0) of the first fault.
    ConfigError
        For a mechanism that is not installed.
    InputError
        For a mechanism and a network that do not go together.
    """
    source, library = taken(orders, "orders")
    give = giving(frames or library, floats=floats)
    book = clear_book(source, mechanism, None if network is None else Path(network))
    told = book.figures
    trades = book.trades()

    def given(columns: Columns | None) -> Frame | None:
        return None if columns is None else give(table(columns))

    return ClearingResult(
        allocation=given(book.allocation),
        trades=given(trades),
        slots=given(_by_name("slot", told.slots)),
        nodes=given(_by_name("node", told.nodes)),
        lines=given(_rows(told.lines)),
        figures=msgspec.to_builtins(told),
        _told=told,
        _book=book,
    )


def _by_name(name: str, rows: dict[str, Any] | msgspec.UnsetType) -> Columns | None:
    """Records by name as columns, the names first; a slot's name is a number."""
    if rows is msgspec.UNSET:
        return None
    names = [int(key) for key in rows] if name == "slot" else list(rows)
    return {name: names, **(_rows(list(rows.values())) or {})}


def _rows(rows: list[Any] | msgspec.UnsetType) -> Columns | None:
    """Records as columns."""
    if rows is msgspec.UNSET or not rows:
        return None
    plain = [msgspec.to_builtins(row) for row in rows]
    return {name: [row[name] for row in plain] for name in plain[0]}
