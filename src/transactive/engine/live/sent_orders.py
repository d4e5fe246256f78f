"""Orders that members sent to a live market, as its journal has them: those before a gate's entry count for it."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.ports import ReceivedOrder
from transactive.core.proofs.order_records import order_of
from transactive.store.live.journal import ArrivalKind, JournalReader

KINDS = (ArrivalKind.ORDER, ArrivalKind.GATE, ArrivalKind.VOID)


class JournaledOrders:
    """`SentOrders` of a session. Whoever reads its journal again finds the same."""

    def __init__(self, journal: JournalReader, slot_seconds: int) -> None:
        self._journal, self._length, self._read = journal, slot_seconds, 0
        self._sent: dict[int, list[ReceivedOrder]] = {}
        self._closed = dict[int, int]()

    def of(self, slot: int, gate: int) -> Sequence[ReceivedOrder]:
        """All that came for a slot before its gate closed, both [Unix s], by serial; asked once that is closed."""
        if gate not in self._closed:
            self._read_on()
        until = self._closed[gate]
        self._sent = {each: orders for each, orders in self._sent.items() if each >= slot}
        came = [order for order in self._sent.get(slot, ()) if order.number < until]
        return sorted(came, key=lambda order: (order.signed.order.serial, order.number))

    def _read_on(self) -> None:
        """Read what the journal has got since."""
        for entry in self._journal.of_kinds(KINDS, self._read):
            self._read = entry.number
            if entry.kind is ArrivalKind.ORDER:
                signed = order_of(entry.body)
                order = ReceivedOrder(entry.number, entry.received, signed)
                self._sent.setdefault(signed.order.slot * self._length, []).append(order)
            else:
                self._closed.setdefault(int(entry.body.split()[0]), entry.number)
