"""What can be done with carbon credits, as records: the log of a register gives the same register again.

by: who acts. at: start of the slot that it happened in [Unix s], 0 outside a run. Prices are µ¤ per tonne, which are
n¤ per kg.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from transactive.carbon.credits.register import Kg, Name, Project
from transactive.core.community.validation import explained
from transactive.core.errors import CreditError

Price = Annotated[int, Meta(ge=0, le=10**13)]


class CreditStep(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="step"
):
    """Base of the steps."""

    by: Name
    at: int = 0


class RegisterProject(CreditStep, frozen=True, kw_only=True, tag="register"):
    """Enter a project with its auditor."""

    project: Project


class Approve(CreditStep, frozen=True, kw_only=True, tag="approve"):
    """Let a project issue: its auditor."""

    project: Name


class IssueBatch(CreditStep, frozen=True, kw_only=True, tag="issue"):
    """Issue a batch under a serial of its own: the auditor."""

    project: Name
    vintage: Annotated[int, Meta(ge=1990, le=2200)]
    serial: Name
    kg: Kg
    owner: Name


class Sell(CreditStep, frozen=True, kw_only=True, tag="sell"):
    """List held credits of a batch for sale at a fixed price."""

    batch: int
    kg: Kg
    price_micro_per_t: Price


class TakeBack(CreditStep, frozen=True, kw_only=True, tag="take-back"):
    """Take what is left of a listing back: its seller."""

    listing: int


class Buy(CreditStep, frozen=True, kw_only=True, tag="buy"):
    """Buy from a listing by hand; paid: how it was paid, as no settlement does it."""

    listing: int
    kg: Kg
    paid: Name


class Retire(CreditStep, frozen=True, kw_only=True, tag="retire"):
    """Use held credits up."""

    batch: int
    kg: Kg
    beneficiary: str
    reason: str
    period: str


class Offset(CreditStep, frozen=True, kw_only=True, tag="offset"):
    """Buy from a listing and retire at once: what settlement does for a policy."""

    listing: int
    kg: Kg
    beneficiary: str
    reason: str
    period: str


class Reverse(CreditStep, frozen=True, kw_only=True, tag="reverse"):
    """State that what a batch removed or avoided did not last: the auditor."""

    batch: int
    kg: Kg


AnyStep: TypeAlias = RegisterProject | Approve | IssueBatch | Sell | TakeBack | Buy | Retire | Offset | Reverse
_DECODER: msgspec.json.Decoder[AnyStep] = msgspec.json.Decoder(AnyStep)


def encode(step: AnyStep) -> bytes:
    """Canonical JSON of a step."""
    return msgspec.json.encode(step, order="sorted")


def decode(data: bytes | str) -> AnyStep:
    """Step from its JSON."""
    return _DECODER.decode(data)


def check(step: AnyStep) -> AnyStep:
    """The step itself, if its fields are possible. Raises CreditError naming the first that is not."""
    try:
        return decode(encode(step))
    except msgspec.ValidationError as error:
        raise CreditError("field", f"{explained(str(error), type(step))}") from None
