"""`transactive clear`: anyone's order file in; allocation, trades and a picture out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.tables import Orders
from transactive.core.units import IntArray, kwh_text, money_text
from transactive.market import registry
from transactive.market.levels import Levelled, as_they_are, by_rank
from transactive.market.locational import NodalClearing
from transactive.market.merit_order import draw
from transactive.market.network import Line, Network, radial_network
from transactive.market.result import Result, clear_levelled, result_by_node
from transactive.metering.columns import read_columns, refuse

if TYPE_CHECKING:
    import polars as pl

TEXTS, NUMBERS = ("id", "side", "member"), ("price_micro_per_kwh", "energy_wh")
PRICE, ENERGY = NUMBERS
COMPARING = ("continuous", "locational", "pay_as_bid", "uniform")
"""Mechanisms that only compare prices: for them the prices need no grid."""
UNSUPPORTED = ("kind", "least_wh")


class NodeFigures(msgspec.Struct, frozen=True):
    """Price of a node and the energy that flows into it from the root's side, below 0 when it flows out."""

    price_micro_per_kwh: int
    flow_wh: int


class Figures(msgspec.Struct, frozen=True):
    """What `--json` prints; filled: orders that got all their energy, partly_filled: some of it."""

    mechanism: str
    price_micro_per_kwh: int | None
    traded_wh: int
    welfare_n: int
    orders: int
    filled: int
    partly_filled: int
    congestion_rent_n: int | msgspec.UnsetType = msgspec.UNSET
    nodes: dict[str, NodeFigures] | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class OrderFile:
    """Orders of a file, and their ids; members are counted by name. node: name of each order's node, with a network."""

    orders: Orders
    ids: list[str]
    members: int
    node: list[str]


@dataclass(frozen=True, slots=True)
class Located:
    """A network and the node of each order on it."""

    network: Network
    node: IntArray


class LineText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A line of a network file."""

    start: str
    end: str
    limit_wh: int


class NetworkText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network file: nodes, the root first, and the lines between them."""

    nodes: list[str]
    lines: list[LineText] = []


def run_clear(
    path: Path,
    *,
    mechanism: str,
    allocation: Path,
    trades: Path | None,
    svg: Path | None,
    json: bool,
    network: Path | None = None,
) -> None:
    """Clear an order file and write the results, all of them or none; figures go to stdout.

    Raises DataError naming file, row and column of the first bad row, ConfigError for an unknown mechanism and
    InputError for options that do not go together and a file that cannot be written.
    """
    clear = load_mechanism(mechanism)
    if isinstance(clear, registry.ByNode) != bool(network):
        raise InputError(f"--mechanism {mechanism} {'knows no' if network else 'needs a'} --network; see --help")
    if trades and network:
        raise InputError("-t: on a network buyer and seller have prices of their own; leave -t out")
    names = [allocation, *(name for name in (trades, svg) if name)]
    if len({*names, path}) <= len(names):
        raise InputError("two of the files have one name; give each its own")
    book = read_orders(path, located=bool(network))
    levelled = by_rank(book.orders) if mechanism in COMPARING else as_they_are(book.orders)
    located = None
    if network:
        tree = read_network(network)
        located = Located(tree, place(path, book.node, tree))
    with naming(path):
        result, nodal = clear_book(clear, book, levelled, located)
    files = {allocation: allocation_csv(book, result)}
    if trades:
        files[trades] = trades_csv(book, result)
    if svg:
        files[svg] = draw(book.orders, result.price, result.traded_wh)
    write_all(files)
    figures = figures_of(mechanism, book, result)
    if located and nodal:
        figures = with_nodes(figures, result, located, nodal)
    print(msgspec.json.encode(figures).decode() if json else in_words(figures))


def clear_book(
    mechanism: registry.AnyMechanism, book: OrderFile, levelled: Levelled, located: Located | None
) -> tuple[Result, NodalClearing | None]:
    """Clear a book, on a network if it is located on one."""
    if not isinstance(mechanism, registry.ByNode):
        return clear_levelled(mechanism, book.orders, levelled, book.members), None
    if located is None:
        raise InputError("prices by location need a --network")
    nodal = mechanism.clear(levelled.orders, levelled.grid, book.members, located.node, located.network)
    nodal = replace(nodal, price=levelled.price(nodal.price))
    return result_by_node(book.orders, located.node, nodal), nodal


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the order file in what a mechanism has against it."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None


def load_mechanism(name: str) -> registry.AnyMechanism:
    """Mechanism of the option's name. Raises ConfigError naming the known ones."""
    if name not in registry.names():
        raise ConfigError(f"--mechanism {name} is not installed; known: {', '.join(registry.names())}")
    return registry.load_any(name)


def read_orders(path: Path, *, located: bool) -> OrderFile:
    """Read and check an order file; `located` ones have a node. Raises DataError naming file, row and column."""
    import polars as pl

    refuse_unsupported(path)
    frame = read_columns(path, [], NUMBERS, (*TEXTS, "node") if located else TEXTS)
    refuse(frame, ~pl.col("side").is_in(["buy", "sell"]), "side", path, "a side is buy or sell")
    refuse(frame, pl.col(ENERGY) <= 0, ENERGY, path, "not above 0; leave an order without energy out")
    refuse(frame, pl.col("id").is_duplicated(), "id", path, "this id stands there twice; give each order its own")
    member, number = np.unique(frame["member"].to_numpy(), return_inverse=True)
    orders = Orders(
        slot=0,
        member=number.astype(np.int64),
        is_buy=(frame["side"] == "buy").to_numpy(),
        price=frame[PRICE].to_numpy(),
        energy_wh=frame[ENERGY].to_numpy(),
        lock_n=np.zeros(len(frame), np.int64),
    )
    return OrderFile(orders, frame["id"].to_list(), len(member), frame["node"].to_list() if located else [])


def refuse_unsupported(path: Path) -> None:
    """Refuse a file that is missing, holds no order, or asks for order kinds, before it is read in full."""
    head = read_head(path)
    unsupported = [column for column in UNSUPPORTED if column in head.columns]
    if unsupported:
        raise DataError(f"{path.name}: column {unsupported[0]}: only plain orders can be cleared; take the column out")
    if head.is_empty():
        raise DataError(f"{path.name}: holds no orders; give one a row below the names of the columns")


def read_head(path: Path) -> pl.DataFrame:
    """First row of a file; one row of nothing where the file itself is at fault, which reading it in full names."""
    import polars as pl

    try:
        if not path.stat().st_size:
            return pl.DataFrame({"empty": [0]})
        scan = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
        return scan.head(1).collect()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or 'not found'}); correct the path") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return pl.DataFrame({"unreadable": [0]})


def read_network(path: Path) -> Network:
    """Read a network file. Raises DataError naming file and key."""
    try:
        text = msgspec.toml.decode(path.read_bytes(), type=NetworkText)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: {error}") from None
    with naming(path):
        return radial_network(text.nodes, [Line(line.start, line.end, line.limit_wh) for line in text.lines])


def place(path: Path, names: Sequence[str], network: Network) -> IntArray:
    """Number of each order's node. Raises DataError naming the row of the first unknown one."""
    number = {name: position for position, name in enumerate(network.names)}
    for row, name in enumerate(names):
        if name not in number:
            line = row + (2 if path.suffix == ".csv" else 1)
            raise DataError(f"{path.name}: row {line}: node = {name!r}: not in the network; add it there or correct it")
    return np.array([number[name] for name in names], np.int64)


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


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Text of a CSV file."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write_all(files: dict[Path, str]) -> None:
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


def with_nodes(figures: Figures, result: Result, located: Located, nodal: NodalClearing) -> Figures:
    """The figures with those of every node; what buyers pay and sellers do not receive is the congestion rent."""
    columns = (located.network.names, nodal.price.tolist(), nodal.flow_wh.tolist())
    nodes = {name: NodeFigures(price, flow) for name, price, flow in zip(*columns, strict=True)}
    return msgspec.structs.replace(figures, congestion_rent_n=-sum(result.money_n), nodes=nodes)


def in_words(figures: Figures) -> str:
    """The figures for people."""
    counts = f"{figures.filled:,} of {figures.orders:,} orders filled, {figures.partly_filled:,} in part"
    if figures.price_micro_per_kwh is None:
        return f"{figures.mechanism}: no trade; {counts}"
    traded = f"{kwh_text(figures.traded_wh, 3)} kWh at {figures.price_micro_per_kwh:,} µ¤/kWh"
    return f"{figures.mechanism}: {traded}, welfare {money_text(figures.welfare_n, '¤', 6)}; {counts}"
