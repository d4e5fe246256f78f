"""What the link of a group must do, in plain Python, together with what its two settlements keep of it.

Same checks and reasons as `contracts/group_link.vy`, with the time as an argument. No netting is under way here: what a
settlement keeps back while there is one is told by its own twin.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from transactive.chain.twins.refusals import refusals

refuse_unless = refusals("group_link")
refuse_in_settlement = refusals("settlement")


@dataclass(slots=True)
class SideTwin:
    """A settlement as far as the link is in it. requested, ready_at: its request there; the rest is the link's own."""

    notice: int
    balance_n: int = 0
    requested: int = 0
    ready_at: int = 0
    is_shifting: bool = False
    returning: int = 0
    due_at: int = 0

    def request(self, amount: int, now: int) -> None:
        """Ask the settlement for money."""
        self.requested, self.ready_at = amount, now + self.notice

    def is_due(self, now: int) -> bool:
        """Whether the funder has waited as long as any member would."""
        return self.returning > 0 and now >= self.due_at


@dataclass(slots=True)
class LinkTwin:
    """Both sides by `fromGroup`. returned_n: what the funder has got back."""

    sides: dict[bool, SideTwin]
    returned_n: int = 0
    shifted_n: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def shift(self, from_group: bool, amount: int, now: int) -> None:
        """The operator asks that capital goes to the other side."""
        side = self.sides[from_group]
        if amount:
            refuse_unless(not side.is_due(now), "due to the funder")
        else:
            refuse_unless(side.is_shifting, "nothing to cancel")
        side.is_shifting = amount > 0
        side.request(amount or side.returning, now)

    def take_back(self, from_group: bool, amount: int, now: int) -> None:
        """The funder asks for capital."""
        side = self.sides[from_group]
        keeps_time = side.is_due(now) and amount <= side.returning
        side.returning = amount
        if not keeps_time:
            side.due_at = now + side.notice
        if keeps_time or not side.is_shifting:
            side.is_shifting = False
            side.request(amount, now)

    def release(self, from_group: bool, now: int) -> None:
        """The operator of a side waives its notice."""
        side = self.sides[from_group]
        refuse_in_settlement(side.requested > 0, "nothing requested")
        side.ready_at = min(side.ready_at, now)

    def carry(self, from_group: bool, now: int) -> None:
        """Anybody brings what was asked for where it belongs."""
        side = self.sides[from_group]
        refuse_in_settlement(side.requested > 0, "nothing requested")
        refuse_in_settlement(now >= side.ready_at, "notice running")
        amount, was_shifting = min(side.requested, side.balance_n), side.is_shifting
        side.balance_n -= amount
        side.requested, side.is_shifting = 0, False
        if was_shifting:
            back = min(amount, side.returning) if side.is_due(now) else 0
            side.returning -= back
            if side.returning:
                side.request(side.returning, now)
        else:
            back, side.returning = amount, 0
        self.returned_n += back
        self.sides[not from_group].balance_n += amount - back
        self.shifted_n[from_group] += amount - back
