"""What somebody can ask for about decisions, as the API takes it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Number = Annotated[int, Meta(ge=0, le=2**32)]
Index = Annotated[int, Meta(ge=0, le=2**16, description="Place of a member in the registry")]


class DecidingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Base of all that can be asked for."""


class AskVote(DecidingRequest, frozen=True, kw_only=True, tag="vote"):
    """An answer to a proposal, signed with the member's key; a later one replaces it while the vote goes on."""

    proposal: Number
    answer: Literal["yes", "no", "abstain"]


class AskBallot(DecidingRequest, frozen=True, kw_only=True, tag="ballot"):
    """The same, signed elsewhere: whoever keeps the key of its account."""

    proposal: Number
    answer: Literal["yes", "no", "abstain"]
    turn: Annotated[int, Meta(ge=1, le=62)]
    signature: Annotated[str, Meta(pattern="^(0x)?[0-9a-fA-F]{130}$", description="EIP-712, 65 bytes")]


class AskSecond(DecidingRequest, frozen=True, kw_only=True, tag="second"):
    """That a proposal is voted on."""

    proposal: Number


class AskProxy(DecidingRequest, frozen=True, kw_only=True, tag="proxy"):
    """Another member that votes in one's place, by its index; null ends that. One's own vote always wins."""

    to: Index | None = None


class AskPropose(DecidingRequest, frozen=True, kw_only=True, tag="propose"):
    """Other numbers of the rules, by name, from a slot on. document: SHA-256 of consequences that are kept here."""

    numbers: Annotated[dict[str, int], Meta(min_length=1, max_length=8)]
    since: Annotated[str, Meta(max_length=40, description="RFC 3339")]
    document: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


DecisionAsked: TypeAlias = AskVote | AskBallot | AskSecond | AskProxy | AskPropose
