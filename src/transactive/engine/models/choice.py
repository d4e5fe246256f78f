"""Champion against challenger before a run: which forecaster costs the members least on the days before it.

Errors are not what members pay, so the judge is money: the days before the run are walked under every candidate,
without chain and database, and a challenger replaces the empirical quantiles only if its days are cheaper by more than
luck.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from transactive.config.checks import AUTO
from transactive.config.setting import Setting
from transactive.core.community.rules import ForecastRules
from transactive.core.slots import DAY
from transactive.engine.models.net_load import EMPIRICAL
from transactive.forecasting.evaluation.scores import diebold_mariano
from transactive.forecasting.series import FloatArray

CHALLENGERS = ("empirical-14", "boosted", "pool")
"""The pool comes last, as it takes longest: it has to be cheaper than the best of the others before it."""
TRIAL_DAYS = 14
"""Days that decide."""
LEAST_HISTORY_DAYS = 36
"""History that the trial's first day must have [d]: what the boosted model needs, and a day for the gate."""
LEAST_EVIDENCE = 0.05
"""p-value of the paired test above which the champion stays."""
DailyCost = Callable[[Setting, range, str], FloatArray]
"""What all members together pay on each day of some slots under a forecaster [¤], (days,)."""


def forecaster(setting: Setting, slots: range, daily_cost: DailyCost) -> str:
    """Name of the forecaster of a run: the one that the community names, or with auto the winner of the trial."""
    name = setting.community.forecast.model
    return name if name != AUTO else champion(setting, slots, daily_cost)


def champion(setting: Setting, slots: range, daily_cost: DailyCost) -> str:
    """Walk the days before the first slot under each candidate; without enough history the champion stays."""
    length = setting.community.clock.length
    trial = range(slots[0] - TRIAL_DAYS * DAY, slots[0], length)
    if trial[0] < setting.first_slot + LEAST_HISTORY_DAYS * DAY:
        return EMPIRICAL
    best, least = EMPIRICAL, daily_cost(setting, trial, EMPIRICAL)
    for name in CHALLENGERS:
        cost = daily_cost(setting, trial, name)
        statistic, p = diebold_mariano(cost, least)
        if statistic < 0 and p < LEAST_EVIDENCE:
            best, least = name, cost
    return best


def under(setting: Setting, name: str) -> Setting:
    """The setting with another forecaster, as it is: nobody looks after it."""
    community = msgspec.structs.replace(setting.community, forecast=ForecastRules(model=name, maintain="off"))
    return replace(setting, community=community)
