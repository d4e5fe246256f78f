"""How proposals stand, read from the governor at once and kept for a moment, so that a page asks the chain rarely."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.governance.place import place_of
from transactive.chain.nodes.urls import existing_path, is_embedded
from transactive.core.errors import ChainError, StateError
from transactive.core.governance.numbers import NUMBERS

if TYPE_CHECKING:
    from transactive.chain.governance.course import Happened
    from transactive.chain.governance.proposals import Governance, NumberSet, Proposal, Vote

FRESH_SECONDS = 5.0
"""How long an answer of the chain is shown before it is asked again [s]."""
OPEN_STAGES = ("seeking seconders", "voting", "voting again, after a stop")
WAITING_STAGES = ("decided, waiting", "can be executed")


@dataclass(frozen=True, slots=True)
class WhatItTakes:
    """What a proposal needs. approval: of all electors, majority: of yes and no, to be exceeded [ppm]."""

    approval: int
    majority: int


@dataclass(frozen=True, slots=True)
class ProposalStanding:
    """A proposal with what it does as it is typed, its terms, what happened to it, and who answered what by index.

    by: index of the proposer; sets: numbers among what it does; content: digest that ballots sign.
    """

    proposal: Proposal
    by: int
    does: tuple[str, ...]
    sets: tuple[NumberSet, ...]
    terms: WhatItTakes
    content: bytes
    happened: tuple[Happened, ...]
    votes: Mapping[int, Vote]

    @property
    def number(self) -> int:
        """Its number."""
        return self.proposal.number

    @property
    def is_open(self) -> bool:
        """Whether members can second it or vote on it."""
        return self.proposal.stage in OPEN_STAGES

    @property
    def is_waiting(self) -> bool:
        """Whether it was decided and is not done yet."""
        return self.proposal.stage in WAITING_STAGES


@dataclass(frozen=True, slots=True)
class GovernanceStanding:
    """All of a governor at one time. accounts: names by index; numbers: in force at `at`, time of the newest block.

    proxies: by index of who is represented. read: when it was read, by the clock on the wall [Unix s]; away: why the
    chain did not answer since, empty if it did.
    """

    governor: str
    chain_id: int
    accounts: Sequence[str]
    electors: int
    numbers: Mapping[str, int]
    bounds: Mapping[str, tuple[int, int, int]]
    lead: int
    proposals: Sequence[ProposalStanding]
    proxies: Mapping[int, int]
    at: int
    read: int
    away: str = ""

    def proposal(self, number: int) -> ProposalStanding | None:
        """A proposal by number."""
        return self.proposals[number] if 0 <= number < len(self.proposals) else None


class Decisions:
    """Answers of the governor of one run. node: another URL than the noted one, as one with its secrets."""

    def __init__(self, folder: Path, node: str | None = None) -> None:
        self.folder, self._node = folder, node
        self._lock = threading.Lock()
        self._kept: GovernanceStanding | None = None
        self._until = 0.0

    def standing(self) -> GovernanceStanding | None:
        """How all stands; None without a governor. With the chain away, what was read last; then ChainError if nothing.

        Asks the chain where the last answer is older than a moment.
        """
        if place_of(self.folder) is None:
            return None
        with self._lock:
            if self._kept is not None and time.monotonic() < self._until:
                return self._kept
            try:
                with self.governed() as governance:
                    self._kept = read_standing(governance, self._kept)
            except ChainError as error:
                if self._kept is None:
                    raise
                self._kept = replace(self._kept, away=str(error))
            self._until = time.monotonic() + FRESH_SECONDS
            return self._kept

    def forget(self) -> None:
        """Ask the chain anew the next time: something was sent."""
        with self._lock:
            self._until = 0.0

    @contextmanager
    def governed(self) -> Iterator[Governance]:
        """The governor, opened. Raises StateError without one, ChainError where its chain does not answer."""
        from transactive.chain.governance.proposals import Governance
        from transactive.chain.nodes.client import ChainClient

        place = place_of(self.folder)
        if place is None:
            raise StateError("the members of this run have no governor that is known here; `govern adopt` founds one")
        node = self._node or place.node
        if is_embedded(node):
            existing_path(node)
        with closing(ChainClient.open(node)) as client:
            place.deployment.check(client)
            client.first_block = place.deployment.block
            yield Governance(client, place.deployment)


def read_standing(governance: Governance, before: GovernanceStanding | None = None) -> GovernanceStanding:
    """Read all. before: what was read earlier, of which what cannot change any more is taken over."""
    from transactive.chain.governance.course import course

    client, governor = governance.client, governance.governor
    (happened, proxies), at = course(governance), client.head_timestamp
    count = int(client.read(governor, "count"))
    return GovernanceStanding(
        governor=str(governor.address),
        chain_id=client.chain_id,
        accounts=governance.known.accounts,
        electors=governance.electors,
        numbers=governance.numbers(at),
        bounds={number.name: _bounds(governance, place) for place, number in enumerate(NUMBERS)},
        lead=int(client.read(governance.rules, "lead")),
        proposals=[_proposal(governance, number, happened, before) for number in range(count)],
        proxies=proxies,
        at=at,
        read=int(time.time()),
    )


def _proposal(
    governance: Governance, number: int, happened: Sequence[Happened], before: GovernanceStanding | None
) -> ProposalStanding:
    """One proposal; what is over is as it was."""
    known = before and before.proposal(number)
    if known and not known.is_open and not known.is_waiting:
        return known
    own = tuple(one for one in happened if one.proposal == number)
    found = governance.proposal(number)
    client, governor = governance.client, governance.governor
    terms = client.read(governor, "termsOf", number)
    counts = (found.yes, found.no, len(own))
    same = known and (known.proposal.yes, known.proposal.no, len(known.happened)) == counts
    return ProposalStanding(
        proposal=found,
        by=next((one.index for one in own if one.name == "Proposed" and one.index is not None), 0),
        does=tuple(governance.in_words(action) for action in found.actions),
        sets=tuple(one for action in found.actions if (one := governance.number_set(action))),
        terms=WhatItTakes(int(terms[3]), int(terms[4])),
        content=bytes(client.read(governor, "contents", number)),
        happened=own,
        votes=known.votes if known and same else governance.votes(number),
    )


def _bounds(governance: Governance, place: int) -> tuple[int, int, int]:
    """Lowest, highest and largest step of a number."""
    low, high, step = map(int, governance.client.read(governance.rules, "bounds", place))
    return low, high, step
