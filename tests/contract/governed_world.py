"""A settlement whose members come from a registry and decide through a governor, on an embedded chain in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from tests.contract.world import (
    ARBITER,
    OPERATOR,
    OWNER,
    REGISTRAR,
    STRANGER,
    Anchored,
    World,
)
from tests.twins.governor import BASIC, DAY, ORDINARY, Kind
from transactive.chain.twins.registry import ALL_ROLES
from transactive.core.governance.ballots import Ballot, SignedBallot

SEASON, QUIET, GRACE = 30 * DAY, 2 * DAY, 14 * DAY
KINDS = (Kind(2, 7 * DAY, 120_000, 500_000, 3 * DAY), Kind(3, 14 * DAY, 250_000, 666_667, 14 * DAY))
AT_ONCE = (Kind(0, 7 * DAY, 120_000, 500_000, 0), Kind(0, 14 * DAY, 250_000, 666_667, 0))
"""Terms without seconders and without a delay of their own."""
BOUNDS = [(0, 60_000, 5_000), (0, 4, 4), (-500_000, 2_000_000, 200_000)]
VALUES = [30_000, 0, 250_000]
LEAD_SECONDS = 7_200
DOCUMENT = bytes(range(32))
GUARDIAN, SUPPLIER = ARBITER, 14
Action = tuple[str, bytes]


class GovernedWorld(World):
    """Fourteen electors, and a supplier that only settles; every owner's role is the governor's."""

    def __init__(self, kinds: Sequence[Kind] = KINDS) -> None:
        self.kinds = kinds
        super().__init__(SUPPLIER + 1, 1_000, registry=True)
        client, registry = self.client, self.registry
        assert registry
        for index in range(SUPPLIER):
            client.send(REGISTRAR, registry, "setRoles", index, ALL_ROLES)
        self.rules = client.deploy(OWNER, "rules", LEAD_SECONDS, BOUNDS, VALUES, bytes(32))
        client.block(self.now + 1)
        self.governor = self.found(self.rules.address, kinds)
        client.send(OWNER, self.rules, "setGovernor", self.governor.address)
        for owned in (self.c, self.token, registry):
            client.send(OWNER, owned, "offerOwnership", self.governor.address)
            client.send(STRANGER, self.governor, "acceptOwnership", owned.address)
        client.block(self.now + 3)
        self.anchored = Anchored(client)

    def found(self, rules: str, kinds: Sequence[Kind], without: Sequence[int] = (SUPPLIER,)) -> Any:
        assert self.registry
        times, terms = (SEASON, QUIET, GRACE), [kind.content for kind in kinds]
        addresses = (self.registry.address, self.c.address, rules, GUARDIAN.address)
        made = self.client.deploy(OWNER, "governor", *addresses, *times, *terms, list(without))
        self.client.block(self.client.head_timestamp + 1)
        return made

    @classmethod
    def again(cls, kinds: Sequence[Kind] = KINDS) -> GovernedWorld:
        """World as after its founding."""
        world = _governed(tuple(kinds))
        world.anchored.restore()
        world.begin()
        world.now = world.client.head_timestamp + 1
        return world

    def act(self, who: Any, function: str, *arguments: Any) -> None:
        """Mine one call of the governor."""
        self.do(who, function, *arguments, contract=self.governor)

    def ask(self, function: str, *arguments: Any) -> Any:
        """Read the governor."""
        return self.client.read(self.governor, function, *arguments)

    def calling(self, contract: Any, function: str, *arguments: Any) -> Action:
        """A call as an action."""
        return contract.address, bytes.fromhex(contract.encode_abi(function, list(arguments))[2:])

    def fee(self, amount: int = 26_000, days: int = 60) -> list[Action]:
        """A change of the network fee."""
        return [self.calling(self.rules, "setRule", 0, amount, self.now + days * DAY)]

    def put(self, who: Any, kind: int, actions: list[Action], document: bytes = DOCUMENT) -> int:
        """Number of a new proposal."""
        self.act(who, "propose", kind, actions, document)
        return int(self.ask("count")) - 1

    def open(self, actions: list[Action], kind: int = ORDINARY, by: int = 0) -> int:
        """A proposal whose vote has begun."""
        proposal = self.put(self.members[by], kind, actions)
        for index in range(by + 1, by + 1 + self.kinds[kind].seconders):
            self.act(self.members[index % SUPPLIER], "second", proposal)
        return proposal

    def vote(self, proposal: int, voters: Iterable[int], support: int = 1) -> None:
        """Each member's own transaction, in one block."""
        for index in voters:
            self.client.send(self.members[index], self.governor, "vote", proposal, index, support)
        self.mine()

    def ballot(self, proposal: int, index: int, support: int = 1, turn: int = 1, **wrong: Any) -> SignedBallot:
        """A signed ballot. wrong: another chain_id, contract, or content."""
        content = wrong.get("content") or bytes(self.ask("contents", proposal))
        where = wrong.get("chain_id", self.client.chain_id), wrong.get("contract", self.governor.address)
        return Ballot(proposal, content, index, support, turn).signed(bytes(self.members[index].key), *where)

    def cast(self, proposal: int, *ballots: SignedBallot) -> None:
        """Bring ballots, as the operator does."""
        self.act(OPERATOR, "castMany", proposal, [ballot.content for ballot in ballots])

    def counted(self, proposal: int) -> tuple[int, int]:
        """Yes and no."""
        found = self.ask("proposals", proposal)
        return int(found[2]), int(found[3])

    def ends(self, proposal: int) -> int:
        """End of the vote [Unix s]."""
        return int(self.ask("proposals", proposal)[4])

    def until(self, when: int) -> None:
        """Let time go on; what is read is of the newest block."""
        self.now = max(self.now, when)
        self.act(STRANGER, "checkpoint")

    def passed(self, actions: list[Action], kind: int = BASIC) -> int:
        """A proposal that all have voted for, when it is due."""
        proposal = self.open(actions, kind)
        self.vote(proposal, range(SUPPLIER))
        self.until(self.ends(proposal))
        self.until(int(self.ask("dueAt", proposal)))
        return proposal

    def execute(self, proposal: int, actions: list[Action], document: bytes = DOCUMENT) -> None:
        """As anybody does."""
        self.act(STRANGER, "execute", proposal, actions, document)


@cache
def _governed(kinds: tuple[Kind, ...]) -> GovernedWorld:
    return GovernedWorld(kinds)
