"""Messages between a market and a box: what the market says is signed for that box alone, and what a box says by it.

A box knows its market by the code of its invitation, which both have: the welcome carries the address of the market's
key and a proof that fits this meter, this address and that code. From then on it listens to that key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TypeAlias

import msgspec

from transactive.core.boxes.direct import AskRoll, AskSeat, DealsTaken, HasSeat, NodeReport, NoSeat, ShowDeals, SlotRoll
from transactive.core.errors import DataError, SignatureError
from transactive.core.proofs import signing
from transactive.core.tariff import PriceGrid, Tariff

SIGNATURE_BYTES = 65
TOLD, SAID = b"TransActive market to box ", b"TransActive box to market "


class AskTerms(msgspec.Struct, frozen=True, tag="ask"):
    """A box asks for the terms that it trades by."""


class SentOrder(msgspec.Struct, frozen=True, tag="order"):
    """A box sends a signed order, as `core.proofs.order_records` has it."""

    order: bytes


class HasCommand(msgspec.Struct, frozen=True, tag="heard"):
    """A box has a command, by its number; refused: why it does not follow it, empty where it does."""

    number: int
    refused: str = ""


class HasLeaf(msgspec.Struct, frozen=True, tag="has leaf"):
    """A box has its leaf of a slot (number) on its disk; wrong: what it found wrong with it, empty where nothing is."""

    slot: int
    wrong: str = ""


class AskBlocks(msgspec.Struct, frozen=True, tag="blocks?"):
    """A box that keeps a copy of the market's chain asks for blocks, from a number on."""

    first: int


class NotFollowed(msgspec.Struct, frozen=True, tag="failed"):
    """A device (its number, as `LevelRules` has it) does not do what its rule says since `at` [Unix s], and why."""

    device: int
    at: int
    why: str


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """A market says who it is: address of its key, and the proof."""

    market: str
    proof: str


class OnDisk(msgspec.Struct, frozen=True, tag="count"):
    """How many records of a meter are on the market's disk: nothing else lets its box go on to the next ones.

    receipts: for records among them, one behind the other. Said once more by somebody on the way, an older count is too
    low, and makes the box say records again.
    """

    count: int
    receipts: bytes = b""


class Terms(msgspec.Struct, frozen=True, tag="terms"):
    """What a box needs to trade for its member.

    account: of the member; address: of its key. settlement: contract that orders are signed for, on the chain. lead:
    slots between gate and delivery. tick: of prices [µ¤/kWh]. first: slot from which supply, feed_in and fee go on
    [Unix s], [µ¤/kWh]. pv_wh, power_wh: most that devices give in a slot; capacity_wh, efficiency_ppm: of a battery.
    """

    account: int
    address: str
    chain_id: int
    settlement: str
    slot_seconds: int
    lead: int
    tick: int
    first: int
    supply: tuple[int, ...]
    feed_in: tuple[int, ...]
    fee: tuple[int, ...]
    pv_wh: int
    power_wh: int
    capacity_wh: int
    efficiency_ppm: int
    currency: str = ""

    def has(self, slot: int) -> bool:
        """Whether prices of a slot [Unix s] are told."""
        return self.first <= slot < self.first + len(self.supply) * self.slot_seconds

    def tariff(self, slot: int) -> Tariff:
        """Prices of a slot [Unix s], the last ones told for what is later."""
        place = min((slot - self.first) // self.slot_seconds, len(self.supply) - 1)
        return Tariff(self.supply[place], self.feed_in[place], self.fee[place])

    def grid(self, slot: int) -> PriceGrid:
        """Prices that the market takes in a slot [Unix s]."""
        return PriceGrid.of(self.tariff(slot), self.tick)


class SlotBill(msgspec.Struct, frozen=True, tag="bill"):
    """What a settled slot [Unix s] cost the member, and would have cost without the market [n¤]; below 0 it brought it.

    number: as of a command, which a box answers alike. end: until when it is told again [Unix s].
    """

    number: int
    slot: int
    end: int
    cost_n: int
    without_n: int


class OrderTaken(msgspec.Struct, frozen=True, tag="taken"):
    """An order is in the market's journal, as `number` since `received` [Unix s]. receipt: what the judge reads."""

    slot: int
    serial: int
    number: int
    received: int
    receipt: bytes


class OrderRefused(msgspec.Struct, frozen=True, tag="refused"):
    """An order is not taken. reason: in a word; why: in words."""

    reason: str
    why: str


class LevelRules(msgspec.Struct, frozen=True, tag="rules"):
    """What a device does in a slot [Unix s] that ends at `end`: levels in the order of `DeviceRules` [Wh].

    number: rises from command to command. device: 0 the battery, then the member's loads as its file names them.
    promised_wh: bought − sold in the slot, which a battery keeps the home's meter at.
    """

    number: int
    slot: int
    end: int
    levels_wh: tuple[int, int, int, int]
    device: int = 0
    promised_wh: int = 0


class ImportLimit(msgspec.Struct, frozen=True, tag="limit"):
    """What a home may take from the grid [W] from `start` to before `end` [Unix s], by the grid's operator.

    It goes before every plan. Source: § 14a EnWG and BNetzA BK6-22-300.
    """

    number: int
    start: int
    end: int
    most_w: int


class SlotLeaf(msgspec.Struct, frozen=True, tag="leaf"):
    """The member's leaf of a slot (number), committed now, as a file of `chain.disputes.leaf_file`.

    per_period: slots whose commitments are one hash chain, and which are paid together.
    """

    slot: int
    per_period: int
    file: bytes


class ChainStart(msgspec.Struct, frozen=True):
    """What the market's own chain was created with. time: of its first block [Unix s]. rules: of the fork, by name.

    balances: of addresses, by decimal text [wei].
    """

    chain_id: int
    time: int
    rules: str
    balances: dict[str, str]


class ToldBlock(msgspec.Struct, frozen=True, array_like=True):
    """A block of the market's own chain: its hash, its time [Unix s], and its transactions as they were sent."""

    hash: bytes
    time: int
    sent: tuple[bytes, ...]


class ChainBlocks(msgspec.Struct, frozen=True, tag="blocks"):
    """Blocks of the market's own chain, from number `first` on, of which `newest` is the last one there is."""

    start: ChainStart
    first: int
    newest: int
    blocks: tuple[ToldBlock, ...]


Command: TypeAlias = LevelRules | ImportLimit | SlotBill
Direct: TypeAlias = AskSeat | AskRoll | ShowDeals | NodeReport
Said: TypeAlias = AskTerms | SentOrder | HasCommand | HasLeaf | AskBlocks | NotFollowed | Direct
DirectTold: TypeAlias = HasSeat | NoSeat | SlotRoll | DealsTaken
Told: TypeAlias = Welcome | OnDisk | Terms | OrderTaken | OrderRefused | Command | SlotLeaf | ChainBlocks | DirectTold


def say(said: Said, meter: str, key: bytes) -> bytes:
    """A message of a meter (address) with its own signature: who writes to its topic cannot speak for it."""
    body = msgspec.json.encode(said)
    return signing.sign(_digest(SAID, meter, body), key) + body


def said_of(data: bytes, meter: str) -> Said:
    """What a meter (address) says. Raises DataError for what is no message, SignatureError for somebody else's."""
    signature, body = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
    try:
        said: Said = msgspec.json.decode(body, type=Said)
    except msgspec.MsgspecError as error:
        raise DataError(f"is no message of a box: {error}") from None
    signer = signing.signer(_digest(SAID, meter, body), signature, "message")
    if signer != meter:
        raise SignatureError(f"message is signed by {signer}, and not by meter {meter}")
    return said


def seal(told: Told, meter: str, key: bytes) -> bytes:
    """A message to a meter (address) with the market's signature."""
    body = msgspec.json.encode(told)
    return signing.sign(_digest(TOLD, meter, body), key) + body


def unseal(data: bytes, meter: str, market: str | None) -> Told:
    """What the market (address) told a meter; without one a `Welcome` alone, by whoever it names.

    Raises DataError for what is no message, SignatureError for one of somebody else.
    """
    signature, body = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
    try:
        told: Told = msgspec.json.decode(body, type=Told)
    except msgspec.MsgspecError as error:
        raise DataError(f"is no message of a market: {error}") from None
    signer = signing.signer(_digest(TOLD, meter, body), signature, "message")
    expected = market or (told.market if isinstance(told, Welcome) else None)
    if signer != expected:
        raise SignatureError(f"message is signed by {signer}, and the market of this box is {expected or 'not known'}")
    return told


def market_proof(code: str, meter: str, market: str) -> str:
    """What shows that a market (address) invited a meter (address) with a code."""
    return hmac.new(code.encode(), f"{meter} {market}".encode(), hashlib.sha256).hexdigest()


def _digest(way: bytes, meter: str, body: bytes) -> bytes:
    """What is signed of a message: it counts for this meter alone, and in one way."""
    return signing.text_digest(way + meter.encode() + b"\n" + body)
