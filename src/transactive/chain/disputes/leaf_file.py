"""A member's leaf of a slot as a JSON file: what the operator gives to its member, and what shows a fraud.

Whole numbers of the contract are decimal text, bytes are 0x-hex. With the file, the chain and nothing else a member can
prove its leaf; with its own receipt or reading beside it (`receipt_file`), it can dispute it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.disputes.receipt_file import (
    ReadingFile,
    ReceiptFile,
    RecordReceiptFile,
    SignedOrderFile,
    bytes_of,
    hex_text,
    order_file,
)
from transactive.core.community.validation import explained
from transactive.core.errors import CertificateError, InputError, SignatureError
from transactive.core.proofs.corrections import NUMBERS, SIGNATURE_BYTES, Corrections
from transactive.core.proofs.leaves import Leaf, Step
from transactive.core.proofs.receipts import OrderReceipt
from transactive.core.proofs.signed_orders import Fills, Grant, Order, SignedOrder


class PlacedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf of an account, its proof and the slot's commitment.

    leaf: the contract's nine words in their order, null if the place is empty; proof: hash, and four sums as the
    contract wants them, a step.
    """

    chain_id: int
    settlement: str
    index: int
    leaf: tuple[str, str, str, str, str, str, str, str, str] | None
    proof: list[tuple[str, str, str, str, str]]
    previous: str
    commitment: tuple[str, str, str, str, str]
    later: list[str]

    @property
    def content(self) -> Leaf | None:
        """The leaf; None if the place is empty."""
        if self.leaf is None:
            return None
        numbers, hashes = [int(text) for text in self.leaf[:6]], [bytes_of(text) for text in self.leaf[6:]]
        slot, index, money, energy, slot_money, slot_energy = numbers
        return Leaf(slot, index, money, energy, slot_money, slot_energy, *hashes)

    @property
    def stated(self) -> Leaf:
        """The leaf, where one has to be. Raises InputError if the place is empty."""
        if self.content is None:
            raise InputError(f"there is no leaf in place {self.index}; ask the operator for one that there is")
        return self.content

    @property
    def steps(self) -> list[Step]:
        """The proof."""
        return [(bytes_of(hash_), int(a), int(b), int(c), int(d)) for hash_, a, b, c, d in self.proof]

    @property
    def opening(self) -> Opening:
        """The commitment in its period's hash chain."""
        slot, root, certificates, money, energy = self.commitment
        made = Commitment.of(int(slot), bytes_of(root), bytes_of(certificates), int(money), int(energy))
        return Opening(bytes_of(self.previous), made, tuple(map(bytes_of, self.later)))


class NestedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What joins a member's group to the whole in a period. number: of the group, from 0; link: address of its link.

    group_leaf: the group's leaf in the whole's commitment; link_leaf: the link's in the group's last one.
    """

    number: int
    link: str
    group_leaf: PlacedFile
    link_leaf: PlacedFile


class CertificateFile(PlacedFile, frozen=True, forbid_unknown_fields=True):
    """A leaf of certificates, with the bundles that stand behind it.

    certificates: address of the contract. rest: hash of what else is in the leaf's record. bundles: device, first Wh,
    Wh, owner, state and mg of each. corrections: of earlier readings, the numbers of each line and its signature.
    """

    certificates: str
    rest: str
    bundles: list[tuple[int, int, int, int, int, int]]
    corrections: list[tuple[list[int], str]] = []

    @property
    def corrected(self) -> Corrections:
        """Corrected readings of earlier slots. Raises InputError for a line of another length."""
        if any(
            len(numbers) != len(NUMBERS) or len(bytes_of(text)) != SIGNATURE_BYTES for numbers, text in self.corrections
        ):
            raise InputError(
                f"corrections: a line has {len(NUMBERS)} numbers and a signature of {SIGNATURE_BYTES} bytes"
            )
        rows = np.array([numbers for numbers, _ in self.corrections], np.int64).reshape(-1, len(NUMBERS))
        signatures = np.array([list(bytes_of(text)) for _, text in self.corrections], np.int64)
        return Corrections.of(self.opening.commitment.slot, rows, signatures.reshape(-1, SIGNATURE_BYTES))

    @property
    def record(self) -> tuple[bytes, list[int]]:
        """Argument of the contracts. Raises CertificateError for a bundle with a number that has no place."""
        return evidence.record(bytes_of(self.rest), self.bundles)


class LeafFile(PlacedFile, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A leaf of the settlement, with the orders and trades that its hashes stand for.

    whole: of a member of a group, once the whole has committed the period.
    """

    orders: list[SignedOrderFile]
    buys: list[tuple[int, int]]
    sells: list[tuple[int, int]]
    whole: NestedFile | None = None

    @property
    def fills(self) -> Fills:
        """What was traded."""
        return Fills(tuple(self.buys), tuple(self.sells))

    @property
    def accepted(self) -> list[SignedOrder]:
        """Orders in the leaf, oldest first."""
        return [self._signed(order) for order in self.orders]

    def _signed(self, order: SignedOrderFile) -> SignedOrder:
        made = Order(self.index, self.opening.commitment.slot, order.serial, tuple(order.buys), tuple(order.sells))
        if order.grant is None:
            return SignedOrder(made, bytes_of(order.signature))
        given = order.grant
        limits = (given.highest_buy, given.lowest_sell, given.largest_wh, given.valid_until)
        grant = Grant(self.index, given.agent, *limits)
        return SignedOrder(made, bytes_of(order.signature), grant, bytes_of(given.signature))


def leaf_file(
    chain_id: int,
    settlement: str,
    place: int,
    leaf: Leaf | None,
    proof: Sequence[Step],
    opening: Opening,
    orders: Sequence[tuple[SignedOrder, OrderReceipt]],
    fills: Fills,
) -> LeafFile:
    """File of what stands at an account's place. orders: those in the leaf, each with the operator's receipt."""
    return LeafFile(
        **_placed(chain_id, settlement, place, leaf, proof, opening),
        orders=[order_file(signed, receipt) for signed, receipt in orders],
        buys=list(fills.buys),
        sells=list(fills.sells),
    )


def placed_file(
    chain_id: int, settlement: str, place: int, leaf: Leaf | None, proof: Sequence[Step], opening: Opening
) -> PlacedFile:
    """File of what stands at a place, without what its hashes stand for."""
    return PlacedFile(**_placed(chain_id, settlement, place, leaf, proof, opening))


def certificate_file(
    chain_id: int,
    settlement: str,
    place: int,
    leaf: Leaf,
    proof: Sequence[Step],
    opening: Opening,
    certificates: str,
    rest: bytes,
    bundles: Sequence[Sequence[int]],
    corrections: Corrections | None = None,
) -> CertificateFile:
    """File of the leaf of certificates at a member's place, as `CertificateFile` describes its parts."""
    rows = [(a, b, c, d, e, f) for a, b, c, d, e, f in bundles]
    placed = _placed(chain_id, settlement, place, leaf, proof, opening)
    lines = [] if corrections is None else zip(corrections.rows.tolist(), corrections.signature.tolist(), strict=True)
    told = [(numbers, hex_text(bytes(signature))) for numbers, signature in lines]
    return CertificateFile(**placed, certificates=certificates, rest=hex_text(rest), bundles=rows, corrections=told)


def _placed(
    chain_id: int, settlement: str, place: int, leaf: Leaf | None, proof: Sequence[Step], opening: Opening
) -> dict[str, Any]:
    """Fields of a leaf in its place."""
    number, root, certificates, total_money, total_energy = opening.commitment.content
    words = leaf and tuple(hex_text(part) if isinstance(part, bytes) else str(part) for part in leaf.content)
    return {
        "chain_id": chain_id,
        "settlement": settlement,
        "index": place,
        "leaf": words,
        "proof": [(hex_text(step[0]), str(step[1]), str(step[2]), str(step[3]), str(step[4])) for step in proof],
        "previous": hex_text(opening.previous),
        "commitment": (str(number), hex_text(root), hex_text(certificates), str(total_money), str(total_energy)),
        "later": [hex_text(later) for later in opening.later],
    }


CONTENT = "docs/concepts/settlement.md says what it holds"
File = TypeVar("File", LeafFile, CertificateFile, ReceiptFile, RecordReceiptFile, ReadingFile)


def load(path: Path, kind: type[File]) -> File:
    """Read a file. Raises InputError with the place of the fault."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {CONTENT}") from None
    return file_of(data, kind, str(path))


def file_of(data: bytes, kind: type[File], name: str) -> File:
    """A file by its content. name: says in errors which one. Raises InputError with the place of the fault."""
    try:
        found = msgspec.json.decode(data, type=kind)
        _ = found.content
        if isinstance(found, PlacedFile):
            _ = found.steps, found.opening
        if isinstance(found, LeafFile):
            _ = found.accepted
            for nested in (found.whole.group_leaf, found.whole.link_leaf) if found.whole else ():
                _ = nested.content, nested.steps, nested.opening
        if isinstance(found, CertificateFile):
            _ = found.record
    except msgspec.DecodeError as error:
        raise InputError(f"{name}: {explained(str(error), kind)}; {CONTENT}") from None
    except (CertificateError, SignatureError, ValueError, IndexError) as error:
        raise InputError(f"{name}: holds a number or hash that cannot be ({error}); {CONTENT}") from None
    return found


def load_receipt(path: Path) -> ReceiptFile | RecordReceiptFile:
    """Read a receipt for an order, or for a record of a meter, which has a time. Raises InputError."""
    try:
        of_record = "time" in msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    except (OSError, msgspec.MsgspecError):
        of_record = False
    return load(path, RecordReceiptFile) if of_record else load(path, ReceiptFile)
