"""The trade board: sellers list, buyers take parts of a trade, and whoever likes settles all of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.fuzz.adversary.markets.delivery import Promise
from tests.fuzz.adversary.markets.stage import MarketStage
from tests.fuzz.bound import Bound, Person

BUYERS = (2, 3)


class BoardStage(MarketStage):
    """The trade board."""

    contract = "roles_of_trade_board"
    kind = "trade_board"

    def open_for_business(self) -> None:
        self.wallets = {}
        self.earned: dict[int, int] = {}

    @property
    def trades(self) -> int:
        return int(self.c.read("getNumAvailableTrades"))

    def trade(self, slot: int) -> None:
        for seller in (1, 5):
            self.due(self.soon(), partial(self.offer, slot, seller))

    def offer(self, slot: int, seller: int) -> None:
        """List a trade, of which two buyers take a part each."""
        rng, number = self.rng, self.trades
        price, part = rng.choice([150, 200]), rng.choice([50, 150])
        if self.call(self.members[seller], self.c, "addAvailableTrade", slot, 2 * part, price, 0) is None:
            for buyer in rng.sample(BUYERS, 2):
                bought = self.call(self.members[buyer], self.c, "buyEnergy", number, part, part * price)
                if bought is None:
                    deal = Promise(slot, seller, part, part * price, consuming=False, number=number, buyer=buyer)
                    self.deliveries.promises.append(deal)

    def settled_together(self, kept: list[Promise]) -> list[list[Promise]]:
        numbers = dict.fromkeys(promise.number for promise in kept)
        return [[promise for promise in kept if promise.number == number] for number in numbers]

    def settle(self, group: list[Promise]) -> None:
        rule = "a delivery is settled after its window, whoever was settled before"
        seller, buyers = self.members[group[0].member], [promise.buyer for promise in group]
        self.must(seller, self.c, "settle", group[0].number, buyers, rule=rule)

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        super().happened(who, on, function, arguments)
        if on is self.c and function == "settle":
            number, buyers = arguments
            mine = [one for one in self.deliveries.promises if one.number == number and one.buyer in buyers]
            if mine:
                self.fair(mine)
        if on is self.c and function == "withdraw":
            for i in range(len(self.members)):
                self.earned[i] = int(self.c.read("credits", i))

    def fair(self, mine: list[Promise]) -> None:
        """A seller that delivered has its price, to the unit."""
        seller, wanted = mine[0].member, sum(one.money for one in mine if not one.is_over)
        for promise in mine:
            promise.is_over = True  # who is settled is left out from now on
        credit = int(self.c.read("credits", seller))
        gained = credit - self.earned.get(seller, 0)
        self.earned[seller] = credit
        rule = "an honest delivery brings its price"
        right = gained == wanted or not self.deliveries.meters_are_true
        self.hold(right, f"{rule}: member {seller}, {gained} for {wanted}")

    def solvent(self) -> None:
        owed = sum(int(self.c.read("credits", i)) for i in range(int(self.registry.read("memberCount"))))
        held = int(self.token.read("balanceOf", self.c.address))
        self.hold(held >= owed, f"tokens cover all claims: {held} held, {owed} claimed")

    def leave(self) -> None:
        """Everybody honest takes out its credit."""
        for i, member in enumerate(self.members):
            credit = int(self.c.read("credits", i))
            if credit and self.is_honest(i):
                self.must(member, self.c, "withdraw", credit, rule="a credit leaves at once")
