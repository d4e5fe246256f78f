"""A price in place of a column of prices: with its unit, and by days and hours."""

import numpy as np
import pytest

from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.studies.recordings.told_price import prices_told, told_price


@pytest.mark.parametrize(
    ("text", "micro_per_kwh"),
    [("28 ct/kWh", 280_000), ("0.285 EUR/kWh", 285_000), ("-5 EUR/MWh", -5_000), ("280 EUR/MWh", 280_000)],
)
def test_a_price_has_its_unit(text, micro_per_kwh):
    assert told_price(text) == micro_per_kwh


def test_the_name_of_a_column_is_none():
    assert told_price("import_price_micro_per_kwh") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "workday 07:00-22:00 34 ct/kWh; 26 ct/kWh",
            [26, 34, 34, 26, 26],
        ),  # a Friday, then Saturday noon
        ("sat-mon 9:00-18:00 30 ct/kWh; 20 ct/kWh", [20, 20, 20, 20, 30]),
        ("sat,sun 10 ct/kWh; 22:00-07:00 15 ct/kWh; 20 ct/kWh", [15, 20, 20, 15, 10]),
    ],
)
def test_a_price_holds_on_its_days_at_its_local_times(text, expected):
    times = ("06-07T04:00Z", "06-07T05:00Z", "06-07T19:00Z", "06-07T20:00Z", "06-08T10:00Z")
    starts = np.array([parse_time(f"2024-{time}") for time in times])
    price = told_price(text)
    assert price is not None
    assert prices_told(price, starts, "Europe/Vienna").tolist() == [ct * 10_000 for ct in expected]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sat 30 ct/kWh", "the last price must hold at all other times"),
        ("noon 30 ct/kWh; 20 ct/kWh", "noon is no day"),
        ("mon-holiday 30 ct/kWh; 20 ct/kWh", "mon-holiday is no day"),
        ("7:00-25:00 30 ct/kWh; 20 ct/kWh", "25:00 is no time of day"),
        ("28.00001 ct/kWh", "not a whole number of µ¤/kWh"),
        ("28 ct/kWh; cheap", "'cheap' is no price"),
    ],
)
def test_what_is_no_price_is_named(text, said):
    with pytest.raises(InputError, match=said):
        told_price(text)
