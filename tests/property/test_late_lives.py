"""A community over many slots: meters that report late, never, or after their slot has closed, some leaving meanwhile.

Each slot has its own tariff; readings come in any order, are taken in at some later slot, and may be replaced after
that. Whatever comes when: nobody has more than if it alone had reported on time, the community account never falls by
what comes, nobody else's posting changes, and what is held is given back once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.property.test_unmetered import ACCOUNTS, MEMBERS, ZEROS, brought_n, drawn, late_n, near_of, read, settled_n
from transactive.core.tables import ReadingQuality
from transactive.core.tariff import Tariff
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.settlement.netted import deliver, post
from transactive.settlement.unmetered import (
    SlotFlow,
    closing_use_wh,
    hold_unmetered,
    most_cost_n,
    price_again,
    release,
)
from transactive.settlement.unmetered_slots import UnmeteredSlots

CLOSE, MOST_LATE = 12, 30
"""Slots after which one closes by itself, and how late a reading comes at most."""


@dataclass(slots=True)
class Slot:
    """A slot as it was settled. first: registers that it was settled with, (2, members).

    flow, known: with what has come. told: what each silent meter counts as having read, once something has come.
    """

    tariff: Tariff
    positions: Positions
    true: IntArray
    first: IntArray
    flow: SlotFlow
    known: IntArray
    told: dict[int, tuple[int, int]] = field(default_factory=dict)


class Life:
    """What all accounts have, slot by slot. owed: the same of each member had it alone reported on time [n¤].

    unseen: what a member would have paid for giving, at a feed-in below zero, in slots that closed without a reading
    [n¤]. Nobody has seen that it gave; all else that a slot closes with is against it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.kept = rng, UnmeteredSlots(MEMBERS)
        self.slots: dict[int, Slot] = {}
        self.due: dict[int, list[tuple[int, int]]] = {}
        self.have, self.owed = np.zeros(ACCOUNTS.total, np.int64), ZEROS.copy()
        self.uses: list[list[int]] = [[] for _ in range(MEMBERS)]
        self.silent = np.zeros(MEMBERS, bool)
        self.unseen: dict[tuple[int, int], int] = {}

    def settle(self, number: int) -> None:
        """Settle a slot: meters that are silent stay so for a while, and one in a few never reports."""
        rng = self.rng
        tariff, positions, true = drawn(rng)
        self.silent ^= rng.random(MEMBERS) < np.where(self.silent, 0.3, 0.15)
        net = positions.bought_wh - positions.sold_wh
        first = np.where(self.silent, np.stack((net.clip(min=0), (-net).clip(min=0))), true)
        readings = read(first, np.where(self.silent, int(ReadingQuality.AS_TRADED), 0))
        postings = post(deliver(positions, readings, tariff), positions, tariff, ACCOUNTS)
        held = hold_unmetered(postings, self.silent, ACCOUNTS)
        now_n = postings.net_n(ACCOUNTS.total)
        self.have += now_n + held.net_n(ACCOUNTS.total)
        cost = most_cost_n(positions, tariff, ZEROS, held.held_n(MEMBERS))
        self.kept.keep(number, self.silent, held.held_n(MEMBERS), np.where(self.silent, cost, 0))
        flow = SlotFlow(int(first[0].sum()), int(first[1].sum()), near_of(tariff, positions, first))
        self.slots[number] = Slot(tariff, positions, true, first, flow, first.copy())
        for member in range(MEMBERS):
            if self.silent[member]:
                on_time = np.where(np.arange(MEMBERS) == member, true, first)
                self.owed[member] += settled_n(tariff, positions, on_time)[member]
                self._will_come(number, member)
            else:
                self.owed[member] += now_n[member]
                self.uses[member].append(int(true[0, member]))

    def _will_come(self, number: int, member: int) -> None:
        """Draw when a reading comes: once, twice, or never."""
        for _ in range(int(self.rng.choice([0, 1, 1, 1, 2]))):
            self.due.setdefault(number + int(self.rng.integers(1, MOST_LATE)), []).append((number, member))

    def take_in(self, now: int) -> None:
        """Take in what has come, in any order, and close what is overdue."""
        came = self.due.pop(now, [])
        for place in self.rng.permutation(len(came)).tolist():
            number, member = came[place]
            counted = self.slots[number].true[:, member]
            self._count(number, member, (int(counted[0]), int(counted[1])))
            self.unseen.pop((number, member), None)
        for number, member in self.kept.before(now - CLOSE):
            use = closing_use_wh(np.array(self.uses[member][-4:], np.int64), int(self.slots[number].true[0, member]))
            self._count(number, member, (use, 0))
            closed = self.slots[number]
            self.unseen[number, member] = int(closed.true[1, member]) * max(-closed.tariff.feed_in, 0)

    def _count(self, number: int, member: int, now: tuple[int, int]) -> None:
        """Count with a reading of a slot from now on; only its member's money changes, and the community's rises."""
        slot = self.slots[number]
        traded = int(slot.first[0, member]), int(slot.first[1, member])
        given_back = release(number, self.kept.release([(number, member)]), ACCOUNTS).net_n(ACCOUNTS.total)
        if member in slot.told:
            was = slot.told[member]
            brought = np.zeros(ACCOUNTS.total, np.int64)
            brought[member] = brought_n(was, now, price_again(traded, was, now, slot.tariff))
            brought[ACCOUNTS.supplier] = -brought[member]
        else:
            slot.known[:, member] = now
            near_wh = near_of(slot.tariff, slot.positions, slot.known)
            brought, slot.flow = late_n(slot.tariff, traded, now, slot.flow, member, near_wh)
        slot.told[member] = now
        assert not np.delete(brought[:MEMBERS], member).any(), "nobody else's posting changes"
        assert not np.delete(given_back[:MEMBERS], member).any()
        assert brought[ACCOUNTS.community] >= 0, "the community account never falls by a reading"
        assert int(brought.sum()) == int(given_back.sum()) == 0
        self.have += brought + given_back


def lived(rng: np.random.Generator, slots: int) -> Life:
    """A life of so many slots, until the last reading has come and the last slot has closed."""
    life = Life(rng)
    for number in range(slots):
        life.settle(number)
        life.take_in(number)
        life.slots.pop(number - CLOSE - 2 * MOST_LATE, None)
    for number in range(slots, slots + CLOSE + MOST_LATE + 1):
        life.take_in(number)
    assert not life.kept.waiting
    assert not life.kept.held_n().any()
    assert not life.kept.locked_n().any()
    assert int(life.have.sum()) == 0
    return life


def require_no_gain(life: Life) -> None:
    """Nobody has more than if it alone had reported on time, but for what nobody has ever seen."""
    for (_, member), amount in life.unseen.items():
        life.owed[member] += amount
    assert (life.have[:MEMBERS] <= life.owed).all(), life.have[:MEMBERS] - life.owed


@pytest.mark.parametrize(
    "slots", [1_000, pytest.param(10_000, marks=pytest.mark.long), pytest.param(100_000, marks=pytest.mark.soak)]
)
def test_nobody_gains_in_a_life_of_late_and_lost_readings(slots):
    require_no_gain(lived(np.random.default_rng(slots), slots))


@pytest.mark.parametrize("seed", range(20))
def test_nor_in_a_short_one(seed):
    require_no_gain(lived(np.random.default_rng(seed), 12))


def test_who_pays_for_it_sees_that_a_silent_meter_costs():
    """The rule could not fail if being silent changed nothing."""
    life = lived(np.random.default_rng(1), 200)
    assert (life.have[:MEMBERS] < life.owed).all()
