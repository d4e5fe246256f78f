"""Limits that members set on chain: the most that a period may debit each, as they stand at one block."""

from __future__ import annotations

import numpy as np
from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.nodes.client import ChainClient
from transactive.core.community.limits import NO_MOST, DebitLimits

LIMIT_SET = "0x" + keccak(text="LimitSet(address,uint256,uint256)").hex()
OVERLAP = 64
"""Blocks of a node that are looked at again, because a reorganisation may have put others in their place."""


class MemberLimits:
    """Reader of the limits of accounts 0 to members − 1; asks only for those who ever set one."""

    def __init__(self, client: ChainClient, settlement: Contract, members: int) -> None:
        self._client, self._settlement, self._members = client, settlement, members
        self._next, self._set = 0, set[int]()

    def newest(self, period: int) -> DebitLimits:
        """Limits in a period as they stand at the newest block. Raises ChainError."""
        block = self._client.height
        self._look(block)
        most = np.full(self._members, NO_MOST, np.int64)
        for index in sorted(self._set):
            found = int(self._client.read(self._settlement, "limitIn", index, period, block=block))
            if found:
                most[index] = min(found - 1, NO_MOST)
        return DebitLimits(block, most)

    def _look(self, block: int) -> None:
        """Note who set a limit by this block."""
        again = 0 if self._client.is_embedded else OVERLAP
        logs = self._client.logs(self._settlement, max(self._next - again, 0), block, topics=[LIMIT_SET])
        self._next = block + 1
        if not logs:
            return
        words = self._client.read_words(self._settlement, "accountOf", self._members)
        places = {word: index for index, word in enumerate(words)}
        for log in logs:
            place = places.get(int(log["topics"][1], 16))
            # somebody who has no place among the members: a named account, or a member who has another key now
            self._set |= set(range(self._members)) if place is None else {place}
