"""Slots that were settled as traded for silent meters, as their readings come in: what each is to be priced at."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.community.community import Community
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.tariff import Tariff
from transactive.settlement.unmetered import SlotFlow, price_again, price_late
from transactive.store import Store
from transactive.store.corrections import WaitingReading


class TradedSlots:
    """What all meters of such slots count, with the readings that have come since."""

    def __init__(self, store: Store, community: Community) -> None:
        self._store, self._members = store, community.chart.members
        self._first: dict[int, list[Sequence[int]]] = {}
        self._flows: dict[int, SlotFlow] = {}
        self._rest_n = (0, 0)

    def remember(self, line: Sequence[int]) -> None:
        """Know of a corrected reading, a line in the order of its numbers, that was settled."""
        origin, previous = line[1:3]
        if previous == origin and origin not in self._flows:
            self._first.setdefault(origin, []).append(line)

    def price(self, row: WaitingReading, settled: Readings, tariff: Tariff, *, own: bool) -> tuple[int, int]:
        """Prices of a member's first reading, import and export [µ¤/kWh]; what of it is not the supplier's adds up.

        settled: readings of the slot as it was settled. tariff: of the slot and the member; own: whether members have
        prices of their own.
        """
        flow, traded = self._flow(row.origin, settled), _traded_wh(row, settled)
        late = price_late(traded, (row.import_wh, row.export_wh), flow, tariff, own=own)
        self._flows[row.origin] = late.flow
        self._rest_n = self._rest_n[0] + late.community_n, self._rest_n[1] + late.network_n
        return late.import_price, late.export_price

    def price_again(
        self, row: WaitingReading, was: tuple[int, int], settled: Readings, tariff: Tariff
    ) -> tuple[int, int]:
        """Prices of a reading that replaces a member's first one, with import and export `was` [Wh]; as `price`."""
        return price_again(_traded_wh(row, settled), was, (row.import_wh, row.export_wh), tariff)

    def take_rest(self) -> tuple[int, int]:
        """What the community and the network receive of all that was priced since this was last asked [n¤]."""
        rest, self._rest_n = self._rest_n, (0, 0)
        return rest

    def _flow(self, origin: int, settled: Readings) -> SlotFlow:
        """What the meters of a slot count, those that have come late among them."""
        if origin not in self._flows:
            flow = SlotFlow(int(settled.import_wh.sum()), int(settled.export_wh.sum()))
            for line in self._first.pop(origin, []):
                if settled.quality[line[0]] == ReadingQuality.AS_TRADED:
                    flow = flow.with_reading((line[3], line[4]), (line[6], line[7]))
            self._flows[origin] = flow
        return self._flows[origin]


def _traded_wh(row: WaitingReading, settled: Readings) -> tuple[int, int]:
    """Import and export that the slot of a reading was settled with: what its member traded [Wh]."""
    return int(settled.import_wh[row.member]), int(settled.export_wh[row.member])
