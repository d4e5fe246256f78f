"""The figures of a cleared book, and the book itself as columns: what every order got, who traded with whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from transactive.core.units import kwh_text, money_text, price_text
from transactive.market.auction.merit_order_picture import draw
from transactive.market.result import Result
from transactive.studies.order_books.orders import PRICE, OrderFile

Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""Columns of a table by name, all equally long; prices µ¤/kWh, energies Wh, money n¤."""


class NodeFigures(msgspec.Struct, frozen=True):
    """Price of a node and what the network brings to its orders, below 0 what they feed in."""

    price_micro_per_kwh: int
    flow_wh: int


class LineResult(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """What enters a line, below 0 at its far end; the limit each way; what is lost on it."""

    start: str
    end: str
    flow_wh: int
    limit_wh: int
    limit_back_wh: int
    lost_wh: int


class SlotFigures(msgspec.Struct, frozen=True):
    """Price and energy of a slot."""

    price_micro_per_kwh: int | None
    traded_wh: int


class Figures(msgspec.Struct, frozen=True):
    """What `--json` prints; filled: orders that got all their energy, partly_filled: some of it.

    On a network sellers sold traded_wh + lost_wh, and buyers paid what sellers received + congestion_rent_n − losses_n.
    welfare_bound_n: with order kinds, a welfare that no allocation exceeds. wished_wh: bought with a wish, met_wh: what
    of it meets the wish. without_energy_rows: of the file, left out as their orders have none.
    """

    mechanism: str
    price_micro_per_kwh: int | None
    traded_wh: int
    welfare_n: int
    orders: int
    filled: int
    partly_filled: int
    lost_wh: int | msgspec.UnsetType = msgspec.UNSET
    losses_n: int | msgspec.UnsetType = msgspec.UNSET
    welfare_bound_n: int | msgspec.UnsetType = msgspec.UNSET
    wished_wh: int | msgspec.UnsetType = msgspec.UNSET
    met_wh: int | msgspec.UnsetType = msgspec.UNSET
    without_energy_rows: list[int] | msgspec.UnsetType = msgspec.UNSET
    slots: dict[str, SlotFigures] | msgspec.UnsetType = msgspec.UNSET
    congestion_rent_n: int | msgspec.UnsetType = msgspec.UNSET
    nodes: dict[str, NodeFigures] | msgspec.UnsetType = msgspec.UNSET
    lines: list[LineResult] | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True, eq=False)
class ClearedBook:
    """A cleared book.

    allocation: what every order got, in the book's order. trades: asked for when needed, as they take time; None on a
    network, where buyer and seller have two prices. picture: the merit order as SVG; raises InputError for many slots.
    """

    figures: Figures
    allocation: Columns
    trades: Callable[[], Columns | None]
    picture: Callable[[], str]


def cleared_book(figures: Figures, book: OrderFile, result: Result) -> ClearedBook:
    """A book that was cleared order by order in one slot."""
    return ClearedBook(
        figures,
        {"id": book.ids, "allocated_wh": result.allocated_wh, PRICE: result.order_price, "money_n": result.money_n},
        lambda: _trades(book, result),
        lambda: draw(book.orders, result.price, result.traded_wh),
    )


def _trades(book: OrderFile, result: Result) -> Columns | None:
    """Trades; money_n is what the buyer pays to the seller."""
    trades = result.trades
    if trades is None:
        return None
    buy, sell, energy, price = (column.tolist() for column in (trades.buy, trades.sell, trades.energy_wh, trades.price))
    return {
        "buy_id": [book.ids[order] for order in buy],
        "sell_id": [book.ids[order] for order in sell],
        "energy_wh": energy,
        PRICE: price,
        "money_n": [wh * each for wh, each in zip(energy, price, strict=True)],
    }


def figures_of(mechanism: str, book: OrderFile, result: Result) -> Figures:
    """Figures of a result; an order that got nothing is not filled, whatever its price."""
    pairs = list(zip(result.allocated_wh, book.orders.energy_wh.tolist(), strict=True))
    filled, partly = sum(given == asked for given, asked in pairs), sum(0 < given < asked for given, asked in pairs)
    rows = book.without_energy or msgspec.UNSET
    return Figures(
        mechanism, result.price, result.traded_wh, result.welfare_n, len(pairs), filled, partly,
        without_energy_rows=rows,
    )  # fmt: skip


def in_words(figures: Figures) -> str:
    """The figures for people."""
    counts = f"{figures.filled:,} of {figures.orders:,} orders filled, {figures.partly_filled:,} in part"
    if rows := figures.without_energy_rows:
        counts += f"; left out without energy: row {', '.join(map(str, rows))}"
    if figures.price_micro_per_kwh is None:
        return f"{figures.mechanism}: no trade; {counts}"
    traded = f"{kwh_text(figures.traded_wh, 3)} kWh at {price_text(figures.price_micro_per_kwh)}"
    return (
        f"{figures.mechanism}: {traded}, welfare {money_text(figures.welfare_n, '¤', 6)}; {counts}{_network(figures)}"
    )


def _network(figures: Figures) -> str:
    """What the network did, if there is one."""
    rent, lost, nodes = figures.congestion_rent_n, figures.lost_wh, figures.nodes
    if rent is msgspec.UNSET or lost is msgspec.UNSET or nodes is msgspec.UNSET:
        return ""
    prices = [node.price_micro_per_kwh for node in nodes.values()]
    span = f"{len(prices)} nodes at {price_text(min(prices))} to {price_text(max(prices))}"
    return f"; {span}, {kwh_text(lost, 3)} kWh lost, congestion rent {money_text(rent, '¤', 6)}"
