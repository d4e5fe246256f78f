"""Digests over the rows of a slot, so that what is read is what was written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa

from transactive.core.units import IntArray
from transactive.store.packed import digest_of


def rows_digest(table: sa.Table, columns: Mapping[str, IntArray]) -> bytes:
    """Digest of the columns of a slot's rows, in the order of the key; without the slot, in the order of names.

    A column that came to the table after the rows is not among `columns`, so it does not change their digest.
    """
    names = sorted(name for name, column in columns.items() if name != "slot" and len(column))
    given = {name: np.asarray(columns[name]).astype("<i8") for name in names}
    key = [given[column.name] for column in table.primary_key.columns if column.name in given]
    order = np.lexsort(key[::-1]) if key else slice(None)
    return digest_of(b"".join(name.encode() + b"|" + np.ascontiguousarray(given[name][order]).data for name in names))
