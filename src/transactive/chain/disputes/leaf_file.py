"""A member's leaf of a slot as a JSON file: what the operator gives to its member, and what shows a fraud.

Whole numbers of the contract are decimal text, bytes are 0x-hex. With the file, the chain and nothing else a member can
prove its leaf; with its own receipt or reading beside it, it can dispute it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.core.community.validation import explained
from transactive.core.errors import CertificateError, InputError, SignatureError
from transactive.core.proofs.corrections import NUMBERS, SIGNATURE_BYTES, Corrections
from transactive.core.proofs.leaves import Leaf, Step
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.receipts import OrderReceipt, RecordReceipt
from transactive.core.proofs.signed_orders import Fills, Grant, Order, SignedOrder, split


class GrantFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grant to an agent, with the member's signature."""

    agent: str
    highest_buy: int
    lowest_sell: int
    largest_wh: int
    valid_until: int
    signature: str


class SignedOrderFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed order: steps of price [µ¤/kWh] and energy [Wh].

    receipt: the operator's signature, and behind it the siblings on the way to what it signed for all orders of a gate.
    """

    serial: int
    buys: list[tuple[int, int]]
    sells: list[tuple[int, int]]
    signature: str
    grant: GrantFile | None = None
    receipt: str | None = None


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
        numbers, hashes = [int(text) for text in self.leaf[:6]], [_bytes(text) for text in self.leaf[6:]]
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
        return [(_bytes(hash_), int(a), int(b), int(c), int(d)) for hash_, a, b, c, d in self.proof]

    @property
    def opening(self) -> Opening:
        """The commitment in its period's hash chain."""
        slot, root, certificates, money, energy = self.commitment
        made = Commitment(int(slot), _bytes(root), _bytes(certificates), int(money), int(energy), 0)
        return Opening(_bytes(self.previous), made, tuple(map(_bytes, self.later)))


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
            len(numbers) != len(NUMBERS) or len(_bytes(text)) != SIGNATURE_BYTES for numbers, text in self.corrections
        ):
            raise InputError(
                f"corrections: a line has {len(NUMBERS)} numbers and a signature of {SIGNATURE_BYTES} bytes"
            )
        rows = np.array([numbers for numbers, _ in self.corrections], np.int64).reshape(-1, len(NUMBERS))
        signatures = np.array([list(_bytes(text)) for _, text in self.corrections], np.int64)
        return Corrections.of(self.opening.commitment.slot, rows, signatures.reshape(-1, SIGNATURE_BYTES))

    @property
    def record(self) -> tuple[bytes, list[int]]:
        """Argument of the contracts. Raises CertificateError for a bundle with a number that has no place."""
        return evidence.record(_bytes(self.rest), self.bundles)


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
            return SignedOrder(made, _bytes(order.signature))
        given = order.grant
        limits = (given.highest_buy, given.lowest_sell, given.largest_wh, given.valid_until)
        grant = Grant(self.index, given.agent, *limits)
        return SignedOrder(made, _bytes(order.signature), grant, _bytes(given.signature))


class ReceiptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that the operator accepted: account (index), slot (number), and the order with its receipt."""

    account: int
    slot: int
    order: SignedOrderFile

    @property
    def content(self) -> tuple[Order, OrderReceipt]:
        """The order and the receipt for it. Raises SignatureError for a receipt of another length."""
        given = self.order
        order = Order(self.account, self.slot, given.serial, tuple(given.buys), tuple(given.sells))
        return order, OrderReceipt.from_bytes(_bytes(given.receipt or "0x"))


class RecordReceiptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the collector had a meter's record in time: meter (index), start of the slot and time [Unix s]."""

    meter: int
    slot: int
    time: int
    signature: str

    @property
    def content(self) -> tuple[RecordReceipt, bytes]:
        """What was signed, and the signature."""
        return RecordReceipt(self.slot, self.meter, self.time), _bytes(self.signature)


class ReadingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meter's registers of a slot in the tree that the gateway signed.

    registers [Wh]: import, export, generation, charge, discharge. steps: hash and packed sums of each sibling.
    """

    meters: int
    root: str
    totals: str
    registers: tuple[int, int, int, int, int]
    steps: list[tuple[str, str]]
    signature: str

    @property
    def packed(self) -> int:
        """Registers as one word."""
        return REGISTERS.pack(self.registers)

    @property
    def content(self) -> tuple[int, bytes, int, int, list[tuple[int, int]], tuple[int, bytes, bytes]]:
        """Argument of the judge."""
        steps = [(int.from_bytes(_bytes(hash_), "big"), int(sums)) for hash_, sums in self.steps]
        root, totals, signature = _bytes(self.root), int(self.totals), split(_bytes(self.signature))
        return self.meters, root, totals, self.packed, steps, signature


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
    told = [(numbers, _hex(bytes(signature))) for numbers, signature in lines]
    return CertificateFile(**placed, certificates=certificates, rest=_hex(rest), bundles=rows, corrections=told)


def _placed(
    chain_id: int, settlement: str, place: int, leaf: Leaf | None, proof: Sequence[Step], opening: Opening
) -> dict[str, Any]:
    """Fields of a leaf in its place."""
    number, root, certificates, total_money, total_energy = opening.commitment.content
    words = leaf and tuple(_hex(part) if isinstance(part, bytes) else str(part) for part in leaf.content)
    return {
        "chain_id": chain_id,
        "settlement": settlement,
        "index": place,
        "leaf": words,
        "proof": [(_hex(step[0]), str(step[1]), str(step[2]), str(step[3]), str(step[4])) for step in proof],
        "previous": _hex(opening.previous),
        "commitment": (str(number), _hex(root), _hex(certificates), str(total_money), str(total_energy)),
        "later": [_hex(later) for later in opening.later],
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


def order_file(signed: SignedOrder, receipt: OrderReceipt) -> SignedOrderFile:
    """An order with its receipt."""
    order, grant = signed.order, None
    if signed.grant:
        given = signed.grant
        limits = (given.highest_buy, given.lowest_sell, given.largest_wh, given.valid_until)
        grant = GrantFile(given.agent, *limits, _hex(signed.granted))
    return SignedOrderFile(
        order.serial, list(order.buys), list(order.sells), _hex(signed.signature), grant, _hex(receipt.to_bytes())
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _bytes(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(f"{text[:20]!r} is not 0x-hex")
    return bytes.fromhex(text[2:])
