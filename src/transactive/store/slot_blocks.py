"""What a slot has many of as packed blocks: orders, signatures, forecasts. Each way here has its way back.

An order needs little more than its price and its energy: what it locks and is paid follows from them nearly always, so
the block holds what is left when that is taken away. Differences wrap beyond int64, so the way back is exact whatever
the numbers are.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.proofs.receipts import ReceiptTree
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder
from transactive.core.units import IntArray
from transactive.store.packed import PackedBlock, digest_of, pack, unpack

NOTHING, ALL, PART = 0, 1, 2
"""How much of an order was taken."""
NO_GRANT = 0


def pack_orders(columns: Mapping[str, IntArray]) -> bytes:
    """Pack the orders of a slot: member, is_buy, price, energy_wh, lock_n, allocated_wh, money_n."""
    given = {name: np.asarray(column, np.int64) for name, column in columns.items()}
    energy, taken_wh, price = given["energy_wh"], given["allocated_wh"], given["price"]
    sign = _sign(given["is_buy"])
    taken = np.where(taken_wh == 0, NOTHING, np.where(taken_wh == energy, ALL, PART))
    numbers = {
        "buy_adds": _adds(given, sign, 1),
        "sell_adds": _adds(given, sign, -1),
        "price": _common_price(taken_wh, given["money_n"]),
    }
    left = given["money_n"] + sign * taken_wh * numbers["price"]
    own = given["money_n"] + sign * taken_wh * price
    numbers["own_price"] = int(np.count_nonzero(own) < np.count_nonzero(left))
    block = {
        **{name: given[name] for name in ("member", "is_buy", "price", "energy_wh")},
        "lock_left_n": given["lock_n"] - _lock(given, sign, numbers),
        "taken": taken,
        "part_wh": np.where(taken == PART, taken_wh, 0),
        "money_left_n": own if numbers["own_price"] else left,
    }
    return pack(PackedBlock(block, numbers))


def unpack_orders(data: bytes, what: str) -> dict[str, IntArray]:
    """The orders of a slot as they were packed. Raises StateError."""
    block = unpack(data, what)
    held, numbers = block.columns, block.numbers
    sign = _sign(held["is_buy"])
    taken_wh = np.where(held["taken"] == ALL, held["energy_wh"], held["part_wh"])
    paid = held["price"] if numbers["own_price"] else numbers["price"]
    return {
        **{name: held[name] for name in ("member", "is_buy", "price", "energy_wh")},
        "lock_n": held["lock_left_n"] + _lock(held, sign, numbers),
        "allocated_wh": taken_wh,
        "money_n": held["money_left_n"] - sign * taken_wh * paid,
    }


def _sign(is_buy: IntArray) -> IntArray:
    """1 for who buys, −1 for who sells."""
    sign: IntArray = np.where(is_buy != 0, np.int64(1), np.int64(-1))
    return sign


def _adds(orders: Mapping[str, IntArray], sign: IntArray, side: int) -> int:
    """What a Wh of this side locks beside its price [n¤/Wh], by its first order."""
    rows = np.flatnonzero((sign == side) & (orders["energy_wh"] > 0))
    if not len(rows):
        return 0
    lock, energy, price = (int(orders[name][rows[0]]) for name in ("lock_n", "energy_wh", "price"))
    return _within(lock // energy - side * price)


def _lock(orders: Mapping[str, IntArray], sign: IntArray, numbers: Mapping[str, int]) -> IntArray:
    """What orders would lock by the first of their side [n¤]."""
    adds = np.where(sign == 1, np.int64(numbers["buy_adds"]), np.int64(numbers["sell_adds"]))
    lock: IntArray = orders["energy_wh"] * (sign * orders["price"] + adds)
    return lock


def _common_price(taken_wh: IntArray, money_n: IntArray) -> int:
    """What a Wh cost in the first order that was taken [n¤/Wh]."""
    rows = np.flatnonzero(taken_wh)
    return _within(abs(int(money_n[rows[0]])) // int(taken_wh[rows[0]])) if len(rows) else 0


def _within(number: int) -> int:
    """The number, or 0 for one that int64 cannot hold: then nothing is taken away."""
    return number if -(2**63) <= number < 2**63 else 0


def pack_signatures(accepted: Sequence[Accepted]) -> tuple[bytes, dict[int, str]]:
    """Pack what signed orders carry beside the orders; and the grants that agents signed under, by their key.

    A signature of the operator for all that were made is kept once, behind theirs: their ways to it follow from them.
    An order that was sent is packed whole: it may be one of several, or say more than what could be locked.
    """
    grants: dict[int, str] = {}
    made, sent = ([one for one in accepted if bool(one.number) is was_sent] for was_sent in (False, True))
    keys = []
    for signed in (one.signed for one in made):
        if signed.grant is None:
            keys.append(NO_GRANT)
            continue
        text = msgspec.json.encode((signed.grant, signed.granted.hex())).decode()
        keys.append(int.from_bytes(digest_of(text.encode())[:8], "little", signed=True))
        grants[keys[-1]] = text
    columns = {
        "member": [one.signed.order.account for one in made],
        "serial": [one.signed.order.serial for one in made],
        "signature_bytes": [len(one.signed.signature) for one in made],
        "receipt_bytes": [0 if one.tree else len(one.signature) for one in made],
        "grant": keys,
    }
    tail = b"".join(one.signed.signature + (b"" if one.tree else one.signature) for one in made)
    tail += next((one.signature for one in made if one.tree), b"")
    numbers = {}
    if sent:
        whole = [(one.number, one.received, order_bytes(one.signed), one.signature) for one in sent]
        tail, numbers = tail + msgspec.msgpack.encode(whole), {"made_bytes": len(tail)}
    packed = {name: np.array(column, np.int64) for name, column in columns.items()}
    return pack(PackedBlock(packed, numbers, tail)), grants


@dataclass(frozen=True, slots=True)
class SlotSignatures:
    """What the signed orders of a slot carry beside the orders.

    of_member: its signature, the operator's for it alone, and the key of its grant; common: the operator's for all of
    these. sent: those that were sent, whole.
    """

    serial: int
    of_member: Mapping[int, tuple[bytes, bytes, int]]
    common: bytes = b""
    sent: tuple[Accepted, ...] = ()

    @property
    def grants(self) -> list[int]:
        """Keys of the grants that agents signed under."""
        return sorted({key for _, _, key in self.of_member.values()} - {NO_GRANT})

    def accepted(self, books: Sequence[Order], grants: Mapping[int, str]) -> list[Accepted]:
        """The signed orders again, from their books, all of the slot, and the grants by key."""
        found = []
        for book in (each for each in books if each.account in self.of_member):
            signature, alone, key = self.of_member[book.account]
            found.append((_signed(book, signature, key, grants), alone))
        if not self.common:
            return [*(Accepted(signed, alone) for signed, alone in found), *self.sent]
        tree = ReceiptTree([signed for signed, _ in found])
        return [*(Accepted(signed, self.common, tree) for signed, _ in found), *self.sent]


def unpack_signatures(data: bytes, what: str) -> SlotSignatures:
    """What was packed beside the orders of a slot, at least one. Raises StateError."""
    block = unpack(data, what)
    names = ("member", "grant", "signature_bytes", "receipt_bytes")
    of_member, place = {}, 0
    for member, key, signature, receipt in zip(*(block.columns[name].tolist() for name in names), strict=True):
        middle, end = place + signature, place + signature + receipt
        of_member[member] = block.tail[place:middle], block.tail[middle:end], key
        place = end
    serial = int(block.columns["serial"][0]) if of_member else 0
    if "made_bytes" not in block.numbers:
        return SlotSignatures(serial, of_member, block.tail[place:])
    end = block.numbers["made_bytes"]
    whole = msgspec.msgpack.decode(block.tail[end:], type=list[tuple[int, int, bytes, bytes]])
    sent = (Accepted(order_of(order), receipt, None, number, received) for number, received, order, receipt in whole)
    return SlotSignatures(serial, of_member, block.tail[place:end], tuple(sent))


def _signed(book: Order, signature: bytes, key: int, grants: Mapping[int, str]) -> SignedOrder:
    """A signed order from its parts."""
    if key == NO_GRANT:
        return SignedOrder(book, signature)
    grant, granted = msgspec.json.decode(grants[key], type=tuple[Grant, str])
    return SignedOrder(book, signature, grant, bytes.fromhex(granted))


def pack_figures(figures: IntArray) -> bytes:
    """Pack what was forecast of some series, (series, figures): each figure above the one before it."""
    steps = np.diff(figures, axis=1, prepend=np.zeros((len(figures), 1), np.int64))
    return pack(PackedBlock({f"f{place}": column for place, column in enumerate(steps.T)}))


def unpack_figures(data: bytes, what: str) -> IntArray:
    """The figures again, (series, figures). Raises StateError."""
    steps = np.stack(list(unpack(data, what).columns.values()), axis=1)
    figures: IntArray = np.cumsum(steps, axis=1, dtype=np.int64)
    return figures


def pack_texts(texts: Sequence[bytes]) -> bytes:
    """Pack some texts, deflated together."""
    lengths = np.array([len(text) for text in texts], np.int64)
    return pack(PackedBlock({"bytes": lengths}, tail=zlib.compress(b"".join(texts))))


def unpack_texts(data: bytes, what: str) -> list[bytes]:
    """The texts again. Raises StateError."""
    block = unpack(data, what)
    ends = np.cumsum(block.columns["bytes"]).tolist()
    whole = zlib.decompress(block.tail)
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]
