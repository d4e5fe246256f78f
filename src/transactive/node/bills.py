"""What the market cost the home of a box, and would have cost without it: the sum of the bills that it was told."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.boxes.messages import HasCommand, SlotBill
from transactive.core.errors import StateError
from transactive.node.files import write_whole

BILLS_FILE = "bills.json"
UNIT_N = 10**9
"""Of a unit of currency [n¤]."""


class _Sum(msgspec.Struct, frozen=True):
    """The file. slot: of the newest bill [Unix s]. cost_n, without_n: of all [n¤]."""

    slot: int = -1
    cost_n: int = 0
    without_n: int = 0


class HomeBills:
    """Bills of a box, each counted once, in the order of their slots."""

    def __init__(self, folder: Path) -> None:
        """Raises StateError where the file of before cannot be read."""
        self._path = folder / BILLS_FILE
        try:
            self._sum = msgspec.json.decode(self._path.read_bytes(), type=_Sum)
        except FileNotFoundError:
            self._sum = _Sum()
        except (OSError, msgspec.MsgspecError) as error:
            raise StateError(f"{self._path}: {error}; delete it, and the sums begin anew") from None

    def take(self, bill: SlotBill) -> HasCommand:
        """Count a bill, unless that slot was counted. Raises StateError where the disk takes no more."""
        if bill.slot > self._sum.slot:
            before = self._sum
            made = _Sum(bill.slot, before.cost_n + bill.cost_n, before.without_n + bill.without_n)
            write_whole(self._path, msgspec.json.encode(made))
            self._sum = made
        return HasCommand(bill.number)

    @property
    def cost_n(self) -> int | None:
        """What all told slots cost, below 0 brought [n¤]; None before one was told."""
        return None if self._sum.slot < 0 else self._sum.cost_n

    @property
    def saving_n(self) -> int | None:
        """How much less that is than without the market [n¤]; None before a slot was told."""
        return None if self._sum.slot < 0 else self._sum.without_n - self._sum.cost_n
