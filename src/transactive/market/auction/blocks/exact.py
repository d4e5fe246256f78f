"""The best energies of few blocks, found by branch and bound over who is served; whole numbers, no solver.

A node says of some blocks that they are served, of others that they are not, and between which amounts the plain orders
of each slot give. Its bound is the welfare if all other blocks could be served in any part (`circulation`). It is left
behind where the bound is below the best that was found, or where no prices that its amounts allow suit those that it
serves (`block_prices`). Prices only change where the amount passes from one step of a stack to the next, so that a
node whose blocks are all decided is split there, at the prices that contradict each other, and the parts are finite.

Of equal welfare wins the least imbalance: what would gain at the prices or not lose, and goes without; then whoever has
the smaller number is served. Among equal blocks the earlier is. The node with the greatest bound comes next, of equal
ones the older. There is a limit of nodes and none of time, so that the result is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from transactive.market.auction.blocks.block_prices import Bound, conflict, suiting_prices
from transactive.market.auction.blocks.circulation import Circulation, Range
from transactive.market.auction.blocks.order_kinds import BlockOrder
from transactive.market.auction.blocks.stack import Interval, Stack

MOST_BLOCKS = 20
"""Blocks of a book that is cleared exactly."""
MOST_NODES = 40_000
"""Nodes after which the best so far counts, with the greatest bound that is left: some ten seconds."""

Choices = tuple[bool | None, ...]
"""Of each block: served, not served, or open."""
Given = tuple[Range, ...]
"""Between which amounts the plain orders of each slot give [Wh]."""
Wished = Callable[[Sequence[int]], list[int]]
"""Prices that are preferred while the plain orders give so much in each slot."""


@dataclass(frozen=True, slots=True)
class Found:
    """Energies of the blocks [Wh], prices [µ¤/kWh], welfare and its bound [n¤]: equal, unless the nodes ran out."""

    block_wh: list[int]
    prices: list[int]
    welfare_n: int
    bound_n: int


@dataclass(frozen=True, slots=True)
class Node:
    """Part of all choices. wh: the best energies if open blocks could be served in any part."""

    served: Choices
    given: Given
    wh: list[int]


class BranchAndBound:
    """One search. found: energies and prices to begin with."""

    def __init__(
        self, stacks: Sequence[Stack], blocks: Sequence[BlockOrder], wished: Wished, start: tuple[list[int], list[int]]
    ) -> None:
        self.stacks, self.blocks, self._wished = stacks, blocks, wished
        self._flow = Circulation(stacks, blocks)
        self._best, self._prices = start
        self._rank = self._rank_of(*start)
        self._open: list[tuple[int, int, Node]] = []
        self._nodes = 0

    def run(self) -> Found:
        """Search until no node can be better, or there were too many."""
        nothing = tuple(None for _ in self.blocks)
        wide = sum(block.most_wh for block in self.blocks)
        self._add(nothing, tuple((-wide, wide) for _ in self.stacks), self._best)
        while self._open and self._nodes < MOST_NODES:
            bound, _, node = heappop(self._open)
            if -bound < self._rank[0]:
                self._open.clear()
                break
            for served, given in self._parts(node, self._try(node)):
                self._add(served, given, node.wh)
        welfare = self._rank[0]
        return Found(self._best, self._prices, welfare, max([welfare, *(-bound for bound, _, _ in self._open)]))

    def _add(self, served: Choices, given: Given, near: Sequence[int]) -> None:
        """Keep a node if it may hold something as good as the best."""
        self._nodes += 1
        allowed = [_allowed(stack, part) for stack, part in zip(self.stacks, given, strict=True)]
        if conflict([block for block, part in zip(self.blocks, served, strict=True) if part], allowed):
            return
        parts = [_part(block, part) for block, part in zip(self.blocks, served, strict=True)]
        wh = self._flow.best(near, parts, given)
        if wh is not None and (welfare := self._flow.welfare(wh)) >= self._rank[0]:
            heappush(self._open, (-welfare, self._nodes, Node(served, given, wh)))

    def _try(self, node: Node) -> list[Bound]:
        """Take a node's energies if every block may have them and there are prices; gives what contradicts prices."""
        taken, numbers = self._flow.taken(node.wh), [number for number, wh in enumerate(node.wh) if wh]
        served = [self.blocks[number] for number in numbers]
        intervals = [stack.closed_prices(given) for stack, given in zip(self.stacks, taken, strict=True)]
        against = conflict(served, intervals)
        whole = all(node.wh[number] >= self.blocks[number].least_wh for number in numbers)
        if whole and not against:
            prices = suiting_prices(served, intervals, self._wished(taken))
            if prices is not None and (rank := self._rank_of(node.wh, prices)) > self._rank:
                self._best, self._prices, self._rank = node.wh, prices, rank
        return [bound if bound.block is None else bound._replace(block=numbers[bound.block]) for bound in against]

    def _parts(self, node: Node, against: list[Bound]) -> Iterator[tuple[Choices, Given]]:
        """What a node splits into: a block served or not; else amounts without one of the prices in contradiction."""
        number = self._next(node, against)
        if number is not None:
            for choice in (True, False):
                yield self._with(node.served, number, choice=choice), node.given
            return
        given, taken = list(node.given), self._flow.taken(node.wh)
        for bound in against:
            if bound.slot is None:
                continue
            slot = bound.slot
            (low, high), (first, last) = given[slot], self.stacks[slot].around(taken[slot])
            lower, upper = (low, first - 1), (last + 1, high)
            is_highest = bound.target > bound.origin
            changed = upper if is_highest else lower  # more given allows higher prices, less lower ones
            if changed[0] <= changed[1]:
                yield node.served, (*given[:slot], changed, *given[slot + 1 :])
            given[slot] = (low, last) if is_highest else (first, high)

    def _next(self, node: Node, against: list[Bound]) -> int | None:
        """The block to decide: one with a part it does not take, one in contradiction, the first that is open."""
        undecided = [number for number, served in enumerate(node.served) if served is None]
        for number in undecided:
            if 0 < node.wh[number] < self.blocks[number].least_wh:
                return number
        for bound in against:
            if bound.block in undecided:
                return bound.block
        return undecided[0] if undecided else None

    def _with(self, served: Choices, number: int, *, choice: bool) -> Choices:
        """A block decided, and with it its equals: with one that is served those before it, else those behind it."""
        same = [n for n, block in enumerate(self.blocks) if block == self.blocks[number] and (n < number) == choice]
        return tuple(choice if n == number or n in same else part for n, part in enumerate(served))

    def _rank_of(self, wh: list[int], prices: list[int]) -> tuple[int, int, list[int]]:
        """What is compared: welfare, imbalance, energies by number."""
        taken = self._flow.taken(wh)
        plain = sum(
            stack.without_wh(given, price) for stack, given, price in zip(self.stacks, taken, prices, strict=True)
        )
        blocks = zip(self.blocks, wh, strict=True)
        missing = sum((b.most_wh - energy) * b.slots for b, energy in blocks if b.surplus(prices) >= 0)
        return self._flow.welfare(wh), -plain - missing, wh


def _allowed(stack: Stack, given: Range) -> Interval:
    """Prices that any amount in a range allows."""
    return stack.closed_prices(given[0])[0], stack.closed_prices(given[1])[1]


def _part(block: BlockOrder, served: bool | None) -> Range:
    """Energies that a node leaves to a block."""
    if served is None:
        return 0, block.most_wh
    return (block.least_wh, block.most_wh) if served else (0, 0)
