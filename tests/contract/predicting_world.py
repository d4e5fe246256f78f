"""A settlement whose totals are asked about: a market of shares and a pool of stakes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.contract.world import OPERATOR, OWNER, PERIOD, SLOT, SLOTS, STRANGER, Anchored, World
from tests.twins.forecast_pool import PoolTerms
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.history import opening
from transactive.chain.prediction.scoring import Forecast, packed, sealed
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


TERMS = PoolTerms(IMPORTED, 2, 3, SLOT, 600, 8_000, 60_000, 10**6, DEADLINE)
REACH = 1_000
"""What each member can add to a slot [Wh]."""
MOST_STAKE = TERMS.scale * TERMS.slope // 2


class PredictingWorld(World):
    """Eight members of a registry, whose wallets market and pool may take from; each has funds in the pool."""

    def __init__(self) -> None:
        super().__init__(8, 1_000, registry=True)
        client = self.client
        self.market = client.deploy(OWNER, "prediction_market", self.token.address, self.c.address, SLOPE, DEADLINE)
        self.pool = client.deploy(OWNER, "forecast_pool", self.token.address, self.c.address, *TERMS.content)
        for place, who in enumerate(self.members):
            for contract in (self.market, self.pool):
                client.send(who, self.token, "approve", contract.address, ALL)
            client.send(who, self.pool, "fund", 10**12)
            client.send(OPERATOR, self.pool, "setReach", place, REACH)
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

    def stake(self, who: Any, function: str, *arguments: Any) -> int:
        """Mine one call of the pool; its gas."""
        self.client.send(who, self.pool, function, *arguments)
        self.now = max(self.now, self.client.head_timestamp + 1)
        used = self.client.block(self.now).receipts[-1].gas_used
        self.now += 1
        return used

    def funds(self) -> list[int]:
        """What each member has in the pool [n¤]."""
        return [int(self.client.read(self.pool, "funds", place)) for place in range(len(self.members))]

    def wager(self, member: int, forecast: Forecast, stake: int) -> None:
        """Stake on a forecast for the period that runs, with the member's number as salt."""
        hidden = sealed(forecast, bytes([member]) * 32, member, self.period)
        self.stake(self.members[member], "wager", self.period, hidden, stake)

    def reveal(self, member: int, number: int, forecast: Forecast) -> None:
        """Show it."""
        self.stake(self.members[member], "show", self.period, number, packed(forecast), bytes([member]) * 32)

    def after_gate(self) -> None:
        """Time at which forecasts can be shown."""
        self.now = max(self.now, (self.slot + TERMS.first) * SLOT - TERMS.lead)

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
        made = list(self.chain)
        self.propose()
        self.finalise()
        return made

    def opened(self, made: Sequence[Commitment], place: int) -> Any:
        """Opening of one of a period's commitments, as the contracts take it."""
        return opening(list(made), place, SLOTS).content

    def resolve(self, question: int, made: Sequence[Commitment]) -> None:
        """As anybody does."""
        self.act(STRANGER, "resolve", question, self.opened(made, 0), self.opened(made, 2))


@cache
def _predicting() -> PredictingWorld:
    return PredictingWorld()
