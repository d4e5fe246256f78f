"""The mechanism `direct`: members' nodes negotiate each slot on a simulated network, and their deals are its trades.

Nodes are those of `trading.direct`, each with a key of its own for the slot; what one of them signs is checked once for
all, as they share a process. The network's chance depends on the seed and the slot alone, so the same orders give the
same deals wherever they are made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from transactive.core.community.limits import Limits
from transactive.core.community.rules import DirectRules
from transactive.core.proofs import signing
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signed_orders import NAME
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction.uniform import check_orders, tick_indices
from transactive.market.deals import Deals, Negotiated, Traffic
from transactive.market.registry import ByDeal
from transactive.trading.direct.board import signer_of
from transactive.trading.direct.gathering import nodes_of, roll_of, wishes_of
from transactive.trading.direct.mesh import Conditions, Mesh, Rounds
from transactive.trading.direct.terms import SlotTerms

SECRET = b"TransActive replay of direct trading"
DOMAIN = signing.domain(NAME, 0)
NOBODY = "0x" + "00" * 20
"""Operator of a slot whose roll nobody has to check."""


def direct(rules: DirectRules) -> ByDeal:
    """The mechanism under a community's rules."""

    def clear(orders: Orders, grid: PriceGrid, members: int, limits: Limits) -> Negotiated:
        check_orders(orders, members)
        tick_indices(orders.price, grid)
        return negotiate(orders, grid, rules, limits)

    return ByDeal(clear, direct, rules.rest)


def negotiate(orders: Orders, grid: PriceGrid, rules: DirectRules, limits: Limits) -> Negotiated:
    """Let the members of a slot's orders negotiate it; deals in the order in which rounds made them.

    limits: of all members, which hold for what undoes a deal as well.
    """
    last = int(orders.member.max(initial=-1))
    secrets = [keccak(SECRET + word(rules.seed) + word(member)) for member in range(last + 1)]
    wishes = wishes_of(orders, secrets, limits)
    terms = SlotTerms(roll_of(orders.slot, wishes), DOMAIN, NOBODY, grid, rules.sealed_below)
    chance = np.random.default_rng((rules.seed, orders.slot))
    nodes, contacts = nodes_of(wishes, terms, [_drawing(own) for own in chance.spawn(len(wishes))], _once())
    mesh = Mesh(nodes, contacts, Conditions(rules.loss_ppm, rules.most_delay_ticks, rules.cut_rounds), chance)
    made = mesh.run(Rounds(rules.rounds))
    reached = mesh.reports[-1].reached if mesh.reports else len(nodes)
    traffic = Traffic(len(mesh.reports), len(nodes), reached, mesh.sent, mesh.sent_bytes)
    member_of = {wish.key(terms.slot): wish.member for wish in wishes}
    return Negotiated(_table(orders.slot, made, member_of), traffic)


def _table(slot: int, made: list[SignedDeal], member_of: dict[str, int]) -> Deals:
    """Signed deals as columns."""
    rows = [(member_of[deal.bid.buyer], member_of[deal.bid.seller], deal.energy_wh, deal.bid.price) for deal in made]
    return Deals(slot, *(np.array([row[k] for row in rows], np.int64) for k in range(4)))


def _drawing(chance: np.random.Generator) -> Callable[[int], list[int]]:
    """A node's chance."""
    return lambda count: chance.permutation(count).tolist()


def _once() -> Callable[[bytes, bytes], str]:
    """A check of signatures that remembers what it found, for nodes that all hear the same."""
    return lru_cache(maxsize=None)(signer_of)


MECHANISM = direct(DirectRules())
