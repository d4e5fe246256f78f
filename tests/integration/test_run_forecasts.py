"""Who forecasts in a run: by the rules of its community, from what was known, and again after an interruption."""

from contextlib import closing
from dataclasses import replace

import msgspec
import pytest

from transactive.core.community.rules import ForecastRules
from transactive.core.slots import parse_time
from transactive.core.tables import Measured
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.models.run_forecasts import RunForecasts
from transactive.engine.models.target_histories import ORDERS, PLANS
from transactive.engine.replay import replay, slots_of
from transactive.store import Store

START = "2017-06-05T00:00Z"


def under(setting, **rules):
    community = msgspec.structs.replace(setting.community, forecast=ForecastRules(**rules))
    return replace(setting, community=community)


def begun(setting, slots, folder=None, forecaster=None):
    """The maintenance of a run that begins."""
    name = forecaster or setting.community.forecast.model
    past = RecordedHistory.of(setting, ReplayClock(setting.community.clock.gate(slots[0])))
    if folder is None:
        return RunForecasts(setting, slots, past, name, None).maintenance
    with closing(Store(folder)) as store:
        return RunForecasts(setting, slots, past, name, store).maintenance


@pytest.fixture(scope="module")
def slots(demo_setting):
    return slots_of(demo_setting, parse_time(START), 1)


def test_nothing_that_comes_later_trains_a_model_or_decides(demo_setting, slots, tmp_path):
    setting = under(demo_setting, challengers=("regression",))
    row = (slots[0] - setting.measured.first_slot) // 3600 - 1  # what is known when the first gate closes
    other = [column.copy() for column in (setting.measured.consumption_wh, setting.measured.generation_wh)]
    for column in other:
        column[row:] = 10**6
    poisoned = replace(setting, measured=Measured(setting.measured.first_slot, *other))
    one, two = (begun(s, slots, tmp_path / str(k)) for k, s in enumerate((setting, poisoned)))
    assert {m.hash for m in one.models.values()} == {m.hash for m in two.models.values()}
    assert one.events == two.events
    assert len(one.models) == 3


def test_a_named_forecaster_that_does_not_win_leaves_orders_to_empirical_quantiles(demo_setting, slots):
    maintenance = begun(under(demo_setting, model="last-day"), slots)
    assert {name: maintenance.active(name, slots[0]).model for name in (ORDERS, PLANS)} == {ORDERS: None, PLANS: None}
    assert [event.kind for event in maintenance.events] == ["trained", "trained"]


def test_one_that_won_in_money_begins_at_once(demo_setting, slots):
    maintenance = begun(under(demo_setting, model="auto"), slots, forecaster="empirical-fading")
    assert None not in {maintenance.active(name, slots[0]).model for name in (ORDERS, PLANS)}
    assert all("cost the members less" in event.text for event in maintenance.events)


def test_with_maintain_off_nothing_is_trained_and_forecasts_are_watched_all_the_same(demo_setting, slots, tmp_path):
    maintenance = begun(under(demo_setting, maintain="off"), slots, tmp_path)
    assert maintenance.models == {}
    assert maintenance.forecast("consumption", slots[0] - 3600, 25) is not None
    assert begun(under(demo_setting, maintain="off", model="last-day"), slots).targets == {}


@pytest.mark.long
def test_a_run_that_trades_by_a_model_ends_the_same_after_an_interruption(demo_setting, slots, tmp_path):
    setting = under(demo_setting, model="regression", challengers=())

    class Stop(Exception):
        pass

    def stop(record):
        if record.readings.slot == slots[9]:
            raise Stop

    whole, _ = replay(setting, slots, tmp_path / "whole", seed="models")
    with pytest.raises(Stop):
        replay(setting, slots, tmp_path / "twice", seed="models", after_slot=stop)
    again, _ = replay(setting, slots, tmp_path / "twice", seed="models")
    assert again.summary.state_hash == whole.summary.state_hash
    with closing(Store(tmp_path / "twice")) as store:
        past = RecordedHistory.of(setting, ReplayClock(slots[-1]))
        maintenance = RunForecasts(setting, slots, past, "regression", store).maintenance
    assert maintenance.active(ORDERS, slots[0]).model == 1
    contest = maintenance.models[1].contest
    assert contest is not None
    assert contest.won
