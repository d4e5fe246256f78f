"""Deals of a slot as a box keeps them, with the operator's receipts: what it shows the judge of deals."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from transactive.core.boxes.direct import DealRecord
from transactive.node.files import write_whole

MOST = 400
"""Files of slots that a box keeps."""


class ReceiptedDeal(msgspec.Struct, frozen=True):
    """A deal with the operator's receipt."""

    deal: DealRecord
    receipt: bytes


class KeptDeals(msgspec.Struct, frozen=True):
    """Receipted deals of a slot (number)."""

    slot: int
    deals: tuple[ReceiptedDeal, ...]


def keep_deals(folder: Path, slot: int, deals: Iterable[ReceiptedDeal]) -> None:
    """Keep the deals of a slot (number); the files of the oldest slots go. Raises StateError where it cannot be."""
    write_whole(folder / f"{slot}.json", msgspec.json.encode(KeptDeals(slot, tuple(deals))))
    for old in sorted(folder.glob("[0-9]*.*"), key=_number)[:-MOST]:
        old.unlink(missing_ok=True)


def _number(path: Path) -> int:
    """Number of the slot that a file is of."""
    return int(path.name.partition(".")[0])
