"""Price and partners of a round: what each node works out for itself from the quotes that it has.

The price is one at which all curves together balance; where several do, the middle one, rounded down to a tick. A key
whose curve is content with a range of positions at that price keeps its own, unless others need it to give way: what
is left over is shared among those who can, pro rata. Who moves up buys, who moves down sells. Buyers and sellers stand
in the order of a hash of round and key, which nobody chooses, and meet end to end; so nodes with the same quotes come
to the same pairs, and each round brings others together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signed_orders import Step
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray, share


@dataclass(frozen=True, slots=True)
class QuotedKey:
    """One key in a round: where it stands [Wh], and its curve within its allowance: top [Wh] and steps."""

    seat: int
    key: str
    position: int
    top: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Pair:
    """Who shall buy how much from whom, by seats."""

    buyer: int
    seller: int
    energy_wh: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Price [µ¤/kWh] and pairs of a round."""

    price: int
    pairs: tuple[Pair, ...]


def plan(standings: Sequence[QuotedKey], round_: int, grid: PriceGrid) -> Plan:
    """Plan a round for the keys whose quotes are known, in any order; the same for the same keys."""
    standings = sorted(standings, key=lambda each: each.key)
    price, wh, owner = (
        np.array(column, np.int64)
        for column in (
            [step[0] for each in standings for step in each.steps],
            [step[1] for each in standings for step in each.steps],
            [place for place, each in enumerate(standings) for _ in each.steps],
        )
    )
    top = np.array([each.top for each in standings], np.int64)
    held = np.array([each.position for each in standings], np.int64)
    found = _price(price, wh, int((top - held).sum()), grid)
    least, most = top.copy(), top.copy()
    above, reached = price > found, price >= found
    np.add.at(least, owner[above], wh[above])
    np.add.at(most, owner[reached], wh[reached])
    moves = _moves(held, least, most)
    return Plan(found, _pairs(standings, moves, round_))


def _price(price: IntArray, wh: IntArray, rest: int, grid: PriceGrid) -> int:
    """Price at which what is wanted, `rest` [Wh] and the steps down to it, balances; the middle one of several."""
    order = np.argsort(-price, kind="stable")
    prices, wanted = price[order], rest + np.cumsum(wh[order])
    enough, needed = np.flatnonzero(wanted >= 0), np.flatnonzero(wanted > 0)
    highest = grid.cap if rest >= 0 else int(prices[enough[0]]) if len(enough) else grid.floor
    lowest = grid.cap if rest > 0 else int(prices[needed[0]]) if len(needed) else grid.floor
    middle = (highest + min(lowest, highest)) // 2
    return grid.floor + (middle - grid.floor) // grid.tick * grid.tick


def _moves(held: IntArray, least: IntArray, most: IntArray) -> list[int]:
    """By how much each position moves [Wh], above zero for who buys; they sum to zero if they can."""
    moves = np.clip(held, least, most) - held
    over = int(moves.sum())
    slack = held + moves - least if over > 0 else most - held - moves
    room = slack.tolist()
    given = share(min(abs(over), sum(room)), room) if over and sum(room) else [0] * len(room)
    return [move - (part if over > 0 else -part) for move, part in zip(moves.tolist(), given, strict=True)]


def _pairs(standings: Sequence[QuotedKey], moves: Sequence[int], round_: int) -> tuple[Pair, ...]:
    """Buyers and sellers end to end, each side in the order of its hashes; what one side lacks stays out."""
    ranks = [keccak(word(round_) + signing.address_word(each.key)) for each in standings]
    order = sorted(range(len(standings)), key=ranks.__getitem__)
    sellers = [[standings[k].seat, -moves[k]] for k in order if moves[k] < 0]
    pairs, at = [], 0
    for k in order:
        wanted = moves[k]
        while wanted > 0 and at < len(sellers):
            seat, left = sellers[at]
            part = min(wanted, left)
            pairs.append(Pair(standings[k].seat, seat, part))
            wanted, sellers[at][1] = wanted - part, left - part
            at += part == left
    return tuple(pairs)
