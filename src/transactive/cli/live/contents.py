"""What a journal holds, for people."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from transactive.cli.report import report
from transactive.core.errors import InputError
from transactive.core.proofs.meter_records import SignedRecord
from transactive.core.proofs.order_records import order_of
from transactive.core.proofs.signed_orders import SignedOrder
from transactive.core.slots import time_text
from transactive.store.live.journal import ArrivalKind, Enrolment, JournalReader


def show_journal(file: Path, *, json: bool) -> None:
    """Print what a journal holds."""
    if not file.is_file():
        raise InputError(f"{file}: is no file; give journal.sqlite of the session's folder")
    with closing(JournalReader(file)) as journal:
        report(contents(journal), json=json)


def contents(journal: JournalReader) -> dict[str, Any]:
    """Entries, settled slots, orders, and records by meter, of which some came after their slot was settled."""
    settled, void, kinds = list[int](), list[str](), Counter[ArrivalKind]()
    records, late = dict[str, int](), dict[str, int]()
    orders, boxes = list[SignedOrder](), set[str]()
    for entry in journal.all_after(0):
        kinds[entry.kind] += 1
        if entry.kind is ArrivalKind.SETTLED:
            settled.append(int(entry.body))
        elif entry.kind is ArrivalKind.ORDER:
            orders.append(order_of(entry.body))
        elif entry.kind is ArrivalKind.ENROLLED:
            boxes.add(msgspec.json.decode(entry.body, type=Enrolment).address)
        elif entry.kind is ArrivalKind.VOID:
            void.append(time_text(int(entry.body.split()[0])))
        if entry.kind is not ArrivalKind.RECORD:
            continue
        record = SignedRecord.from_bytes(entry.body).record
        records[record.meter] = records.get(record.meter, 0) + 1
        if settled and record.slot <= settled[-1]:
            late[record.meter] = late.get(record.meter, 0) + 1
    first, last = (time_text(settled[0]), time_text(settled[-1])) if settled else (None, None)
    of_box = [order.grant is not None and order.grant.agent.lower() in boxes for order in orders]
    return {
        "entries": journal.last,
        "slots_settled": len(settled),
        "first_slot": first,
        "last_slot": last,
        "void_gates": len(void),
        "acts_of_members": kinds[ArrivalKind.ACT],
        "decisions": kinds[ArrivalKind.DECIDED],
        "orders_of_boxes": sum(of_box),
        "orders_by_hand": len(orders) - sum(of_box),
        "import_limits": kinds[ArrivalKind.LIMIT],
        "meters": len(records),
        "records": sum(records.values()),
        "late": sum(late.values()),
        "late_by_meter": late,
    }
