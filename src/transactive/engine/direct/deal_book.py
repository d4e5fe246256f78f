"""Deals of a run, kept as they are made, so that people see with whom they dealt."""

from __future__ import annotations

from pathlib import Path

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.engine.observer import Observer
from transactive.market.mechanisms import Cleared
from transactive.store.direct.deals import DealtSlot, KeptDeal, KeptReach, keep_deals_of


class DealBook(Observer):
    """Keeps the deals of a run in its folder; nothing where nobody deals."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def cleared(self, orders: Orders, grid: PriceGrid, cleared: Cleared) -> None:  # noqa: ARG002 - as an observer hears it
        """Keep what a session came to."""
        deals, took = cleared.deals, cleared.traffic
        if deals is None or took is None:
            return
        columns = (column.tolist() for column in (deals.buyer, deals.seller, deals.energy_wh, deals.price))
        kept = tuple(KeptDeal(*row) for row in zip(*columns, strict=True))
        told = tuple(KeptReach(each.member, each.unheard, each.datagrams, each.milliseconds) for each in took.told)
        sent = took.datagrams, took.sent_bytes
        keep_deals_of(self._folder, DealtSlot(orders.slot, took.rounds, took.nodes, took.reached, *sent, kept, told))
