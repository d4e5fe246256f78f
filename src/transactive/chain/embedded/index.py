"""What is looked up by hash or number: blocks, transactions, logs, and the pool of waiting transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from eth.abc import BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction that went into a block, and what came of it.

    contract: address of one that it created. revert: what a call that failed gave back, None if it did not fail. The
    computation itself is let go: it holds the memory and the stack of every call inside.
    """

    transaction: SignedTransactionAPI
    raw: bytes
    receipt: ReceiptAPI
    contract: bytes | None
    revert: bytes | None

    @classmethod
    def of(
        cls, transaction: SignedTransactionAPI, raw: bytes, receipt: ReceiptAPI, computation: ComputationAPI
    ) -> Included:
        """What is kept of a transaction that was executed."""
        contract = None if transaction.to else computation.msg.storage_address
        return cls(transaction, raw, receipt, contract, computation.output if computation.is_error else None)


class Index:
    """The tables beside the state. Writing needs the caller's SQL transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def add_block(self, header: BlockHeaderAPI, included: list[Included]) -> None:
        """Enter a block with its transactions and logs."""
        number, before = header.block_number, 0
        outcomes: list[tuple[Any, ...]] = []
        logs: list[tuple[Any, ...]] = []
        for position, item in enumerate(included):
            tx_hash = item.transaction.hash
            outcomes.append((tx_hash, number, position, *_outcome(item, header.base_fee_per_gas, before)))
            before = item.receipt.gas_used
            for log in item.receipt.logs:
                topics = b"".join(topic.to_bytes(32, "big") for topic in log.topics)
                logs.append((number, len(logs), position, tx_hash, log.address, topics, log.data))
        self._sql.execute("insert into block values (?, ?, ?)", (number, header.hash, header.timestamp))
        self._sql.executemany("insert into tx values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", outcomes)
        self._sql.executemany("insert into log values (?, ?, ?, ?, ?, ?, ?)", logs)

    def forget_after(self, number: int) -> None:
        """Drop all blocks after `number`, and the pool."""
        self._sql.execute("delete from block where number > ?", (number,))
        self._sql.execute("delete from tx where block > ?", (number,))
        self._sql.execute("delete from log where block > ?", (number,))
        self._sql.execute("delete from pending")

    def number_of(self, block_hash: bytes) -> int | None:
        """Number of a block."""
        row = self._sql.execute("select number from block where hash = ?", (block_hash,)).fetchone()
        return row[0] if row else None

    def blocks(self) -> list[tuple[int, bytes, int]]:
        """Number, hash and timestamp of all blocks, oldest first."""
        return list(self.blocks_from(0))

    def blocks_from(self, first: int) -> Iterator[tuple[int, bytes, int]]:
        """The same of the blocks from a number on, one after the other."""
        asked = "select number, hash, timestamp from block where number >= ? order by number"
        yield from self._sql.execute(asked, (first,))

    @property
    def newest(self) -> int:
        """Number of the newest block, −1 before the first."""
        return int(self._sql.execute("select coalesce(max(number), -1) from block").fetchone()[0])

    def hash_of(self, number: int) -> bytes | None:
        """Hash of a block, None if there is none."""
        row = self._sql.execute("select hash from block where number = ?", (number,)).fetchone()
        return row[0] if row else None

    def in_block(self, number: int) -> list[tuple[bytes, bytes]]:
        """Hash and raw bytes of the transactions of a block, in order."""
        return self._sql.execute("select hash, raw from tx where block = ? order by position", (number,)).fetchall()

    def transaction(self, tx_hash: bytes) -> tuple[Any, ...] | None:
        """Row of a mined transaction, followed by the hash of its block."""
        row: tuple[Any, ...] | None = self._sql.execute(
            "select t.*, b.hash from tx t join block b on b.number = t.block where t.hash = ?", (tx_hash,)
        ).fetchone()
        return row

    def transactions_in(self, number: int) -> list[tuple[Any, ...]]:
        """Rows of the transactions of a block, in order, each followed by the hash of the block."""
        return self._sql.execute(
            "select t.*, b.hash from tx t join block b on b.number = t.block where t.block = ? order by t.position",
            (number,),
        ).fetchall()

    def gas_used(self) -> dict[bytes, int]:
        """Gas of every transaction by its hash."""
        return dict(self._sql.execute("select hash, gas_used from tx").fetchall())

    def logs(self, first: int, last: int) -> list[tuple[Any, ...]]:
        """Rows of the logs of blocks `first` to `last`, each followed by the hash of its block."""
        return self._sql.execute(
            "select l.*, b.hash from log l join block b on b.number = l.block"
            " where l.block between ? and ? order by l.block, l.log_index",
            (first, last),
        ).fetchall()

    def add_pending(self, tx_hash: bytes, raw: bytes) -> None:
        """Let a transaction wait; one that waits already keeps its place."""
        self._sql.execute(
            "insert or ignore into pending values (?, (select coalesce(max(seq), 0) + 1 from pending), ?)",
            (tx_hash, raw),
        )

    def pending(self) -> list[tuple[bytes, bytes]]:
        """Hash and raw bytes of the waiting transactions, in order of arrival."""
        return self._sql.execute("select hash, raw from pending order by seq").fetchall()

    def remove_pending(self, tx_hashes: Collection[bytes]) -> None:
        """Take transactions out of the pool."""
        self._sql.executemany("delete from pending where hash = ?", [(tx_hash,) for tx_hash in tx_hashes])


def _outcome(item: Included, base_fee: int, gas_before: int) -> tuple[Any, ...]:
    """Columns of `tx` from `raw` on."""
    sent = item.transaction
    return (
        item.raw,
        sent.sender,
        sent.to or None,
        item.contract,
        int(item.revert is None),
        item.receipt.gas_used - gas_before,
        item.receipt.gas_used,
        min(sent.max_fee_per_gas, sent.max_priority_fee_per_gas + base_fee),
        item.revert,
    )
