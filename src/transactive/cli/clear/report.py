"""What `transactive clear` gives: files of allocation and trades, written all or none, and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec

from transactive.cli.clear.orders import PRICE, OrderFile
from transactive.core.errors import InputError
from transactive.core.units import kwh_text, money_text
from transactive.market.auction.merit_order import draw
from transactive.market.result import Result
from transactive.tabular.spreadsheet import csv_text

Files: TypeAlias = dict[Path, str]
"""Texts of the files to write."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files that were asked for."""

    allocation: Path
    trades: Path | None
    svg: Path | None

    @property
    def paths(self) -> list[Path]:
        """Those that are to be written."""
        return [path for path in (self.allocation, self.trades, self.svg) if path]


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
    of it meets the wish.
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
    slots: dict[str, SlotFigures] | msgspec.UnsetType = msgspec.UNSET
    congestion_rent_n: int | msgspec.UnsetType = msgspec.UNSET
    nodes: dict[str, NodeFigures] | msgspec.UnsetType = msgspec.UNSET
    lines: list[LineResult] | msgspec.UnsetType = msgspec.UNSET


def files_of(book: OrderFile, result: Result, outputs: Outputs) -> Files:
    """The files that were asked for."""
    files = {outputs.allocation: allocation_csv(book, result)}
    if outputs.trades:
        files[outputs.trades] = trades_csv(book, result)
    if outputs.svg:
        files[outputs.svg] = draw(book.orders, result.price, result.traded_wh)
    return files


def allocation_csv(book: OrderFile, result: Result) -> str:
    """Allocation of every order, in the order of its file."""
    rows = zip(book.ids, result.allocated_wh, result.order_price, result.money_n, strict=True)
    return csv_text(("id", "allocated_wh", PRICE, "money_n"), rows)


def trades_csv(book: OrderFile, result: Result) -> str:
    """Trades; money_n is what the buyer pays to the seller."""
    trades = result.trades
    if trades is None:
        raise InputError("on a network there are no trades in pairs; leave -t out")
    columns = (column.tolist() for column in (trades.buy, trades.sell, trades.energy_wh, trades.price))
    rows = (
        (book.ids[buy], book.ids[sell], wh, price, wh * price) for buy, sell, wh, price in zip(*columns, strict=True)
    )
    return csv_text(("buy_id", "sell_id", "energy_wh", PRICE, "money_n"), rows)


def write_all(files: Files) -> None:
    """Write all files beside their places, then move them there. Raises InputError for the first that cannot be."""
    partial = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, text in files.items():
            if path.is_dir():
                raise InputError(f"{path}: is a folder; name a file")
            partial[path].write_text(text, encoding="utf-8", newline="")
        for path, written in partial.items():
            written.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        for left_over in partial.values():
            left_over.unlink(missing_ok=True)


def figures_of(mechanism: str, book: OrderFile, result: Result) -> Figures:
    """Figures of a result; an order that got nothing is not filled, whatever its price."""
    pairs = list(zip(result.allocated_wh, book.orders.energy_wh.tolist(), strict=True))
    filled, partly = sum(given == asked for given, asked in pairs), sum(0 < given < asked for given, asked in pairs)
    return Figures(mechanism, result.price, result.traded_wh, result.welfare_n, len(pairs), filled, partly)


def in_words(figures: Figures) -> str:
    """The figures for people."""
    counts = f"{figures.filled:,} of {figures.orders:,} orders filled, {figures.partly_filled:,} in part"
    if figures.price_micro_per_kwh is None:
        return f"{figures.mechanism}: no trade; {counts}"
    traded = f"{kwh_text(figures.traded_wh, 3)} kWh at {figures.price_micro_per_kwh:,} µ¤/kWh"
    return (
        f"{figures.mechanism}: {traded}, welfare {money_text(figures.welfare_n, '¤', 6)}; {counts}{_network(figures)}"
    )


def _network(figures: Figures) -> str:
    """What the network did, if there is one."""
    rent, lost, nodes = figures.congestion_rent_n, figures.lost_wh, figures.nodes
    if rent is msgspec.UNSET or lost is msgspec.UNSET or nodes is msgspec.UNSET:
        return ""
    prices = [node.price_micro_per_kwh for node in nodes.values()]
    span = f"{len(prices)} nodes at {min(prices):,} to {max(prices):,} µ¤/kWh"
    return f"; {span}, {kwh_text(lost, 3)} kWh lost, congestion rent {money_text(rent, '¤', 6)}"
