"""The life of a pair in a round, from the quotes to the leaf, as a table.

::

    quoted ─► planned ─► bid ─► awarded ─► settled
                 │        ├──► refused        ▲
                 │        └──► lapsed ────────┤   awarded, and the answer was lost: the seller shows it
                 └──► lapsed                  └─► omitted   the operator has the deal and leaves it out

A buyer is planned when it has a partner, bid when it has signed, and knows what became of it by the award or by the
seller's next quote. What nobody answers by the end lapses; the seller may have awarded it, and then it is settled all
the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from transactive.core.errors import require


class DealState(StrEnum):
    """Where a pair stands."""

    QUOTED = "quoted"
    PLANNED = "planned"
    BID = "bid"
    AWARDED = "awarded"
    REFUSED = "refused"
    LAPSED = "lapsed"
    SETTLED = "settled"
    OMITTED = "omitted"


NEXT: Mapping[DealState, frozenset[DealState]] = MappingProxyType(
    {
        DealState.QUOTED: frozenset({DealState.PLANNED}),
        DealState.PLANNED: frozenset({DealState.BID, DealState.LAPSED}),
        DealState.BID: frozenset({DealState.AWARDED, DealState.REFUSED, DealState.LAPSED}),
        DealState.AWARDED: frozenset({DealState.SETTLED, DealState.OMITTED}),
        DealState.REFUSED: frozenset(),
        DealState.LAPSED: frozenset({DealState.SETTLED}),
        DealState.SETTLED: frozenset(),
        DealState.OMITTED: frozenset({DealState.SETTLED}),
    }
)
"""States that may follow. An omitted deal is settled once the operator puts it right."""


def advance(now: DealState, then: DealState) -> DealState:
    """The next state. Raises RuleBroken for a step that the table does not have."""
    require(then in NEXT[now], f"a deal that is {now} does not become {then}")
    return then
