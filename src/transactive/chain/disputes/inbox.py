"""A folder into which an operator's files for a member come: leaves, receipts, readings and certificates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes.leaf_file import CertificateFile, LeafFile, NestedFile, PlacedFile, load
from transactive.chain.disputes.receipt_file import ReadingFile, ReceiptFile, RecordReceiptFile
from transactive.core.errors import InputError
from transactive.core.proofs.leaves import climb

Placed = TypeVar("Placed", LeafFile, CertificateFile, PlacedFile)
READING = re.compile(r"reading-(\d+)")
"""Name of a file of registers: the number of the slot stands in no other place."""


class Inbox:
    """Files of one account, read once each; what is no such file is told and left alone."""

    def __init__(self, folder: Path, settlement: str, index: int) -> None:
        self._folder, self._settlement, self._index = folder, settlement.lower(), index
        self._read: set[Path] = set()
        self._leaves: list[LeafFile] = []
        self._certificates: list[CertificateFile] = []
        self._receipts: list[ReceiptFile] = []
        self._records: list[RecordReceiptFile] = []
        self._readings: dict[int, ReadingFile] = {}

    def look(self) -> list[str]:
        """Read what is new. Gives a line for each file that cannot be used."""
        refused = []
        for path in sorted(set(self._folder.glob("*.json")) - self._read):
            self._read.add(path)
            try:
                self._take(path)
            except InputError as error:
                refused.append(str(error))
        return refused

    def leaf(self, opening: Opening) -> LeafFile | None:
        """The account's leaf of a commitment, opened as the chain has it now; None if none came that belongs to it."""
        return _of(self._leaves, opening, opening.commitment.root)

    def certificates(self, opening: Opening) -> CertificateFile | None:
        """The account's certificates of a commitment."""
        return _of(self._certificates, opening, opening.commitment.certificates)

    def whole(self, opening: Opening, link: str) -> NestedFile | None:
        """What joins the group of a link to a commitment of the whole, opened as the chain has it now; None without it.

        It stands in the file of a leaf that was made after the whole had committed.
        """
        wanted = link.lower(), _words(opening.commitment)
        for found in (file.whole for file in self._leaves):
            if found and (found.link.lower(), found.group_leaf.commitment) == wanted:
                return msgspec.structs.replace(found, group_leaf=opened_anew(found.group_leaf, opening))
        return None

    def receipts(self, slot: int, seconds: int) -> list[ReceiptFile | RecordReceiptFile]:
        """For orders of a slot (number) that the operator accepted, and for the meter's record. seconds: of a slot."""
        of_record = [one for one in self._records if one.slot == slot * seconds]
        return [*(one for one in self._receipts if one.slot == slot), *of_record]

    def reading(self, slot: int) -> ReadingFile | None:
        """Registers of a slot."""
        return self._readings.get(slot)

    def _take(self, path: Path) -> None:
        """Keep a file by its kind. Raises InputError if it is of none."""
        try:
            said = set(msgspec.json.decode(path.read_bytes(), type=dict[str, Any]))
        except (OSError, msgspec.MsgspecError) as error:
            raise InputError(f"{path}: cannot be read ({error}); remove it") from None
        if "registers" in said:
            numbered = READING.match(path.stem)
            if numbered is None:
                raise InputError(f"{path}: name a file of registers reading-NUMBER.json, with the number of its slot")
            self._readings[int(numbered.group(1))] = load(path, ReadingFile)
        elif "order" in said:
            receipt = load(path, ReceiptFile)
            self._receipts += [receipt] if receipt.account == self._index else []
        elif "time" in said:
            record = load(path, RecordReceiptFile)
            self._records += [record] if record.meter == self._index else []
        elif "certificates" in said:
            self._certificates += self._own(load(path, CertificateFile))
        else:
            self._leaves += self._own(load(path, LeafFile))

    def _own(self, file: Placed) -> list[Placed]:
        """The file, if it is of this account and settlement."""
        return [file] if (file.settlement.lower(), file.index) == (self._settlement, self._index) else []


def _of(files: list[Placed], opening: Opening, root: bytes) -> Placed | None:
    """The file whose proof leads to a root, opened anew: later commitments have changed its opening."""
    for file in files:
        if climb(file.content, file.index, file.steps)[0] == root and _slot(file) == opening.commitment.slot:
            return opened_anew(file, opening)
    return None


def _slot(file: PlacedFile) -> int:
    return int(file.commitment[0])


def opened_anew(file: Placed, opening: Opening) -> Placed:
    """A file with another opening of its commitment."""
    return msgspec.structs.replace(
        file,
        previous="0x" + opening.previous.hex(),
        commitment=_words(opening.commitment),
        later=["0x" + later.hex() for later in opening.later],
    )


def _words(made: Commitment) -> tuple[str, str, str, str, str]:
    """A commitment as files have it."""
    return str(made.slot), "0x" + made.root.hex(), "0x" + made.certificates.hex(), str(made.money), str(made.energy)
