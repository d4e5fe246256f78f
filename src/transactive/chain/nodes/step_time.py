"""The time that a step sent by hand has on chain."""

from __future__ import annotations

from transactive.chain.keys.keys import DEVELOPMENT_CHAINS
from transactive.chain.nodes.client import ChainClient


def step_time(client: ChainClient, now: int) -> int:
    """Time of what is sent at `now` by the clock on the wall: ours where the chain follows it, else its newest block's.

    Both [Unix s].
    """
    head = client.head_timestamp
    follows = client.is_embedded or client.chain_id in DEVELOPMENT_CHAINS
    return max(now, head + 1) if follows else head
