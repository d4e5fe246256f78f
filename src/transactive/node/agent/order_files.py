"""Orders as a box keeps them, a file each: what it sent, and what the market answered."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.boxes.messages import OrderTaken
from transactive.metering.record_file import OWNER_FOLDER
from transactive.node.files import read_kept, write_whole

ORDERS = "orders"
KEPT = 4_000
"""Orders that a box keeps."""


class KeptOrder(msgspec.Struct, frozen=True):
    """An order as the box keeps it. taken: the market's answer, None before."""

    order: bytes
    taken: OrderTaken | None = None


class OrderFiles:
    """Orders by the slot [Unix s] that they are for, in the folder of a box."""

    def __init__(self, folder: Path) -> None:
        self._into = folder / ORDERS

    def of(self, slot: int) -> KeptOrder | None:
        """The order for a slot, None without one. Raises StateError where it cannot be read."""
        return read_kept(self._into / f"{slot}.json", KeptOrder)

    def keep(self, slot: int, order: KeptOrder) -> None:
        """Keep an order; the oldest go. Raises StateError where it cannot be written."""
        self._into.mkdir(mode=OWNER_FOLDER, exist_ok=True)
        write_whole(self._into / f"{slot}.json", msgspec.json.encode(order))
        for old in sorted(self._into.glob("*.json"))[:-KEPT]:
            old.unlink()
