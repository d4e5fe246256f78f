"""What the API says of forecasts and models. Energy in Wh, prices in µ¤/kWh, as everywhere."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from transactive.web.api.records import Next, Time, View

Figure = Annotated[int, Meta(description="Wh, or µ¤/kWh of a price")]


class SlotForecast(View, frozen=True, kw_only=True):
    """What was forecast of a slot, and what came. Net load is consumption − generation, before any battery."""

    slot: Time
    target: Literal["consumption", "generation", "orders", "plans", "community", "price"]
    member: Annotated[str | None, Meta(description="Null for all together")]
    ahead: Annotated[Literal["day", "slot"], Meta(description="The day before, or what orders were made of")]
    issued: Annotated[Time, Meta(description="Newest time that was known")]
    forecaster: str
    q05: Figure
    q25: Figure
    q50: Figure
    q75: Figure
    q95: Figure
    mean: Figure
    came: Annotated[int | None, Meta(description="Null before the slot is over, or without a trade")]


class ModelView(View, frozen=True, kw_only=True):
    """A trained model of the registry, and its last test beside the active one."""

    number: int
    target: str
    forecaster: str
    status: Literal["candidate", "champion", "retired"]
    sha256: str
    made_at: Time
    learnt_since: Time
    learnt_until: Time
    series: int
    program: str
    features: int
    tested_days: int | None
    pinball: float | None
    covered: float | None
    against: str | None
    against_pinball: float | None
    statistic: Annotated[float | None, Meta(description="Diebold-Mariano; below 0 the model is the better one")]
    p_value: float | None


class ModelEventView(View, frozen=True, kw_only=True):
    """Something that happened to the forecasts of a target."""

    number: int
    time: Time
    target: str
    kind: Literal["not trained", "trained", "promoted", "drift", "fell back", "recovered", "rolled back"]
    text: str
    model: int | None
    by: Literal["run", "person"]


class ModelDay(View, frozen=True, kw_only=True):
    """How a target fared on the day that ended at `until`, and which model is active from then on.

    pit: mean place of what came in its forecast distribution, 0.5 as it should be.
    """

    target: str
    until: Time
    model: Annotated[int | None, Meta(description="Null for empirical quantiles")]
    inside: Annotated[int | None, Meta(description="Slots and members inside the 90 % interval; null without a day")]
    counted: int | None
    pit: float | None
    pinball: float | None


class ForecastList(View, frozen=True, kw_only=True):
    """All forecasts of one slot."""

    items: list[SlotForecast]


class ModelPage(View, frozen=True, kw_only=True):
    """Models by number."""

    items: list[ModelView]
    next: Next


class ModelEventPage(View, frozen=True, kw_only=True):
    """Events in the order in which they happened."""

    items: list[ModelEventView]
    next: Next


class ModelDayList(View, frozen=True, kw_only=True):
    """Days of one target, in order."""

    items: list[ModelDay]
