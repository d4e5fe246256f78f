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
from transactive.forecasting.models.boosted_year import BoostedYear
from transactive.forecasting.models.climatology import Climatology
from transactive.forecasting.models.lear import Lear
from transactive.forecasting.models.pooled import Pooled, with_pool
from transactive.forecasting.models.smoothing import SeasonalSmoothing
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
    if isinstance(recipe, BoostedYear):
        recipe = replace(recipe, trees=5, rows=2_000)
    check_forecaster(recipe, random(), lengths=(3600,), days=470 if isinstance(recipe, BoostedYear) else 64)


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


def test_climatology_takes_the_same_season_and_kind_of_day_of_all_years():
    day = np.arange(3 * 365 + 20)
    dear = (day + 3) % 7 >= 5  # day 0 of 1970 is a Thursday
    wh = 100 + 50 * np.cos(2 * np.pi * day / 365.25) + 10 * dear
    history = History(0, HOUR, np.repeat(wh, 24)[:, None])
    forecast = said(Climatology(), history.until((3 * 365 - 5) * 24, 0), 20 * 24)
    missed = forecast.values[::24, 0, 2] - wh[3 * 365 - 5 : 3 * 365 + 15]
    assert np.abs(missed).max() < 2  # of 50 that a season makes, and 10 that a kind of day does
    in_spring = said(Climatology(), history.until((2 * 365 + 91) * 24, 0), 24)
    assert abs(in_spring.mean[0, 0] - wh[2 * 365 + 91]) < 2
    first_month = said(Climatology(), history.until(20 * 24, 0), 24)
    assert 130 < first_month.values.min() < first_month.values.max() < 165


def test_smoothing_learns_a_day_and_a_week_and_what_remains_of_an_error():
    hour = np.arange(40 * 24)
    wh = 300 + 100 * np.sin(2 * np.pi * hour / 24) + 80 * (hour // 24 % 7 == 2)
    history = History(0, HOUR, np.stack([wh, 5 * wh], axis=1))
    forecast = said(SeasonalSmoothing(), history.until(33 * 24, 0), 7 * 24)
    np.testing.assert_allclose(forecast.values[:, :, 2], history.values[33 * 24 :], atol=1)
    draw = random()
    rough = np.zeros(len(hour))
    for k in range(1, len(hour)):
        rough[k] = 0.95 * rough[k - 1] + draw.normal(0, 10)
    lasting = History(0, HOUR, (wh + rough)[:, None])
    errors: dict[str, list[float]] = {"smoothing": [], "last-week": []}
    for name, recipe in (("smoothing", SeasonalSmoothing()), ("last-week", last_week())):
        for end in range(30 * 24, 39 * 24, 12):
            told = said(recipe, lasting.until(end, 0), 6).values[:, 0, 2]
            errors[name].append(np.abs(told - lasting.values[end : end + 6, 0]).mean())
    assert np.mean(errors["smoothing"]) < np.mean(errors["last-week"]) / 1.5


def test_the_linear_model_uses_all_hours_of_what_is_known_and_holds_where_a_column_wakes_up():
    draw = random()
    days = 100
    wind = draw.normal(0, 1, (days, 1)) + draw.normal(0, 0.3, (days, 24))
    sun = np.where(np.arange(days)[:, None] < 92, 1e-6 * draw.random((days, 24)), 50.0)  # a column that begins to move
    price = 40 - 10 * wind.mean(axis=1, keepdims=True) + draw.normal(0, 0.5, (days, 24))
    ahead = np.stack([wind.ravel(), sun.ravel()], axis=1)
    history = History(0, HOUR, price.reshape(-1, 1), ahead)
    model = Lear().train(history.until(90 * 24, 24), 24, draw)
    told = [model.predict(history.until(day * 24, 24), 24) for day in range(90, 99)]
    missed = np.abs(np.stack([t.values[:, 0, 2] for t in told]) - price[90:99])
    assert missed.mean() < 2.0  # the wind moves the price by 8 on average
    with pytest.raises(DataError, match="7 days ahead"):
        Lear().train(history, 8 * 24, draw)


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
