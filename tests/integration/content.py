"""The content hash of a run: what it decided, apart from how it is kept.

`state_hash` covers everything, so it also changes when a table gets a column or a record another packing. The content
hash names its columns one by one: prices, positions, postings, certificates and footprints. Work on structure must
leave it as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

COLUMNS = {
    "clearing": ("slot", "price", "traded_wh", "allocated_wh", "bought_wh", "sold_wh"),
    "positions": ("slot", "bought_wh", "sold_wh", "member", "is_buy", "energy_wh", "price", "lost_wh", "lost_n"),
    "postings": ("slot", "kind", "payer", "payee", "energy_wh", "price", "amount_n"),
    "certificates": ("slot", "device", "first_wh", "energy_wh", "owner", "state", "market_mg"),
    "footprints": (
        *("slot", "location_mg", "market_mg", "mix_mg_per_kwh", "drawn_mg", "stored_mg", "generation_mg"),
        *("imported_mg", "exported_mg", "taken_out_mg", "put_in_mg", "grid_mg", "grid_wh", "residual_mg"),
        *("residual_wh", "free_ppm"),
    ),
}
"""Columns of each table of a slot's record, in the order in which they are hashed; never extended."""


def content_hash(records: Iterable[Any]) -> str:
    """SHA-256 over the named columns of all slots, in their order."""
    state = hashlib.sha256(b"content")
    for record in records:
        for table, columns in COLUMNS.items():
            for name in columns:
                column = np.asarray(getattr(getattr(record, table), name))
                state.update(f"|{table}.{name}{column.shape}|".encode())
                state.update(np.ascontiguousarray(column.astype("<i8")).tobytes())
    return state.hexdigest()
