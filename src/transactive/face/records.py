"""Settled slots as tables: one for each kind of record, of all slots together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.accounts import NAMED, PASSING
from transactive.core.certificates import CertificateState
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Readings
from transactive.core.units import BoolArray, IntArray
from transactive.face.frames import table

if TYPE_CHECKING:
    import polars as pl

PRICE = "price_micro_per_kwh"
SLOT = "slot_start"
REGISTERS = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh", "consumption_wh")


class SlotTables:
    """Records of settled slots, in order; `names` are the members', in the order of the community."""

    def __init__(self, records: Sequence[SlotBook], names: Sequence[str]) -> None:
        self.records, self.names = records, list(names)
        self.accounts = [*names, *NAMED, *PASSING]

    def tables(self) -> dict[str, Callable[[], pl.DataFrame]]:
        """What makes each table, by its name."""
        made = (
            self.prices, self.orders, self.positions, self.postings, self.readings, self.certificates, self.footprints,
        )  # fmt: skip
        return {make.__name__: make for make in made}

    def prices(self) -> pl.DataFrame:
        """A row a slot: price, None without a trade, energy, and the supplier's tariff."""
        cleared = [record.clearing for record in self.records]
        tariffs = [record.tariff for record in self.records]
        return table(
            {
                SLOT: [clearing.slot for clearing in cleared],
                PRICE: [int(clearing.price) if clearing.traded_wh else None for clearing in cleared],
                "traded_wh": [int(clearing.traded_wh) for clearing in cleared],
                "import_price_micro_per_kwh": [tariff.supply for tariff in tariffs],
                "feed_in_micro_per_kwh": [tariff.feed_in for tariff in tariffs],
                "network_fee_micro_per_kwh": [tariff.fee for tariff in tariffs],
            }
        )

    def orders(self) -> pl.DataFrame:
        """A row an order: member, side, limit price, energy, and what it got."""
        rows = [record.orders for record in self.records]
        return table(
            {
                SLOT: self._slots([len(orders) for orders in rows]),
                "member": self._called([orders.member for orders in rows], self.names),
                "side": _sides([orders.is_buy for orders in rows]),
                PRICE: _joined([orders.price for orders in rows]),
                "energy_wh": _joined([orders.energy_wh for orders in rows]),
                "allocated_wh": _joined([record.clearing.allocated_wh for record in self.records]),
            }
        )

    def positions(self) -> pl.DataFrame:
        """A row for each price at which a member bought or sold: side, price, energy."""
        rows = [record.positions for record in self.records]
        return table(
            {
                SLOT: self._slots([len(positions.member) for positions in rows]),
                "member": self._called([positions.member for positions in rows], self.names),
                "side": _sides([positions.is_buy for positions in rows]),
                PRICE: _joined([positions.price for positions in rows]),
                "energy_wh": _joined([positions.energy_wh for positions in rows]),
            }
        )

    def postings(self) -> pl.DataFrame:
        """A row a posting: kind, payer, payee, energy, price, amount."""
        rows = [record.postings for record in self.records]
        kinds = {int(kind): kind.name.lower() for kind in PostingKind}
        return table(
            {
                SLOT: self._slots([len(postings) for postings in rows]),
                "kind": [kinds[number] for number in _joined([postings.kind for postings in rows]).tolist()],
                "payer": self._called([postings.payer for postings in rows], self.accounts),
                "payee": self._called([postings.payee for postings in rows], self.accounts),
                "energy_wh": _joined([postings.energy_wh for postings in rows]),
                PRICE: _joined([postings.price for postings in rows]),
                "amount_n": _joined([postings.amount_n for postings in rows]),
            }
        )

    def readings(self) -> pl.DataFrame:
        """A row a member and slot: what the meter registered, and what the home itself used."""

        def register(name: str) -> Callable[[Readings], IntArray]:
            return lambda readings: getattr(readings, name)

        rows = [record.readings for record in self.records]
        return table(self._of_members() | {name: _joined(list(map(register(name), rows))) for name in REGISTERS})

    def certificates(self) -> pl.DataFrame:
        """A row a bundle: whose device, which, its range, who has it, what became of it, its carbon."""
        rows = [record.certificates for record in self.records]
        device = _joined([bundles.device for bundles in rows])
        states = {int(state): state.name.lower() for state in CertificateState}
        return table(
            {
                SLOT: self._slots([len(bundles) for bundles in rows]),
                "member": self._called([device // 2], self.names),
                "device": [("generator", "battery")[number] for number in (device % 2).tolist()],
                "first_wh": _joined([bundles.first_wh for bundles in rows]),
                "energy_wh": _joined([bundles.energy_wh for bundles in rows]),
                "owner": self._called([bundles.owner for bundles in rows], self.accounts),
                "state": [states[number] for number in _joined([bundles.state for bundles in rows]).tolist()],
                "market_mg": _joined([bundles.market_mg for bundles in rows]),
            }
        )

    def footprints(self) -> pl.DataFrame:
        """A row a member and slot: both footprints, and the mix that was imported at its node."""
        rows = [record.footprints for record in self.records]
        return table(
            self._of_members()
            | {
                "location_mg": _joined([footprints.location_mg for footprints in rows]),
                "market_mg": _joined([footprints.market_mg for footprints in rows]),
                "mix_mg_per_kwh": _joined([footprints.mix_mg_per_kwh for footprints in rows]),
            }
        )

    def _of_members(self) -> dict[str, IntArray | list[str]]:
        """The columns that a row for each member and slot begins with."""
        return {SLOT: self._slots([len(self.names)] * len(self.records)), "member": self.names * len(self.records)}

    def _slots(self, counts: Sequence[int]) -> IntArray:
        """The start of each row's slot, with so many rows of each slot."""
        return np.repeat(np.array([record.readings.slot for record in self.records], np.int64), counts)

    def _called(self, numbers: Sequence[IntArray], names: Sequence[str]) -> list[str]:
        """Names of members or accounts."""
        return [names[number] for number in _joined(numbers).tolist()]


def _joined(parts: Sequence[IntArray]) -> IntArray:
    """Columns of all slots, one below the other."""
    return np.concatenate([np.empty(0, np.int64), *parts])


def _sides(parts: Sequence[BoolArray]) -> list[str]:
    """Side of each row as a word."""
    return [("sell", "buy")[int(is_buy)] for part in parts for is_buy in part.tolist()]
