"""What a kernel meets while it is live: clock, journal, meters and boxes, joined to its ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transactive.config.setting import Setting
from transactive.core.community.rules import DirectRules
from transactive.core.ports import Commands, Ports
from transactive.core.proofs.receipts import RecordReceipt
from transactive.engine.books.signed_run import Gateway
from transactive.engine.devices.building import fleet_of
from transactive.engine.devices.fleet import Work
from transactive.engine.grid.unwatched import Unwatched
from transactive.engine.kernel import Kernel
from transactive.engine.live.acts import JournaledActs
from transactive.engine.live.arrived import ArrivedRecords
from transactive.engine.live.boxes.counter import BoxCounter
from transactive.engine.live.boxes.leaf_teller import LeafTeller, one_settlement
from transactive.engine.live.collector import Collector
from transactive.engine.live.direct.journaled import DirectEntry, JournaledDeals
from transactive.engine.live.forecasts.journaled import JournaledForecasts
from transactive.engine.live.meters import LiveMeters, Wait
from transactive.engine.live.sent_orders import JournaledOrders
from transactive.engine.live.waiting import SessionClock
from transactive.engine.planning.period_plans import Planners
from transactive.engine.recorded import forecaster_of
from transactive.store.live.journal import JournalReader
from transactive.store.read.stages import last_delivered
from transactive.trading.devices.energy_value import inside_prices, tariff_prices

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.store import Store


@dataclass(frozen=True, slots=True)
class World:
    """What a kernel meets while it is live.

    collector: gives receipts as soon as the gateway's key is known. counter: answers boxes from then on. leaves: tells
    them what is committed.
    """

    clock: SessionClock
    commands: Commands
    journal: JournalReader
    wait: Wait
    wait_at_gate: Wait
    collector: Collector | None = None
    counter: BoxCounter | None = None
    leaves: LeafTeller | None = None

    def kernel(
        self, setting: Setting, slots: range, gateway: Gateway, *, chain: CommunityChain, store: Store, work: Work
    ) -> Kernel:
        """A kernel in this world."""
        community = setting.community
        if self.collector:
            sign_receipts(self.collector, gateway, chain.chain_id)
        if self.counter:
            self.counter.open(chain)
        fleet = fleet_of(community, inside_prices, work, community.carbon_price, among=community.plans_among)
        baseline = fleet_of(community, tariff_prices, work)
        members = len(community.members)
        unmetered = [index for index, member in enumerate(community.members) if member.role == "forecaster"]
        arrived = ArrivedRecords(members, community.clock.length, slots[0], unmetered)
        waits = self.wait, self.wait_at_gate
        meters = LiveMeters(setting, slots, self.clock, self.journal, arrived, (fleet, baseline), *waits)
        done = last_delivered(store)
        for slot in () if done is None else range(slots[0], done + slots.step, slots.step):
            meters.take_up(store.readings(slot, members))
        acts, sent = JournaledActs(self.journal, self.clock, store), JournaledOrders(self.journal, slots.step)
        planners = Planners(fleet, baseline, Unwatched(fleet))
        heard = JournaledForecasts(self.journal, community.clock)
        ports = Ports(self.clock, meters, self.commands, acts, sent, heard)
        made = Kernel(setting, slots, ports, planners, forecaster_of(setting, slots), gateway, chain=chain, store=store)
        if community.market.mechanism == "direct" and JournaledDeals.is_negotiated(self.journal):
            deals = JournaledDeals(self.journal, community.clock)
            made.mechanism = deals.mechanism(community.direct or DirectRules())
            made.entry = DirectEntry(made.entry, deals)
        if self.counter and self.counter.direct:
            self.counter.direct.limits, self.counter.direct.free_n = made.gates.limits, made.ledger.free_n
        if self.leaves:
            self.leaves.watch(made, one_settlement(chain), store)
        return made


def sign_receipts(collector: Collector, gateway: Gateway, chain_id: int) -> None:
    """Let a collector sign receipts with the gateway's key, for a chain."""

    def receive(receipt: RecordReceipt) -> bytes:
        return receipt.to_bytes(receipt.sign(gateway.key, chain_id))

    collector.sign_receipts(receive)
