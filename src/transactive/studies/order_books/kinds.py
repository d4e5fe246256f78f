"""Order kinds: rows become plain orders, curves, blocks and storages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from transactive.core.errors import DataError
from transactive.core.tables import Orders
from transactive.core.units import PPM
from transactive.market.auction.blocks.order_kinds import BlockOrder, KindBook, Storage
from transactive.studies.order_books.orders import ENERGY, NUMBERS, PRICE, TEXTS
from transactive.tabular.columns import read_columns
from transactive.tabular.source import ROW, Source

KIND_NUMBERS = ("slot", "slots", "least_wh", "capacity_wh", "efficiency_ppm")
KIND_COLUMNS = ("kind", *KIND_NUMBERS)
KINDS = ("plain", "curve", "range", "all_or_nothing", "block", "storage")
BOTH = "both"
MOST_SLOTS = 1_000
"""Largest span of slot numbers in a file, and longest block."""
MOST_WINDOW = 192
"""Longest window of a storage: two days of quarters."""
NEEDS = {
    "range": {"least_wh"},
    "block": {"slots"},
    "storage": {"slots", "capacity_wh"},
}
MAY_HAVE = {"block": {"least_wh"}, "storage": {"efficiency_ppm"}}


@dataclass(slots=True)
class KindFile:
    """Orders of a file: ids in its order, the book, and which order stands behind each part of it.

    asked_wh: most that each order could get, None for a storage. sides: of each order as it stands. spans_slots: the
    file numbers its slots.
    """

    ids: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    asked_wh: list[int | None] = field(default_factory=list)
    first_slot: int = 0
    spans_slots: bool = False
    plain: list[list[int]] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    storages: list[int] = field(default_factory=list)
    book: KindBook = field(default_factory=lambda: KindBook(()))


def read_kinds(path: Source) -> KindFile:
    """Read and check an order file with kinds. Raises DataError naming file, row and column."""
    frame = read_columns(path, [], NUMBERS, TEXTS, spare_numbers=KIND_NUMBERS, spare_texts=["kind"])
    rows: list[dict[str, Any]] = list(frame.iter_rows(named=True))
    for row in rows:
        _check_row(path, row)
    first, last = _span(path, rows)
    found = KindFile(first_slot=first, spans_slots=any(row["slot"] is not None for row in rows))
    plain: list[list[dict[str, Any]]] = [[] for _ in range(last - first)]
    blocks, storages = [], []
    known: dict[str, dict[str, Any]] = {}
    for row in rows:
        number, slot = _number(path, row, known, found), (row["slot"] or 0) - first
        if row["kind"] == "storage":
            found.storages.append(number)
            efficiency = PPM if row["efficiency_ppm"] is None else row["efficiency_ppm"]
            storages.append(Storage(row[PRICE], slot, row["slots"], row[ENERGY], row["capacity_wh"], efficiency))
        elif row["kind"] in ("plain", "curve"):
            plain[slot].append({**row, "number": number})
        else:
            found.blocks.append(number)
            least = row[ENERGY] if row["least_wh"] is None else row["least_wh"]
            blocks.append(BlockOrder(row["side"] == "buy", row[PRICE], slot, row["slots"] or 1, least, row[ENERGY]))
    found.plain = [[row["number"] for row in slot] for slot in plain]
    found.book = KindBook(tuple(_orders(slot) for slot in plain), tuple(blocks), tuple(storages))
    return found


def _check_row(path: Source, row: dict[str, Any]) -> None:
    """Raise DataError for the first column of a row that its kind cannot have, and fill in the kind."""
    kind = row["kind"] = row["kind"] or "plain"
    if kind not in KINDS:
        _refuse(path, row, "kind", f"known are {', '.join(KINDS)}")
    if row["side"] not in ((BOTH,) if kind == "storage" else ("buy", "sell")):
        _refuse(path, row, "side", f"a {kind} is {BOTH}" if kind == "storage" else "a side is buy or sell")
    if row[ENERGY] <= 0:
        _refuse(path, row, ENERGY, "not above 0; leave an order without energy out")
    if kind == "storage" and row[PRICE] < 0:
        _refuse(path, row, PRICE, "the spread of a storage is not below 0")
    needed = NEEDS.get(kind, set())
    for column in KIND_NUMBERS[1:]:
        if row[column] is None and column in needed:
            _refuse(path, row, column, f"a {kind} needs it")
        if row[column] is not None and column not in needed | MAY_HAVE.get(kind, set()):
            _refuse(path, row, column, f"a {kind} has none; leave it empty")
    longest = MOST_WINDOW if kind == "storage" else MOST_SLOTS
    bounds = {"slots": longest, "least_wh": row[ENERGY], "capacity_wh": None, "efficiency_ppm": PPM}
    for column, most in bounds.items():
        if row[column] is not None and (row[column] < 1 or (most is not None and row[column] > most)):
            _refuse(path, row, column, f"give 1 to {most}" if most else "give 1 or more")


def _span(path: Source, rows: list[dict[str, Any]]) -> tuple[int, int]:
    """First slot number and the one past the last; the book has a place for every slot between."""
    first = min(row["slot"] or 0 for row in rows)
    for row in rows:
        if (row["slot"] or 0) + (row["slots"] or 1) - first > MOST_SLOTS:
            _refuse(path, row, "slot", f"further than {MOST_SLOTS} slots from the first one, {first}; split the file")
    return first, max((row["slot"] or 0) + (row["slots"] or 1) for row in rows)


def _number(path: Source, row: dict[str, Any], known: dict[str, dict[str, Any]], found: KindFile) -> int:
    """Number of a row's order; further rows of one id are further steps of its curve."""
    before = known.get(row["id"])
    if before is None:
        known[row["id"]] = {**row, "number": len(found.ids), "steps": [row]}
        found.ids.append(row["id"])
        found.sides.append(row["side"])
        found.asked_wh.append(None if row["kind"] == "storage" else row[ENERGY] * (row["slots"] or 1))
        return len(found.ids) - 1
    if before["kind"] != "curve" or row["kind"] != "curve":
        _refuse(path, row, "id", "this id stands there twice; give each order its own, only a curve has several rows")
    for column in ("member", "slot"):
        if row[column] != before[column]:
            _refuse(path, row, column, f"the curve {row['id']!r} began with {before[column]!r}")
    for step in before["steps"]:
        _check_step(path, row, step)
    before["steps"].append(row)
    number: int = before["number"]
    found.asked_wh[number] = _most(before["steps"])
    return number


def _check_step(path: Source, row: dict[str, Any], step: dict[str, Any]) -> None:
    """A curve has a price once on a side, and buys below where it sells, so it never trades with itself."""
    if row["side"] == step["side"]:
        if row[PRICE] == step[PRICE]:
            _refuse(path, row, PRICE, f"the curve {row['id']!r} has this step already; add up its energy")
        return
    buy, sell = (row, step) if row["side"] == "buy" else (step, row)
    if buy[PRICE] >= sell[PRICE]:
        _refuse(path, row, PRICE, f"the curve {row['id']!r} would buy at {buy[PRICE]} and sell at {sell[PRICE]}")


def _most(steps: list[dict[str, Any]]) -> int:
    """Most that a curve can get, on one side [Wh]."""
    bought, sold = (sum(int(step[ENERGY]) for step in steps if step["side"] == side) for side in ("buy", "sell"))
    return max(bought, sold)


def _orders(rows: list[dict[str, Any]]) -> Orders:
    """Plain orders of one slot; who they belong to does not matter for the clearing."""
    nothing = np.zeros(len(rows), np.int64)
    price, energy = (np.array([row[name] for row in rows], np.int64) for name in (PRICE, ENERGY))
    is_buy = np.array([row["side"] == "buy" for row in rows], np.bool_)
    return Orders(0, nothing, is_buy, price, energy, nothing)


def _refuse(path: Source, row: dict[str, Any], column: str, what: str) -> None:
    """Raise DataError for a row."""
    raise DataError(f"{path.name}: row {row[ROW]}: {column} = {row[column]!r}: {what}")
