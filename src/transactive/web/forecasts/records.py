"""What the API says of submitted forecasts, and takes in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from transactive.web.api.records import Money, Time, View, Wh

MilliWh = Annotated[int, Meta(description="Thousandths of a Wh of CRPS a day less than the market's own forecast")]


class LeaderView(View, frozen=True, kw_only=True):
    """How a forecaster fared in the newest 13 weeks, against the market's own forecast of the same total."""

    forecaster: str
    days: int
    slots: Annotated[int, Meta(description="For which it sealed a forecast")]
    not_shown: Annotated[int, Meta(description="Of these; each counts as the worst")]
    gain: MilliWh
    gain_low: Annotated[int, Meta(description="Lower end of a 90 % interval of the mean over days drawn anew")]
    gain_high: int
    is_sure: Annotated[bool, Meta(description="Whether it is better by more than luck")]
    paid_n: Annotated[Money | None, Meta(description="In the whole run; null for one without an account")]


class LeaderList(View, frozen=True, kw_only=True):
    """All who submitted a forecast, who is better for sure first."""

    items: list[LeaderView]


class PublishedTotalView(View, frozen=True, kw_only=True):
    """What all members used in a slot, less what they made: what submitted forecasts are of."""

    slot: Time
    net_load_wh: Annotated[Wh | None, Meta(description="Null where a meter was silent; then nobody is scored")]


class PublishedTotalList(View, frozen=True, kw_only=True):
    """Totals of delivered slots, oldest first."""

    items: list[PublishedTotalView]


Moment = Annotated[str, Meta(max_length=40, description="Start of the slot, RFC 3339")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$", description="64 hexadecimal digits")]
Quantile = Annotated[int, Meta(ge=-(10**12), le=10**12, description="Wh")]
MOST = 1_000


class ForecastSeal(Struct, frozen=True, forbid_unknown_fields=True):
    """A forecast as its hash: SHA-256 of salt, slot and quantiles (each 8 bytes, signed, big-endian), and the name."""

    slot: Moment
    sha256: Sha256


class ForecastSeals(Struct, frozen=True, forbid_unknown_fields=True):
    """Forecasts to seal, in place of earlier ones for the same slots."""

    seals: Annotated[list[ForecastSeal], Meta(min_length=1, max_length=MOST)]


class ForecastOpening(Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed forecast: quantiles at 5, 25, 50, 75 and 95 %, and the salt, 32 bytes."""

    slot: Moment
    quantiles_wh: Annotated[list[Quantile], Meta(min_length=5, max_length=5)]
    salt: Sha256


class ForecastOpenings(Struct, frozen=True, forbid_unknown_fields=True):
    """Sealed forecasts to show."""

    openings: Annotated[list[ForecastOpening], Meta(min_length=1, max_length=MOST)]


class TakenView(View, frozen=True, kw_only=True):
    """What was taken in: all of the request."""

    forecaster: str
    slots: int
    received: Annotated[Time, Meta(description="By the market's clock, which decides")]
