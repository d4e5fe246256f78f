"""The balance market: a promise moves the price of those that come later, whether or not it is kept."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.fuzz.adversary.markets.delivery import Promise
from tests.fuzz.adversary.markets.stage import BASE, CAP, CROOK, FLOOR, LIMIT, SCALE, MarketStage
from tests.fuzz.adversary.terms import UNLIMITED
from tests.fuzz.bound import Bound, Person
from transactive.market.balance.pricing import PriceCurve

CURVE = PriceCurve(BASE, FLOOR, CAP, SCALE, LIMIT)
DEPOSITED = 10**8
Position = tuple[int, int, int, int, bool]
"""Wh, n¤, Wh certified, meters read, whether it consumes."""


def harm(position: Position, surplus: int) -> int:
    """n¤ that all others together get less, or pay more, because of a position that is not kept.

    The cost of an imbalance depends on it alone. So they lose what the position was priced at above what the same
    energy would be priced at if it came last; when it consumes, the reverse. surplus: of the slot, with it [Wh].
    """
    energy, money, _, _, consuming = position
    if consuming:
        return CURVE.payment(surplus, surplus + energy) - money
    return money - CURVE.payment(surplus - energy, surplus)


class BalanceStage(MarketStage):
    """The balance market."""

    contract = "roles_of_balance_market"
    kind = "balance_market"

    def open_for_business(self) -> None:
        self.wallets = {}
        self.totals: dict[int, int] = {}
        self.held: dict[int, Position] = {}
        """What a dishonest member promises, by slot."""
        self.surplus: dict[int, int] = {}
        self.c.do(self.operator.address, "fund", DEPOSITED)
        for i, member in enumerate(self.members):
            self.c.do(member.address, "deposit", DEPOSITED)
            self.totals[i] = DEPOSITED

    def trade(self, slot: int) -> None:
        rng = self.rng
        if self.honest("operator") or rng.random() < 0.9:
            self.call(self.operator, self.c, "openSlot", slot, BASE, FLOOR, CAP, SCALE, LIMIT)
        for i, functions in ((1, ["produce"]), (2, ["consume"]), (3, ["consume"]), (5, ["produce", "consume"])):
            if rng.random() < 0.5:
                self.due(self.soon(), partial(self.order, slot, i, rng.choice(functions)))

    def order(self, slot: int, index: int, function: str) -> None:
        """An honest member promises what it will keep, at any price."""
        energy, consuming = self.rng.choice([100, 500]), function == "consume"
        limit = UNLIMITED if consuming else 0
        if self.call(self.members[index], self.c, function, slot, energy, energy, limit) is None:
            money = int(self.c.read("getPosition", slot, index)[1])
            self.deliveries.promises.append(Promise(slot, index, energy, money, consuming))

    def settled_together(self, kept: list[Promise]) -> list[list[Promise]]:
        return [kept]

    def settle(self, group: list[Promise]) -> None:
        rule = "a promise that was kept is settled at its price, whoever was settled before"
        slot, mine = group[0].slot, [promise.member for promise in group]
        self.must(
            self.members[mine[0]], self.c, "settle", slot, [CROOK, *mine] if slot in self.held else mine, rule=rule
        )

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        super().happened(who, on, function, arguments)
        if on is not self.c:
            return
        if function == "settle":
            for index in arguments[1]:
                self.fair(arguments[0], index)
        self.follow(function, arguments)

    def fair(self, slot: int, index: int) -> None:
        """The account of a member that kept its promise changes by the price, to the unit."""
        mine = [one for one in self.deliveries.promises if (one.slot, one.member) == (slot, index)]
        if not mine or not self.is_honest(index):
            return
        promise = mine[0]
        settled_before, promise.is_over = promise.is_over, True
        free, locked = self.c.read("getAccount", index)
        change = free + locked - self.totals[index]
        self.totals[index] = free + locked
        wanted = -promise.money if promise.consuming else promise.money
        wanted = 0 if settled_before else wanted  # it is left out
        rule = "an honest delivery brings its price"
        right = change == wanted or not self.deliveries.meters_are_true
        self.hold(right, f"{rule}: member {index}, {change} for {wanted}")

    def follow(self, function: str, arguments: tuple[Any, ...]) -> None:
        """Keep what a dishonest member has and has promised, and what a slot's promises come to."""
        before, self.totals[CROOK] = self.totals[CROOK], sum(self.c.read("getAccount", CROOK))
        if function not in ("produce", "consume", "cancel", "certify", "certifyBatch", "settle"):
            return
        slot = arguments[0]
        now: Position = self.c.read("getPosition", slot, CROOK)
        known = self.held.get(slot, now)
        if function == "cancel" or (function == "settle" and not known[2]):
            self.pays_for_itself(slot, known, now, before - self.totals[CROOK])
        self.held[slot] = now
        if function in ("produce", "consume", "cancel"):
            produced, consumed, _ = self.c.read("getBook", slot)
            self.surplus[slot] = produced - consumed

    def pays_for_itself(self, slot: int, before: Position, after: Position, paid: int) -> None:
        """What a promise that is taken back or not kept costs its maker; prices are rounded, so within one n¤."""
        energy, money = before[0] - after[0], before[1] - after[1]
        if energy > 0:
            lost = harm((energy, money, 0, 0, before[4]), self.surplus[slot])
            rule = "a promise that is not kept costs its maker what it costs the others"
            self.hold(paid + 1 >= lost, f"{rule}: {paid} of {lost} in slot {slot}")

    def solvent(self) -> None:
        owed = sum(sum(self.c.read("getAccount", i)) for i in range(int(self.registry.read("memberCount"))))
        held = int(self.token.read("balanceOf", self.c.address))
        self.hold(held >= owed, f"tokens cover all claims: {held} held, {owed} claimed")

    def leave(self) -> None:
        """Everybody honest takes out what is free."""
        for i, member in enumerate(self.members):
            free = int(self.c.read("getAccount", i)[0])
            if free and self.is_honest(i):
                self.must(member, self.c, "withdraw", free, rule="what is free leaves at once")
