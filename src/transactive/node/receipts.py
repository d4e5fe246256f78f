"""What the collector signed of a box's records: kept as files, with which a member can show what was left out."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import StateError
from transactive.core.proofs.receipts import SIGNED_BYTES, RecordReceipt
from transactive.node.files import write_whole

FOLDER = "receipts"
KEPT = 4_000
"""Receipts that a box keeps: of more than a month of quarter hours."""


def receipt_path(folder: Path, slot: int) -> Path:
    """Where a box keeps the receipt for its record of a slot [Unix s]."""
    return folder / FOLDER / f"record-{slot}.json"


def keep_receipts(folder: Path, told: bytes) -> None:
    """Keep receipts that came, one file each; the oldest go. Raises StateError where the disk takes no more."""
    into = folder / FOLDER
    try:
        into.mkdir(exist_ok=True)
        for start in range(0, len(told) - SIGNED_BYTES + 1, SIGNED_BYTES):
            receipt, signature = RecordReceipt.from_bytes(told[start : start + SIGNED_BYTES])
            said = {"meter": receipt.meter, "slot": receipt.slot, "time": receipt.time}
            whole = msgspec.json.encode(said | {"signature": "0x" + signature.hex()})
            write_whole(receipt_path(folder, receipt.slot), whole)
        for old in sorted(into.glob("record-*.json"))[:-KEPT]:
            old.unlink()
    except OSError as error:
        raise StateError(f"{into}: {error.strerror}; free space or permissions; no record is lost by it") from error
