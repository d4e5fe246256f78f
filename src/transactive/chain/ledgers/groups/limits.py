"""Limits that members of groups set for themselves, read of every group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.chain.ledgers.groups.parts import MemberGroup
from transactive.chain.ledgers.member_limits import MemberLimits
from transactive.core.community.limits import DebitLimits


class GroupLimits:
    """Reader of the limits of the members of all groups."""

    def __init__(self, groups: Sequence[MemberGroup]) -> None:
        self._readers: list[MemberLimits] = [group.ledger.limits(len(group.members)) for group in groups]

    def newest(self, period: int) -> DebitLimits:
        """Limits in a period as they stand at the newest block. Raises ChainError."""
        found = [reader.newest(period) for reader in self._readers]
        return DebitLimits(found[0].block, np.concatenate([limits.most_n for limits in found]))
