"""Sums over a run's slots, kept up to date: each slot is added once, so a page costs what is new, not the whole run."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from transactive.core.postings import PostingKind
from transactive.core.units import PPM
from transactive.store.read.runs import CONSUMPTION, OutcomePart, Reader, Row, Run, RunProgress
from transactive.store.schema import BLOCKS, CLEARINGS, ORDERS, POSTINGS, READINGS, REFUSALS

FIGURES = ("bought_wh", "sold_wh", "import_wh", "export_wh", "generation_wh", "consumption_wh", "without_n", "paid_n")


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

    @property
    def saved_n(self) -> int:
        """All members together [n¤]."""
        return sum(member.saved_n for member in self.members)


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
                self._run, self._totals = (
                    run,
                    RunTotals([MemberTotal(charged_wh=member.battery_initial_wh) for member in run.community.members]),
                )
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
        row = self._one(
            sa.select(sa.func.count().label("n"), sa.func.sum(CLEARINGS.c.traded_wh).label("wh")).where(new)
        )
        totals.cleared += row["n"]
        totals.traded_wh += row["wh"]
        inside = ORDERS.c.slot.between(totals.cleared_upto + 1, last)
        totals.orders += self._one(sa.select(sa.func.sum(ORDERS.c.orders).label("n")).where(inside))["n"] or 0
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
        c = READINGS.c
        efficiency = sa.case(
            {i: member.battery_efficiency_ppm for i, member in enumerate(run.community.members)}, value=c.member
        )
        drawn = (c.discharge_wh * PPM + efficiency - 1) // efficiency
        without = c.baseline_import_wh * CLEARINGS.c.supply_price - c.baseline_export_wh * CLEARINGS.c.feed_in
        columns = {name: c[name] for name in FIGURES[:5]} | {
            "consumption_wh": CONSUMPTION,
            "without_n": without,
            "paid_n": -c.net_n,
            "charged_wh": c.charge_wh - drawn,
            "location_mg": c.location_mg,
            "market_mg": c.market_mg,
        }
        rows = self.reader.store.rows(
            sa.select(c.member, *(sa.func.sum(column).label(name) for name, column in columns.items()))
            .join(CLEARINGS, CLEARINGS.c.slot == c.slot)
            .where(c.slot.between(totals.upto + 1, last))
            .group_by(c.member)
        )
        for row in rows:
            member = totals.members[row["member"]]
            for name in columns:
                setattr(member, name, getattr(member, name) + row[name])

    def _add_slots(self, totals: RunTotals, last: int) -> None:
        for row in self.reader.slots(totals.upto + 1, last):
            net = row["import_wh"] - row["export_wh"]
            totals.slots += 1
            totals.complete_slots += row["meters"] == len(totals.members)
            totals.local_wh += min(row["import_wh"], row["export_wh"])
            totals.grid_import_wh += max(net, 0)
            totals.grid_export_wh += max(-net, 0)
            totals.energy_residual_wh += abs(row["bought_wh"] + row["lost_wh"] - row["sold_wh"])

    def _add_postings(self, totals: RunTotals, run: Run, last: int) -> None:
        """Advances, shortfalls, and whether escrow, pool and the energy of the supplier come out even in each slot."""
        accounts, c = run.community.chart, POSTINGS.c
        new = c.slot.between(totals.upto + 1, last)
        store = self.reader.store
        for kinds, party, amount, name in (
            ((PostingKind.ADVANCE,), c.payee, c.amount_n, "advanced_n"),
            ((PostingKind.SHORT_INSIDE, PostingKind.SHORT_SUPPLIER), c.payer, c.energy_wh, "short_wh"),
        ):
            chosen = sa.select(party.label("member"), sa.func.sum(amount).label("sum")).where(new, c.kind.in_(kinds))
            for row in store.rows(chosen.group_by(party)):
                member = totals.members[row["member"]]
                setattr(member, name, getattr(member, name) + row["sum"])
        for account in (accounts.escrow, accounts.pool):
            flow = sa.case((c.payee == account, c.amount_n), else_=-c.amount_n)
            touched = sa.or_(c.payer == account, c.payee == account)
            left = (
                sa.select(sa.func.abs(sa.func.sum(flow)).label("left")).where(new, touched).group_by(c.slot).subquery()
            )
            totals.money_residual_n += self._one(sa.select(sa.func.sum(left.c.left).label("sum")))["sum"] or 0
        totals.energy_residual_wh += self._supplier_residual(totals.upto + 1, last, accounts.network)

    def _supplier_residual(self, first: int, last: int, network: int) -> int:
        """Wh that the meters of the community took from the grid and no posting explains, slot by slot.

        What the network bought for losses and did not give on was lost: no meter of a member took it.
        """
        kind, wh = POSTINGS.c.kind, POSTINGS.c.energy_wh
        by_network = sa.or_(POSTINGS.c.payee == network, POSTINGS.c.payer == network)
        signed = sa.case(
            (kind.in_((PostingKind.SHORT_SUPPLIER, PostingKind.EXTRA_SUPPLIER)), wh),
            (sa.and_(kind == PostingKind.GIVE_SUPPLIER, sa.not_(by_network)), -wh),
            (sa.and_(kind == PostingKind.GIVE_INSIDE, by_network), wh),
            (kind == PostingKind.LOSSES, -wh),
            else_=0,
        )
        posted = (
            sa.select(POSTINGS.c.slot, sa.func.sum(signed).label("wh"))
            .where(POSTINGS.c.slot.between(first, last))
            .group_by(POSTINGS.c.slot)
            .subquery()
        )
        metered = (
            sa.select(READINGS.c.slot, sa.func.sum(READINGS.c.import_wh - READINGS.c.export_wh).label("wh"))
            .where(READINGS.c.slot.between(first, last))
            .group_by(READINGS.c.slot)
            .subquery()
        )
        gap = sa.func.abs(metered.c.wh - sa.func.coalesce(posted.c.wh, 0))
        joined = metered.outerjoin(posted, posted.c.slot == metered.c.slot)
        row = self._one(sa.select(sa.func.sum(gap).label("sum")).select_from(joined))
        return int(row["sum"] or 0)

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


def checked_block(totals: RunTotals, outcome: OutcomePart | None) -> int | None:
    """Newest block at which every balance of the ledger was compared with the chain, and equal."""
    at_end = outcome.checked_block if outcome else None
    return at_end or (totals.checked_block["number"] if totals.checked_block else None)
