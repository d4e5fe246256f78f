"""What a member can ask for, as the API takes it, and what that makes of its authorisation."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.errors import InputError
from transactive.core.proofs.members.authorisation import Authorisation
from transactive.core.slots import parse_time
from transactive.engine.authorisations import FOR_GOOD

PriceLimit = Annotated[int, Meta(ge=-(10**9), le=10**9, description="Price [µ¤/kWh], the network fee apart")]
Moment = Annotated[str, Meta(max_length=40, description="RFC 3339")]


class ActRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Base of all that can be asked for."""


class AskLimits(ActRequest, frozen=True, kw_only=True, tag="limits"):
    """Other limits of every order; one that is left out is none. A pause goes on."""

    never_pay_above_micro_per_kwh: PriceLimit | None = None
    sell_only_above_micro_per_kwh: PriceLimit | None = None


class AskPause(ActRequest, frozen=True, kw_only=True, tag="pause"):
    """No orders from a slot on, the first whose gate is open; without an end until `resume`. Limits stay."""

    start: Moment | None = None
    end: Moment | None = None


class AskResume(ActRequest, frozen=True, kw_only=True, tag="resume"):
    """Orders again."""


class AskAuthorise(ActRequest, frozen=True, kw_only=True, tag="authorise"):
    """A whole authorisation anew, from a slot on and until an end: only these limits, no pause."""

    never_pay_above_micro_per_kwh: PriceLimit | None = None
    sell_only_above_micro_per_kwh: PriceLimit | None = None
    start: Moment | None = None
    end: Moment | None = None


class AskRevoke(ActRequest, frozen=True, kw_only=True, tag="revoke"):
    """No orders until another authorisation."""


class AskUndo(ActRequest, frozen=True, kw_only=True, tag="undo"):
    """What held before an act, which has to be the member's newest. number: of that act."""

    number: Annotated[int, Meta(ge=1, le=2**53)]


class AskStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Energy at a limit, the network fee apart: a buy's is rounded down to the market's price grid, a sell's up."""

    price_micro_per_kwh: PriceLimit
    energy_wh: Annotated[int, Meta(ge=1, le=10**9)]


Steps = Annotated[tuple[AskStep, ...], Meta(max_length=64)]


class AskOrder(ActRequest, frozen=True, kw_only=True, tag="order"):
    """An order for a slot of a live market: all that one wants in it, in place of the agent's and of earlier ones."""

    slot: Moment
    buys: Steps = ()
    sells: Steps = ()


class AskCancel(ActRequest, frozen=True, kw_only=True, tag="cancel"):
    """No order in a slot of a live market after all: neither what was ordered, nor one of the agent's."""

    slot: Moment


Allowing: TypeAlias = AskLimits | AskPause | AskResume | AskAuthorise | AskRevoke | AskUndo
Ordering: TypeAlias = AskOrder | AskCancel
Asked: TypeAlias = Allowing | Ordering
LIMITED = ("highest_buy", "lowest_sell", "paused_from", "paused_until", "valid_until")
"""What an authorisation allows, apart from whose it is and when it begins."""


def changed(latest: Authorisation, asked: Allowing, longest: int) -> Authorisation:
    """What a member allows after what it asked for; all but an undoing, which needs what was before.

    latest: what it would allow without, from the first open slot on. longest: end of the longest authorisation of all
    [Unix s]. Raises InputError where it was revoked, or a time is malformed.
    """
    if not latest.valid_until and not isinstance(asked, AskAuthorise | AskRevoke):
        raise InputError("its authorisation is revoked; sign one anew with `authorise`")
    match asked:
        case AskLimits():
            return msgspec.structs.replace(latest, **_prices(asked))
        case AskPause():
            start = latest.valid_from if asked.start is None else parse_time(asked.start)
            end = FOR_GOOD if asked.end is None else parse_time(asked.end)
            if end <= start:
                raise InputError("a pause has to end after it begins; give a later end, or none")
            return msgspec.structs.replace(latest, paused_from=start, paused_until=end)
        case AskResume():
            return msgspec.structs.replace(latest, paused_from=0, paused_until=0)
        case AskRevoke():
            return msgspec.structs.replace(latest, valid_until=0)
        case AskAuthorise():
            start = latest.valid_from if asked.start is None else parse_time(asked.start)
            end = longest if asked.end is None else parse_time(asked.end)
            fresh = {**_prices(asked), "paused_from": 0, "paused_until": 0, "valid_from": start, "valid_until": end}
            return msgspec.structs.replace(latest, **fresh)
        case AskUndo():
            raise InputError(f"act {asked.number}: what was before it is asked of the log")


def _prices(asked: AskLimits | AskAuthorise) -> dict[str, int]:
    """Limits as an authorisation has them."""
    highest, lowest = asked.never_pay_above_micro_per_kwh, asked.sell_only_above_micro_per_kwh
    return {
        "highest_buy": NO_HIGHEST if highest is None else highest,
        "lowest_sell": NO_LOWEST if lowest is None else lowest,
    }
