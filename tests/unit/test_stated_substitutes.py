"""What commitments state as substituted: summed over members and a period, and compared by who verifies a statement."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from transactive.chain.commitments import Commitment
from transactive.core.proofs.groups import leaves_of_group, leaves_of_whole
from transactive.core.proofs.leaves import LeafMark, SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.services.statements.checks.substituted import check_substituted
from transactive.services.statements.checks.words import Contradiction
from transactive.settlement.ledger import LedgerTotals

SILENT = int(LeafMark.SUBSTITUTED)


def test_a_commitment_without_silent_meters_has_the_words_of_before():
    made = Commitment(7, ZERO, ZERO, 1, 2, 0)
    assert made.content == (7, ZERO, ZERO, 1, 2)
    stated = Commitment(7, ZERO, ZERO, 1, 2, 0, 30 | 40 << 64)
    assert stated.content[0] == 7 | 30 << 64 | 40 << 128
    assert Commitment.of(*stated.content) == stated
    assert stated.substituted_wh == (30, 40)
    assert stated.hash != made.hash


def test_groups_state_their_own_and_the_whole_states_all():
    totals = LedgerTotals.empty(6)
    for row in ([[5, 0], [0, 7], [0, 0], [11, 0]], [[1, 0], [0, 0], [0, 2], [0, 0]]):
        totals.substitute(np.array(row, np.int64))
    nothing, none = np.zeros((6, 4), np.int64), [ZERO] * 6
    leaves = SlotLeaves(1, nothing, nothing, nothing, nothing, none, none, substituted=totals.substituted)
    parts = [leaves_of_group(leaves, members).stated for members in (range(2), range(2, 4))]
    assert parts == [6 | 7 << 64, 11 | 2 << 64]
    assert leaves_of_whole(leaves, (range(2), range(2, 4)), [ZERO] * 2).stated == sum(parts) == leaves.stated


def statement(links: list[tuple[int, int]], marks: int = SILENT) -> Any:
    """Of one period; in its second slot the member took 10 Wh."""
    made = [SimpleNamespace(slot=number, substituted=one) for number, one in enumerate(links)]
    leaf = SimpleNamespace(marks=marks, slot_sums=((0,) * 4, (10, 0, 0, 0)))
    return SimpleNamespace(
        community=SimpleNamespace(slot_seconds=3600),
        periods=[SimpleNamespace(links=made)],
        slots=[SimpleNamespace(slot=3600, settlement_leaf=leaf)],
    )


@pytest.mark.parametrize(
    ("links", "wrong"),
    [
        ([(4, 0), (14, 0), (14, 0)], ""),
        ([(4, 0), (50, 3), (50, 3)], ""),
        ([(4, 0), (13, 0), (30, 0)], "10 Wh taken and 0 Wh given were substituted"),
        ([(4, 0), (14, 0), (13, 0)], "less is stated as substituted than before"),
    ],
)
def test_who_verifies_compares_its_own_slots(links, wrong):
    witness = cast("Any", SimpleNamespace(states_substituted=lambda: True))
    if not wrong:
        assert check_substituted(statement(links), witness) == "; 1 slots without a reading are stated"
        return
    with pytest.raises(Contradiction, match=wrong):
        check_substituted(statement(links), witness)


def test_a_settlement_of_the_first_release_states_nothing():
    witness = cast("Any", SimpleNamespace(states_substituted=lambda: False))
    assert check_substituted(statement([(0, 0)] * 2), witness) == ""
