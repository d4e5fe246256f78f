"""What the API says of a question and its shares."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from transactive.texts.predictions import Quantity
from transactive.web.api.records import Money, Time, View, Wh

Ppm = Annotated[int, Meta(description="Price of a share, which is the probability it stands for [ppm]")]


class ShareTrade(View, frozen=True, kw_only=True):
    """A trade, and the prices after it. shares_n: what they pay if the outcome happens; negative if given back."""

    time: Time
    outcome: int
    shares_n: Money
    money_n: Money
    prices: list[Ppm]


class PredictionView(View, frozen=True, kw_only=True):
    """A question about a total of all members, with its outcomes, their prices and all trades; nobody is named."""

    number: int
    quantity: Quantity
    begins: Time
    ends: Time
    trading_ends: Time
    stage: str
    outcomes: list[str]
    bounds_wh: list[Wh]
    blur_wh: Wh
    prices: list[Ppm]
    metered_wh: Annotated[Wh | None, Meta(description="Null before the total is known")]
    substituted_wh: Wh | None
    trades: list[ShareTrade]


class PredictionList(View, frozen=True, kw_only=True):
    """Questions, newest first. means, thin_markets: what shares are for, and what the measurement found."""

    items: list[PredictionView]
    means: str
    thin_markets: str
