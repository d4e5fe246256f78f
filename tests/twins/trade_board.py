"""What the trade board contract must do, in plain Python. Energy in Wh, money in units of its currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from transactive.chain.twins.refusals import refusals
from transactive.chain.twins.registry import CONSUMER, PRODUCER, STORAGE, RegistryTwin

PRICE_END = 2**64
ENERGY_END = 2**44
READING_END = 2**56
LATEST = 2**40

refuse_unless = refusals("trade_board")
metered_unless = refusals("metered")


@dataclass(slots=True)
class Listed:
    """A trade or a request; `maker` is the index of who made it, times [Unix s]."""

    maker: int
    slot: int
    expiry: int
    price: int
    remaining: int
    sold: int = 0


class TradeBoardTwin:
    """The board's books. Callers are accounts of the registry, times (`now`) Unix seconds."""

    def __init__(self, registry: RegistryTwin, *, slot_seconds: int, gate_seconds: int, window: int) -> None:
        self.registry = registry
        self.slot_seconds, self.gate_seconds, self.window = slot_seconds, gate_seconds, window
        self.paused = False
        self.prices: dict[int, int] = {}
        self.credits: defaultdict[int, int] = defaultdict(int)
        self.trades: list[Listed] = []
        self.requests: list[Listed] = []
        self.shops: dict[tuple[int, int], int] = {}
        self.bought: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.sold: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.deals: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.settled: set[tuple[int, int]] = set()
        self.readings: dict[tuple[int, int], tuple[int, bool]] = {}

    def holdings(self) -> int:
        """Money that the contract must hold: credits, deals not settled, requests not answered."""
        deals = sum(self.trades[t].price * e for (t, b), e in self.deals.items() if (t, b) not in self.settled)
        return sum(self.credits.values()) + deals + sum(r.price * r.remaining for r in self.requests)

    def balance(self, index: int, slot: int) -> int:
        """Wh bought less sold."""
        return self.bought[slot, index] - self.sold[slot, index]

    def set_energy_price(self, caller: str, price: int) -> None:
        """Set the standing price."""
        index = self._beginner(caller, PRODUCER)
        refuse_unless(0 < price < PRICE_END, "bad price")
        self.prices[index] = price

    def set_energy_available(self, caller: str, slot: int, energy: int, now: int) -> None:
        """Set what is available at the standing price."""
        index = self._beginner(caller, PRODUCER)
        refuse_unless(index in self.prices, "no price set")
        known = self.shops.get((slot, index))
        if known is not None and (self.trades[known].price == self.prices[index] or energy == 0):
            self._before_gate(slot, now)
            refuse_unless(energy + self.trades[known].sold < ENERGY_END, "bad amount")
            self.trades[known].remaining = energy
            return
        self._list(index, slot, energy, self.prices[index], 0, now)
        if known is not None:
            self.trades[known].remaining = 0
        self.shops[slot, index] = len(self.trades) - 1

    def add_available_trade(self, caller: str, slot: int, energy: int, price: int, expiry: int, now: int) -> None:
        """List energy at a price of its own."""
        self._list(self._beginner(caller, PRODUCER), slot, energy, price, expiry, now)

    def cancel_trade(self, caller: str, trade: int) -> None:
        """Take back what was not sold."""
        refuse_unless(trade < len(self.trades), "no such trade")
        self._cancel(caller, self.trades[trade])

    def sell_energy(self, caller: str, request: int, energy: int, now: int) -> None:
        """Sell to a request."""
        index = self._beginner(caller, PRODUCER)
        refuse_unless(request < len(self.requests), "no such request")
        found = self.requests[request]
        self._agree(index, found, energy, now)
        self._room(found.slot, index, found.maker, energy)
        found.remaining -= energy
        self.trades.append(Listed(index, found.slot, found.expiry, found.price, 0, energy))
        self._move(len(self.trades) - 1, index, found.maker, energy)

    def buy_energy(
        self, caller: str, trade: int, energy: int, total: int, now: int, *, right_coin: bool = True
    ) -> None:
        """Buy from a trade; `right_coin`: what was sent along of the chain's coin is what is due."""
        index = self._beginner(caller, CONSUMER)
        refuse_unless(trade < len(self.trades), "no such trade")
        found = self.trades[trade]
        self._agree(index, found, energy, now)
        refuse_unless(total == found.price * energy, "wrong total")
        self._room(found.slot, found.maker, index, energy)
        refuse_unless(right_coin, "wrong coin")
        found.remaining -= energy
        found.sold += energy
        self._move(trade, found.maker, index, energy)

    def request_energy(
        self, caller: str, slot: int, energy: int, price: int, expiry: int, now: int, *, right_coin: bool = True
    ) -> None:
        """Ask for energy, with its money in escrow."""
        index = self._beginner(caller, CONSUMER)
        end = self._checked(slot, energy, price, expiry, now)
        refuse_unless(right_coin, "wrong coin")
        self.requests.append(Listed(index, slot, end, price, energy))

    def cancel_request(self, caller: str, request: int) -> None:
        """End a request; its money becomes a credit."""
        refuse_unless(request < len(self.requests), "no such request")
        found, energy = self.requests[request], self.requests[request].remaining
        self._cancel(caller, found)
        self.credits[found.maker] += found.price * energy

    def certify(self, slot: int, readings: Sequence[tuple[int, int, int]], now: int, *, signed: bool) -> None:
        """Take readings, all or none; one that is stated after another of its meter is left out."""
        known = dict(self.readings)
        closes = slot + self.slot_seconds + self.window // 2
        for meter, exported, imported in readings:
            if not signed and (slot, meter) in known:
                continue
            metered_unless(signed or now < closes, "statements closed")
            _, owner = self.registry.meter_for(meter, slot, slot + self.slot_seconds)
            metered_unless(now >= slot + self.slot_seconds, "slot not over")
            metered_unless(now < slot + self.slot_seconds + self.window, "window over")
            metered_unless(max(exported, imported) < READING_END, "bad reading")
            before = known.get((slot, meter))
            metered_unless(before is None or (signed and not before[1]), "reading known")
            refuse_unless(self.sold[slot, owner] > 0, "nothing sold")
            known[slot, meter] = exported, signed
        self.readings = known

    def settle(self, trade: int, buyers: Sequence[int], now: int) -> None:
        """Pay for what was delivered, return the rest; whoever has nothing to settle is left out."""
        refuse_unless(trade < len(self.trades), "no such trade")
        found = self.trades[trade]
        metered_unless(now >= found.slot + self.slot_seconds + self.window, "window open")
        deals = {(trade, buyer) for buyer in buyers if self.deals.get((trade, buyer), 0)} - self.settled
        if not deals:
            return
        sold = self.sold[found.slot, found.maker]
        certified = min(sold, self._exported(found.slot, found.maker))
        for deal in deals:
            energy = self.deals[deal]
            delivered = energy * certified // sold
            self.credits[found.maker] += found.price * delivered
            self.credits[deal[1]] += found.price * (energy - delivered)
        self.settled |= deals

    def withdraw(self, caller: str, amount: int) -> None:
        """Pay out a credit."""
        index, _ = self._member(caller)
        refuse_unless(0 < amount <= self.credits[index], "credit too low")
        self.credits[index] -= amount

    def _member(self, caller: str) -> tuple[int, int]:
        number, roles = self.registry.standing(caller)
        metered_unless(number > 0, "not a member")
        return number - 1, roles

    def _beginner(self, caller: str, role: int) -> int:
        refuse_unless(not self.paused, "paused")
        index, roles = self._member(caller)
        refuse_unless(roles & (role | STORAGE) != 0, "role missing")
        return index

    def _before_gate(self, slot: int, now: int) -> None:
        metered_unless(slot % self.slot_seconds == 0 and slot < LATEST, "no such slot")
        metered_unless(now + self.gate_seconds < slot, "gate closed")

    def _checked(self, slot: int, energy: int, price: int, expiry: int, now: int) -> int:
        self._before_gate(slot, now)
        refuse_unless(0 < energy < ENERGY_END, "bad amount")
        refuse_unless(0 < price < PRICE_END, "bad price")
        refuse_unless(expiry == 0 or now < expiry <= slot - self.gate_seconds, "bad expiry")
        return expiry or slot - self.gate_seconds

    def _list(self, index: int, slot: int, energy: int, price: int, expiry: int, now: int) -> None:
        end = self._checked(slot, energy, price, expiry, now)
        self.trades.append(Listed(index, slot, end, price, energy))

    def _cancel(self, caller: str, found: Listed) -> None:
        refuse_unless(self._member(caller)[0] == found.maker, "not yours")
        refuse_unless(found.remaining > 0, "nothing left")
        found.remaining = 0

    def _agree(self, index: int, found: Listed, energy: int, now: int) -> None:
        refuse_unless(now < found.expiry, "expired")
        refuse_unless(index != found.maker, "own trade")
        refuse_unless(0 < energy <= found.remaining, "bad amount")

    def _room(self, slot: int, seller: int, buyer: int, energy: int) -> None:
        full = max(self.sold[slot, seller], self.bought[slot, buyer]) + energy >= ENERGY_END
        refuse_unless(not full, "account full")

    def _move(self, trade: int, seller: int, buyer: int, energy: int) -> None:
        slot = self.trades[trade].slot
        self.sold[slot, seller] += energy
        self.bought[slot, buyer] += energy
        self.deals[trade, buyer] += energy

    def _exported(self, slot: int, owner: int) -> int:
        """Wh that the owner's meters were read to have given."""
        return sum(
            exported
            for (when, meter), (exported, _) in self.readings.items()
            if when == slot and self.registry.meters[meter].owner == owner
        )
