"""Records that a run keeps of its forecasts: models, what happened to them, how each target fared, what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from transactive.core.units import IntArray
from transactive.forecasting.evaluation.contest import Contest
from transactive.forecasting.evaluation.monitor import TargetDay
from transactive.forecasting.models.model_file import Learnt

Status: TypeAlias = Literal["candidate", "champion", "retired"]
Kind: TypeAlias = Literal["not trained", "trained", "promoted", "drift", "fell back", "recovered", "rolled back"]
By: TypeAlias = Literal["run", "person"]
Ahead: TypeAlias = Literal["day", "slot"]
"""A forecast of the day before, or the one that orders were made of."""
POOLED, SUBMITTED = "total", "total by "
"""Targets of what pool and market said of a community total, in this order; and of each who submitted."""


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the registry. hash: SHA-256 of its file. contest: its last test, if there was one."""

    number: int
    target: str
    status: Status
    made_at: int
    hash: str
    program: str
    features: int
    learnt: Learnt
    contest: Contest | None = None

    @property
    def file(self) -> str:
        """Name of its file, which says what is in it."""
        return f"{self.target}-{self.number:04d}-{self.hash[:12]}.json"


class ModelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a target's forecasts. at: when [Unix s] in the run's time; by: who did it."""

    number: int
    at: int
    target: str
    kind: Kind
    text: str
    model: int | None = None
    by: By = "run"


class ActiveModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Who forecasts a target from a time on, and the day that ended then.

    model: its number, None for empirical quantiles. day: how the forecasts of the day before fared, if it was one.
    state: shifts of the calibration and what the monitors remember; gone from days that nothing goes on from.
    """

    target: str
    since: int
    model: int | None
    day: TargetDay | None = None
    state: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ToldForecast:
    """What was forecast of a slot. figures: (series, 6), five quantiles and the mean, in the unit of the target.

    issued: newest time that was known to it [Unix s]. model: None for empirical quantiles.
    """

    slot: int
    target: str
    ahead: Ahead
    issued: int
    model: int | None
    figures: IntArray


ModelLog: TypeAlias = Sequence[ModelRecord | ModelEvent | ActiveModelRecord | ToldForecast]
"""What a stage of a slot keeps of forecasts, each in place of an earlier record of the same."""
