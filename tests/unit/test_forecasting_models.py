"""Every registered forecaster conforms, and the check finds those that break a rule."""

import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from transactive.core.errors import ConfigError, DataError, RuleBroken
from transactive.forecasting import registry
from transactive.forecasting.conformance import check_forecaster
from transactive.forecasting.models.baselines import Empirical, last_day, last_week, mean_of_week
from transactive.forecasting.models.boosted import Boosted
from transactive.forecasting.models.pooled import Pooled, with_pool
from transactive.forecasting.pool.model import Pool
from transactive.forecasting.series import History, Quantiles

HOUR = 3600


def random():
    return np.random.default_rng(1)


@pytest.mark.parametrize("name", registry.names())
def test_no_registered_forecaster_looks_ahead_or_breaks_another_rule(name):
    recipe = registry.load(name)
    if isinstance(recipe, Boosted):
        recipe = replace(recipe, trees=10)  # what is seen does not depend on how many
    if isinstance(recipe, Pool):
        recipe = replace(recipe, asked=("empirical", "last-day", "regression"))
    check_forecaster(recipe, random(), lengths=(3600,))


def test_a_trivial_forecaster_conforms_at_every_length_of_a_slot():
    check_forecaster(Empirical(), random(), lengths=(300, 900, 1800, 3600))


@dataclass
class Broken:
    """A forecaster that does something that it must not."""

    how: str
    calls: int = 0

    def train(self, history, horizon, random):
        return self

    def predict(self, history, horizon):
        self.calls += 1
        forecast = Empirical().predict(history, horizon)
        if self.how == "peek":
            future = history.values.base[len(history.values) :]
            return replace(forecast, mean=forecast.mean + np.nan_to_num(future).sum())
        if self.how == "cross":
            return replace(forecast, values=forecast.values[:, :, ::-1])
        if self.how == "change":
            history.values[0] = 7
            return forecast
        if self.how == "forget":
            return replace(forecast, mean=forecast.mean + self.calls)
        if self.how == "short":
            return Quantiles(forecast.values[1:], forecast.mean[1:])
        return replace(forecast, mean=forecast.mean * np.nan)


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("peek", "after the time of issue"),
        ("cross", "do not cross"),
        ("change", "changes nothing"),
        ("forget", "no forecast|the same history"),
        ("short", "a row for each coming slot"),
        ("nan", "finite"),
    ],
)
def test_a_forecaster_that_breaks_a_rule_is_found(how, rule):
    with pytest.raises(RuleBroken, match=rule):
        check_forecaster(Broken(how), random())


def days(*values, members=1):
    """A history of whole days, each hour of a day the same."""
    return History(0, HOUR, np.repeat(np.array(values, np.float64), 24)[:, None] * np.ones(members))


def said(recipe, history, horizon=24):
    return recipe.train(history, horizon, random()).predict(history, horizon)


def test_trivial_forecasts_are_what_their_names_say():
    history = days(*range(1, 11))
    assert set(said(last_day(), history).mean.ravel()) == {10}
    assert set(said(last_week(), history).mean.ravel()) == {4}
    assert set(said(mean_of_week(), history).mean.ravel()) == {7}
    assert set(said(Empirical(), history).mean.ravel()) == {5.5}
    assert said(Empirical(), history).values[0, 0, 2] == 5.5


def test_a_point_forecast_has_the_quantiles_of_its_own_errors():
    history = days(*range(1, 11))  # each day one more than the day before: the error is always + 1
    assert said(last_day(), history).values[3, 0].tolist() == [11] * 5


def test_a_member_with_little_history_is_forecast_from_the_pool_at_its_own_size():
    history = days(*([100] * 40), members=3)
    history.values[:, 1] *= 2
    history.values[: -24 * 3, 2] = np.nan
    history.values[-24 * 3 :, 2] = 500
    pooled = said(Pooled(), history)
    assert pooled.mean[0].tolist() == [100, 200, 500]
    forecast = with_pool(said(last_day(), history), history)
    assert forecast.values[0, :, 2].tolist() == [100, 200, 500]


def test_the_pool_leaves_grown_members_alone():
    history = days(*range(40))
    forecast = said(last_day(), history)
    assert with_pool(forecast, history) is forecast


def test_a_young_series_alone_is_widened_by_its_errors_around_the_same_time_of_day():
    draw = np.random.default_rng(2)
    values = np.round(500 + draw.normal(0, 100, (10 * 24, 40)))
    values[np.arange(240) % 24 < 6] = 0  # certain at night
    known, day = History(0, HOUR, values[:120]), values[120:144]
    forecast = said(Empirical(), known)
    widened = with_pool(forecast, known)
    plain, wide = (
        ((day >= told.values[..., 0]) & (day <= told.values[..., -1]))[9:21].mean() for told in (forecast, widened)
    )
    assert plain < 0.7
    assert 0.82 < wide < 0.97
    assert (widened.values[:4] == 0).all()


def test_the_boosted_model_is_better_than_empirical_quantiles_where_there_is_something_to_learn():
    draw = random()
    level = np.repeat(draw.choice([100.0, 400.0], 150), 24)  # days are high or low, and their last hour tells the next
    level[23::24] = np.roll(level[::24], -1)
    history = History(0, HOUR, level[:, None] + draw.normal(0, 5, (150 * 24, 1)))
    model = Boosted(leaves=7, trees=60, bags=1).train(history.until(130 * 24, 24), 24, draw)
    missed = {}
    for name, made in (("boosted", model), ("empirical", Empirical())):
        medians = [made.predict(history.until(day * 24, 24), 24).values[:23, 0, 2] for day in range(130, 149)]
        missed[name] = np.abs(np.array(medians) - level.reshape(-1, 24)[130:149, :23]).mean()
    assert missed["boosted"] < missed["empirical"] / 4


def test_an_unknown_forecaster_is_refused_with_the_known_ones_named():
    with pytest.raises(ConfigError, match=r"'chronos' is not installed; known: boosted, .*empirical"):
        registry.load("chronos")


def test_without_its_library_the_boosted_model_is_left_out_with_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(DataError, match="the boosted model needs the extra 'forecast'"):
        Boosted().train(days(*range(40)), 24, random())


def test_a_library_that_lacks_openmp_says_what_to_install(monkeypatch, tmp_path):
    (tmp_path / "lightgbm.py").write_text('raise OSError("libgomp.so.1: cannot open shared object file")\n')
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match=r"cannot be loaded .*libgomp1"):
        Boosted().train(days(*range(40)), 24, random())


def test_too_little_history_is_said():
    with pytest.raises(DataError, match="a forecast needs a day"):
        Empirical().predict(History(0, HOUR, np.zeros((23, 1))), 1)
    with pytest.raises(DataError, match="35 days"):
        Boosted().train(days(*range(30)), 24, random())
