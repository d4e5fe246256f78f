"""What the balance market contract must do, in plain Python: the price from `market.balance.pricing`, the books here.

It stands in the engine because it joins two rooms: the contract's rules and refusals are of `chain`, the price of
`market`. Oracle of the contract's tests, and the books beside the chain in a day that trades there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from transactive.chain.twins.refusals import refusals
from transactive.chain.twins.registry import CONSUMER, PRODUCER, STORAGE, RegistryTwin
from transactive.core.errors import ContractRevert, DataError
from transactive.market.balance.pricing import Balance, PriceCurve, PricingRefusal, Promise

refuse_unless = refusals("balance_market")
metered_unless = refusals("metered")
NO_POSITION = Promise(producing=True, energy_wh=0, money_n=0)
MAX_ENERGY = 2**56
LATEST = 2**40


@dataclass
class OpenSlot:
    """One slot. positions: by member. readings: meter to (exported, imported, signed). result: n¤ beyond the seed."""

    curve: PriceCurve
    balance: Balance = field(default_factory=Balance)
    positions: dict[int, Promise] = field(default_factory=dict)
    readings: dict[int, tuple[int, int, bool]] = field(default_factory=dict)
    result: int = 0
    closed: bool = False


class BalanceTwin:
    """The contract's books; money in n¤, times (`now`) in Unix seconds, callers as accounts.

    Every function raises ContractRevert with the contract's reason where the contract would.
    """

    def __init__(self, registry: RegistryTwin, *, slot_seconds: int, gate_seconds: int, window: int) -> None:
        self.registry = registry
        self.slot_seconds, self.gate_seconds, self.window = slot_seconds, gate_seconds, window
        self.free: dict[int, int] = {}
        self.locked: dict[int, int] = {}
        self.slots: dict[int, OpenSlot] = {}
        self.pool = 0
        self.paused = False

    def holdings(self) -> int:
        """n¤ that the contract must hold."""
        open_slots = sum(s.curve.cash_needed() + s.result for s in self.slots.values() if not s.closed)
        return sum(self.free.values()) + sum(self.locked.values()) + self.pool + open_slots

    def member(self, caller: str) -> tuple[int, int]:
        """Index and roles."""
        number, roles = self.registry.standing(caller)
        metered_unless(number > 0, "not a member")
        return number - 1, roles

    def operator(self, caller: str) -> None:
        """Refuse anybody but the operator."""
        metered_unless(caller == self.registry.operator, "not the operator")

    def before_gate(self, slot: int, now: int) -> None:
        """Refuse past and closed slots, and what is no slot."""
        metered_unless(slot % self.slot_seconds == 0 and slot < LATEST, "no such slot")
        metered_unless(now + self.gate_seconds < slot, "gate closed")

    def deposit(self, caller: str, amount: int) -> None:
        """Add money of a member."""
        refuse_unless(not self.paused, "paused")
        index, _ = self.member(caller)
        refuse_unless(0 < amount <= 2**127 - self.free.get(index, 0) - self.locked.get(index, 0), "bad amount")
        self.free[index] = self.free.get(index, 0) + amount

    def withdraw(self, caller: str, amount: int) -> None:
        """Pay out what is free."""
        index, _ = self.member(caller)
        refuse_unless(amount > 0, "bad amount")
        refuse_unless(amount <= self.free.get(index, 0), "balance too low")
        self.free[index] -= amount

    def fund(self, amount: int) -> None:
        """Give the pool money."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(0 < amount <= 2**127, "bad amount")
        self.pool += amount

    def defund(self, caller: str, amount: int) -> None:
        """Take money out of the pool."""
        self.operator(caller)
        refuse_unless(amount > 0, "bad amount")
        refuse_unless(amount <= self.pool, "pool too low")
        self.pool -= amount

    def open_slot(self, caller: str, slot: int, numbers: Sequence[int], now: int) -> None:
        """Open with base, floor, cap, scale, limit."""
        self.operator(caller)
        refuse_unless(not self.paused, "paused")
        self.before_gate(slot, now)
        refuse_unless(slot not in self.slots, "slot opened before")
        try:
            curve = PriceCurve(*numbers)
        except DataError as error:
            reason = "bad prices" if "floor" in str(error) else "bad scale or limit"
            raise ContractRevert(f"balance_market: {reason}") from error
        refuse_unless(self.pool >= curve.cash_needed(), "pool too low")
        self.pool -= curve.cash_needed()
        self.slots[slot] = OpenSlot(curve)

    def opened(self, slot: int) -> OpenSlot:
        """A slot that is open."""
        refuse_unless(slot in self.slots and not self.slots[slot].closed, "slot not open")
        return self.slots[slot]

    def order(self, caller: str, slot: int, least: int, most: int, limit: int, producing: bool, now: int) -> None:
        """Take an order."""
        refuse_unless(not self.paused, "paused")
        index, roles = self.member(caller)
        refuse_unless(roles & ((PRODUCER if producing else CONSUMER) | STORAGE) != 0, "role missing")
        self.before_gate(slot, now)
        there = self.opened(slot)
        held = there.positions.get(index)
        refuse_unless(held is None or held.producing == producing, "other side promised")
        fill = there.curve.order(there.balance, least, most, limit, producing=producing)
        if isinstance(fill, PricingRefusal):
            raise ContractRevert(f"balance_market: {fill.value}")
        old = held or Promise(producing, 0, 0)
        new = Promise(producing, old.energy_wh + fill.energy_wh, old.money_n + fill.money_n)
        more = there.curve.lock(new) - there.curve.lock(old)
        refuse_unless(self.free.get(index, 0) >= more, "balance too low")
        self.free[index] -= more
        self.locked[index] = self.locked.get(index, 0) + more
        there.positions[index], there.balance = new, fill.after

    def cancel(self, caller: str, slot: int, energy: int, now: int) -> None:
        """Undo part of a promise."""
        index, _ = self.member(caller)
        self.before_gate(slot, now)
        held = self.slots[slot].positions.get(index) if slot in self.slots else None
        if held is None:
            raise ContractRevert("balance_market: nothing promised")
        there = self.slots[slot]
        done = there.curve.cancel(there.balance, held, energy)
        if isinstance(done, PricingRefusal):
            raise ContractRevert(f"balance_market: {done.value}")
        freed = there.curve.lock(held) - there.curve.lock(done.rest)
        self.locked[index] -= freed
        self.free[index] += freed - done.cost_n
        there.result += done.cost_n
        there.balance = done.after
        if done.rest.energy_wh:
            there.positions[index] = done.rest
        else:
            del there.positions[index]

    def certify(self, slot: int, readings: Sequence[tuple[int, int, int]], now: int, *, signed: bool) -> None:
        """Take readings, all or none; one that is stated after another of its meter is left out."""
        there = self.slots.get(slot)
        known = {} if there is None else dict(there.readings)
        closes = slot + self.slot_seconds + self.window // 2
        for meter, exported, imported in readings:
            if not signed and meter in known:
                continue
            metered_unless(signed or now < closes, "statements closed")
            _, owner = self.registry.meter_for(meter, slot, slot + self.slot_seconds)
            metered_unless(now >= slot + self.slot_seconds, "slot not over")
            metered_unless(now < slot + self.slot_seconds + self.window, "window over")
            metered_unless(max(exported, imported) < MAX_ENERGY, "bad reading")
            metered_unless(meter not in known or (signed and not known[meter][2]), "reading known")
            refuse_unless(there is not None and owner in there.positions, "nothing promised")
            known[meter] = exported, imported, signed
        if there is not None:
            there.readings = known

    def settle(self, slot: int, members: Sequence[int], now: int) -> None:
        """End positions after the window; whoever has none is left out."""
        metered_unless(slot < LATEST, "no such slot")
        metered_unless(now >= slot + self.slot_seconds + self.window, "window open")
        there = self.opened(slot)
        for index in dict.fromkeys(members):
            held = there.positions.pop(index, None)
            if held is None:
                continue
            outcome = self.outcome(slot, index, held)
            lock = there.curve.lock(held)
            self.locked[index] -= lock
            self.free[index] += lock + outcome
            there.result -= outcome
        if not there.positions:
            there.closed = True
            self.pool += there.curve.cash_needed() + there.result

    def outcome(self, slot: int, index: int, held: Promise) -> int:
        """n¤ to the holder of a position, negative if it pays, by the readings that there are."""
        there, kept = self.slots[slot], self.certified(slot, index, held)
        own = [meter for meter in there.readings if self.registry.meters[meter].owner == index]
        complete = 0 < len(own) >= self.registry.meters_for(index, slot, slot + self.slot_seconds)
        return there.curve.outcome(held, kept, complete=complete)

    def certified(self, slot: int, index: int, held: Promise) -> int:
        """Wh of the position's register that the readings there are show."""
        own = [read for meter, read in self.slots[slot].readings.items() if self.registry.meters[meter].owner == index]
        return sum(exported if held.producing else imported for exported, imported, _ in own)
