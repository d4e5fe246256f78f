"""Nodes of a small slot for tests of direct trading: members that have solar and members that need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import numpy as np

from tests.strategies import orders_table
from transactive.core.proofs import signing
from transactive.core.proofs.deals.allowances import slot_key
from transactive.core.proofs.signed_orders import NAME, Step
from transactive.core.tariff import PriceGrid
from transactive.market.auction import uniform
from transactive.market.result import welfare as market_welfare
from transactive.trading.direct.board import signer_of
from transactive.trading.direct.demand import value_n
from transactive.trading.direct.gathering import MemberWish, nodes_of, roll_of
from transactive.trading.direct.mesh import Conditions, Mesh
from transactive.trading.direct.negotiator import Letter, Negotiator
from transactive.trading.direct.terms import SlotTerms

Say = Callable[[Negotiator], list[Letter]]
SLOT = 472_000
GRID = PriceGrid(80_000, 250_000, 100)
DOMAIN = signing.domain(NAME, 31_337, "0x" + "5e" * 20)
OPERATOR = "0x" + "0f" * 20


def secret(member: int) -> bytes:
    return sha256(b"member %d" % member).digest()


def wish(
    member: int, buys: Sequence[Step] = (), sells: Sequence[Step] = (), bounds: tuple[int, int] | None = None
) -> MemberWish:
    total = sum(wh for _, wh in (*buys, *sells))
    return MemberWish(member, secret(member), buys, sells, *(bounds or (total, total)))


def wishes(count: int, seed: int) -> list[MemberWish]:
    """Half of them sell from some price up, half buy up to some price, three steps each."""
    random = np.random.default_rng(seed)
    made = []
    for member in range(count):
        prices = GRID.floor + GRID.tick * random.integers(0, GRID.size, 3)
        steps = [(int(price), int(wh)) for price, wh in zip(prices, random.integers(1, 2_000, 3), strict=True)]
        made.append(wish(member, sells=steps) if member % 2 else wish(member, buys=steps))
    return made


def draws(count: int, seed: int) -> list[Callable[[int], list[int]]]:
    def draw(random: np.random.Generator) -> Callable[[int], list[int]]:
        return lambda many: random.permutation(many).tolist()

    return [draw(random) for random in np.random.default_rng(seed).spawn(count)]


@dataclass
class Street:
    """Nodes with their contacts and keys; silent ones among them only in a mesh."""

    nodes: list[Negotiator]
    contacts: list[bytes]
    keys: list[bytes]
    wishes: list[MemberWish]

    @classmethod
    def of(cls, made: list[MemberWish], seed: int = 0, sealed_below: int = 0, slack_ticks: int = 0) -> Street:
        terms = SlotTerms(roll_of(SLOT, made), DOMAIN, OPERATOR, GRID, sealed_below, slack_ticks)
        nodes, contacts = nodes_of(made, terms, draws(len(made), seed), lru_cache(maxsize=None)(signer_of))
        return cls(nodes, contacts, [slot_key(each.secret, SLOT) for each in made], made)

    @property
    def terms(self) -> SlotTerms:
        return self.nodes[0].terms

    def mesh(self, conditions: Conditions, seed: int = 0, silent: Sequence[int] = ()) -> Mesh:
        return Mesh(self.nodes, self.contacts, conditions, np.random.default_rng(seed), silent)

    def begin(self, round_: int = 0) -> None:
        """Begin a round, with all quotes and curves known to all at once."""
        for node in self.nodes:
            node.begin(round_)
        self.share()

    def share(self) -> None:
        for node in self.nodes:
            for place, other in enumerate(self.nodes):
                for data in node.board.lacking(other.board.known(), lambda many: list(range(many))):
                    self.nodes[place].hear(data, b"")

    def pass_on(self, say: Say, drop: Callable[[bytes], bool] = lambda _: False) -> None:
        """Let all say something, and pass letters on until nobody answers; drop: whether a datagram is lost."""
        queue = [(place, *letter) for place, node in enumerate(self.nodes) for letter in say(node)]
        while queue:
            sender, contact, data = queue.pop(0)
            if not drop(data):
                place = self.contacts.index(contact)
                queue += [(place, *letter) for letter in self.nodes[place].hear(data, self.contacts[sender])]

    def money_n(self) -> int:
        """Paid − received of all deals that nodes know, as each knows them [n¤]."""
        paid = sum(each.energy_wh * each.bid.price for node in self.nodes for each in node.purse.own.values())
        got = sum(each.energy_wh * each.bid.price for node in self.nodes for each in node.purse.awards.values())
        return paid - got

    def check(self) -> None:
        """What must hold whatever happens: sold = bought, nobody beyond its curve or its allowance."""
        positions = [0] * len(self.nodes)
        for deal in {deal.hash: deal for node in self.nodes for deal in node.deals}.values():
            deal.check(DOMAIN)
            seats = self.terms.roll.seats
            positions[seats[deal.bid.buyer]] += deal.energy_wh
            positions[seats[deal.bid.seller]] -= deal.energy_wh
        assert sum(positions) == 0
        for node in self.nodes:
            levels = [node.curve.top, *np.add(node.curve.top, np.cumsum(node.curve.energies)).tolist(), 0]
            assert min(levels) <= positions[node.seat] <= max(levels)
            allowed = node.purse.allowance
            bought = [each.energy_wh for each in node.purse.own.values()]
            sold = [each.energy_wh for each in node.purse.awards.values()]
            assert sum(bought) <= allowed.most_bought_wh
            assert sum(sold) <= allowed.most_sold_wh
            paid_n = sum(deal.amount_n if deal.bid.buyer == node.curve.key else -deal.amount_n for deal in node.deals)
            knows_all = all(each.award or not each.energy_wh for each in node.purse.own.values())
            if knows_all and sum(bought) - sum(sold) == positions[node.seat]:
                assert value_n(node.curve, positions[node.seat], GRID.cap, GRID.floor) >= paid_n


def welfare(street: Street, positions: Sequence[int]) -> int:
    """What positions by seat are worth to all [n¤]."""
    return sum(value_n(node.curve, positions[node.seat], GRID.cap, GRID.floor) for node in street.nodes)


def best_welfare(street: Street, without: Sequence[int] = ()) -> int:
    """Welfare of the uniform auction on the same orders [n¤], without some seats."""
    rows = [
        (place, is_buy, price, wh)
        for place, (node, each) in enumerate(zip(street.nodes, street.wishes, strict=True))
        if node.seat not in without
        for is_buy, side in ((True, each.buys), (False, each.sells))
        for price, wh in side
    ]
    member, side, price, energy = (list(column) for column in zip(*rows, strict=True))
    orders = orders_table(member, side, price, energy, SLOT)
    given = uniform.clear(orders, GRID, len(street.nodes)).allocated_wh
    return market_welfare(orders, given.tolist())
