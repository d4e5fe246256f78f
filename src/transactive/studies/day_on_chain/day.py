"""A day that trades on chain only: slots, orders, readings and money of the balance market, with its twin beside it.

For each slot, before its gate: the operator opens it with floor and cap from the tariff, and base and scale from the
forecast; members, in turn, order with their own keys and in escrow. After it: their meters' signed readings. After the
window: settlement. What a member takes or gives beyond its promise is its supplier's, outside. At the end everybody
withdraws, and nothing remains in the contract.

Forecasts and batteries are those of `walk`; the chain sees all in the order of time. A member reads the quotes from the
twin, as it would from its node, and does not send what would be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.config.setting import Setting
from transactive.core.errors import ContractRevert, StateError, require
from transactive.core.slots import time_text
from transactive.core.tables import Readings
from transactive.market.balance.auction import beginner
from transactive.studies.day_on_chain.figures import BalanceDay, Count, SlotOnChain
from transactive.studies.day_on_chain.plan import GatePlan, curve_of, gate_plans, wish

if TYPE_CHECKING:
    from transactive.chain.ledgers.balance_market import BalanceLedger
    from transactive.studies.day_on_chain.twin import BalanceTwin

WINDOW = 1_800
"""Seconds after a slot in which its readings count."""
ROUNDS = 2
"""Orders of a member and slot at most."""
BATCH = 64
"""Members that one call can settle."""
BEFORE_GATE = 60
CHAIN_FILE = "chain.db"


class DayOnChain:
    """The chain, its twin, and the slots between their gate and their settlement."""

    def __init__(self, chain: BalanceLedger, twin: BalanceTwin, opening_n: int) -> None:
        self.chain, self.twin, self.count = chain, twin, Count()
        self.names = [str(chain.account(index).address) for index in range(chain.members)]
        self.by_slot: list[SlotOnChain] = []
        self.earned_n = self.paid_n = self.network_n = 0
        self._open: dict[int, SlotOnChain] = {}
        for index, name in enumerate(self.names):
            chain.deposit(index, opening_n)
            twin.deposit(name, opening_n)

    def block(self, timestamp: int) -> None:
        """Put what is queued on chain. Raise RuleBroken unless the contract holds what its twin owes."""
        self.count.add(self.chain.block(timestamp))
        require(self.chain.pool_n() == self.twin.pool, "the pool on chain equals its twin")
        require(self.chain.held_n() == self.twin.holdings(), "the contract holds what it owes")

    def compare(self) -> None:
        """Raise RuleBroken unless every account on chain has what its twin has, free and locked."""
        twin, members = self.twin, range(self.chain.members)
        wanted = [(twin.free.get(index, 0), twin.locked.get(index, 0)) for index in members]
        require(self.chain.accounts_n() == wanted, "every account on chain equals its twin")

    def trade(self, slot: int, plan: GatePlan, now: int) -> None:
        """Open a slot and let its members order in turn."""
        curve = curve_of(plan)
        numbers = (curve.base_n, curve.floor_n, curve.cap_n, curve.scale_wh, curve.limit_wh)
        missing = curve.cash_needed() - self.twin.pool
        if missing > 0:
            self.chain.fund(missing)
            self.twin.fund(missing)
        self.chain.open_slot(slot, numbers)
        self.twin.open_slot(str(self.chain.operator.address), slot, numbers, now)
        there, orders, refused = self.twin.slots[slot], 0, 0
        for number in range(ROUNDS * self.chain.members):
            member = (beginner(slot, self.chain.members) + number) % self.chain.members
            wanted = wish(plan, member, there)
            if wanted is None:
                continue
            terms = (wanted.most_wh, wanted.limit_n)
            try:
                self.twin.order(self.names[member], slot, 1, *terms, wanted.producing, now)
            except ContractRevert:
                refused += 1
            else:
                orders += 1
                self.chain.order(member, slot, *terms, producing=wanted.producing)
        self.block(now)
        production, consumption = self.chain.prices_n(slot)
        self._open[slot] = SlotOnChain(
            slot=time_text(slot),
            base=curve.base_n,
            production_price=production,
            consumption_price=consumption,
            orders=orders,
            refused=refused,
            produced_wh=there.balance.produced_wh,
            consumed_wh=there.balance.consumed_wh,
            certified_wh=0,
            used_wh=0,
            network_n="0",
        )

    def certify(self, slot: int, readings: Readings, now: int) -> None:
        """Bring the readings of all who promised something."""
        for index in sorted(self.twin.slots[slot].positions):
            exported, imported = int(readings.export_wh[index]), int(readings.import_wh[index])
            self.chain.certify(index, slot, exported, imported)
            self.twin.certify(slot, [(index, exported, imported)], now, signed=True)
        self.block(now)

    def settle(self, slot: int, now: int) -> None:
        """End all positions and close the slot."""
        there, pool = self.twin.slots[slot], self.twin.pool
        held = dict(there.positions)
        certified = used = 0
        for index, position in held.items():
            kept = min(position.energy_wh, self.twin.certified(slot, index, position))
            outcome = self.twin.outcome(slot, index, position)
            self.earned_n += max(0, outcome)
            self.paid_n += max(0, -outcome)
            certified, used = certified + kept * position.producing, used + kept * (not position.producing)
        members = sorted(held)
        for first in range(0, max(1, len(members)), BATCH):
            self.chain.settle(slot, members[first : first + BATCH])
            self.twin.settle(slot, members[first : first + BATCH], now)
        self.block(now)
        self.compare()
        rest = certified - used
        gained = self.twin.pool - pool - there.curve.cash_needed()
        network = gained + rest * (there.curve.floor_n if rest > 0 else there.curve.cap_n)
        self.network_n += network
        done = self._open.pop(slot)
        self.by_slot.append(msgspec.structs.replace(done, certified_wh=certified, used_wh=used, network_n=str(network)))

    def leave(self, now: int) -> None:
        """Everybody takes what is left."""
        for index, name in enumerate(self.names):
            free = self.twin.free.get(index, 0)
            if free:
                self.chain.withdraw(index, free)
                self.twin.withdraw(name, free)
        if self.twin.pool:
            self.chain.defund(self.twin.pool)
            self.twin.defund(str(self.chain.operator.address), self.twin.pool)
        self.block(now)
        self.compare()


def steps(slots: range, gate_seconds: int) -> Iterator[tuple[int, str, int]]:
    """Time [Unix s], what is due, and for which slot, in order of time."""
    due = []
    for slot in slots:
        due.append((slot - gate_seconds - BEFORE_GATE, "trade", slot))
        due.append((slot + slots.step + 1, "certify", slot))
        due.append((slot + slots.step + WINDOW, "settle", slot))
    yield from sorted(due)


def run_day(
    setting: Setting,
    slots: range,
    folder: Path,
    *,
    seed: str,
    after_slot: Callable[[SlotOnChain], None] = lambda _: None,
    timer: Callable[[], float] = lambda: 0.0,
) -> BalanceDay:
    """Trade slots on a new embedded chain in `folder`. timer: a clock in seconds, for the summary.

    Raises StateError if the folder has a chain already, RuleBroken if contract and twin differ.
    """
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.balance_market import BalanceLedger
    from transactive.chain.ledgers.balance_market import MarketTimes as ChainClock
    from transactive.chain.nodes.client import ChainClient

    began, community, path = timer(), setting.community, folder / CHAIN_FILE
    if path.exists():
        raise StateError(f"{folder}: there is a chain already; give another --state folder")
    folder.mkdir(parents=True, exist_ok=True)
    plans = gate_plans(setting, slots)
    clock = ChainClock(community.clock.length, slots[0] - community.clock.gate(slots[0]), WINDOW)
    members, keys, url = len(community.members), DemoKeys(seed), f"embedded:{path}"
    opening = slots[0] - clock.gate_seconds - 2 * BEFORE_GATE
    accounts = BalanceLedger.addresses(keys, members)
    with closing(ChainClient.open(url, genesis_time=opening - 2, alloc=accounts)) as client:
        chain = BalanceLedger(client, keys, members, clock, community.currency)
        client.block(opening - 1)
        day = DayOnChain(chain, twin_of(chain, opening), community.accounts.opening_n)
        day.block(opening)
        for now, what, slot in steps(slots, clock.gate_seconds):
            if what == "trade":
                day.trade(slot, plans[slot], now)
            elif what == "certify":
                day.certify(slot, plans[slot].readings, now)
            else:
                day.settle(slot, now)
                after_slot(day.by_slot[-1])
        day.leave(client.head_timestamp + 1)
        return summary_of(day, client.head_hash.hex(), url, timer() - began)


def twin_of(chain: BalanceLedger, now: int) -> BalanceTwin:
    """Twin of a new market."""
    from transactive.chain.ledgers.balance_market import FOR_EVER
    from transactive.chain.twins.registry import CONSUMER, PRODUCER, MeterTwin, RegistryTwin
    from transactive.studies.day_on_chain.twin import BalanceTwin

    clock, registrar = chain.clock, str(chain.registrar.address)
    registry = RegistryTwin(
        owner=str(chain.owner.address),
        registrar=registrar,
        operator=str(chain.operator.address),
        delay=clock.slot_seconds,
    )
    for index in range(chain.members):
        registry.register(registrar, str(chain.account(index).address), PRODUCER | CONSUMER)
        registry.add_meter(registrar, MeterTwin(str(chain.meter(index).address), index, 0, 0, FOR_EVER), now)
    return BalanceTwin(registry, slot_seconds=clock.slot_seconds, gate_seconds=clock.gate_seconds, window=clock.window)


def summary_of(day: DayOnChain, head_hash: str, url: str, seconds: float) -> BalanceDay:
    """Sums of a day that is over."""
    chain, count, slots = day.chain, day.count, day.by_slot
    left = chain.held_n()
    running = sum(count.gas.get(kind, 0) for kind in ("openSlot", "produce", "consume", "certify", "settle"))
    return BalanceDay(
        slots=len(slots),
        members=chain.members,
        transactions=sum(count.calls.values()),
        orders=sum(slot.orders for slot in slots),
        refused=sum(slot.refused for slot in slots),
        produced_wh=sum(slot.produced_wh for slot in slots),
        consumed_wh=sum(slot.consumed_wh for slot in slots),
        earned_n=str(day.earned_n),
        paid_n=str(day.paid_n),
        network_n=str(day.network_n),
        gas_per_order=count.mean("produce", "consume"),
        gas_per_reading=count.mean("certify"),
        gas_per_member_and_slot=running // (chain.members * len(slots)),
        money_residual_n=str(chain.supply_n() - chain.wallets_n() - left),
        left_in_contract_n=str(left),
        twin_equals_chain=True,
        head_hash=head_hash,
        url=url,
        by_slot=slots,
        seconds=round(seconds, 3),
    )
