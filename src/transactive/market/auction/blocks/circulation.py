"""The best energies of blocks that may be served in any part: a convex circulation, solved in whole numbers.

Put the ends of the slots on a line. A block is an arc between the ends of its window, a slot is the way back along the
line, at the price of its plain orders, which rises with what they give. Energies that balance in every slot are a
circulation, and the welfare is greatest when no cycle of the residual graph has a negative cost (Ahuja, Magnanti, Orlin
1993, Network Flows, theorems 9.1 and 14.1). Amounts are whole because all steps of the stacks are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactive.market.auction.blocks.order_kinds import BlockOrder
from transactive.market.auction.blocks.stack import Stack

Range = tuple[int, int]
"""Least and most [Wh]."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A way to change the circulation. number: of the slot or block; more: whether its energy rises."""

    origin: int
    target: int
    is_block: bool
    number: int
    more: bool


class Circulation:
    """Energies of blocks [Wh], and what plain orders give [Wh], within ranges for each."""

    def __init__(self, stacks: Sequence[Stack], blocks: Sequence[BlockOrder]) -> None:
        self.stacks, self.blocks = stacks, blocks
        slots = range(len(stacks))
        self._arcs = [Arc(slot, slot + 1, is_block=False, number=slot, more=True) for slot in slots]
        self._arcs += [Arc(slot + 1, slot, is_block=False, number=slot, more=False) for slot in reversed(slots)]
        for number, block in enumerate(blocks):
            ends = (block.window.start, block.window.stop)
            for more in (True, False):  # a buy takes what the plain orders give more: its arc leads back
                origin, target = ends if block.is_buy != more else ends[::-1]
                self._arcs.append(Arc(origin, target, is_block=True, number=number, more=more))

    def best(self, energies: Sequence[int], parts: Sequence[Range], given: Sequence[Range]) -> list[int] | None:
        """Energies of greatest welfare within their ranges, from where to begin; None if no slot range allows any.

        parts: range of each block; given: range of what the plain orders of each slot give.
        """
        wh = [min(max(energy, low), high) for energy, (low, high) in zip(energies, parts, strict=True)]
        taken = self.taken(wh)
        while (cycle := self._negative_cycle(wh, taken, parts, given)) is not None:
            for arc, more in cycle:
                if arc.is_block:
                    wh[arc.number] += more
                else:
                    taken[arc.number] += more
        inside = all(low <= at <= high for at, (low, high) in zip(taken, given, strict=True))
        return wh if inside else None

    def taken(self, wh: Sequence[int]) -> list[int]:
        """Wh that the plain orders of each slot give."""
        taken = [0] * len(self.stacks)
        for block, energy in zip(self.blocks, wh, strict=True):
            for slot in block.window:
                taken[slot] += energy if block.is_buy else -energy
        return taken

    def welfare(self, wh: Sequence[int]) -> int:
        """Value to all buyers less cost to all sellers [n¤]."""
        worth = sum(stack.worth(given) for stack, given in zip(self.stacks, self.taken(wh), strict=True))
        values = zip(self.blocks, wh, strict=True)
        return worth + sum(b.price * b.slots * (energy if b.is_buy else -energy) for b, energy in values)

    def _negative_cycle(
        self, wh: list[int], taken: list[int], parts: Sequence[Range], given: Sequence[Range]
    ) -> list[tuple[Arc, int]] | None:
        """Arcs of a cycle that gains, with the change of each energy; None where the welfare is greatest."""
        open_arcs: list[tuple[Arc, int, int]] = []
        for arc in self._arcs:
            if arc.is_block:
                cost, room = self._block_side(arc, wh[arc.number], parts[arc.number])
            else:
                cost, room = self._slot_side(arc, taken[arc.number], given[arc.number])
            if room:
                open_arcs.append((arc, cost, room))
        distance = [0] * (len(self.stacks) + 1)
        into: list[tuple[Arc, int, int] | None] = [None] * len(distance)
        last = None
        for _ in range(len(distance) + 1):
            last = None
            for entry in open_arcs:
                arc, cost, _room = entry
                if distance[arc.origin] + cost < distance[arc.target]:
                    distance[arc.target], into[arc.target], last = distance[arc.origin] + cost, entry, arc.target
            if last is None:
                return None
            cycle = _cycle_at(last, into)
            if cycle is not None:
                step = min(room for _, _, room in cycle)
                return [(arc, step if arc.more else -step) for arc, _, _ in cycle]
        return None

    def _block_side(self, arc: Arc, wh: int, part: Range) -> tuple[int, int]:
        """Cost of a Wh more or less of a block [n¤], and for how many it holds."""
        block = self.blocks[arc.number]
        value = block.price * block.slots * (1 if block.is_buy else -1)
        return (-value, part[1] - wh) if arc.more else (value, wh - part[0])

    def _slot_side(self, arc: Arc, at: int, within: Range) -> tuple[int, int]:
        """Cost of a Wh that the plain orders give more or less [n¤], and for how many it holds."""
        stack, (low, high) = self.stacks[arc.number], within
        if arc.more:
            price, holds = stack.above(at)
            if at < low:
                return -stack.beyond, low - at
            return price, max(high - at, 0) if holds is None else min(max(high - at, 0), holds)
        price, holds = stack.below(at)
        if at > high:
            return -stack.beyond, at - high
        return -price, max(at - low, 0) if holds is None else min(max(at - low, 0), holds)


def _cycle_at(node: int, into: list[tuple[Arc, int, int] | None]) -> list[tuple[Arc, int, int]] | None:
    """The cycle that the ways to a node come from, if there is one."""
    seen: dict[int, int] = {}
    way: list[tuple[Arc, int, int]] = []
    while node not in seen:
        seen[node] = len(way)
        entry = into[node]
        if entry is None:
            return None
        way.append(entry)
        node = entry[0].origin
    return way[seen[node] :]
