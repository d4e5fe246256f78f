"""Leaves of communities in groups: a member's in its group and the way to the whole, a named account's in the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transactive.chain.disputes.nested import proof_of
from transactive.chain.disputes.nested_file import nested_file
from transactive.core.errors import InputError, StateError
from transactive.core.proofs.groups import leaves_of_group
from transactive.engine.books.rebuilt import books_at

if TYPE_CHECKING:
    from transactive.chain.disputes.leaf_file import NestedFile
    from transactive.chain.ledgers.groups.ledger import GroupedLedger
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.core.community.community import Community
    from transactive.core.proofs.leaves import SlotLeaves
    from transactive.store import Store

Placed = tuple["SlotLeaves", int]
"""Leaves of one settlement, and an account's place among them."""


def of_member(
    store: Store, community: Community, ledger: GroupedLedger, leaves: SlotLeaves, index: int
) -> tuple[ChainLedger, Placed, NestedFile | None, dict[str, Any]]:
    """Ledger of a member's group, its leaf there, and, once the whole has committed the period, what joins both."""
    number, place = ledger.group_of(index)
    group = ledger.groups[number]
    placed = leaves_of_group(leaves, group.members), place
    facts: dict[str, Any] = {"settlement": f"group {number + 1}, place {place}", "whole": "not committed yet"}
    period = leaves.slot // ledger.slots_per_period
    end = ledger.last_in(period)
    if end is None:
        return group.ledger, placed, None, facts
    last = books_at(store, community, end * community.clock.length).leaves
    proof = proof_of(ledger, index, leaves, last)
    try:
        proof.check(ledger)
        facts["whole"] = "paid"
    except InputError:
        if ledger.is_paid(number, period):
            raise
        facts["whole"] = "committed, in its window"
    return group.ledger, placed, nested_file(ledger, proof), facts


def of_named(ledger: GroupedLedger, leaves: SlotLeaves, index: int) -> Placed:
    """A named account's leaf in the whole, which has one a period. Raises StateError for another slot than the last."""
    if leaves.slot != ledger.last_in(leaves.slot // ledger.slots_per_period):
        raise StateError(
            "in a community of groups this account has a leaf a period, once all groups have paid; give the last slot"
            " of a period that is paid"
        )
    return ledger.leaves_in_whole(leaves), index - ledger.spans[-1].stop
