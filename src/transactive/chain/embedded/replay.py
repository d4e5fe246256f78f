"""Replay: run all transactions of a chain again in a new file and compare every block hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from transactive.chain.embedded.chain import NEWEST, EmbeddedChain
from transactive.core.errors import ChainError


def replay(
    source: EmbeddedChain, path: str | Path, after_block: Callable[[int], None] = lambda _: None
) -> EmbeddedChain:
    """Chain in a new file made from the same transactions and timestamps. Raises ChainError at a differing block."""
    settings = source.settings()
    alloc = {key.removeprefix("alloc "): int(wei) for key, wei in settings.items() if key.startswith("alloc ")}
    copy = EmbeddedChain(
        path,
        chain_id=int(settings["chain_id"]),
        alloc=alloc,
        genesis_time=int(settings["genesis_time"]),
        rules=settings.get("rules", NEWEST),
    )
    for number, block_hash, timestamp in source.index.blocks():
        head = copy.mine(timestamp, [raw for _, raw in source.index.in_block(number)]) if number else copy.head
        if head.hash != block_hash:
            copy.close()
            raise ChainError(f"block {number} does not follow from its transactions; the chain file was changed")
        after_block(number)
    return copy
