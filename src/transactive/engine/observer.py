"""Who listens to a run: everything that is not needed to settle a slot hears of it here, and decides nothing."""

from __future__ import annotations

from transactive.core.slot_book import SlotBook
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared
from transactive.trading.devices.made import MadePlan


class Observer:
    """Hears each step of each slot; one that listens to some of them overrides those."""

    def planned(self, plan: MadePlan) -> None:
        """What batteries are planned to do in a period, as it was weighed."""

    def expected(self, slot: int, net_load_wh: IntArray) -> None:
        """Samples of net load [Wh], (samples, members), that a session's orders for a slot are made of."""

    def cleared(self, orders: Orders, grid: PriceGrid, cleared: Cleared) -> None:
        """A session of a slot, with the orders that entered."""

    def settled(self, book: SlotBook) -> None:
        """A slot that is delivered and posted, and not yet committed."""

    def committed(self, slot: int) -> None:
        """A slot that is kept and on chain, where there is one."""
