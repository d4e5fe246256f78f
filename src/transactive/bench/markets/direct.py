"""Direct trading of 500 members: how near it comes to the auction, and what it takes, on a network that loses a fifth.

Members are the demo's homes on other days and hours about noon, so that some have too much and some too little; their
curves are those that runs order by. All nodes share one process. In the first case nothing else is shared: each node
checks each signature, as it would alone; processor time is that of the whole process over the members. In the others
a check is made once for all, as it only costs time. The network is simulated in ticks, so no real waiting is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from time import process_time

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.proofs import signing
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.market.auction import uniform
from transactive.market.result import welfare
from transactive.trading.curves import curve_orders
from transactive.trading.direct.board import signer_of
from transactive.trading.direct.demand import value_n
from transactive.trading.direct.gathering import nodes_of, roll_of, wishes_of
from transactive.trading.direct.mesh import Conditions, Mesh, RoundReport, Rounds
from transactive.trading.direct.terms import SlotTerms

MEMBERS, SAMPLES, FIRST_DAY, LAST_DAY, HOURS = 500, 20, 120, 300, (16, 24)
"""Hours in UTC: morning to afternoon where the homes are."""
TARIFF, TICK = Tariff(280_000, 80_000, 30_000), 100
SLOT = 472_000
FIFTH, WEEK = 200_000, 168
DOMAIN, NOBODY = signing.domain(b"TransActive Settlement", 0), "0x" + "00" * 20


@bench("direct", summary="members that agree themselves against the auction: welfare, bytes, processor time")
def direct(_: BenchTimer) -> Iterator[Row]:
    """Negotiate one slot in three cases, each with what it must reach."""
    setting = load_setting(DEMO)
    orders, grid = book(setting, MEMBERS, seed=1)
    yield from in_one_round(orders, grid)
    yield from after_a_cut(orders, grid)
    yield from among_liars(orders, grid)
    for name, hours in (("the next hour", 1), ("the same hour of the next day", 24)):
        yield Row(
            name=f"curves of a week linked to those of {name} by their shape",
            value=100 * linked(setting, hours),
            unit="%",
            reference="by chance",
            reference_value=100 / setting.measured.consumption_wh.shape[1],
        )


def in_one_round(orders: Orders, grid: PriceGrid) -> Iterator[Row]:
    """One round in which each node checks everything itself."""
    street = Street.of(orders, grid, Conditions(loss_ppm=FIFTH), alone=True)
    begun = process_time()
    street.mesh.run(Rounds(rounds=1))
    seconds = (process_time() - begun) / MEMBERS
    yield street.welfare_row("welfare after one round, a fifth of datagrams lost", 0)
    yield Row(name="bytes of a member and slot", value=street.mesh.sent_bytes / MEMBERS / 1000, unit="kB")
    yield Row(name="datagrams of a member and slot", value=street.mesh.sent / MEMBERS, unit="datagrams")
    checks = checking(2 * MEMBERS)
    yield Row(
        name="processor time of a member and slot",
        value=seconds,
        unit="s",
        reference="checking as many signatures as there are quotes and curves",
        reference_value=checks,
        ratio=seconds / checks,
    )


def after_a_cut(orders: Orders, grid: PriceGrid) -> Iterator[Row]:
    """A round in which half hears nothing of the other half, and one after it."""
    street = Street.of(orders, grid, Conditions(loss_ppm=FIFTH, cut_rounds=1))
    street.mesh.run(Rounds(rounds=2))
    yield street.welfare_row("welfare while half hears nothing of the other half", 0)
    yield street.welfare_row("welfare one round after that is over", 1)


def among_liars(orders: Orders, grid: PriceGrid) -> Iterator[Row]:
    """Rounds in which a fifth tells quotes and never deals."""
    street = Street.of(orders, grid, Conditions(loss_ppm=FIFTH), silent=MEMBERS // 5)
    street.mesh.run(Rounds(rounds=6))
    out = street.mesh.reports[-1].left_out
    yield street.welfare_row("welfare of the others after six rounds, a fifth never deals", -1)
    yield Row(name="honest members left out", value=len(out - set(street.silent)), unit="members")
    yield Row(name="members left out of those that never deal", value=100 * len(out) / (MEMBERS // 5), unit="%")


@dataclass(frozen=True, slots=True, eq=False)
class Street:
    """Nodes of a slot with a simulated network, and what the auction gives of the same orders [n¤]."""

    mesh: Mesh
    grid: PriceGrid
    best_n: int
    silent: Sequence[int]

    @classmethod
    def of(cls, orders: Orders, grid: PriceGrid, on: Conditions, *, alone: bool = False, silent: int = 0) -> Street:
        """alone: each node checks signatures itself. silent: so many members, by chance, never deal."""
        count = int(orders.member.max()) + 1
        wishes = wishes_of(orders, [sha256(b"member %d" % member).digest() for member in range(count)])
        terms = SlotTerms(roll_of(SLOT, wishes), DOMAIN, NOBODY, grid)
        chance = np.random.default_rng(1)
        signer = signer_of if alone else lru_cache(maxsize=None)(signer_of)
        draws = [lambda many, own=own: own.permutation(many).tolist() for own in chance.spawn(len(wishes))]
        nodes, contacts = nodes_of(wishes, terms, draws, signer)
        seats = chance.permutation(len(nodes))[:silent].tolist()
        members = [wish.member for wish, node in zip(wishes, nodes, strict=True) if node.seat not in set(seats)]
        book = orders.only(np.isin(orders.member, members))
        best = welfare(book, uniform.clear(book, grid, count).allocated_wh.tolist())
        return cls(Mesh(nodes, contacts, on, chance, set(seats)), grid, best, seats)

    def welfare_row(self, name: str, round_: int) -> Row:
        """Welfare after a round, as a part of the auction's."""
        found = self.welfare_n(self.mesh.reports[round_])
        return Row(
            name=name,
            value=found / 1e9,
            unit="¤",
            reference="uniform auction",
            reference_value=self.best_n / 1e9,
            ratio=found / self.best_n,
        )

    def welfare_n(self, report: RoundReport) -> int:
        """What the positions after a round are worth [n¤]."""
        nodes = self.mesh.nodes
        return sum(value_n(each.curve, report.positions[each.seat], self.grid.cap, self.grid.floor) for each in nodes)


def book(setting: Setting, members: int, seed: int) -> tuple[Orders, PriceGrid]:
    """Orders of members, each a home on another day and hour: its net load on the days before are its samples."""
    chance, grid = np.random.default_rng(seed), PriceGrid.of(TARIFF, TICK)
    load = setting.measured.consumption_wh - setting.measured.generation_wh
    homes = load.shape[1]
    samples = np.empty((SAMPLES, members), np.int64)
    for member in range(members):
        day, hour = int(chance.integers(FIRST_DAY, LAST_DAY)), int(chance.integers(*HOURS))
        rows = np.arange(day - SAMPLES, day) * 24 + hour
        samples[:, member] = load[rows, member % homes]
    most = np.full(members, 10**6, np.int64)
    return curve_orders(SLOT, samples, most, TARIFF, grid), grid


def linked(setting: Setting, hours: int) -> float:
    """Part of the curves of a week whose member an observer finds again so many hours later, by the most alike curve.

    It has every message and knows nothing of the homes; keys, salts and contacts of two slots have nothing in common,
    so the curves are all that it can compare: here as their positions at as many prices as there are steps.
    """
    load = setting.measured.consumption_wh - setting.measured.generation_wh
    first = LAST_DAY * 24
    found = 0
    for slot in range(first, first + WEEK):
        before, after = (_shapes(load, each) for each in (slot, slot + hours))
        apart = np.abs(before[:, :, None] - after[:, None, :]).sum(axis=0)
        found += int((apart.argmin(axis=1) == np.arange(load.shape[1])).sum())
    return found / (WEEK * len(load[0]))


def _shapes(load: IntArray, slot: int) -> IntArray:
    """Curves of all homes in a slot, as the sorted net loads that they follow from [Wh], (samples, members)."""
    shapes: IntArray = np.sort(load[slot - SAMPLES * 24 : slot : 24], axis=0)
    return shapes


def checking(count: int) -> float:
    """Seconds of processor time for so many checks of signatures."""
    digests = [sha256(b"%d" % number).digest() for number in range(count)]
    key = sha256(b"key").digest()
    signed = [signing.sign(digest, key) for digest in digests]
    begun = process_time()
    for digest, signature in zip(digests, signed, strict=True):
        signing.signer(digest, signature, "it")
    return process_time() - begun
