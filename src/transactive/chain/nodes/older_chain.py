"""A development node that has come back with an older copy of its chain: our steps are put on it again, as they were.

Such a node makes blocks when it is told to. So the transactions that were signed then are sent again in their order,
and each step is mined at its own time: the chain holds the same again, and nothing of somebody else can be between.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from transactive.chain import trouble
from transactive.chain.nodes.nodes import HASHES_ONLY, Json, RpcNode
from transactive.chain.nodes.outbox import FinishedStep, Outbox
from transactive.chain.nodes.sending import Sender


def put_back(node: RpcNode, outbox: Outbox, sender: Sender, place: str, mine: Callable[[int], None]) -> None:
    """Put the steps of an outbox that a chain lacks on it again. mine: lets a block be made at a time [Unix s].

    Raises ChainError where a step is so long ago that it is not kept any more, or does not come out as it was.
    """
    missing = [(step, was) for step in outbox.finished_times() if (was := _missing(node, outbox, step))]
    for step, was in missing:
        if outbox.first_nonces(step) and not outbox.holds(step):
            raise trouble.reorganised_too_deep(place, was.number)
    for step, was in missing:
        sender.send_lost(outbox.kept_of(step))
        for time in count(step):
            mine(time)
            made = node.block()
            if made["number"] >= was.number:
                break
        if made["number"] != was.number or not _whole(outbox, sender, step):
            raise trouble.begun_anew(place, was.number)
        outbox.move(step, FinishedStep(made["number"], bytes.fromhex(made["hash"][2:]), made["timestamp"]))


def _missing(node: RpcNode, outbox: Outbox, step: int) -> FinishedStep | None:
    """A finished step, if the chain has not come to its block."""
    was = outbox.finished(step)
    if was is None:
        return None
    found: Json | None = node.ask("eth_getBlockByNumber", hex(was.number), HASHES_ONLY)
    return was if found is None else None


def _whole(outbox: Outbox, sender: Sender, step: int) -> bool:
    """Whether all transactions of a step are mined."""
    return all(sender.mined(step, position) for position in range(outbox.positions(step)))
