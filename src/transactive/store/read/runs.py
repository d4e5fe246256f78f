"""What the page and the API read: a run and its slots, straight from the database that the run writes.

Rows of a slot never change once they are written, and each stage is one transaction. So whoever reads a `RunProgress`
first and asks for nothing beyond it sees one consistent state, however far the run has gone on since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.core.accounts import NAMED, PASSING
from transactive.core.community.community import Community
from transactive.core.community.network import Network
from transactive.core.errors import RuleBroken, StateError
from transactive.core.slots import DAY, MarketClock, parse_time
from transactive.core.tables import Readings
from transactive.core.units import IntArray
from transactive.insight.studies.comparison import Comparison
from transactive.market.mechanisms import Site, site_of
from transactive.store import Store
from transactive.store.read.slot_columns import rows_of
from transactive.store.schema import (
    BLOCKS,
    CERTIFICATES,
    CLEARINGS,
    FOOTPRINTS,
    LINES,
    NODES,
    ORDERS,
    POSTINGS,
    READINGS,
    REFUSALS,
    SETTINGS,
)

Row = Mapping[str, Any]
REGISTERS = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")
CONSUMPTION = (
    READINGS.c.import_wh
    + READINGS.c.generation_wh
    + READINGS.c.discharge_wh
    - READINGS.c.export_wh
    - READINGS.c.charge_wh
)
"""Of all members of a slot."""


def consumption_wh(columns: Mapping[str, IntArray]) -> IntArray:
    """What each member used, out of its registers [Wh]."""
    used: IntArray = columns["import_wh"] + columns["generation_wh"] + columns["discharge_wh"]
    return used - columns["export_wh"] - columns["charge_wh"]


@dataclass(frozen=True)
class Run:
    """What is fixed before the first slot."""

    community: Community
    first_slot: int
    slots: int

    @cached_property
    def clock(self) -> MarketClock:
        """Slot length and gate."""
        return self.community.clock

    @cached_property
    def site(self) -> Site | None:
        """The network and the members' nodes on it, if there is one."""
        return site_of(self.community)

    @property
    def network(self) -> Network:
        """The network of `site`, for rows that only a network has. Raises RuleBroken without one."""
        if self.site is None:
            raise RuleBroken("a run with lines has a network; please report this with the command you ran")
        return self.site.network

    @cached_property
    def names(self) -> list[str]:
        """Names of all accounts, members first."""
        return [*self.community.ids, *NAMED, *PASSING]

    @property
    def last_slot(self) -> int:
        """Start of the last slot."""
        return self.first_slot + (self.slots - 1) * self.clock.length

    @property
    def per_day(self) -> int:
        """Slots in a day."""
        return DAY // self.clock.length

    def number(self, slot: int) -> int:
        """How many slots there are up to and including `slot`."""
        return (slot - self.first_slot) // self.clock.length + 1

    def holds(self, slot: int) -> bool:
        """Whether `slot` is the start of one of the run's slots."""
        return self.first_slot <= slot <= self.last_slot and (slot - self.first_slot) % self.clock.length == 0


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come: newest slot that is cleared, delivered, committed, None where there is none yet.

    over: the run has ended, and its outcome is there to read.
    """

    cleared: int | None = None
    delivered: int | None = None
    committed: int | None = None
    over: bool = False


class OutcomePart(msgspec.Struct, frozen=True):
    """What a finished run said of its chain; the rest of its outcome is not needed here."""

    class SummaryPart(msgspec.Struct, frozen=True):
        """The summary's part."""

        class ChainPart(msgspec.Struct, frozen=True):
            """The chain's part: how many blocks it has."""

            height: int

        class BillsPart(msgspec.Struct, frozen=True):
            """Its bills of all members [n¤, as text], after the credit for energy left in batteries."""

            without_market_n: str
            with_market_n: str

        ledger_equals_chain: bool
        chain: ChainPart | None
        bills: BillsPart | None = None

    summary: SummaryPart

    @property
    def credited_n(self) -> int | None:
        """What all members saved, credit for energy left in batteries included [n¤], if the run's end said so."""
        bills = self.summary.bills
        return int(bills.without_market_n) - int(bills.with_market_n) if bills else None

    @property
    def checked_block(self) -> int | None:
        """Last block, if the run's end compared every balance with it."""
        chain = self.summary.chain
        return chain.height if chain and self.summary.ledger_equals_chain else None


class Reader:
    """Questions to one run's database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._community: str | None = None

    def run(self) -> Run | None:
        """The run, or None while it has not begun."""
        community, facts = self.store.setting("community"), self.store.setting("run")
        if community != self._community:  # somebody may have joined since
            self._community = community
            self.store.forget()
        return _run(community, facts) if community is not None and facts is not None else None

    def outcome(self) -> OutcomePart | None:
        """What the run said at its end, or None before it."""
        text = self.store.setting("outcome")
        return None if text is None else msgspec.json.decode(text, type=OutcomePart)

    def comparison(self) -> Comparison | None:
        """The comparison of mechanisms that was kept with the run, or None. Raises StateError for another version's."""
        text = self.store.setting("comparison")
        try:
            return None if text is None else msgspec.json.decode(text, type=Comparison)
        except msgspec.MsgspecError as error:
            raise StateError(f"{self.store.path}: comparison: {error}; compare anew") from None

    def comparing(self, now: int) -> int | None:
        """How much of a comparison is done that is made right now [%]; None where nobody was heard for a minute."""
        percent, _, at = (self.store.setting("comparing") or "").partition(" ")
        return int(percent) if percent.isdecimal() and at.isdecimal() and now - int(at) < 60 else None

    def position(self) -> RunProgress:
        """How far the run has come."""
        newest = [sa.select(sa.func.max(t.c.slot)).scalar_subquery() for t in (CLEARINGS, READINGS, BLOCKS)]
        over = sa.exists().where(SETTINGS.c.key == "outcome")
        row = self.store.rows(
            sa.select(*(n.label(key) for n, key in zip(newest, "cdb", strict=True)), over.label("o"))
        )[0]
        return RunProgress(row["c"], row["d"], row["b"], bool(row["o"]))

    def last_block(self) -> int | None:
        """Number of the newest block that committed a slot; None without one."""
        found: int | None = self.store.rows(sa.select(sa.func.max(BLOCKS.c.number).label("number")))[0]["number"]
        return found

    # -- slots ----------------------------------------------------------------------------------

    def slots(self, first: int, last: int) -> list[Row]:
        """Slots from `first` to `last` inclusive: clearing, sums over the meters once read, block once committed."""
        orders = sa.select(ORDERS.c.orders).where(ORDERS.c.slot == CLEARINGS.c.slot).scalar_subquery()
        refusals = sa.select(sa.func.count()).where(REFUSALS.c.slot == CLEARINGS.c.slot).scalar_subquery()
        counts = [sa.func.coalesce(orders, 0).label("orders"), refusals.label("refusals")]
        figures = [READINGS.c[name] for name in ("meters", *REGISTERS, "bought_wh", "sold_wh")]
        block = [column for column in BLOCKS.c if column.name != "slot"]
        joined = CLEARINGS.outerjoin(READINGS, READINGS.c.slot == CLEARINGS.c.slot).outerjoin(
            BLOCKS, BLOCKS.c.slot == CLEARINGS.c.slot
        )
        return self.store.rows(
            sa.select(*CLEARINGS.c, *counts, *figures, CONSUMPTION.label("consumption_wh"), *block)
            .select_from(joined)
            .where(CLEARINGS.c.slot.between(first, last))
            .order_by(CLEARINGS.c.slot)
        )

    def orders(self, slot: int) -> list[Row]:
        """Admitted orders of a slot with what they were given."""
        return rows_of(self.store, ORDERS, slot)

    def nodes(self, slot: int) -> list[Row]:
        """Prices of the nodes of a slot, if it was cleared by location."""
        return self._of(NODES, slot)

    def lines(self, slot: int) -> list[Row]:
        """Flows on the lines of a slot, if it was cleared by location."""
        return self._of(LINES, slot)

    def refusals(self, slot: int) -> list[Row]:
        """Orders of a slot that the free balance could not lock."""
        return self._of(REFUSALS, slot)

    def postings(self, slot: int) -> list[Row]:
        """Postings of a slot."""
        return rows_of(self.store, POSTINGS, slot)

    def certificates(self, slot: int) -> list[Row]:
        """Bundles of a slot."""
        return rows_of(self.store, CERTIFICATES, slot)

    def footprint(self, slot: int) -> Row | None:
        """Carbon balance of a slot, or None before delivery."""
        rows = self._of(FOOTPRINTS, slot)
        return rows[0] if rows else None

    def member_rows(self, slot: int) -> list[Row]:
        """Meters and money of every member in a slot."""
        return rows_of(self.store, READINGS, slot)

    def readings(self, slot: int) -> Readings | None:
        """Meters of a slot as a table, or None before delivery."""
        rows = self.member_rows(slot)
        if not rows:
            return None
        registers = {name: np.array([row[name] for row in rows], np.int64) for name in REGISTERS}
        return Readings(slot, **registers, quality=self.store.quality(slot, len(rows)))

    def _of(self, table: sa.Table, slot: int) -> list[Row]:
        return self.store.rows(sa.select(table).where(table.c.slot == slot).order_by(*table.primary_key.columns))


@lru_cache(maxsize=4)
def _run(community: str, facts: str) -> Run:
    """Decode the settings once for each text."""
    known = msgspec.json.decode(facts)
    return Run(msgspec.json.decode(community, type=Community), parse_time(known["first slot"]), known["slots"])
