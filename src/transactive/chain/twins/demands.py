"""What the judge of what was kept back must find, in plain Python: its oracle in tests, and how evidence is looked for.

Each function says whether evidence shows a fraud. Proofs are taken to lead to the committed root; that they do is the
contract's other check.
"""

from __future__ import annotations

from collections.abc import Iterable

from transactive.chain.commitments import Commitment
from transactive.core.proofs.leaves import BLINDING, ENERGY, Leaf, LeafMark
from transactive.core.proofs.receipts import least_patience

TRADES_AT = 128
"""Bit of a total of money at which what was bought and sold begins."""


def kept_out(leaf: Leaf | None, time: int, start: int, slot_seconds: int, *, by_gateway: bool) -> bool:
    """Whether a slot from `start` on [Unix s] is substituted although its meter's record was on disk in time.

    time: of the record by its receipt [Unix s]; by_gateway: whether the gateway of the slot signed that.
    """
    marked = leaf is not None and bool(leaf.marks & LeafMark.SUBSTITUTED)
    return by_gateway and marked and time < start + slot_seconds + least_patience(slot_seconds)


def false_void(leaf: Leaf | None, commitment: Commitment, before: Commitment | None) -> bool:
    """Whether a session is marked as void in which somebody traded. before: of the same period, None if it begins."""
    marked = leaf is not None and bool(leaf.marks & LeafMark.VOID)
    return marked and commitment.money >> TRADES_AT != (before.money if before else BLINDING) >> TRADES_AT


def understated(
    leaves: Iterable[Leaf | None],
    commitment: Commitment,
    before: Commitment | None,
    counted_wh: tuple[int, int] = (0, 0),
) -> bool:
    """Whether a commitment states less than the one before, or less beyond it than these leaves have substituted.

    leaves: of different places of the slot. before: of the same period, None if it begins. counted_wh: taken and given
    by leaves of other places that were shown on chain.
    """
    so_far = before.substituted_wh if before else (0, 0)
    stated = [now - then for now, then in zip(commitment.substituted_wh, so_far, strict=True)]
    rows = [ENERGY.unpack(leaf.slot_energy) for leaf in leaves if leaf and leaf.marks & LeafMark.SUBSTITUTED]
    names = ("imported_wh", "exported_wh")
    found = [wh + sum(row[name] for row in rows) for name, wh in zip(names, counted_wh, strict=True)]
    return any(said < 0 or said < wh for said, wh in zip(stated, found, strict=True))
