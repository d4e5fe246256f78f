"""The kernel: every slot of a run, in the order in which things happen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from transactive.config.setting import Setting
from transactive.core.ports import Ports
from transactive.core.proofs.accepted_orders import hashes_of
from transactive.core.slot_book import SlotBook
from transactive.core.units import IntArray
from transactive.core.work import seldom_collected
from transactive.engine.books.carbon_leaves import carbon_leaves_of
from transactive.engine.books.commitments import ChainCommitments
from transactive.engine.books.signed_run import Gateway
from transactive.engine.books.snapshot import RunParts, restore, stand_after, take
from transactive.engine.books.state_keeper import OpenSlots
from transactive.engine.carbon.accounts import CarbonAccounts
from transactive.engine.carbon.certificate_market import CertificateMarket
from transactive.engine.carbon.levies import Levies
from transactive.engine.credits.offsetting import Offsetting, credit_steps
from transactive.engine.deliveries import Settling
from transactive.engine.gates import Gates
from transactive.engine.information import InformationSet
from transactive.engine.late.closing import Closing
from transactive.engine.models.heard import HeardForecasts
from transactive.engine.models.run_forecasts import RunForecasts
from transactive.engine.observer import Observer
from transactive.engine.optional_parts import optional_parts
from transactive.engine.planning.period_plans import PeriodPlans, Planners
from transactive.engine.posting_steps import MeteredSlot, PostingParties, post_slot
from transactive.engine.sessions import Session, Timetable
from transactive.insight.tally import Tally
from transactive.market import mechanisms
from transactive.market.registry import ByNode
from transactive.settlement.ledger import Ledger
from transactive.settlement.unmetered import most_cost_n
from transactive.trading.escrow import admit, locked_before_clearing

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.store import Store


class Kernel:
    """A run over consecutive slots; holds all state that passes from one slot to the next.

    forecaster: of net load for orders and plans. Without a `gateway` nobody will have to prove the run: its readings
    are not signed and it has no state hash. observers: hear each step. billed: the same data under other rules, by
    which what people do is settled; without it by those that they act on.
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
        chain: CommunityChain | None = None,
        store: Store | None = None,
        billed: Setting | None = None,
    ) -> None:
        billed = billed or setting
        self.setting, self.slots = setting, slots
        self.community = community = setting.community
        self.clock, self.accounts, self.devices = community.clock, community.chart, community.devices
        self.time, self.meters, self.commands = ports.clock, ports.meters, ports.commands
        self.acts, self.sent = ports.acts, ports.orders
        self.fleet, self.baseline_fleet, self.operator = planners.fleet, planners.baseline, planners.operator
        self.mechanism, self.site = mechanisms.mechanism_of(community), self.operator.site
        self.timetable = Timetable(self.clock, slots, community.market.day_ahead_lead)
        self.levies = Levies(billed, slots)
        self.forecasts = RunForecasts(setting, slots, ports.meters, forecaster, store)
        self.known = InformationSet(setting, Levies(setting, slots), self.forecasts.net_load_forecast)
        self.settled_by = InformationSet(billed, self.levies, self.forecasts.net_load_forecast)
        self.pool = HeardForecasts(billed, slots, ports, forecaster, store)
        self.offsets = Offsetting(setting, slots, credit_steps(setting, store))
        self.carbon = CarbonAccounts(setting, self.known.grid_mix, self.site)
        self.ledger = Ledger(self.accounts, self.clock.slots_per_period * self.clock.length)
        self.commitments = ChainCommitments(community, self.ledger, chain, slots[0])
        self.lots = self.carbon.first_lots(slots[0])
        self.tally = Tally.empty(self.accounts.members)
        parts = optional_parts(setting, slots, ports.meters, gateway, chain, store)
        self.proof, self.keeper, self.entry = parts.proof, parts.keeper, parts.entry
        self.limits, self.correcting = parts.limits, parts.correcting
        self.closing = Closing(self.ledger, ports.meters, community)
        self.observers: list[Observer] = [*parts.observers]
        self._plans = PeriodPlans(setting, slots, planners, self.known, self.timetable, self.observers)
        self.gates = Gates(community, self.fleet, parts.authorisations)
        site = self.site if isinstance(self.mechanism, ByNode) else None
        self._posting = PostingParties(
            self.accounts, self.clock, self.ledger, CertificateMarket(community), self.levies, self.operator, self.pool,
            self.offsets, parts.detection, billed.community, Settling(billed, slots, site), self.keeper.accounts_since
        )  # fmt: skip
        fleets = (self.fleet, self.baseline_fleet)
        self._parts = RunParts(
            fleets, self.operator, self.gates.agents, self.ledger, self.commitments, self.tally, self.offsets
        )
        self._open = OpenSlots()
        self._unread: int | None = None  # slot that has ended and is not delivered

    def run(self, after_slot: Callable[[SlotBook], None] = lambda _: None) -> bool:
        """Walk through all slots; `after_slot` sees the book of each once it is settled.

        With a database that holds a run of the same setting, interrupted or over before more readings came, it goes on
        where that one stopped. Returns whether the ledger was compared with a chain at the end, and equal.
        """
        with seldom_collected():
            return self._walk(after_slot)

    def _walk(self, after_slot: Callable[[SlotBook], None]) -> bool:
        """Take up where an interrupted run stopped, then slot after slot until the end."""
        length, lead = self.clock.length, self.clock.lead
        done = self._resume()
        if done is None:
            self.commitments.open(self.clock.gate(self.slots[0]) - 1)
        first = self.slots[0] - lead * length if done is None else done + length
        for now in range(first, self.slots[-1] + length, length):
            self.time.wait_until(now)
            if self._unread is not None and self.meters.are_in(self._unread):
                after_slot(self.deliver(self._unread))
                self._unread = None
            self.trade_ahead(now)
            closing = now + lead * length
            if closing in self.slots and closing not in self._open.traded:
                self.trade(closing)
            if self._unread is not None:  # the gate did not wait for its meters
                after_slot(self.deliver(self._unread))
            self._unread = now if now in self.slots else None
        if self._unread is not None:  # else the run was interrupted between its last slot and its end
            self.time.wait_until(self.clock.end(self._unread))
            after_slot(self.deliver(self._unread))
        return self.commitments.finish(self.slots[-1], account=0)

    def _resume(self) -> int | None:
        """Take up the state of an interrupted run; returns its last delivered slot, or None to begin."""
        data = self.keeper.snapshot()
        if data is None:
            return None
        done, self.proof.digest, self.lots, traded = restore(data, self._parts)
        self.time.wait_until(self.clock.end(done))
        self._open = self.keeper.open_slots(sorted(self.ledger.locks_n), done, traded)
        for slot in sorted(self.ledger.locks_n):
            self._plans.cover(slot, self._seen_at)
            self.limits.apply(slot, self.ledger)
            if slot in self._open.traded:
                self.commands.send(self.fleet.command(slot, self._open.traded[slot][2].held_wh))
        book = self.keeper.book(done)
        stand_after(self.ledger, book, self.community.places)
        since = self.keeper.accounts_since
        self.commitments.first_slot = max(since, self.slots[0])
        if since != done + self.clock.length:  # else it was committed where accounts were before
            self._commit(book)
        if self.keeper.was_over(done):
            if since != done + self.clock.length:
                self.commitments.go_on(done, account=0)
            self._hold_missed_sessions(done)
        return done

    def _hold_missed_sessions(self, done: int) -> None:
        """Hold the sessions that would have closed by `done`, had the run known then of the slots that have come."""
        for time in self.timetable.missed(done):
            self.trade_ahead(time)
        length = self.clock.length
        for slot in range(done + length, done + (self.clock.lead + 1) * length, length):
            if slot in self.slots:
                self.trade(slot)

    @property
    def state_hash(self) -> str:
        """SHA-256 over the digests of all slots and the hash of the last block. Raises RuleBroken without a gateway."""
        block = self.commitments.last_block
        return self.proof.state_hash(block.hash if block else b"")

    # -- before delivery ------------------------------------------------------------------------

    def trade_ahead(self, now: int) -> None:
        """Close the day-ahead session, if there is one at this time: the slots of a period, each with its clearing."""
        slots = self.timetable.day_ahead.get(now)
        if slots is None or slots[0] in self._open.early:
            return
        for slot in slots:
            self._plans.cover(slot, self._seen_at)
        seen = self._seen_at(now)
        ahead = self.known.forecast(seen, range(seen, slots.stop, self.clock.length))
        expected, premiums = self.fleet.expected_net_load(ahead, len(slots)), self.known.premiums(now, ahead)
        for slot, net_load, premium in zip(slots, expected, premiums[-len(slots) :], strict=True):
            self._open.early[slot] = session = self._clear(slot, now, net_load, premium)
            self.keeper.traded_ahead(session, self.limits.at_gate(slot))

    def trade(self, slot: int) -> None:
        """Close the gate of a slot: forecast, orders with their locks, clearing, rules to devices."""
        self._plans.cover(slot, self._seen_at)
        gate = self.clock.gate(slot)
        seen = self._seen_at(gate)
        near = self.pool.near(slot, self.known.forecast(seen, range(seen, self.clock.end(slot), self.clock.length)))
        expected = self.fleet.expected_net_load(near)[0]
        premium = self.known.premiums(gate, near)[-1]
        session = self._clear(slot, gate, expected, premium)
        self.commands.send(self.fleet.command(slot, session.held_wh))
        self.operator.expect(slot, expected)
        clearing = session.cleared.clearing
        self._open.traded[slot] = (session.orders, clearing, session.cleared.positions)
        told, tariff = [*self.forecasts.at_gate(slot, near, clearing), *self.pool.said], self.known.tariff(slot)
        signed, grid_g, limits = self._open.accepted.get(slot, []), self.known.grid_g(slot), self.limits.at_gate(slot)
        self.keeper.traded(session, signed, self.known.grid(tariff), tariff, grid_g, told, limits)

    def _clear(self, slot: int, gate: int, expected: IntArray, premium: IntArray | None) -> Session:
        """Order and clear a slot from the position that an earlier session left; locks cover both.

        gate: when the session closes [Unix s]. expected: samples of net load [Wh], (samples, members). premium: as
        `curve_orders` takes it.
        """
        tariff, members = self.known.tariff(slot), self.accounts.members
        grid = self.known.grid(tariff)
        earlier = self._open.early.pop(slot, None)
        held = earlier.held_wh if earlier else None
        self._tell(lambda observer: observer.expected(slot, expected))
        self.limits.apply(slot, self.ledger)
        self.gates.take_up(slot, self.acts.by(gate))
        is_void = not self.time.close(gate, self._seen_at(gate))
        made = self.gates.orders(slot, expected, held, tariff, grid, premium, is_void=is_void)
        sent = () if is_void else self.sent.of(slot, gate)
        orders, refusals = admit(self.entry.in_place(made, sent, tariff, grid), self.ledger.free_n(slot))
        before = self.ledger.locks_n.get(slot, 0) + locked_before_clearing(orders, members)
        self.ledger.lock(slot, before)
        site = self.site and mechanisms.at_flow_of(self.site, expected.sum(axis=0) // len(expected))
        cleared = mechanisms.clear(self.mechanism, orders, grid, members, site, self.gates.limits(slot))
        orders = cleared.book(orders)
        self._open.accepted[slot] = self.entry.take(orders, earlier.orders if earlier else None, sent)
        self.gates.cleared(orders, cleared.clearing)
        self._tell(lambda observer: observer.cleared(orders, grid, cleared))
        own = Session(orders, refusals, cleared)
        session = earlier.and_then(own) if earlier else own
        self.ledger.lock(slot, session.locked_n(tariff, before))
        self.tally.refused += len(refusals)
        return session

    def _seen_at(self, gate: int) -> int:
        """End of the slots whose readings a gate can see [Unix s]: all, but for one that it does not wait for."""
        if (seen := self.time.seen(gate)) is not None:
            return seen
        return gate if self._unread is None else min(self._unread, gate)

    # -- delivery and after ---------------------------------------------------------------------

    def deliver(self, slot: int) -> SlotBook:
        """Meter, settle, certify, post and commit a delivered slot."""
        orders, clearing, positions = self._open.traded.pop(slot)
        accepted, tariff = self._open.accepted.pop(slot, []), self.settled_by.tariff(slot)
        readings = self.proof.enter(self.meters.readings(slot, positions))
        self.fleet.slot_over(slot, self.meters.stored())
        delivery = self._posting.settling.delivery(positions, readings, tariff)
        locked_n = self.ledger.unlock(slot)
        made = self.carbon.account(readings, delivery, self.lots, self.correcting.owed_wh)
        self.correcting.take_in(self.meters.late())
        self.correcting.close(self.closing.overdue(slot))
        corrected = self.correcting.settle(slot, made.withheld_wh)
        released_n = self.ledger.unmetered.release(corrected.places)
        of = MeteredSlot(positions, readings, delivery, tariff, made, corrected, released_n)
        post_slot(self._posting, of)
        carbon, self.lots, period = of.carbon, of.carbon.lots, self.clock.period(slot)
        self.ledger.enter(period, positions, of.postings)
        self.ledger.keep_open(readings, most_cost_n(positions, tariff, locked_n, of.unmetered_n), of.unmetered_n)
        is_void = self.time.is_void(self.clock.gate(slot)) and not len(positions.member)
        hashes = hashes_of(accepted, self.community.places)
        self.ledger.record(period, readings, carbon.certificates, hashes, is_void=is_void)
        levied = carbon.unmatched_mg, self.levies.due_n(slot, carbon)
        book = SlotBook(
            orders, clearing, positions, readings, delivery, of.postings, carbon.certificates, carbon.footprints,
            levied, tariff, self.meters.without_market(slot), accepted, tuple(self.offsets.notes), corrected.lines,
            is_void,
        )  # fmt: skip
        self.limits.delivered(slot)
        self.proof.add(book)
        self.tally.add(book)
        self.operator.tell(self.tally)
        self._tell(lambda observer: observer.settled(book))
        state = partial(take, slot, self.proof.digest, self.lots, self._parts, sorted(self._open.traded))
        self.keeper.delivered(book, of.session, state, self.forecasts.after(slot), self.offsets.steps, corrected)
        self._commit(book)
        return book

    def _commit(self, book: SlotBook) -> None:
        """Put a delivered slot on chain, with its carbon as the root of its certificates."""
        number = self.clock.number(book.slot)
        root = self.commitments.root(lambda: carbon_leaves_of(book, number, self.community))
        checked = self.commitments.slot_over(book.slot, root)
        self.keeper.committed(book.slot, self.commitments.last_block, checked=checked)
        self._tell(lambda observer: observer.committed(book.slot))

    def _tell(self, what: Callable[[Observer], None]) -> None:
        """Let all observers hear of a step."""
        for observer in self.observers:
            what(observer)
