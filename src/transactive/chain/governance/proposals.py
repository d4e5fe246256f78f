"""Proposals as the chain has them: what each does, how it stands, who voted, and when it can be executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.deployments.deployment import Deployment
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.events import event_of
from transactive.core.errors import ChainError, InputError
from transactive.core.governance.numbers import NUMBERS, GovernedNumber, number_at
from transactive.core.slots import time_text

KINDS = ("ordinary", "basic")
OPEN, PROLONGED, STOPPED, EXECUTED = 1, 2, 4, 8
PROPOSED = "0x" + keccak(text="Proposed(uint256,uint256,uint256,bytes32,(address,bytes)[])").hex()
BATCH = 100
"""Ballots in one transaction."""
Action = tuple[str, bytes]
"""Address of a contract, and call data."""


class Vote(NamedTuple):
    """What a member answered. turn: 0 of a proxy, 1 to 62 of signed ballots, 63 of the member's own transaction."""

    answer: str
    turn: int

    @property
    def words(self) -> str:
        """As people read it."""
        return self.answer if self.turn else f"{self.answer} (by proxy)"


class NumberSet(NamedTuple):
    """A number of the rules that an action sets, from a time on [Unix s]."""

    number: GovernedNumber
    value: int
    since: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal at the newest block. document: SHA-256 of what members read; times [Unix s]; due: without a stop.

    now: time of the block; grace: how long it can be executed once due [s].
    """

    number: int
    by: str
    kind: str
    document: bytes
    actions: tuple[Action, ...]
    electorate: int
    yes: int
    no: int
    ends: int
    seconded: int
    needed: int
    flags: int
    passed: bool
    due: int
    now: int
    grace: int

    @property
    def stage(self) -> str:
        """Where it stands, in a word."""
        if self.flags & EXECUTED:
            return "executed"
        if not self.flags & OPEN:
            return "seeking seconders" if self.now < self.ends else "lapsed"
        if self.now < self.ends:
            return "voting again, after a stop" if self.flags & STOPPED else "voting"
        if not self.passed:
            return "refused"
        if self.now < self.due:
            return "decided, waiting"
        return "can be executed" if self.now < self.due + self.grace else "lapsed"


@dataclass(frozen=True)
class Governance:
    """The governor of a deployment, read and written through a client."""

    client: ChainClient
    known: Deployment

    @cached_property
    def governor(self) -> Contract:
        """The governor. Raises InputError if there is none."""
        if "governor" not in self.known.contracts:
            raise InputError("the deployment has no governor; `govern adopt` founds one")
        return self.client.contract("governor", self.known.address("governor"))

    @cached_property
    def rules(self) -> Contract:
        """The contract of rules that ordinary decisions change."""
        return self.client.contract("rules", str(self.client.read(self.governor, "rules")))

    @property
    def electors(self) -> int:
        """How many can vote on what is put to the vote now."""
        return int(self.client.read(self.governor, "electors"))

    def proposal(self, number: int) -> Proposal:
        """A proposal by number. Raises InputError for one that there is not."""
        count = int(self.client.read(self.governor, "count"))
        if not 0 <= number < count:
            raise InputError(f"proposal {number}: there are {count}, from 0 on; `govern show` lists them")
        topics = [PROPOSED, "0x" + number.to_bytes(32, "big").hex()]
        logs = self.client.logs(self.governor, topics=topics)
        if not logs:
            raise ChainError(f"proposal {number}: the node has no event of it; ask one that keeps all logs")
        _, said = event_of(self.governor, logs[0])
        course = self.client.read(self.governor, "proposals", number)
        electorate, _, yes, no, ends, seconded, flags = map(int, course)
        terms = self.client.read(self.governor, "termsOf", number)
        return Proposal(
            number=number,
            by=self.name_of(int(said["by"])),
            kind=KINDS[int(said["kind"])],
            document=bytes(said["document"]),
            actions=tuple(_action(action) for action in said["actions"]),
            electorate=electorate,
            yes=yes,
            no=no,
            ends=ends,
            seconded=seconded,
            needed=int(terms[1]),
            flags=flags,
            passed=bool(self.client.read(self.governor, "hasPassed", number)),
            due=int(self.client.read(self.governor, "dueAt", number)),
            now=self.client.head_timestamp,
            grace=int(self.client.read(self.governor, "grace")),
        )

    def proposals(self) -> list[Proposal]:
        """All proposals, oldest first."""
        return [self.proposal(number) for number in range(int(self.client.read(self.governor, "count")))]

    def numbers(self, at: int) -> dict[str, int]:
        """Value of each number in the slot at a time [Unix s], as decided by now."""
        return {number.name: int(self.client.read(self.rules, "at", place, at)) for place, number in enumerate(NUMBERS)}

    def index_of(self, account: str) -> int:
        """A member's index in the registry, which is that of its account. Raises InputError."""
        return self.known.index(account)

    def name_of(self, index: int) -> str:
        """Name of an account, or its number if the deployment does not name it."""
        return self.known.accounts[index] if index < len(self.known.accounts) else str(index)

    def in_words(self, action: Action) -> str:
        """What an action does, as it would be typed."""
        target, data = action
        for name, deployed in self.known.contracts.items():
            if deployed.address.lower() == target.lower():
                function, values = self.client.contract(name, target).decode_function_input("0x" + data.hex())
                return _words(name, str(function.fn_name), list(values.values()))
        return f"{target} {data.hex()}"

    def number_set(self, action: Action) -> NumberSet | None:
        """The number that an action sets; None for any other call."""
        target, data = action
        if target.lower() != str(self.rules.address).lower():
            return None
        function, values = self.rules.decode_function_input("0x" + data.hex())
        if function.fn_name != "setRule":
            return None
        rule, amount, since = map(int, values.values())
        return NumberSet(number_at(rule), amount, since)

    def votes(self, number: int) -> dict[int, Vote]:
        """Who has answered what, by index; they are public for ever."""
        answers = ("", "yes", "no", "abstain")
        found = {}
        for index in range(len(self.known.accounts)):
            support, turn = self.client.read(self.governor, "voteOf", number, index)
            if support:
                found[index] = Vote(answers[int(support)], int(turn))
        return found


def _words(contract: str, function: str, values: Sequence[Any]) -> str:
    """A call in words; of a number by its name."""
    if (contract, function) == ("rules", "setRule"):
        rule, amount, since = map(int, values)
        number = number_at(rule)
        return f"{number.name} = {number.said(amount)} {number.unit} from {time_text(since)} on"
    return " ".join(
        [contract, function, *(value.hex() if isinstance(value, bytes) else str(value) for value in values)]
    )


def _action(action: Any) -> Action:  # noqa: ANN401 - as the decoder gives it
    """Target and data, whether a log's tuple or its named parts."""
    target, data = (action["target"], action["data"]) if hasattr(action, "keys") else action
    return str(target), bytes(data)
