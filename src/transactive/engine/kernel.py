"""The walk: every slot of a run, in the order in which things happen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from transactive.carbon.accounting import CarbonSlot
from transactive.carbon.certificates.storage import Lots
from transactive.config.setting import Setting
from transactive.core.certificates import Certificates, Footprints
from transactive.core.credit_notes import Note, note_hash
from transactive.core.errors import StateError, require
from transactive.core.ports import Ports
from transactive.core.postings import Postings
from transactive.core.proofs.accepted_orders import Accepted, hashes_of
from transactive.core.proofs.merkle import ZERO
from transactive.core.slots import time_text
from transactive.core.tables import Clearing, Delivery, Forecast, Orders, Positions, Readings
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.engine.authorisations import Authorisations
from transactive.engine.books.commitments import ChainCommitments
from transactive.engine.books.slot_book import SlotBook, read_slot
from transactive.engine.books.snapshot import restore, take
from transactive.engine.carbon_accounts import CarbonAccounts
from transactive.engine.certificate_market import CertificateMarket
from transactive.engine.credits.offsetting import Offsetting, credit_steps
from transactive.engine.daily.advice import Advisor
from transactive.engine.daily.detection import DailyDetection
from transactive.engine.devices.fleet import LOOK_AHEAD, Fleet
from transactive.engine.gate_closure import Gates
from transactive.engine.grid.operator import GridOperator
from transactive.engine.grid.unwatched import Unwatched
from transactive.engine.information import InformationSet
from transactive.engine.levies import Levies
from transactive.engine.models.run_forecasts import RunForecasts
from transactive.engine.order_entry import OrderEntry
from transactive.engine.sessions import Session, Timetable
from transactive.insight.tally import Tally
from transactive.market import mechanisms
from transactive.metering.gateway import enter, sign
from transactive.settlement.funds import advance, dividend
from transactive.settlement.ledger import Ledger
from transactive.settlement.netted import deliver, post
from transactive.trading.escrow import admit, locked_after_clearing, locked_before_clearing

if TYPE_CHECKING:
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.market.mechanisms import Cleared
    from transactive.store import Store

LOCAL_CHAIN_ID = 31337
"""Chain that readings are signed for in a run without a chain."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who signs the readings: a private key and its address."""

    key: bytes
    address: str


@dataclass(frozen=True, slots=True, eq=False)
class Planners:
    """Who plans for the members' devices. baseline: the same devices without a market; operator: of their lines."""

    fleet: Fleet
    baseline: Fleet
    operator: GridOperator | Unwatched


@dataclass(frozen=True, slots=True, eq=False)
class SlotRecord:
    """Everything that one slot produced."""

    orders: Orders
    clearing: Clearing
    positions: Positions
    readings: Readings
    delivery: Delivery
    postings: Postings
    certificates: Certificates
    footprints: Footprints
    tariff: Tariff
    baseline: Readings
    notes: tuple[Note, ...] = ()

    def digest(self) -> bytes:
        """SHA-256 over orders, clearing, readings, postings (with the positions' prices), certificates and credits."""
        parts = (self.orders, self.clearing, self.readings, self.postings, self.certificates)
        return hashlib.sha256(b"".join((*(part.digest() for part in parts), *map(note_hash, self.notes)))).digest()


class Kernel:
    """A run over consecutive slots; holds all state that passes from one slot to the next.

    forecaster: of net load for orders and plans. Without a `gateway` nobody will have to prove the run: its readings
    are not signed and it has no state hash.
    """

    def __init__(
        self,
        setting: Setting,
        slots: range,
        ports: Ports,
        planners: Planners,
        forecaster: str,
        gateway: Gateway | None = None,
        *,
        chain: ChainLedger | None = None,
        store: Store | None = None,
    ) -> None:
        self.setting, self.slots, self.gateway = setting, slots, gateway
        self.chain, self.store = chain, store
        self.community = community = setting.community
        self.clock, self.accounts, self.devices = community.clock, community.chart, community.devices
        self.mechanism = mechanisms.mechanism_of(community)
        self.time, self.meters, self.commands = ports.clock, ports.meters, ports.commands
        self.fleet, self.baseline_fleet, self.operator = planners.fleet, planners.baseline, planners.operator
        self.site = self.operator.site
        self.timetable = Timetable(self.clock, slots, community.market.day_ahead_lead)
        self.levies = Levies(setting, slots)
        self.forecasts = RunForecasts(setting, slots, ports.meters, forecaster, store)
        self.known = InformationSet(setting, self.levies, self.forecasts.outlook)
        self.offsets = Offsetting(setting, slots, credit_steps(setting, store))
        self.carbon = CarbonAccounts(setting, self.known, self.site)
        self.certificates = CertificateMarket(community)
        self.ledger = Ledger(self.accounts)
        self.anchor = ChainCommitments(community, self.ledger, chain)
        self.lots = Lots.empty(len(community.members))
        self.tally = Tally.empty(len(community.members))
        self.digest = hashlib.sha256(b"transactive").digest()
        self.after_clearing: Callable[[Orders, PriceGrid, Cleared], None] = lambda *_: None
        """Sees each session as it clears, for those who look closer than a run needs."""
        self.before_orders: Callable[[int, IntArray], None] = lambda *_: None
        """Sees the samples [Wh], (samples, members), that the orders of a slot are made of."""
        self._early: dict[int, Session] = {}
        self._traded: dict[int, tuple[Orders, Clearing, Positions]] = {}
        self._accepted: dict[int, list[Accepted]] = {}
        self._advisor = Advisor(setting, ports.meters, store, slots[0]) if store else None
        self._watcher = DailyDetection(setting, ports.meters, store) if store else None
        authorities = Authorisations(community, slots, chain, store)
        self.gates = Gates(community, self.fleet, authorities)
        self._entry = OrderEntry(chain, self.accounts.members, self.clock.length, authorities) if chain else None

    def run(self, after_slot: Callable[[SlotRecord], None] = lambda _: None) -> bool:
        """Walk through all slots; `after_slot` sees the record of each once it is settled.

        With a database that holds an interrupted run of the same setting, it goes on where that one stopped. Returns
        whether the ledger was compared with a chain at the end, and equal.
        """
        length, lead = self.clock.length, self.clock.lead
        done = self._resume()
        if done is None:
            self.anchor.open(self.clock.gate(self.slots[0]) - 1)
        first = self.slots[0] - lead * length if done is None else done + length
        for now in range(first, self.slots[-1] + length, length):
            self.time.wait_until(now)
            self.trade_ahead(now)
            closing = now + lead * length
            if closing in self.slots:
                self.trade(closing)
            if now in self.slots:
                self.time.wait_until(self.clock.end(now))
                after_slot(self.deliver(now))
        return self.anchor.finish(self.slots[-1], account=0)

    def _resume(self) -> int | None:
        """Take up the state of an interrupted run; returns its last delivered slot, or None to begin."""
        data = self.store.snapshot() if self.store else None
        if self.store is None or data is None:
            return None
        fleets = (self.fleet, self.baseline_fleet)
        parts = (self.gates.desk, self.ledger, self.anchor, self.tally, self.offsets)
        done, self.digest, self.lots, grid = restore(data, fleets, *parts)
        self.time.wait_until(self.clock.end(done))
        self.operator.take_up(grid)
        for slot in sorted(self.ledger.locks_n):  # gates that closed before the interruption
            self._take_up(self.store, slot, gate_closed=self.clock.gate(slot) <= done)
            self._plan(slot)
            if slot in self._traded:
                self.commands.send(self.fleet.command(slot))
        _, _, self.ledger.positions = self._traded_before(self.store, done)  # its leaves may still be needed
        self.ledger.orders = tuple(hashes_of(self._accepted.pop(done), self.accounts.members))
        self._commit(read_slot(self.store, self.community, done))
        return done

    def _take_up(self, store: Store, slot: int, *, gate_closed: bool) -> None:
        """Take up what was traded for a slot that is not delivered: at its gate, or only the day ahead."""
        if gate_closed:
            self._traded[slot] = self._traded_before(store, slot)
        else:
            self._early[slot] = Session(*store.trading_ahead(slot, self.accounts.members))

    def _traded_before(self, store: Store, slot: int) -> tuple[Orders, Clearing, Positions]:
        """What an interrupted run traded for a slot whose gate has closed; takes up its signed orders."""
        traded = store.trading(slot, self.accounts.members)
        if traded is None:
            raise StateError(f"{store.path}: orders of {time_text(slot)} are gone; use a new --state folder")
        self._accepted[slot] = store.accepted(slot, traded[0], self.clock.number(slot))
        return traded

    @property
    def state_hash(self) -> str:
        """SHA-256 over the digests of all slots and the hash of the last block."""
        require(self.gateway is not None, "a run with a state hash has a gateway")
        block = self.anchor.last_block
        return hashlib.sha256(self.digest + (block.hash if block else b"")).hexdigest()

    # -- before delivery ------------------------------------------------------------------------

    def trade_ahead(self, now: int) -> None:
        """Close the day-ahead session, if there is one at this time: the slots of a period, each with its clearing."""
        slots = self.timetable.day_ahead.get(now)
        if slots is None:
            return
        for slot in slots:
            self._plan(slot)
        ahead = self.known.forecast(now, range(now, slots.stop, self.clock.length))
        expected, premiums = self.fleet.expected_net_load(ahead, len(slots)), self.known.premiums(now, ahead)
        for slot, net_load, premium in zip(slots, expected, premiums[-len(slots) :], strict=True):
            self._early[slot] = session = self._clear(slot, net_load, premium)
            if self.store:
                self.store.save_trading_ahead(session.orders, session.refusals, session.cleared)

    def trade(self, slot: int) -> None:
        """Close the gate of a slot: forecast, orders with their locks, clearing."""
        self._plan(slot)
        gate = self.clock.gate(slot)
        near = self.known.forecast(gate, range(gate, slot + self.clock.length, self.clock.length))
        expected = self.fleet.expected_net_load(near)[0]
        session = self._clear(slot, expected, self.known.premiums(gate, near)[-1])
        cleared = session.cleared
        self.operator.expect(slot, expected)
        self.commands.send(self.fleet.command(slot))
        self._traded[slot] = (session.orders, cleared.clearing, cleared.positions)
        said = self.forecasts.at_gate(slot, near, cleared.clearing)
        if self.store:
            tariff = self.known.tariff(slot)
            signed = self._accepted.get(slot, [])
            grid, grid_g = self.known.grid(tariff), self.known.grid_g(slot)
            self.store.save_trading(session.orders, signed, session.refusals, cleared, grid, tariff, grid_g, said)

    def _clear(self, slot: int, expected: IntArray, premium: IntArray | None) -> Session:
        """Order and clear a slot from the position that an earlier session left; locks cover both.

        expected: samples of net load [Wh], (samples, members). premium: as `curve_orders` takes it.
        """
        tariff, members = self.known.tariff(slot), self.accounts.members
        grid = self.known.grid(tariff)
        self.before_orders(slot, expected)
        earlier = self._early.pop(slot, None)
        held = earlier.held_wh if earlier else None
        orders, refusals = admit(self.gates.orders(slot, expected, held, tariff, grid, premium), self.ledger.free_n())
        if self._entry:
            self._accepted[slot] = self._entry.take(orders, earlier.orders if earlier else None)
        self.ledger.lock(slot, self.ledger.locks_n.get(slot, 0) + locked_before_clearing(orders, members))
        cleared = mechanisms.clear(self.mechanism, orders, grid, members, self.site)
        self.gates.cleared(orders, cleared.clearing)
        self.after_clearing(orders, grid, cleared)
        session = Session(orders, refusals, cleared)
        if earlier:
            session = earlier.and_then(session)
        self.ledger.lock(slot, locked_after_clearing(session.cleared.positions, tariff))
        self.tally.refused += len(refusals)
        return session

    def _plan(self, slot: int) -> None:
        """Make sure that both fleets have a rule for a slot: plans are made as the first session of a period closes."""
        if slot in self.fleet.rules:
            return
        length, period = self.clock.length, self.clock.slots_per_period * self.clock.length
        first = max(slot // period * period, self.slots[0])
        end = min(slot // period * period + period + LOOK_AHEAD, self.setting.end)
        slots = range(first, end, length)
        now = self.timetable.planned_at(slot)
        community, batteries = self.known.ahead(now, slots)
        tariffs = [self.setting.tariff(s) for s in slots]
        worth = self.known.carbon_worth(now, community)
        make = partial(self.fleet.plan, *self._seen(self.fleet, now, community, batteries, tariffs), tariffs, worth)
        make()
        seen = self._seen(self.baseline_fleet, now, community, batteries, tariffs)
        self.baseline_fleet.plan(*seen, tariffs)
        own = range(first, min(slot // period * period + period, self.slots.stop), length)
        self.operator.plan(own, lambda: self.known.forecast(now, range(now, own.stop, length)), make)

    def _seen(
        self, fleet: Fleet, now: int, community: Forecast, batteries: Forecast, tariffs: list[Tariff]
    ) -> tuple[Forecast, Forecast]:
        """The forecasts that a fleet's batteries plan with: with what loads that can wait will draw."""
        if fleet.shifting is None:
            return community, batteries
        near, homes = self.known.of_homes(now, community.slots, fleet.shifting.homes)
        return fleet.see_shifting(near, homes, community, batteries, tariffs)

    # -- delivery and after ---------------------------------------------------------------------

    def deliver(self, slot: int) -> SlotRecord:
        """Deliver, meter, settle, certify, post and commit a slot."""
        orders, clearing, positions = self._traded.pop(slot)
        tariff = self.known.tariff(slot)
        readings = self._enter(self.meters.readings(slot))
        self.fleet.slot_over(slot, self.meters.stored())
        delivery = deliver(positions, readings)
        self.ledger.unlock(slot)
        energy = post(delivery, positions, tariff, self.accounts)
        carbon = self.carbon.account(readings, delivery, self.lots)
        carbon, apart = self.certificates.trade(carbon, self._funds_after(energy, self.levies.due_n(slot, carbon)))
        postings = self._post(energy.and_then(apart.postings), delivery, tariff, carbon, readings)
        self.ledger.enter(self.clock.period(slot), positions, postings)
        hashes = hashes_of(self._accepted.pop(slot, []), self.accounts.members)
        self.ledger.record(self.clock.period(slot), readings, carbon.certificates, hashes)
        self.lots = carbon.lots
        record = SlotRecord(
            orders, clearing, positions, readings, delivery, postings, carbon.certificates, carbon.footprints, tariff,
            self.meters.without_market(slot), tuple(self.offsets.notes),
        )  # fmt: skip
        if self.gateway:
            self.digest = hashlib.sha256(self.digest + record.digest()).digest()
        self.tally.add(record.orders, positions, readings, postings, carbon.footprints, record.baseline, tariff)
        levied = carbon.unmatched_mg, self.levies.due_n(slot, carbon)
        self.tally.add_levy(*levied, postings)
        self.tally.add_scores(readings, carbon.certificates, carbon.footprints)
        self.tally.add_offsets(postings)
        self.operator.tell(self.tally)
        upkept = self.forecasts.after(slot)
        if self.store:
            fleets, grid = (self.fleet, self.baseline_fleet), self.operator.state
            parts = (self.gates.desk, self.ledger, self.anchor, self.tally, self.offsets)
            state = take(slot, self.digest, self.lots, fleets, *parts, grid)
            self.store.save_delivery(
                positions, readings, postings, carbon.certificates, carbon.footprints, levied, apart.columns(),
                record.baseline, state, upkept, (self.offsets.steps, self.offsets.notes),
            )  # fmt: skip
        tables = (carbon.certificates, carbon.footprints, levied)
        book = SlotBook(readings, positions, postings, *tables, notes=record.notes)
        self._commit(book)
        return record

    def _commit(self, book: SlotBook) -> None:
        """Put a delivered slot on chain, with its carbon as the root of its certificates."""
        slot = book.readings.slot
        root = self.chain.carbon_tree(book.carbon_leaves(self.clock.number(slot))).root if self.chain else ZERO
        checked = self.anchor.slot_over(slot, root)
        if self.store and self.anchor.last_block:
            self.store.save_block(slot, self.anchor.last_block, checked=checked)
        if self._advisor:
            self._advisor.after(slot)
        if self._watcher:
            self._watcher.after(slot)

    def _enter(self, readings: Readings) -> Readings:
        """Pass readings on as a live gateway does: signed, and accepted only with its signature."""
        if self.gateway is None:
            return readings
        chain_id = self.chain.chain_id if self.chain else LOCAL_CHAIN_ID
        return enter(sign(readings, self.gateway.key, chain_id), self.gateway.address, chain_id)

    def _funds_after(self, energy: Postings, levy_n: IntArray) -> IntArray:
        """What a member can pay for certificates once energy and the levy due before them are paid [n¤], (members,)."""
        cost = -energy.net_n(self.accounts.total)[: self.accounts.members]
        levy = levy_n + 1 if self.levies.posted else 0  # certificates change its shares, by a unit at most
        return np.where(self.ledger.suspended, 0, self.ledger.funds_n() - cost - levy)

    def _post(
        self, postings: Postings, delivery: Delivery, tariff: Tariff, carbon: CarbonSlot, readings: Readings
    ) -> Postings:
        """Postings of a slot with what the levy, funds and the end of a period add."""
        slot = delivery.slot
        if self.levies.posted:
            postings = postings.and_then(self.levies.post(slot, carbon, readings))
        postings = postings.and_then(self.operator.post(slot, tariff))
        postings = postings.and_then(advance(postings, delivery, tariff, self.ledger.funds_n(), self.accounts))
        if self.clock.ends_period(slot):
            postings = postings.and_then(dividend(slot, self.ledger.undistributed_with(postings), self.accounts))
        treasury, ends = self.ledger.levied_with(postings), self.clock.ends_period(slot)
        postings = postings.and_then(self.levies.give_back(slot, treasury, carbon, period_ends=ends))
        postings = postings.and_then(self.offsets.post(readings, carbon, postings, self.ledger))
        return postings.and_then(self._watcher.post(postings, self.ledger)) if self._watcher else postings
