"""A run's forecaster: named by the community, or decided by what its members paid on the days before."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from transactive.config.community_file import load
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.community.rules import ForecastRules
from transactive.core.errors import ConfigError
from transactive.core.slots import MarketClock, parse_time
from transactive.core.tables import Measured
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.models import choice
from transactive.engine.models.choice import champion, under
from transactive.engine.models.net_load import NetLoadForecast
from transactive.engine.recorded import daily_cost, recorded_run
from transactive.engine.replay import slots_of
from transactive.forecasting.empirical import forecast
from transactive.forecasting.samples import shuffled
from transactive.forecasting.series import Quantiles

CLOCK = MarketClock(3600, 3600, 24)
HOURS = 60 * 24


@pytest.fixture(scope="module")
def setting():
    return load_setting(DEMO)


def net_load():
    draw = np.random.default_rng(1)
    return draw.integers(-2000, 3000, (HOURS, 3))


def forecast_of(name, load, known, kind=NetLoadForecast):
    """A forecaster of recorded net load that was trained at a row."""
    nothing = np.zeros_like(load)
    past = RecordedHistory(ReplayClock(len(load) * 3600), 0, 3600, load, nothing)
    return kind(name, past, CLOCK, known * 3600)


def ahead(known, count=26):
    return range((known + 1) * 3600, (known + 1 + count) * 3600, 3600)


@pytest.mark.parametrize("name", ["empirical", "empirical-14", "last-day", "boosted-shallow", "pool"])
def test_what_comes_after_the_gate_changes_no_sample(name):
    known = 50 * 24 - 1
    loads = net_load(), net_load()
    loads[1][known:] = 10**8
    one, two = (forecast_of(name, load, known).forecast(known * 3600, ahead(known)) for load in loads)
    assert one.digest() == two.digest()
    assert one.net_load_wh.dtype == np.int64
    assert one.net_load_wh.shape == (26, 28, 3)


def test_homes_some_at_a_time_have_the_samples_that_all_at_once_have():
    known = 50 * 24 - 1
    net_load_forecast = forecast_of("empirical-14", net_load(), known)
    whole = net_load_forecast.forecast(known * 3600, ahead(known)).net_load_wh
    assert np.array_equal(
        whole[:, :, 1:], net_load_forecast.forecast(known * 3600, ahead(known), slice(1, 3)).net_load_wh
    )


def test_without_the_history_that_it_needs_a_forecaster_leaves_the_empirical_samples():
    known = 20 * 24
    net_load_forecast = forecast_of("boosted", net_load(), known)
    assert net_load_forecast.forecast(known * 3600, ahead(known)).digest() == (
        forecast_of("empirical", net_load(), known).forecast(known * 3600, ahead(known)).digest()
    )


def test_samples_keep_the_ranks_of_their_days_and_take_the_quantiles_of_the_forecast():
    template = forecast(net_load()[: 30 * 24], 0, 3600, range(30 * 86_400, 30 * 86_400 + 7200, 3600), 20)
    values = np.broadcast_to(np.array([100.0, 200, 300, 400, 500]), (2, 3, 5))
    samples = shuffled(Quantiles(values, values[:, :, 2]), template)
    one, two = (np.argsort(np.argsort(t.net_load_wh, axis=1, kind="stable"), axis=1) for t in (template, samples))
    assert np.array_equal(one, two)
    assert np.median(samples.net_load_wh, axis=1).tolist() == [[300] * 3] * 2
    ordered = np.sort(samples.net_load_wh, axis=1)[0, :, 0]
    assert ordered[[0, 1, 18, 19]].tolist() == [88, 112, 488, 512]  # levels 2.5, 7.5, 92.5 and 97.5 %


def test_a_walk_forecasts_with_the_forecaster_that_its_community_names(setting):
    slots = slots_of(setting, parse_time("2017-06-05T00:00Z"), 1)
    one, two = (daily_cost(under(setting, name), slots, name) for name in ("empirical", "last-day"))
    assert one.shape == (1,)
    assert one != two


def test_a_run_that_stops_trains_as_if_it_had_not():
    load, start = net_load(), 45 * 24
    later = start + 30 * 24 - 3
    stretch = 28 * 24
    asked: list[int] = []
    trained: list[int] = []

    class Recorder(NetLoadForecast):
        def _history(self, now, days, homes):
            (asked if days else trained).append(now // 3600)
            return super()._history(now, days, homes)

    longer = np.concatenate([load, load])
    forecast_of("boosted-shallow", longer, start, Recorder).forecast(later * 3600, ahead(later, 2))
    assert trained == [start + stretch]
    assert asked == [later]


def test_a_challenger_wins_only_when_it_is_cheaper_by_more_than_luck(setting):
    slots = slots_of(setting, parse_time("2017-06-05T00:00Z"), 1)
    draw = np.random.default_rng(1)
    usual = draw.normal(100, 10, 14)
    costs = {
        "empirical": usual,
        "empirical-14": usual + draw.normal(0, 2, 14),
        "boosted": usual - draw.normal(3, 1, 14),
        "pool": usual - 3 + draw.normal(0, 2, 14),
    }

    def cost(_setting, _slots, name):
        return costs[name]

    assert champion(setting, slots, cost) == "boosted"
    costs["pool"] = costs["boosted"] - draw.normal(2, 1, 14)  # it has to be better than the best before it
    assert champion(setting, slots, cost) == "pool"
    costs["boosted"] = costs["pool"] = usual + 3
    assert champion(setting, slots, cost) == "empirical"


def test_with_auto_the_days_before_the_run_decide(setting, monkeypatch):
    monkeypatch.setattr(choice, "CHALLENGERS", ("empirical-14",))
    monkeypatch.setattr(choice, "TRIAL_DAYS", 4)
    automatic = under(setting, "auto")
    slots = slots_of(setting, parse_time("2017-06-05T00:00Z"), 1)
    assert recorded_run(automatic, slots).known.net_load_forecast.name in ("empirical", *choice.CHALLENGERS)
    early = replace(
        setting, measured=Measured(setting.measured.first_slot, *2 * (setting.measured.consumption_wh[: 24 * 40],))
    )
    later = slots_of(early, setting.measured.first_slot + 38 * 86_400, 1)
    assert recorded_run(under(early, "auto"), later).known.net_load_forecast.name == "empirical"


def test_an_unknown_forecaster_is_named_before_anything_runs(tmp_path):
    text = DEMO.read_text().replace('model = "empirical"', 'model = "oracle"')
    (tmp_path / "community.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"forecast.model = 'oracle' is not installed; known: auto, boosted"):
        load(tmp_path / "community.toml")
    assert msgspec.convert({}, ForecastRules).model == "empirical"
