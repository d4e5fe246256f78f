"""Who is a member in a slot, and who owns what a plant earns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.community.members import Member
from transactive.core.slots import parse_time
from transactive.core.units import BoolArray, IntArray

ALWAYS, NEVER = -(2**62), 2**62
"""Since before everything, until after everything [Unix s]."""
COMMUNITY = "community"
"""Owner of a plant whose earnings go to all."""


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """From and until when each is a member [Unix s], (members,): since <= start of a slot < until."""

    since: IntArray
    until: IntArray

    @classmethod
    def of(cls, members: tuple[Member, ...]) -> Membership:
        """Columns of a tuple of members; who only forecasts is never one. Raises InputError for what is no time."""
        return cls(
            np.array([_since(member) for member in members], np.int64),
            np.array([NEVER if member.until is None else parse_time(member.until) for member in members], np.int64),
        )

    @property
    def fixed(self) -> bool:
        """Whether nobody joins or leaves."""
        return bool((self.since == ALWAYS).all() and (self.until == NEVER).all())

    def present(self, slot: int) -> BoolArray:
        """Who is a member in a slot, (members,)."""
        there: BoolArray = (self.since <= slot) & (slot < self.until)
        return there

    def in_slots(self, starts: IntArray) -> BoolArray:
        """Who is a member in which slot, (slots, members)."""
        there: BoolArray = (self.since <= starts[:, None]) & (starts[:, None] < self.until)
        return there

    def changes(self, slot: int, following: int) -> bool:
        """Whether somebody joins or leaves between a slot and the following one."""
        return bool((self.present(slot) != self.present(following)).any())


def _since(member: Member) -> int:
    """When a membership begins [Unix s]."""
    if member.role == "forecaster":
        return NEVER
    return ALWAYS if member.since is None else parse_time(member.since)


class Roster(msgspec.Struct, frozen=True):
    """Members that have accounts in one settlement, by number, from a slot on [Unix s]: the first so many of the file.

    settlement, certificates: addresses; empty while the accounts are still in the one before, the last also in states
    from before it was kept. ended: end of the last slot before, and the time of the block in which the accounts moved
    [Unix s]; block: its number. opening_n: what each account began with [n¤].
    """

    since: int
    members: int
    settlement: str = ""
    ended: tuple[int, int] = (0, 0)
    opening_n: tuple[int, ...] = ()
    certificates: str = ""
    block: int = 0


def roster_of(rosters: Sequence[Roster], slot: int) -> Roster | None:
    """Roster that a slot [Unix s] was settled with; None in a run that nobody has joined."""
    return next((roster for roster in reversed(rosters) if roster.since <= slot), None)


def owned(members: tuple[Member, ...]) -> dict[int, dict[int | None, int]]:
    """Shares [ppm] of the owners of each plant, by member and owner; None is the community."""
    number = {member.id: index for index, member in enumerate(members)}
    return {
        number[member.id]: {
            None if owner == COMMUNITY else number[owner]: ppm for owner, ppm in member.owners_ppm.items()
        }
        for member in members
        if member.owners_ppm
    }
