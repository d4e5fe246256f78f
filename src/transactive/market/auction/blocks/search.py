"""Which blocks and storages to serve: a search upwards in welfare, then in volume, from the plain orders' optimum.

Whatever blocks and storages take or give is for the plain orders to balance (`stack`), so a state is one number a block
and one schedule a storage, and its welfare is exact. Each step gives one order what is best for the welfare while all
others stay; that is a search along a concave function. Where no step helps, one block is forced in or out, the others
answer, and the whole is kept if it is better: a buy and a sell block may need each other.
"""

from __future__ import annotations

from collections.abc import Iterable

from transactive.market.auction.blocks.order_kinds import BlockOrder, KindBook
from transactive.market.auction.blocks.stack import Stack
from transactive.market.auction.blocks.storage_schedule import AtStack, improve, taken_wh, tidy, without_rest

MOST_ROUNDS = 50
"""Rounds in which every order may answer the others."""
MOST_ANSWERS = 20_000
"""Answers while blocks are forced: what bounds the time of a large book."""

State = tuple[int, int, list[int], list[list[int]]]
"""Welfare [n¤], Wh of all blocks, Wh of each block, charged Wh of each storage in its slots."""


class Search:
    """A state of the search. block_wh: of each block, in each of its slots; change: of each storage's charge."""

    def __init__(self, book: KindBook) -> None:
        self.book = book
        self.stacks = [Stack(orders, _beyond(book)) for orders in book.plain]
        self.taken = [0] * len(book.plain)
        self.block_wh = [0] * len(book.blocks)
        self.change = [[0] * storage.slots for storage in book.storages]
        self.welfare_n = sum(stack.worth(0) for stack in self.stacks)
        self.volume = 0
        self.barred_blocks: set[int] = set()
        self.barred_storages: set[int] = set()
        self._answers = 0

    def climb(self) -> None:
        """Let every order answer the others until none changes anything."""
        for _ in range(MOST_ROUNDS):
            before = self.welfare_n, self.volume
            self._answer(range(len(self.block_wh)))
            for number in range(len(self.change)):
                self.answer_storage(number)
            if (self.welfare_n, self.volume) == before:
                return

    def force(self) -> None:
        """Force each block in or out in turn, let the others answer, and keep what is better."""
        better = True
        while better and self._answers < MOST_ANSWERS:
            better = False
            for number, block in enumerate(self.book.blocks):
                if number in self.barred_blocks or self._answers >= MOST_ANSWERS:
                    continue
                before = self.state()
                self.put(number, 0 if self.block_wh[number] else block.least_wh)
                self._answer(n for n in self._beside(block) if n != number)
                self._answer((number,))
                self.climb()
                if (self.welfare_n, self.volume) > before[:2]:
                    better = True
                else:
                    self.go_back(before)

    def state(self) -> State:
        """What `go_back` needs."""
        return self.welfare_n, self.volume, list(self.block_wh), [list(change) for change in self.change]

    def go_back(self, state: State) -> None:
        """Take up an earlier state."""
        for number, energy in enumerate(state[2]):
            self.put(number, energy)
        for number, change in enumerate(state[3]):
            self.put_storage(number, change)

    # -- one order ------------------------------------------------------------------------------

    def put(self, number: int, energy: int) -> None:
        """Give a block so many Wh in each of its slots."""
        more = energy - self.block_wh[number]
        if more:
            self.welfare_n += self._gain(self.book.blocks[number], more)
            self.volume += more
            self.block_wh[number] = energy
            signed = more if self.book.blocks[number].is_buy else -more
            for slot in self.book.blocks[number].window:
                self.taken[slot] += signed

    def put_storage(self, number: int, change: list[int]) -> None:
        """Give a storage a schedule."""
        storage, before = self.book.storages[number], self.change[number]
        for slot, old, new in zip(storage.window, before, change, strict=True):
            if old != new:
                now, then = taken_wh(storage, new), taken_wh(storage, old)
                stack, taken = self.stacks[slot], self.taken[slot]
                self.welfare_n += stack.worth(taken + now - then) - stack.worth(taken)
                self.welfare_n -= storage.spread * (max(-now, 0) - max(-then, 0))
                self.taken[slot] += now - then
        self.change[number] = list(change)

    def answer_storage(self, number: int) -> None:
        """Give a storage its best schedule while all others stay."""
        if number in self.barred_storages:
            return
        storage, before = self.book.storages[number], self.change[number]
        sides = [
            AtStack(storage, self.stacks[slot], self.taken[slot] - taken_wh(storage, u))
            for slot, u in zip(storage.window, before, strict=True)
        ]
        found = tidy(storage, improve(storage, before, sides))
        best, welfare = before, self.welfare_n
        for change in (found, without_rest(found)):
            self.put_storage(number, change)
            if self.welfare_n > welfare:
                best, welfare = change, self.welfare_n
        self.put_storage(number, best)

    def _answer(self, numbers: Iterable[int]) -> None:
        """Give each of these blocks, in turn, what is best while all others stay."""
        for number in numbers:
            if number not in self.barred_blocks:
                self._answers += 1
                self.put(number, self._best(number))

    def _best(self, number: int) -> int:
        """Wh of a block with the greatest welfare, then volume, while all others stay."""
        block, now = self.book.blocks[number], self.block_wh[number]
        low, high = block.least_wh, block.most_wh
        while low < high:  # the welfare is concave: go on while one Wh more does not cost any
            middle = (low + high) // 2
            if self._gain(block, middle + 1 - now) >= self._gain(block, middle - now):
                low = middle + 1
            else:
                high = middle
        return low if self._gain(block, low - now) >= self._gain(block, -now) else 0

    def _gain(self, block: BlockOrder, more: int) -> int:
        """What more Wh in each slot of a block add to the welfare [n¤]."""
        signed = more if block.is_buy else -more
        gain = block.price * block.slots * signed
        for slot in block.window:
            stack, taken = self.stacks[slot], self.taken[slot]
            gain += stack.worth(taken + signed) - stack.worth(taken)
        return gain

    def _beside(self, block: BlockOrder) -> list[int]:
        """Blocks that share a slot with this one."""
        return [
            number
            for number, other in enumerate(self.book.blocks)
            if other.first < block.window.stop and block.first < other.window.stop
        ]


def _beyond(book: KindBook) -> int:
    """A price [µ¤/kWh] that outweighs whatever the book could gain by a Wh too many."""
    most = 1 + sum(abs(block.price) * block.slots * block.most_wh for block in book.blocks)
    most += sum(storage.slots * storage.power_wh * abs(storage.spread) for storage in book.storages)
    for orders in book.plain:
        most += sum(abs(price) * wh for price, wh in zip(orders.price.tolist(), orders.energy_wh.tolist(), strict=True))
    return most
