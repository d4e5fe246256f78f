"""A settlement whose totals are asked about: a market of shares beside it, on an embedded chain in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.contract.world import OWNER, PERIOD, SLOT, SLOTS, STRANGER, Anchored, World
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.history import opening
from transactive.core.proofs.leaves import LeafMark

SLOPE = 300_000
"""What a deviation costs at least [n¤/Wh]."""
DEADLINE = 2 * PERIOD
BLUR = 50
BOUNDS = (400, 1_000)
LIQUIDITY = 10**7
ALL = 2**255
IMPORTED, PRODUCED = 0, 2
EMPTY = Opening(bytes(32), Commitment(0, bytes(32), bytes(32), 0, 0, 0), ()).content


class PredictingWorld(World):
    """Eight members of a registry, whose wallets the market may take from."""

    def __init__(self) -> None:
        super().__init__(8, 1_000, registry=True)
        client = self.client
        self.market = client.deploy(OWNER, "prediction_market", self.token.address, self.c.address, SLOPE, DEADLINE)
        for who in self.members:
            client.send(who, self.token, "approve", self.market.address, ALL)
        client.block(self.now + 1)
        self.anchored = Anchored(client)

    @classmethod
    def again(cls) -> PredictingWorld:
        """World as after deployment."""
        world = _predicting()
        world.anchored.restore()
        world.begin()
        world.now = world.client.head_timestamp + 1
        return world

    # -- what people do

    def act(self, who: Any, function: str, *arguments: Any) -> int:
        """Mine one call of the market; what the caller's wallet has more after it [n¤]."""
        before = self.wallet(who)
        self.do(who, function, *arguments, contract=self.market)
        return self.wallet(who) - before

    def ask(self, function: str, *arguments: Any) -> Any:
        """Read the market."""
        return self.client.read(self.market, function, *arguments)

    def question(self, by: int = 0, **other: Any) -> int:
        """Ask what will be imported in the middle two slots of the period; gives the number."""
        first, last = self.slot + 1, self.slot + 2
        terms = {"lane": IMPORTED, "first": first, "last": last, "closes": (other.get("first") or first) * SLOT}
        terms |= {"liquidity": LIQUIDITY, "blur": BLUR, "bounds": list(BOUNDS)} | other
        self.act(self.members[by], "create", *terms.values())
        return int(self.ask("count")) - 1

    # -- what is committed

    def run(self, imported: Sequence[int], substituted: Sequence[tuple[int, int]] = ()) -> list[Commitment]:
        """A period, final: what each slot imports [Wh], and (slot, member) that nobody metered; its commitments."""
        for place, energy in enumerate(imported):
            self.book.add(place % 3, IMPORTED, energy, energy=True)
            for slot, member in substituted:
                if slot == place:
                    self.book.marks[member] = int(LeafMark.SUBSTITUTED)
            self.commit()
        made, self.past = list(self.chain), dict(self.trees)
        self.propose()
        self.finalise()
        return made

    def opened(self, made: Sequence[Commitment], place: int) -> Any:
        """Opening of one of a period's commitments, as the contracts take it."""
        return opening(list(made), place, SLOTS).content

    def resolve(self, question: int, made: Sequence[Commitment]) -> None:
        """As anybody does."""
        self.act(STRANGER, "resolve", question, self.opened(made, 0), self.opened(made, 2))

    def leaf(self, made: Sequence[Commitment], place: int, index: int) -> Any:
        """A member's leaf of a past slot with its proof."""
        tree = self.past[made[place].slot]
        return index, False, tree.leaf(index).content, tree.proof(index)


@cache
def _predicting() -> PredictingWorld:
    return PredictingWorld()
