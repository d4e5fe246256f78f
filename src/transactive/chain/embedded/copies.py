"""One chain's blocks in another file: what it has more of is put there in order, each block as it is."""

from __future__ import annotations

from pathlib import Path

from transactive.chain.embedded.chain import ALLOC, NEWEST, EmbeddedChain
from transactive.chain.embedded.index import Index
from transactive.chain.embedded.store import connect, usable
from transactive.core.boxes.messages import ChainBlocks, ChainStart, ToldBlock
from transactive.core.errors import ChainError

LOG_TOPICS = 5
"""Place of the topics in a row of a log."""
TOPIC_BYTES = 32


def append_blocks(source: EmbeddedChain, target: EmbeddedChain) -> None:
    """Mine in `target` what `source` has beyond it. Raises ChainError at the first block that comes out otherwise.

    A kill in between leaves a shorter chain that can be gone on with.
    """
    if source.index.hash_of(target.head.block_number) != target.head.hash:
        raise ChainError(f"block {target.head.block_number} is another in the chain to copy from; nothing was changed")
    for number, block_hash, timestamp in source.index.blocks():
        if number <= target.head.block_number:
            continue
        head = target.mine(timestamp, [raw for _, raw in source.index.in_block(number)])
        if head.hash != block_hash:
            raise ChainError(
                f"block {number} came out otherwise than when it was made first; take a copy of the folder"
            )


def told_blocks(path: Path, first: int, most: int) -> ChainBlocks | None:
    """Blocks of a chain file from a number on, of so many bytes at most, or one; None where there are none.

    Nothing is executed, and the file is only read: from any thread, beside who writes it.
    """
    connection = connect(path)
    try:
        with usable(path):
            index, said = Index(connection), dict(connection.execute("select key, value from meta").fetchall())
            newest, told, size = index.newest, list[ToldBlock](), 0
            for number, block_hash, timestamp in index.blocks_from(first):
                sent = tuple(raw for _, raw in index.in_block(number))
                size += sum(map(len, sent))
                if told and size > most:
                    break
                told.append(ToldBlock(block_hash, timestamp, sent))
    finally:
        connection.close()
    if not told:
        return None
    balances = {key.removeprefix(ALLOC): wei for key, wei in said.items() if key.startswith(ALLOC)}
    start = ChainStart(int(said["chain_id"]), int(said["genesis_time"]), said.get("rules", NEWEST), balances)
    return ChainBlocks(start, max(first, 0), newest, tuple(told))


def block_hash_at(path: Path, number: int) -> bytes | None:
    """Hash of a block of a chain file, without executing anything; None if the chain does not go so far."""
    connection = connect(path)
    try:
        with usable(path):
            return Index(connection).hash_of(number)
    finally:
        connection.close()


def indexed_in_logs(path: Path, *topics: str) -> list[int]:
    """First indexed number of each log of a chain file that begins with one of some topics (0x-hex), oldest first."""
    wanted, connection = [bytes.fromhex(topic[2:]) for topic in topics], connect(path)
    try:
        with usable(path):
            logged = (row[LOG_TOPICS] for row in Index(connection).logs(0, 2**62))
            return [
                int.from_bytes(each[TOPIC_BYTES : 2 * TOPIC_BYTES], "big")
                for each in logged
                if each[:TOPIC_BYTES] in wanted
            ]
    finally:
        connection.close()
