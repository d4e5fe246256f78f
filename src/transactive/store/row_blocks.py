"""Positions, readings, postings and bundles of a slot as packed blocks, with what is asked of many slots beside them.

A posting's money is energy × price nearly always, so its block holds what is left when that is taken away; differences
wrap beyond int64, so the way back is exact. Beside a block stand sums over all its rows, and which kinds it holds as
bits: who asks for one kind in a whole run opens only the blocks that hold it.
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
LEFT = "left_n"


def pack_positions(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's positions, sales first, then by member and price; and its count."""
    order = np.lexsort((columns["price"], columns["member"], columns["is_buy"]))
    return _pack({name: np.asarray(columns[name])[order] for name in POSITION}, POSITION), {"positions": len(order)}


def pack_readings(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's readings, and its counts: how many meters, and the sums over all."""
    counts = {"meters": len(columns["member"])}
    return _pack(columns, READING), counts | {name: int(np.sum(columns[name])) for name in SUMMED}


def pack_postings(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's postings, and its counts: how many, and their kinds as bits."""
    given = {name: np.asarray(columns[name], np.int64) for name in POSTING}
    given[LEFT] = given.pop("amount_n") - given["energy_wh"] * given["price"]
    counts = {"postings": len(given["kind"]), "kinds": bits(given["kind"])}
    return _pack(given, tuple(given)), counts


def pack_bundles(columns: Mapping[str, IntArray]) -> tuple[bytes, dict[str, int]]:
    """Block of a slot's bundles of certificates, and its counts: how many, and their states as bits."""
    order = np.lexsort((columns["first_wh"], columns["device"]))
    counts = {"bundles": len(order), "states": bits(columns["state"])}
    return _pack({name: np.asarray(columns[name])[order] for name in BUNDLE}, BUNDLE), counts


def unpack_columns(data: bytes, what: str, names: Collection[str] | None = None) -> dict[str, IntArray]:
    """Columns of a block, all or some. Raises StateError."""
    if names is None or "amount_n" not in names:
        found = unpack(data, what, names).columns
    else:
        found = unpack(data, what, {*names, "energy_wh", "price", LEFT}).columns
    columns = dict(found)
    if LEFT in columns:
        columns["amount_n"] = columns.pop(LEFT) + columns["energy_wh"] * columns["price"]
    return columns


def bits(numbers: IntArray) -> int:
    """Small whole numbers as the bits of one: which of them there are."""
    return sum(1 << int(number) for number in np.unique(numbers))


def _pack(columns: Mapping[str, IntArray], names: tuple[str, ...]) -> bytes:
    return pack(PackedBlock({name: np.asarray(columns[name], np.int64) for name in names}))
