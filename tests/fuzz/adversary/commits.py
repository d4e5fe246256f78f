"""What an operator commits of a slot: its books as they are, or changed anywhere before and after the tree is made."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.contract.certificate_world import Records, leaves_of, readings_of, records_of
from tests.contract.world import Forged
from tests.fuzz.adversary.slots import MEMBERS, SUBSTITUTED, VOID, Registers, SlotTruth, energy_of, made_of
from tests.fuzz.adversary.stage import some_bytes
from tests.fuzz.adversary.terms import DEPTH, PLACES, SLOT
from tests.fuzz.bound import Person
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.twins.certificate_disputes import Bundle
from transactive.core.proofs.leaves import Leaf, SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills, SignedOrder, orders_hash
from transactive.core.proofs.slot_tree import SlotTree
from transactive.core.units import IntArray

LANES = 4
Place = tuple[bytes, int, int]
EMPTY: Place = (ZERO, 0, 0)


@dataclass(slots=True, eq=False)
class Committed:
    """A commitment with all that stands behind it. before: of the same period; head: of the hash chain after it."""

    made: Commitment
    truth: SlotTruth
    by: Person
    before: Committed | None
    own: SlotTree | Forged
    carbon: SlotTree | Forged
    records: Records
    books: tuple[IntArray, IntArray]
    accepted: list[list[SignedOrder]]
    fills: list[Fills]
    places: set[tuple[bool, int]] = field(default_factory=set)
    """Places that hold nothing: of carbon or not, and index."""
    is_opaque: bool = False
    """Whether nobody knows what the roots stand for; the trees are then of nothing."""

    @property
    def head(self) -> bytes:
        """Head of the hash chain after it."""
        return Opening(self.previous, self.made, ()).head

    @property
    def previous(self) -> bytes:
        """Head before it."""
        return self.before.head if self.before else ZERO

    def leaf(self, index: int, *, carbon: bool = False) -> Leaf | None:
        """What stands in a place."""
        if self.is_opaque:
            return None
        tree = self.carbon if carbon else self.own
        count = len(tree.honest.leaves if isinstance(tree, Forged) else tree.leaves)
        known = index < count or (isinstance(tree, Forged) and index in tree.other)
        return None if not known or (carbon, index) in self.places else tree.leaf(index)


@dataclass(slots=True)
class Draft:
    """Books of a slot before they are committed; money and energy are the period's running totals."""

    slot: int
    slot_money: IntArray
    slot_energy: IntArray
    money: IntArray
    energy: IntArray
    accepted: list[list[SignedOrder]]
    fills: list[Fills]
    registers: list[Registers]
    bundles: list[Bundle]
    marks: IntArray
    leaves: dict[int, Leaf] = field(default_factory=dict)
    carbon_leaves: dict[int, Leaf] = field(default_factory=dict)
    places: set[tuple[bool, int]] = field(default_factory=set)
    untold: int = 0
    """What the statement of what was substituted has less, or more if it is negative."""

    @classmethod
    def of(cls, truth: SlotTruth, before: Committed | None, count: int) -> Draft:
        """As the rule book says."""
        none = np.zeros((count, LANES), np.int64)
        totals = [_rows(table, count) for table in before.books] if before else [none, none]
        now = _rows(truth.money, count), _rows(truth.energy, count)
        running = totals[0] + now[0], totals[1] + now[1]
        accepted, fills = [list(some) for some in truth.accepted], list(truth.fills)
        marks = np.zeros(count, np.int64)
        marks[: min(count, MEMBERS)] = truth.marks[:count]
        return cls(truth.slot, *now, *running, accepted, fills, list(truth.registers), list(truth.bundles), marks)

    def commit(self, truth: SlotTruth, before: Committed | None, by: Person, attempt: int) -> Committed:
        """Make the trees."""
        tables = (self.money, self.energy, self.slot_money, self.slot_energy)
        count = len(self.money)
        fills = [*(one.hash for one in self.fills), *[ZERO] * count][:count]
        orders = [*(orders_hash(some) for some in self.accepted), *[ZERO] * count][:count]
        marks = self.marks if self.marks.any() else np.zeros(0, np.int64)
        own = SlotTree(SlotLeaves(self.slot, *tables, fills, orders, marks), DEPTH, b"adversary", attempt)
        readings = readings_of(self.slot * SLOT, self.registers)
        records = records_of(readings, self.bundles)
        its_marks = np.concatenate((self.marks, np.zeros(MEMBERS, np.int64)))[:MEMBERS] if self.marks.any() else marks
        carbon_of = replace(leaves_of(self.slot, readings, self.bundles), marks=its_marks)
        carbon = SlotTree(carbon_of, DEPTH, b"carbon", attempt)
        trees = [
            Forged(tree, {2 * i: EMPTY for kind, i in self.places if kind == is_carbon}, None, leaves)
            if leaves or any(kind == is_carbon for kind, _ in self.places)
            else tree
            for tree, leaves, is_carbon in ((own, self.leaves, False), (carbon, self.carbon_leaves, True))
        ]
        mine, its = trees
        silent = self.slot_energy[self.marks & SUBSTITUTED != 0].sum(axis=0).tolist()
        stated = (before.made.substituted if before else 0) + (silent[0] | silent[1] << 64) - self.untold
        made = Commitment(self.slot, mine.root, its.root, mine.money, mine.energy, 0, max(stated, 0))
        books = (self.money, self.energy)
        return Committed(
            made, truth, by, before, mine, its, records, books, self.accepted, self.fills, set(self.places)
        )


def change(rng: random.Random, draft: Draft) -> None:
    """Change anything: a counter, an order, a trade, a register, a certificate, or a leaf or place of a tree."""
    count = len(draft.money)
    index = rng.choice([0, count - 1, rng.randrange(count), rng.randrange(count), rng.randrange(PLACES)])
    if index >= len(draft.money):
        _grow(draft, index + 1)
    kinds = (_counter, _counter, _entries, _trades, _register, _bundle, _leaf, _carbon_leaf, _place, _mark, _statement)
    for kind in rng.choices(kinds, k=rng.choice([1, 1, 2])):
        kind(rng, draft, index)


def _counter(rng: random.Random, draft: Draft, index: int) -> None:
    """A counter of the slot, of the period, or of both; what one owes more, another one gets."""
    lane, delta = rng.randrange(LANES), rng.choice([1, 40, 100, 500])
    money, mode = rng.random() < 0.7, rng.choice(["both", "slot", "period"])
    other = rng.randrange(len(draft.money))
    tables = (draft.slot_money, draft.money) if money else (draft.slot_energy, draft.energy)
    for name, table in zip(("slot", "period"), tables, strict=True):
        if mode in ("both", name):
            table[index, lane] += delta
            if money:
                table[other, lane ^ 1] += delta


def _entries(rng: random.Random, draft: Draft, index: int) -> None:
    """Accepted orders in another order, fewer, or those of somebody else."""
    if index < len(draft.accepted):
        some = draft.accepted[index]
        rng.shuffle(some)
        if some and rng.random() < 0.3:
            some.pop()
        if rng.random() < 0.2:
            draft.accepted[index] = list(rng.choice(draft.accepted))


def _trades(rng: random.Random, draft: Draft, index: int) -> None:
    """Another trade, within the oldest order or any, with its counters or without."""
    if index >= len(draft.fills):
        return
    step = ((rng.choice([150, 200, 201]), rng.choice([0, 1, 5, 9, 20])),)
    before, after = draft.fills[index].energy_wh, Fills(step, ()) if index % 2 else Fills((), step)
    draft.fills[index] = after
    if rng.random() < 0.7:
        for lane, now, then in zip((2, 3), after.energy_wh, before, strict=True):
            for table in (draft.slot_money, draft.money):
                table[index, lane] = max(int(table[index, lane]) + now - then, 0)


def _register(rng: random.Random, draft: Draft, index: int) -> None:
    """Another reading, with what follows from it or without."""
    if index >= MEMBERS:
        return
    row = list(draft.registers[index])
    row[rng.randrange(3)] += rng.choice([10, 300])
    draft.registers[index] = (row[0], row[1], row[2], row[3], row[4])
    if rng.random() < 0.5:
        draft.bundles = made_of(rng, draft.registers, min(len(draft.money), MEMBERS))
        _follow(draft)


def _bundle(rng: random.Random, draft: Draft, index: int) -> None:
    """A bundle of another owner, longer, in another state, twice, or none."""
    if not draft.bundles:
        return
    place = rng.randrange(len(draft.bundles))
    device, first, wh, owner, state, mg = draft.bundles[place]
    one = rng.choice(
        [
            (device, first, wh, index, state, mg),
            (device, first, wh + rng.choice([1, 300]), owner, state, mg),
            (device, first, wh, owner, rng.choice([1, 2, 3]), mg),
        ]
    )
    draft.bundles[place : place + 1] = rng.choice([[one], [one], [one], [one, one], []])
    if rng.random() < 0.5:
        _follow(draft)


def _follow(draft: Draft) -> None:
    """Counters of energy as registers and bundles say."""
    now = _rows(energy_of(draft.registers, draft.bundles), len(draft.energy))
    draft.energy += now - draft.slot_energy
    draft.slot_energy = now


def _leaf(rng: random.Random, draft: Draft, index: int) -> None:
    """A field of a leaf."""
    fields = ("slot", "index", "fills", "orders")
    draft.leaves[index] = _changed(rng, _plain(draft, index), fields)


def _carbon_leaf(rng: random.Random, draft: Draft, index: int) -> None:
    """A leaf of certificates with other sums, place or record."""
    readings = readings_of(draft.slot * SLOT, draft.registers)
    tree = leaves_of(draft.slot, readings, draft.bundles)
    words = [
        sum(int(n) << (64 * k) for k, n in enumerate(row))
        for row in (tree.money[index % MEMBERS], tree.energy[index % MEMBERS])
    ]
    leaf = Leaf(draft.slot, index, words[0], words[1], 0, 0, tree.fills[index % MEMBERS], ZERO, some_bytes(rng))
    draft.carbon_leaves[index] = _changed(rng, leaf, ("slot", "index", "money", "money", "money", "energy", "fills"))


def _mark(rng: random.Random, draft: Draft, index: int) -> None:
    """A slot that was metered, or a session that was held, is said not to be; or the other way round."""
    one = [index] if rng.random() < 0.7 else range(len(draft.marks))
    draft.marks[one] ^= rng.choice([SUBSTITUTED, SUBSTITUTED, VOID, 3, 4])
    if rng.random() < 0.6 and index < MEMBERS and draft.marks[index] & SUBSTITUTED:  # with what the mark allows
        bought, sold = (int(n) for n in draft.slot_money[index, 2:])
        taken, given = max(bought - sold, 0), max(sold - bought, 0)
        draft.registers[index] = (taken, given, given, 0, 0)
        draft.bundles = [one for one in draft.bundles if one[0] // 2 != index]
        _follow(draft)
        other = (index + 1) % len(draft.money)
        credit = int(draft.slot_money[index, 1])
        for table in (draft.slot_money, draft.money):
            table[index, 1] -= credit
            table[other, 1] += credit


def _statement(rng: random.Random, draft: Draft, index: int) -> None:
    """Less is said to be substituted, or more."""
    draft.untold += rng.choice([1, 10, -1, 40]) << rng.choice([0, 64])


def _place(rng: random.Random, draft: Draft, index: int) -> None:
    """Nothing where a leaf should be."""
    draft.places.add((rng.random() < 0.3, index))


def _changed(rng: random.Random, leaf: Leaf, names: tuple[str, ...]) -> Leaf:
    name = rng.choice(names)
    value = getattr(leaf, name)
    lane = rng.randrange(LANES) if name in ("money", "energy") else 0
    other: Any = some_bytes(rng) if isinstance(value, bytes) else value + (rng.choice([1, 300]) << (64 * lane))
    return replace(leaf, **{name: other})


def _plain(draft: Draft, index: int) -> Leaf:
    """Leaf of a draft as its tree will have it, but for the salt."""
    tables = (draft.money, draft.energy, draft.slot_money, draft.slot_energy)
    words = [sum(int(n) << (64 * k) for k, n in enumerate(table[index])) for table in tables]
    known = index < len(draft.fills)
    fills = draft.fills[index].hash if known else ZERO
    orders = orders_hash(draft.accepted[index]) if known else ZERO
    money, energy, slot_money, slot_energy = words
    return Leaf(draft.slot, index, money, energy, slot_money, slot_energy, fills, orders, b"\1" * 32)


def _grow(draft: Draft, count: int) -> None:
    for name in ("money", "energy", "slot_money", "slot_energy"):
        setattr(draft, name, _rows(getattr(draft, name), count))
    draft.marks = np.concatenate((draft.marks, np.zeros(count - len(draft.marks), np.int64)))


def _rows(table: IntArray, count: int) -> IntArray:
    """So many rows; missing ones are zeros."""
    rows = np.zeros((count, LANES), np.int64)
    rows[: min(count, len(table))] = table[:count]
    return rows
