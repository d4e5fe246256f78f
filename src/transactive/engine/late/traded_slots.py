"""Slots that were settled as traded for silent meters, as their readings come in: what each is to be priced at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transactive.core.community.community import Community
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.engine.deliveries import delivered_before
from transactive.settlement.neighbourhood import near_use_wh
from transactive.settlement.unmetered import Late, SlotFlow, price_again, price_late
from transactive.store import Store
from transactive.store.corrections import WaitingReading


@dataclass(slots=True)
class TradedSlot:
    """A slot with the readings that have come since it was settled. tariff: with the fee of what stays near."""

    readings: Readings
    flow: SlotFlow
    tariff: Tariff


class TradedSlots:
    """What all meters of such slots count, with the readings that have come since."""

    def __init__(self, store: Store, community: Community) -> None:
        self._store, self._community = store, community
        self._first: dict[int, list[Sequence[int]]] = {}
        self._slots: dict[int, TradedSlot] = {}
        self._rest_n = (0, 0)

    def remember(self, line: Sequence[int]) -> None:
        """Know of a corrected reading, a line in the order of its numbers, that was settled."""
        origin, previous = line[1:3]
        if previous == origin and origin not in self._slots:
            self._first.setdefault(origin, []).append(line)

    def price(self, row: WaitingReading, settled: Readings, tariff: Tariff, *, own: bool) -> tuple[int, int]:
        """Prices of a member's first reading, import and export [µ¤/kWh]; what of it is not the supplier's adds up.

        settled: readings of the slot as it was settled. tariff: of the slot and the member; own: whether members have
        prices of their own.
        """
        slot = self._slot(row.origin, settled, tariff, own=own)
        tariff = replace(tariff, near=slot.tariff.near)
        late = self._take(slot, row.member, (row.import_wh, row.export_wh), tariff, own=own)
        self._rest_n = self._rest_n[0] + late.community_n, self._rest_n[1] + late.network_n
        return late.import_price, late.export_price

    def price_again(
        self, row: WaitingReading, was: tuple[int, int], settled: Readings, tariff: Tariff
    ) -> tuple[int, int]:
        """Prices of a reading that replaces a member's first one, with import and export `was` [Wh]; as `price`."""
        return price_again(_registers(settled, row.member), was, (row.import_wh, row.export_wh), tariff)

    def take_rest(self) -> tuple[int, int]:
        """What the community and the network receive of all that was priced since this was last asked [n¤]."""
        rest, self._rest_n = self._rest_n, (0, 0)
        return rest

    def _slot(self, origin: int, settled: Readings, tariff: Tariff, *, own: bool) -> TradedSlot:
        """A slot with the readings that were settled late among its own."""
        if origin not in self._slots:
            near = None if own else self._community.at(origin).near_fee
            flow = SlotFlow(int(settled.import_wh.sum()), int(settled.export_wh.sum()))
            slot = self._slots[origin] = TradedSlot(settled, flow, replace(tariff, near=near))
            slot.flow = flow._replace(near_wh=self._near_wh(slot))
            for line in self._first.pop(origin, []):
                if settled.quality[line[0]] == ReadingQuality.AS_TRADED:
                    self._take(slot, line[0], (line[6], line[7]), slot.tariff, own=own)
        return self._slots[origin]

    def _take(self, slot: TradedSlot, member: int, read: tuple[int, int], tariff: Tariff, *, own: bool) -> Late:
        """Price a reading, import and export [Wh], and count it in its slot from now on."""
        traded = _registers(slot.readings, member)
        registers = slot.readings.import_wh, slot.readings.export_wh
        imports, exports = (_with(table, member, wh) for table, wh in zip(registers, read, strict=True))
        slot.readings = replace(slot.readings, import_wh=imports, export_wh=exports)
        late = price_late(traded, read, slot.flow, tariff, own=own, near_wh=self._near_wh(slot))
        slot.flow = late.flow
        return late

    def _near_wh(self, slot: TradedSlot) -> int:
        """Local energy of a slot that stays near [Wh]; zero where nothing depends on it."""
        if slot.tariff.near is None:
            return 0
        origin, members = slot.readings.slot, self._community.chart.members
        traded = self._store.trading(origin, members)
        if traded is None or not slot.tariff.meets:
            return 0
        postings = self._store.postings(origin)
        delivery = delivered_before(self._community, traded[2], slot.readings, slot.tariff, postings)
        return int(near_use_wh(delivery, slot.tariff.near).sum())


def _registers(readings: Readings, member: int) -> tuple[int, int]:
    """Import and export of a member [Wh]."""
    return int(readings.import_wh[member]), int(readings.export_wh[member])


def _with(table: IntArray, member: int, wh: int) -> IntArray:
    """A register with another value of one member [Wh]."""
    after = table.copy()
    after[member] = wh
    return after
