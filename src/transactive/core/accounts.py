"""Named accounts: where every unit of money is, beside the members.

Accounts 0 to members − 1 are the members; then follow the five that have a balance on chain, then the two that end
every slot at zero and therefore need none.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

NAMED = ("supplier", "network", "community", "levy", "credits")
PASSING = ("escrow", "pool")
MOST_ACCOUNTS = 4_095
"""Accounts of a settlement on chain: its tree has room for them beside the last blinding leaf."""
MOST_MEMBERS = MOST_ACCOUNTS - 1
"""Members of a group: its tree has one more account, the link."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Index of each account in a community of `members`."""

    members: int

    @property
    def supplier(self) -> int:
        """Sells to and buys from the community at its tariff."""
        return self.members

    @property
    def network(self) -> int:
        """Receives the fee on energy exchanged locally and the rent of full lines, and pays for lost energy."""
        return self.members + 1

    @property
    def community(self) -> int:
        """Receives the spread of deviations met inside; pays it out each period."""
        return self.members + 2

    @property
    def levy(self) -> int:
        """Carbon levy."""
        return self.members + 3

    @property
    def credits(self) -> int:
        """Receives what carbon credits of sellers outside the community cost, and passes it on to them."""
        return self.members + 4

    @property
    def escrow(self) -> int:
        """Holds what buyers paid until meters certify; zero after every slot."""
        return self.members + 5

    @property
    def pool(self) -> int:
        """Where deviations meet inside the community; zero after every slot."""
        return self.members + 6

    @property
    def on_chain(self) -> int:
        """Accounts with a leaf and a deposit."""
        return self.members + len(NAMED)

    @property
    def total(self) -> int:
        """All accounts."""
        return self.on_chain + len(PASSING)


def groups_of(members: int, most: int = MOST_MEMBERS) -> tuple[range, ...]:
    """Members 0 to members − 1 in as few groups as possible of at most `most`, as equal as can be, by index."""
    if not 0 < most <= MOST_MEMBERS:
        raise ValueError(f"a group has 1 to {MOST_MEMBERS} members, not {most}")
    count = -(-members // most)
    ends = [members * number // count for number in range(count + 1)]
    return tuple(range(first, end) for first, end in pairwise(ends))
