"""Anyone's orders: read, checked, each fault named by file, row and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from transactive.core.errors import DataError
from transactive.core.tables import Orders
from transactive.tabular.columns import read_columns, refuse
from transactive.tabular.source import ROW, FrameSource, Source

if TYPE_CHECKING:
    import polars as pl

TEXTS, NUMBERS = ("id", "side", "member"), ("price_micro_per_kwh", "energy_wh")
PRICE, ENERGY = NUMBERS


@dataclass(frozen=True, slots=True)
class OrderFile:
    """Orders of a file, and their ids; members are counted by name.

    node: name of each order's node, with a network. spare: columns that a mechanism may have, None where empty.
    without_energy: rows of the file that were left out, as their order has none.
    """

    orders: Orders
    ids: list[str]
    members: int
    node: list[str]
    spare: dict[str, list[Any]] = field(default_factory=dict)
    without_energy: list[int] = field(default_factory=list)


@contextmanager
def naming(path: Source) -> Iterator[None]:
    """Name the order file in what a mechanism has against it."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None


def read_orders(
    path: Source, *, located: bool, spare_texts: Sequence[str] = (), spare_numbers: Sequence[str] = ()
) -> OrderFile:
    """Read and check an order file; `located` ones have a node. Raises DataError naming file, row and column."""
    import polars as pl

    texts = (*TEXTS, "node") if located else TEXTS
    frame = read_columns(path, [], NUMBERS, texts, spare_texts=spare_texts, spare_numbers=spare_numbers)
    refuse(frame, ~pl.col("side").is_in(["buy", "sell"]), "side", path, "a side is buy or sell")
    refuse(frame, pl.col(ENERGY) < 0, ENERGY, path, "below 0; give the side sell and the energy without a sign")
    without = frame[ROW].filter(frame[ENERGY] == 0).to_list()
    frame = frame.filter(pl.col(ENERGY) > 0)
    if frame.is_empty():
        raise DataError(f"{path.name}: no order has energy; give one that has")
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
    node = frame["node"].to_list() if located else []
    spare = {name: frame[name].to_list() for name in (ROW, "member", *spare_texts, *spare_numbers)}
    return OrderFile(orders, frame["id"].to_list(), len(member), node, spare, without)


def refuse_row(path: Source, book: OrderFile, order: int, column: str, what: str) -> NoReturn:
    """Raise DataError for the spare column of an order."""
    raise DataError(f"{path.name}: row {book.spare[ROW][order]}: {column} = {book.spare[column][order]!r}: {what}")


def column_names(path: Source) -> list[str]:
    """Names of a file's columns. Raises DataError for a file that is missing or holds no order, before all is read."""
    head = read_head(path)
    if head.is_empty():
        raise DataError(f"{path.name}: holds no orders; give one a row below the names of the columns")
    return head.columns


def read_head(path: Source) -> pl.DataFrame:
    """First row of a file; one row of nothing where the file itself is at fault, which reading it in full names."""
    import polars as pl

    if isinstance(path, FrameSource):
        return path.frame.head(1)
    try:
        if not path.stat().st_size:
            return pl.DataFrame({"empty": [0]})
        scan = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
        return scan.head(1).collect()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or 'not found'}); correct the path") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return pl.DataFrame({"unreadable": [0]})
