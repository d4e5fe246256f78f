"""Leaves that the market told of a box's member, a file each, what was found of them, and evidence of what is wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.chain.disputes.leaf_file import LeafFile, load
from transactive.chain.disputes.receipt_file import ReceiptFile, RecordReceiptFile
from transactive.metering.record_file import OWNER_FOLDER
from transactive.node.files import read_kept, write_whole

LEAVES, EVIDENCE, FINDINGS = "leaves", "evidence", "findings.json"
LEAF, BEFORE, ORDER, RECORD, WHY = "leaf.json", "before.json", "order.json", "record.json", "why.json"
"""Files of the evidence against one slot."""
KEPT = 4_000
"""Leaves that a box keeps."""


class WrongSlot(msgspec.Struct, frozen=True):
    """What is wrong with a slot (number). call: function of the judge that takes it, empty where none does."""

    slot: int
    what: str
    call: str = ""


class FoundWrong(msgspec.Struct, frozen=True):
    """What a box has found. newest: last slot (number) whose leaf it has looked at; wrong: oldest first."""

    newest: int = 0
    wrong: tuple[WrongSlot, ...] = ()

    def of(self, slot: int) -> WrongSlot | None:
        """What is wrong with a slot (number), None where nothing was found."""
        return next((one for one in self.wrong if one.slot == slot), None)


class KeptLeaves:
    """Leaves in the folder of a box, by the number of their slot."""

    def __init__(self, folder: Path) -> None:
        """Raises StateError where what was found before cannot be read."""
        self._folder = folder
        self.findings = read_kept(folder / FINDINGS, FoundWrong) or FoundWrong()

    def of(self, slot: int) -> LeafFile | None:
        """The leaf of a slot (number), None without one. Raises InputError where it cannot be read."""
        path = self._folder / LEAVES / f"{slot}.json"
        return load(path, LeafFile) if path.exists() else None

    def keep(self, slot: int, file: LeafFile) -> None:
        """Keep the leaf of a slot (number); the oldest go. Raises StateError where the disk takes no more."""
        into = self._folder / LEAVES
        into.mkdir(mode=OWNER_FOLDER, exist_ok=True)
        write_whole(into / f"{slot}.json", msgspec.json.encode(file))
        for old in sorted(into.glob("*.json"), key=lambda path: int(path.stem))[:-KEPT]:
            old.unlink()

    def looked_at(self, slot: int, wrong: WrongSlot | None) -> None:
        """Note that a slot (number) was looked at, and what is wrong with it; what was wrong stays so."""
        before = self.findings
        more = (wrong,) if wrong and before.of(slot) is None else ()
        made = FoundWrong(max(before.newest, slot), (*before.wrong, *more)[-KEPT:])
        if made != before:
            write_whole(self._folder / FINDINGS, msgspec.json.encode(made))
            self.findings = made

    def keep_evidence(
        self, wrong: WrongSlot, beside: dict[str, LeafFile | ReceiptFile | RecordReceiptFile | None]
    ) -> Path:
        """Keep what shows that a slot is wrong, in a folder of its own that nothing removes; returns that folder."""
        into = self._folder / EVIDENCE / str(wrong.slot)
        into.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
        for name, content in beside.items():
            if content is not None:
                write_whole(into / name, msgspec.json.format(msgspec.json.encode(content), indent=1))
        write_whole(into / WHY, msgspec.json.format(msgspec.json.encode(wrong), indent=1))
        return into
