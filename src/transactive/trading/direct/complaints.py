"""Whom a round leaves out: keys that are quoted and do not deal.

A complaint says that one of two did not answer, not which. It counts only for two whom an earlier plan had paired,
which nobody chooses; so nobody can complain of many. Of its partners an honest key quarrels with the dishonest ones, a
dishonest one with all. So a key goes if it quarrels with most of its partners, and two of those quarrel with no more
than half of theirs: their word is good. Its quarrels go with it, and the rest is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

FEWEST = 2
"""Credible partners that quarrel with a key before it is left out: with one it may be the other's fault."""

Quarrel = tuple[int, int]
"""Two seats, the lower first."""


def quarrel(one: int, other: int) -> Quarrel:
    """A quarrel between two seats, whoever complains."""
    return min(one, other), max(one, other)


def left_out(quarrels: Iterable[Quarrel], paired: Collection[Quarrel]) -> set[int]:
    """Seats that a round leaves out. paired: those whom earlier plans had paired."""
    known = set(paired)
    partners, against = _others(known), _others(known & set(quarrels))
    out: set[int] = set()
    while True:
        credible = {
            seat for seat, them in partners.items() if 2 * len(against.get(seat, set()) - out) <= len(them - out)
        }
        going = {seat for seat in against.keys() - credible - out if len(against[seat] & credible - out) >= FEWEST}
        if not going:
            return out
        out |= going


def _others(pairs: Iterable[Quarrel]) -> dict[int, set[int]]:
    """With whom each seat stands in a pair."""
    found: dict[int, set[int]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found
