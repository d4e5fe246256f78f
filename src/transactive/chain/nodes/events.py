"""Events of contracts, each once and in order, with those taken back that a reorganisation put out of the chain.

A cursor remembers hashes of blocks that it has read up to. If one is no longer on the chain, it goes back to the newest
that is, says which events are void, and reads on from there. A block's hash stands for all blocks before it, so a range
that was read between two equal answers for its last block is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from hexbytes import HexBytes
from web3.contract import Contract
from web3.datastructures import AttributeDict

from transactive.chain.nodes.nodes import Json, RpcNode
from transactive.core.errors import ChainError, NodeUnreachable

LONGEST_RANGE = 2_000
"""Blocks in one request; nodes that allow less are asked for less."""
MARKS = 64
"""Blocks remembered, those with events and the newest of each read: how far back a reorganisation is followed."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class News:
    """What a read brought: events taken back, newest first, and new ones, oldest first, as raw logs."""

    removed: list[Json]
    added: list[Json]


@dataclass(slots=True)
class Cursor:
    """Reads the logs of some addresses from a block on. marks: (number, hash) of blocks read up to, oldest first."""

    node: RpcNode
    addresses: tuple[str, ...]
    first: int
    marks: list[tuple[int, str]] = field(default_factory=list)
    recent: list[Json] = field(default_factory=list)

    def read(self) -> News:
        """Everything since the last read. Raises ChainError if a reorganisation went back beyond all marks."""
        if not self.marks and self.first > 0:
            self.marks.append((self.first - 1, self.node.block(self.first - 1)["hash"]))
        removed = self._step_back()
        added: list[Json] = []
        for _ in range(TRIES):
            newest = self.node.block()
            start = self.marks[-1][0] + 1 if self.marks else self.first
            if newest["number"] < start:
                break
            found = read_logs(self.node, self.addresses, start, newest["number"])
            if self._is_on_chain(newest["number"], newest["hash"]):
                added = found
                self._remember(newest["number"], newest["hash"], found)
                break
            removed += self._step_back()
        else:
            raise ChainError("the chain is reorganised faster than its events can be read; try again later")
        return News(removed, added)

    def _step_back(self) -> list[Json]:
        """Leave marks that are not on the chain any more; gives the events after the newest that is."""
        known = len(self.marks)
        while self.marks and not self._is_on_chain(*self.marks[-1]):
            self.marks.pop()
        if known and not self.marks:
            raise ChainError(
                f"the chain was reorganised further back than the {known} blocks remembered, or begun anew; read its"
                f" events again from block {self.first}"
            )
        reached = self.marks[-1][0] if self.marks else self.first - 1
        void = [log for log in self.recent if int(log["blockNumber"], 16) > reached]
        self.recent = self.recent[: len(self.recent) - len(void)]
        return void[::-1]

    def _is_on_chain(self, number: int, block_hash: str) -> bool:
        """Whether a block is on the chain as the node has it now."""
        try:
            return bool(self.node.block(number)["hash"] == block_hash)
        except NodeUnreachable:
            raise
        except ChainError:  # the chain has become shorter
            return False

    def _remember(self, number: int, block_hash: str, logs: list[Json]) -> None:
        """Mark the blocks of the events and the one read up to; forget what is older than all marks."""
        read = {(int(log["blockNumber"], 16), str(log["blockHash"])) for log in logs}
        self.marks = [*self.marks, *sorted(read | {(number, block_hash)})][-MARKS:]
        oldest = self.marks[0][0]
        self.recent = [log for log in [*self.recent, *logs] if int(log["blockNumber"], 16) > oldest]


def read_logs(
    node: RpcNode, addresses: Sequence[str], first: int, last: int, topics: Sequence[str | list[str]] = ()
) -> list[Json]:
    """Logs of some addresses in blocks `first` to `last`, oldest first; of all, or with the wanted topics."""
    found: list[Json] = []
    length = LONGEST_RANGE
    while first <= last:
        end = min(first + length - 1, last)
        wanted = {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(end), "topics": list(topics)}
        try:
            found += node.ask("eth_getLogs", wanted)
        except NodeUnreachable:
            raise
        except ChainError:
            if length == 1:
                raise
            length //= 2  # it may be too much for one answer
            continue
        first = end + 1
    return found


def typed_log(log: Json) -> Any:  # noqa: ANN401 - web3's type has more than it reads
    """Log with bytes and numbers in place of their text."""
    numbers = {name: int(log[name], 16) for name in ("blockNumber", "logIndex", "transactionIndex")}
    texts = {name: HexBytes(log[name]) for name in ("data", "blockHash", "transactionHash")}
    return AttributeDict(log | numbers | texts | {"topics": [HexBytes(topic) for topic in log["topics"]]})


def event_of(contract: Contract, log: Json) -> tuple[str, Json]:
    """Name and arguments of a contract's raw log. Raises ChainError for one that is not in its ABI."""
    for kind in cast("Any", contract).events:
        if log["topics"] and log["topics"][0] == "0x" + kind.topic.removeprefix("0x"):
            return str(kind.event_name), dict(kind().process_log(typed_log(log))["args"])
    raise ChainError(f"block {int(log['blockNumber'], 16)} has a log of no event of ours; is the program too old?")
