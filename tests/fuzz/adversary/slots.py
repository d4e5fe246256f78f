"""What is true of a slot: who ordered what, what was traded, what the meters read, what became of each Wh."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.contract.certificate_world import CLAIMED, HELD, readings_of
from tests.fuzz.adversary.terms import SLOT
from tests.fuzz.bound import Person
from transactive.chain.disputes import evidence
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.twins.certificate_disputes import Bundle
from transactive.core.proofs import signing
from transactive.core.proofs.accepted_orders import accept
from transactive.core.proofs.merkle import REGISTERS, word
from transactive.core.proofs.receipts import OrderReceipt, RecordReceipt
from transactive.core.proofs.signed_orders import Fills, Order, SignedOrder, SigningPlace, sign_order, split
from transactive.core.units import IntArray
from transactive.metering import gateway

MEMBERS = 8
"""Accounts that there can be."""
SUPPLIER = 15
"""An account that has certificates and is no member of the settlement."""
Registers = tuple[int, int, int, int, int]
SUBSTITUTED, VOID = 1, 2
"""Marks of a leaf."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """That an operator accepted an order."""

    order: Order
    given: OrderReceipt
    signer: str


@dataclass(frozen=True, slots=True)
class Seen:
    """That a collector had a meter's record at a time [Unix s]: its signature, and who signed."""

    time: int
    words: Any
    signer: str


@dataclass(slots=True)
class SlotTruth:
    """A slot; `accepted`: newest order of each member last. `readings`: arguments of a signed reading by signer.

    marks: of each member's leaf; records: what a collector has signed of the members' records.
    """

    slot: int
    accepted: list[list[SignedOrder]]
    receipts: list[list[Receipt]]
    fills: list[Fills]
    money: IntArray
    registers: list[Registers] = field(default_factory=lambda: [(0, 0, 0, 0, 0)] * MEMBERS)
    bundles: list[Bundle] = field(default_factory=list)
    marks: list[int] = field(default_factory=lambda: [0] * MEMBERS)
    records: dict[int, list[Seen]] = field(default_factory=dict)

    @property
    def energy(self) -> IntArray:
        """Imported, exported, produced, certified [Wh], (members, 4)."""
        return energy_of(self.registers, self.bundles)


def key_of(person: Person) -> bytes:
    """Private key."""
    assert person.key
    return bytes(person.key.key)


def energy_of(registers: list[Registers], bundles: list[Bundle]) -> IntArray:
    """Lanes of registers and bundles."""
    energy = np.zeros((MEMBERS, 4), np.int64)
    for i, (taken, given, generation, _, discharge) in enumerate(registers):
        energy[i, :3] = taken, given, generation + discharge
    for device, _, wh, *_ in bundles:
        energy[device // 2, 3] += wh
    return energy


def ordered(
    rng: random.Random, slot: int, members: list[Person], operator: Person, domain: bytes
) -> tuple[list[list[SignedOrder]], list[list[Receipt]]]:
    """What members order for a slot, some of them twice, and the receipts: in every second slot signed together."""
    accepted: list[list[SignedOrder]] = [[] for _ in range(MEMBERS)]
    receipts: list[list[Receipt]] = [[] for _ in range(MEMBERS)]
    for i, member in enumerate(members):
        for serial in range(rng.choice([0, 1, 1, 1, 2])):
            step = ((rng.choice([150, 200]), rng.choice([1, 5, 9])),)
            order = Order(i, slot, serial, step, ()) if i % 2 else Order(i, slot, serial, (), step)
            accepted[i].append(sign_order(order, key_of(member), domain))
    places = [SigningPlace(index, domain) for index in range(MEMBERS)]
    for serial in range(2):
        entered = [some[serial] for some in accepted if len(some) > serial]
        for one in accept(entered, key_of(operator), places, together=slot % 2 == 0):
            receipts[one.signed.order.account].append(Receipt(one.signed.order, one.receipt, operator.address))
    return accepted, receipts


def traded(rng: random.Random, accepted: list[list[SignedOrder]], room: list[int]) -> tuple[list[Fills], IntArray]:
    """Trades of a slot within the newest orders and each member's room [n¤]; beside them a small deviation."""
    fills, money = [Fills() for _ in range(MEMBERS)], np.zeros((MEMBERS, 4), np.int64)
    newest = [some[-1].order if some else None for some in accepted]
    sellers = [i for i, order in enumerate(newest) if order and order.sells]
    left = list(room)
    for buyer in [i for i, order in enumerate(newest) if order and order.buys]:
        wanted = newest[buyer]
        if not wanted or not sellers:
            break
        seller = sellers.pop()
        offered = newest[seller]
        assert offered
        (limit, most), (least, some) = wanted.buys[0], offered.sells[0]
        wh = min(most, some)
        if least > limit or wh * limit > left[buyer]:
            continue
        left[buyer] -= wh * limit
        fills[buyer], fills[seller] = Fills(((limit, wh),), ()), Fills((), ((limit, wh),))
        money[buyer] += (wh * limit, 0, wh, 0)
        money[seller] += (0, wh * limit, 0, wh)
    one, two = rng.sample(range(len(room)), 2)
    amount = min(rng.choice([0, 3, 40]), left[one])
    money[one, 0] += amount
    money[two, 1] += amount
    return fills, money


def metered(rng: random.Random, count: int, scale: int = 1) -> list[Registers]:
    """Registers [Wh] of the meters of `count` members; generation is so many times that of a home."""
    rows: list[Registers] = []
    for _ in range(count):
        generation, used = scale * rng.choice([0, 0, 300, 700]), rng.randrange(250)
        balance = used - generation
        rows.append((max(balance, 0), max(-balance, 0), generation, 0, 0))
    return rows + [(0, 0, 0, 0, 0)] * (MEMBERS - count)


def made_of(rng: random.Random, registers: list[Registers], count: int) -> list[Bundle]:
    """What became of each Wh: used at home, or with somebody's account."""
    bundles: list[Bundle] = []
    for i, (taken, given, generation, _, _) in enumerate(registers):
        home = min(generation, taken + generation - given) if rng.random() < 0.7 else 0
        if home:
            bundles.append((2 * i, 0, home, i, CLAIMED, 45 * home))
        if generation > home:
            owner = SUPPLIER if rng.random() < 0.1 else rng.randrange(count)
            bundles.append((2 * i, home, generation - home, owner, HELD, 45 * (generation - home)))
    return bundles


class SignedReadings:
    """Readings of a slot as a gateway signed them, and each meter's part as evidence."""

    def __init__(self, slot: int, seconds: int, registers: list[Registers], signer: Person) -> None:
        self.slot, self.registers, self.signer = slot, registers, signer
        self.readings = readings_of(slot * seconds, registers)
        self.tree = gateway.readings_tree(self.readings)
        self.signature = signing.sign(gateway.digest(self.readings, CHAIN_ID), key_of(signer))

    def of(self, index: int) -> Any:
        """Evidence of one meter."""
        packed = REGISTERS.pack(self.registers[index])
        return evidence.reading(self.tree, MEMBERS, index, packed, self.signature)


def as_traded(truth: SlotTruth, silent: list[int], others: list[int]) -> None:
    """Settle members that nobody has metered: as they traded, without certificates; what they would get is held."""
    for i in silent:
        _, credit, bought, sold = (int(n) for n in truth.money[i])
        truth.registers[i] = (max(bought - sold, 0), max(sold - bought, 0), max(sold - bought, 0), 0, 0)
        truth.marks[i] |= SUBSTITUTED
        truth.money[i, 1] = 0
        truth.money[others[0], 1] += credit
    truth.bundles = [one for one in truth.bundles if one[0] // 2 not in silent]


def seen(slot: int, index: int, time: int, signer: Person) -> Seen:
    """A collector's receipt for a meter's record."""
    made = RecordReceipt(slot * SLOT, index, time)
    return Seen(time, split(made.sign(key_of(signer), CHAIN_ID)), signer.address)


def receipt_words(receipt: Receipt) -> tuple[bytes, Any]:
    """Hash of the order, and what the operator gave for it, as a judge takes them."""
    return receipt.order.hash, receipt.given.content


def permit_struct(kind: bytes, owner: str, spender: str, numbers: tuple[int, int, int]) -> bytes:
    """What an owner signs of a permit: amount, nonce and deadline."""
    addresses = signing.address_word(owner) + signing.address_word(spender)
    return kind + addresses + b"".join(word(number) for number in numbers)
