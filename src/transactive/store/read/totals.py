"""Sums over a run's slots, kept up to date: each slot is added once, so a page costs what is new, not the whole run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.postings import PostingKind
from transactive.core.slots import midnight
from transactive.core.units import IntArray
from transactive.store.databases.dialect import total
from transactive.store.read.history.days import DaySums
from transactive.store.read.history.figures import claimed, metered, posted
from transactive.store.read.runs import OutcomePart, Reader, Row, Run, RunProgress
from transactive.store.read.slot_columns import each_slot
from transactive.store.schema import BLOCKS, CLEARINGS, ORDERS, POSTINGS, READINGS, REFUSALS


@dataclass(slots=True)
class MemberTotal:
    """One member over the slots so far: energy [Wh], money [n¤], charged energy in the battery [charged Wh]."""

    bought_wh: int = 0
    sold_wh: int = 0
    import_wh: int = 0
    export_wh: int = 0
    generation_wh: int = 0
    consumption_wh: int = 0
    without_n: int = 0
    paid_n: int = 0
    advanced_n: int = 0
    charged_wh: int = 0
    short_wh: int = 0
    refused: int = 0
    refused_missing_n: int = 0
    location_mg: int = 0
    market_mg: int = 0

    @property
    def with_n(self) -> int:
        """Bill with the market [n¤]: what was paid and what the supplier still waits for."""
        return self.paid_n + self.advanced_n

    @property
    def saved_n(self) -> int:
        """Bill without − bill with market [n¤], before any credit for energy left in the battery."""
        return self.without_n - self.with_n


@dataclass(slots=True)
class RunTotals:
    """The community over the slots so far; `upto` and `cleared_upto` are the newest slots in the sums."""

    members: list[MemberTotal]
    upto: int = -1
    cleared_upto: int = -1
    slots: int = 0
    complete_slots: int = 0
    cleared: int = 0
    orders: int = 0
    refused: int = 0
    traded_wh: int = 0
    local_wh: int = 0
    grid_import_wh: int = 0
    grid_export_wh: int = 0
    energy_residual_wh: int = 0
    money_residual_n: int = 0
    untraded: list[int] = field(default_factory=list)
    blocks: int = 0
    gas: int = 0
    netting_gas: int = 0
    committed_upto: int = -1
    last_block: Row | None = None
    checked_block: Row | None = None
    days: DaySums = field(default_factory=lambda: DaySums(0, int), compare=False)

    @property
    def saved_n(self) -> int:
        """All members together [n¤]."""
        return sum(member.saved_n for member in self.members)


SUMMED = (
    *("bought_wh", "sold_wh", "import_wh", "export_wh", "generation_wh", "consumption_wh"),
    *("without_n", "paid_n", "location_mg", "market_mg", "charged_wh"),
)
"""Figures of `MemberTotal` that are sums over slots."""


def _nothing_yet(run: Run) -> RunTotals:
    """Totals before the first slot."""
    members = [MemberTotal(charged_wh=member.battery_initial_wh) for member in run.community.members]
    return RunTotals(members, days=DaySums(len(members), partial(midnight, zone=run.community.zone)))


class Counter:
    """Keeps the totals of the run that a reader sees; safe to ask from several threads."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._totals = RunTotals([])

    def totals(self, run: Run, position: RunProgress) -> RunTotals:
        """Totals up to a position. The object is shared: read it, do not keep it."""
        delivered = -1 if position.delivered is None else position.delivered
        with self._lock:
            if run != self._run or delivered < self._totals.upto:
                self._run, self._totals = run, _nothing_yet(run)
            totals = self._totals
            if position.cleared is not None and position.cleared > totals.cleared_upto:
                self._add_clearings(totals, position.cleared)
            if delivered > totals.upto:
                self._add_members(totals, run, delivered)
                self._add_slots(totals, delivered)
                self._add_postings(totals, run, delivered)
                totals.upto = delivered
            if position.committed is not None and position.committed > totals.committed_upto:
                self._add_blocks(totals, position.committed)
            return totals

    def _add_clearings(self, totals: RunTotals, last: int) -> None:
        new = CLEARINGS.c.slot.between(totals.cleared_upto + 1, last)
        row = self._one(sa.select(sa.func.count().label("n"), total(CLEARINGS.c.traded_wh).label("wh")).where(new))
        totals.cleared += row["n"]
        totals.traded_wh += row["wh"]
        inside = ORDERS.c.slot.between(totals.cleared_upto + 1, last)
        totals.orders += self._one(sa.select(total(ORDERS.c.orders).label("n")).where(inside))["n"] or 0
        both_sides = ORDERS.c.buys.between(1, ORDERS.c.orders - 1)
        untraded = sa.select(CLEARINGS.c.slot).join(ORDERS, ORDERS.c.slot == CLEARINGS.c.slot)
        untraded = untraded.where(new, CLEARINGS.c.traded_wh == 0, both_sides)
        totals.untraded += [row["slot"] for row in self.reader.store.rows(untraded.order_by(CLEARINGS.c.slot))]
        refused = (
            sa.select(REFUSALS.c.member, sa.func.count().label("n"), sa.func.max(REFUSALS.c.missing_n).label("most"))
            .where(REFUSALS.c.slot.between(totals.cleared_upto + 1, last))
            .group_by(REFUSALS.c.member)
        )
        for row in self.reader.store.rows(refused):
            member = totals.members[row["member"]]
            member.refused += row["n"]
            member.refused_missing_n = max(member.refused_missing_n, row["most"])
            totals.refused += row["n"]
        totals.cleared_upto = last

    def _add_members(self, totals: RunTotals, run: Run, last: int) -> None:
        sums: dict[str, IntArray] = {}
        for slot, found, columns in metered(self.reader, run, totals.upto + 1, last):
            both_ways = int(np.minimum(columns["import_wh"], columns["export_wh"]).sum())  # came from no neighbour
            totals.local_wh -= both_ways
            totals.grid_import_wh += both_ways
            totals.grid_export_wh += both_ways
            totals.days.at(slot).add(found)
            sums = {name: found[name] + sums[name] for name in SUMMED} if sums else dict(found)
        for slot, energy in claimed(self.reader, len(totals.members), totals.upto + 1, last):
            totals.days.at(slot).add({"claimed_wh": energy})
        for name in SUMMED if sums else ():
            for member, value in zip(totals.members, sums[name].tolist(), strict=True):
                setattr(member, name, getattr(member, name) + value)

    def _add_slots(self, totals: RunTotals, last: int) -> None:
        for row in self.reader.slots(totals.upto + 1, last):
            net = row["import_wh"] - row["export_wh"]
            totals.slots += 1
            totals.complete_slots += row["meters"] == len(totals.members)
            totals.local_wh += min(row["import_wh"], row["export_wh"])
            totals.grid_import_wh += max(net, 0)
            totals.grid_export_wh += max(-net, 0)
            totals.energy_residual_wh += abs(row["bought_wh"] + row["lost_wh"] - row["sold_wh"])
            totals.days.at(row["slot"]).add_slot(row)

    def _add_postings(self, totals: RunTotals, run: Run, last: int) -> None:
        """Advances, shortfalls, and whether escrow, pool and the energy of the supplier come out even in each slot."""
        accounts, store = run.community.chart, self.reader.store
        r, inside = READINGS.c, READINGS.c.slot.between(totals.upto + 1, last)
        net = store.rows(sa.select(r.slot, (r.import_wh - r.export_wh).label("wh")).where(inside))
        metered = {row["slot"]: row["wh"] for row in net}
        names = ("kind", "payer", "payee", "energy_wh", "amount_n")
        new = POSTINGS.c.slot.between(totals.upto + 1, last)
        for slot, columns in each_slot(store, POSTINGS, new, names=names):
            found = posted(columns, len(totals.members))
            totals.days.at(slot).add(found)
            self._add_to_members(totals, columns, found["advanced_n"])
            for account in (accounts.escrow, accounts.pool):
                received = columns["amount_n"][columns["payee"] == account].sum()
                paid = columns["amount_n"][(columns["payer"] == account) & (columns["payee"] != account)].sum()
                totals.money_residual_n += abs(int(received - paid))
            totals.energy_residual_wh += abs(metered[slot] - _explained_wh(columns, accounts.network))

    @staticmethod
    def _add_to_members(totals: RunTotals, columns: Mapping[str, IntArray], advanced_n: IntArray) -> None:
        """What was advanced to whom, and who fell short."""
        for member, amount in zip(totals.members, advanced_n.tolist(), strict=True):
            member.advanced_n += amount
        short = np.isin(columns["kind"], (PostingKind.SHORT_INSIDE, PostingKind.SHORT_SUPPLIER))
        for account, energy in zip(columns["payer"][short].tolist(), columns["energy_wh"][short].tolist(), strict=True):
            totals.members[account].short_wh += energy

    def _add_blocks(self, totals: RunTotals, last: int) -> None:
        new = sa.select(BLOCKS).where(BLOCKS.c.slot.between(totals.committed_upto + 1, last)).order_by(BLOCKS.c.slot)
        for row in self.reader.store.rows(new):
            totals.blocks += 1
            totals.gas += row["commit_gas"]
            totals.netting_gas += row["netting_gas"]
            totals.last_block = row
            if row["checked"]:
                totals.checked_block = row
        totals.committed_upto = last

    def _one(self, statement: sa.Select[*tuple[Any, ...]]) -> Row:
        return self.reader.store.rows(statement)[0]


def _explained_wh(columns: Mapping[str, IntArray], network: int) -> int:
    """Wh that the meters of the community took from the grid, as the postings of a slot explain them.

    What the network bought for losses, ahead or as it lacked it, and did not give on was lost: no meter of a member
    took it.
    """
    kind, energy = columns["kind"], columns["energy_wh"]
    by_network = (columns["payee"] == network) | (columns["payer"] == network)
    added = (kind == PostingKind.SHORT_SUPPLIER) | ((kind == PostingKind.EXTRA_SUPPLIER) & ~by_network)
    added |= (kind == PostingKind.GIVE_INSIDE) & by_network
    taken = ((kind == PostingKind.GIVE_SUPPLIER) & ~by_network) | (kind == PostingKind.LOSSES)
    taken |= (kind == PostingKind.EXTRA_INSIDE) & by_network
    return int(energy[added].sum() - energy[taken].sum())


def checked_block(totals: RunTotals, outcome: OutcomePart | None) -> int | None:
    """Newest block at which every balance of the ledger was compared with the chain, and equal."""
    at_end = outcome.checked_block if outcome else None
    return at_end or (totals.checked_block["number"] if totals.checked_block else None)
