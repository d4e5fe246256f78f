"""Positions, readings, postings and bundles of a slot as packed blocks, with what is asked of many slots beside them.

What nearly always follows from other columns is taken away, and the block holds what is left: a posting's money is
energy × price, a levy is its member's part of all unmatched carbon, and who did not trade pays one price for imports.
Differences wrap beyond int64, so the way back is exact. Beside a block stand sums over all its rows, and which kinds
it holds as bits: who asks for one kind in a whole run opens only the blocks that hold it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from transactive.core.units import IntArray
from transactive.store.packed import PackedBlock, pack, unpack

POSITION = ("is_buy", "member", "price", "energy_wh")
POSTING = ("kind", "payer", "payee", "energy_wh", "price", "amount_n")
BUNDLE = ("device", "first_wh", "energy_wh", "owner", "state", "market_mg")
READING = (
    "member",
    *("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh"),
    *("bought_wh", "sold_wh", "net_n", "location_mg", "market_mg", "unmatched_mg", "levy_n"),
    *("mix_mg_per_kwh", "drawn_mg", "stored_mg"),
    *("baseline_import_wh", "baseline_export_wh"),
)
SUMMED = (*READING[1:8], "location_mg", "market_mg", "unmatched_mg", "levy_n")
"""Columns of readings whose sums stand beside the block."""
LEFT = {
    "amount_n": ("left_n", "energy_wh", "price"),
    "levy_n": ("levy_left_n", "unmatched_mg"),
    "net_n": ("net_left_n", "import_wh"),
}
"""What a block holds in place of a column, and the columns that it follows from."""


def pack_positions(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's positions, sales first, then by member and price; and its count."""
    order = np.lexsort((columns["price"], columns["member"], columns["is_buy"]))
    return _pack({name: np.asarray(columns[name])[order] for name in POSITION}, POSITION), {"positions": len(order)}


def pack_readings(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's readings, and its counts: how many meters, and the sums over all."""
    given = {name: np.asarray(columns[name], np.int64) for name in READING}
    sums = {name: int(given[name].sum()) for name in SUMMED}
    numbers = {"levy_n": sums["levy_n"], "unmatched_mg": sums["unmatched_mg"], "price": _price_without_trade(given)}
    given["levy_left_n"] = given.pop("levy_n") - _levy_part(given["unmatched_mg"], numbers)
    given["net_left_n"] = given.pop("net_n") + given["import_wh"] * numbers["price"]
    return pack(PackedBlock(given, numbers)), {"meters": len(given["member"]), **sums}


def pack_postings(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's postings, and its counts: how many, and their kinds as bits."""
    given = {name: np.asarray(columns[name], np.int64) for name in POSTING}
    given["left_n"] = given.pop("amount_n") - given["energy_wh"] * given["price"]
    counts = {"postings": len(given["kind"]), "kinds": bits(given["kind"])}
    return _pack(given, tuple(given)), counts


def pack_bundles(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's bundles of certificates, and its counts: how many, and their states as bits."""
    order = np.lexsort((columns["first_wh"], columns["device"]))
    counts = {"bundles": len(order), "states": bits(columns["state"])}
    return _pack({name: np.asarray(columns[name])[order] for name in BUNDLE}, BUNDLE), counts


def unpack_columns(data: bytes, what: str, names: Collection[str] | None = None) -> dict[str, IntArray]:
    """Columns of a block, all or some. Raises StateError."""
    wanted = None if names is None else {*names, *(more for name in names for more in LEFT.get(name, ()))}
    block = unpack(data, what, wanted)
    columns, numbers = dict(block.columns), block.numbers
    if "left_n" in columns:
        columns["amount_n"] = columns.pop("left_n") + columns["energy_wh"] * columns["price"]
    if "levy_left_n" in columns:
        columns["levy_n"] = columns.pop("levy_left_n") + _levy_part(columns["unmatched_mg"], numbers)
    if "net_left_n" in columns:
        columns["net_n"] = columns.pop("net_left_n") - columns["import_wh"] * numbers["price"]
    return columns if names is None else {name: columns[name] for name in names}


def _levy_part(unmatched_mg: IntArray, numbers: Mapping[str, int]) -> IntArray:
    """What members would be levied if a levy were rounded down for each [n¤]."""
    if numbers["unmatched_mg"] <= 0:
        return np.zeros(len(unmatched_mg), np.int64)
    part: IntArray = unmatched_mg * np.int64(numbers["levy_n"]) // np.int64(numbers["unmatched_mg"])
    return part


def _price_without_trade(readings: Mapping[str, IntArray]) -> int:
    """What a Wh of import cost the first member that neither traded nor exported [n¤/Wh], or 0."""
    alone = (readings["bought_wh"] | readings["sold_wh"] | readings["export_wh"]) == 0
    rows = np.flatnonzero(alone & (readings["import_wh"] > 0))
    return -int(readings["net_n"][rows[0]]) // int(readings["import_wh"][rows[0]]) if len(rows) else 0


def bits(numbers: IntArray) -> int:
    """Small whole numbers as the bits of one: which of them there are."""
    return sum(1 << int(number) for number in np.unique(numbers))


def _pack(columns: Mapping[str, IntArray], names: tuple[str, ...]) -> bytes:
    return pack(PackedBlock({name: np.asarray(columns[name], np.int64) for name in names}))
