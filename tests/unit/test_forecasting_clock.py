"""The local clock: the hour that is skipped, the hour that comes twice, holidays."""

from datetime import UTC, datetime

import numpy as np
import pytest

from transactive.core.errors import InputError
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.models.baselines import last_day
from transactive.forecasting.series import History

HOUR = 3600
VIENNA = Calendar("Europe/Vienna")


def at(year, month, day, hour=0):
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def local_hours(first, hours, calendar=VIENNA):
    """A series whose value is the hour on the local clock."""
    local = calendar.local(first + HOUR * np.arange(hours))
    return History(first, HOUR, (local // HOUR % 24).astype(np.float64)[:, None], calendar=calendar)


@pytest.mark.parametrize("change", [at(2024, 3, 31, 1), at(2024, 10, 27, 1)], ids=["spring", "autumn"])
@pytest.mark.parametrize("after", [-6, 1, 2, 6, 30])
def test_yesterday_at_the_same_time_is_by_the_local_clock(change, after):
    first = change - 10 * 86_400
    known = 10 * 24 + after
    history = local_hours(first, known + 24)
    forecast = last_day().predict(history.until(known, 24), 24)
    came = history.values[known:, 0]
    skipped = came == 2 if change == at(2024, 3, 31, 1) else came < 0  # the day before had no such hour
    assert (np.abs(forecast.mean[:, 0] - came)[~skipped] < 1e-9).all()


def test_the_skipped_hour_is_a_gap_and_the_double_hour_a_mean():
    spring = on_clock(local_hours(at(2024, 3, 30, 23), 24))
    assert spring.measured[:4, 0].tolist()[:2] == [0, 1]
    assert np.isnan(spring.measured[2, 0])
    autumn = History(at(2024, 10, 26, 22), HOUR, np.arange(30.0)[:, None], calendar=VIENNA)
    assert on_clock(autumn).measured[:5, 0].tolist() == [0, 1, 2.5, 4, 5]
    assert len(on_clock(autumn).values) == 29


def test_steps_skip_and_repeat_with_the_clock():
    assert steps_on_clock(local_hours(at(2024, 3, 30, 0), 24), 4).tolist() == [0, 2, 3, 4]
    assert steps_on_clock(local_hours(at(2024, 10, 26, 0), 24), 4).tolist() == [0, 0, 1, 2]
    assert steps_on_clock(local_hours(at(2024, 6, 1, 0), 24), 4).tolist() == [0, 1, 2, 3]


def test_gaps_are_filled_from_the_day_before_and_the_beginning_by_the_mean():
    values = np.arange(72.0)[:, None]
    values[[3, 30, 54]] = np.nan
    series = on_clock(History(0, HOUR, values))
    assert series.values[30, 0] == series.values[54, 0] == 6
    assert series.values[3, 0] == pytest.approx(np.nanmean([*np.delete(np.arange(72.0), [3, 30, 54]).tolist(), 6, 6]))
    assert np.isnan(series.measured[[3, 30, 54], 0]).all()


def test_weekdays_and_holidays():
    calendar = Calendar("UTC", "AT")
    local = np.array([at(2024, 10, 25), at(2024, 10, 26), at(2024, 10, 28)])
    assert calendar.weekday(local).tolist() == [4, 5, 0]
    assert calendar.is_holiday(local).tolist() == [False, True, False]
    assert not Calendar().is_holiday(local).any()


def test_unknown_zones_and_countries_are_named():
    with pytest.raises(InputError, match="--zone Europe/Wien is no known time zone"):
        Calendar("Europe/Wien").local(np.array([0]))
    with pytest.raises(InputError, match="--holidays ZZ is no known country"):
        Calendar("UTC", "ZZ").is_holiday(np.array([0]))
