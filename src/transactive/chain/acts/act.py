"""A row of the table: one act, the call that it is, and what the call is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

By = Literal["owner", "operator", "arbiter", "on-ramp", "gateway", "account", "anybody"]
"""Whose key signs: a role's; `account` is a member or named party, `anybody` whatever key is named."""
Kind = Literal[
    "address", "deal", "deals beyond", "enrolled", "index", "leaf", "limit", "link", "meter signature", "money",
    "number", "numbers", "opening", "own deal", "permit", "price", "project", "readings", "registers", "registry index",
    "roles", "slot", "slot number", "slot numbers", "spared", "text", "time", "total", "whole opening", "words",
]  # fmt: skip
"""What a value is: how it is written on the command line, and what the contract gets of it."""


@dataclass(frozen=True, slots=True)
class Take:
    """A value that somebody gives: its option's name, its kind, what it means; default None where it must be given."""

    name: str
    kind: Kind
    means: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that makes the act what it is."""

    value: bool


ON, OFF = Fixed(value=True), Fixed(value=False)


@dataclass(frozen=True, slots=True)
class Act:
    """One act. function: of the contract; takes: its arguments in order; does: in the imperative; then: after it."""

    name: str
    by: By
    contract: str
    function: str
    does: str
    then: str
    takes: tuple[Take | Fixed, ...] = ()

    @property
    def values(self) -> tuple[Take, ...]:
        """What somebody gives."""
        return tuple(one for one in self.takes if isinstance(one, Take))


@dataclass(frozen=True, slots=True)
class Group:
    """Acts that belong together, under one word of the command line."""

    name: str
    about: str
    acts: tuple[Act, ...]


def ownership(contract: str, what: str) -> tuple[Act, ...]:
    """The two steps in which a contract changes its owner."""
    candidate = Take("candidate", "address", f"Address of the next owner, or an account's name. {NOBODY}")
    return (
        Act(
            "offer-ownership",
            "owner",
            contract,
            "offerOwnership",
            f"Offer {what} to a new owner, who has to accept.",
            "the new owner can accept; until then nothing changes",
            (candidate,),
        ),
        Act(
            "accept-ownership",
            "anybody",
            contract,
            "acceptOwnership",
            f"Accept {what} that was offered to you.",
            "you are the owner",
        ),
    )


NOBODY = "0x0000000000000000000000000000000000000000 takes an offer back."
COMMITTED = Take("slot", "opening", "Start of a committed slot, RFC 3339; without it the last one.", "")
