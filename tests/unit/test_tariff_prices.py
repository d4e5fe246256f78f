"""Tariffs as they are: by local hour, season and holiday, as series; columns that nothing uses are named."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_config_files import TEXT
from transactive.config.setting import Setting, load_setting
from transactive.core.community.tariff_rules import PricePeriod, PriceRule, TariffRules
from transactive.core.errors import ConfigError, DataError
from transactive.core.slots import parse_time, time_text
from transactive.environment.price_files import read_price_file
from transactive.environment.price_rows import PriceFile
from transactive.environment.prices import LocalTimes, prices_of, scaled

HOUR = 3600
START = parse_time("2024-06-08T00:00Z")
"""A Saturday."""


def community(folder: Path, tariff: str, columns: dict[str, list[int]] | None = None, hours: int = 72) -> Setting:
    """A community with a tariff, and a file of surroundings with some columns beside the carbon intensity."""
    head, _, rest = TEXT.replace(".parquet", ".csv").partition("[tariff]")
    rest = rest[rest.index("[accounts]") :]
    if columns is None:
        rest = rest.replace('environment = "environment.csv"\n', "").replace("[data]", "grid_g_per_kwh = 300\n[data]")
    (folder / "street.toml").write_text(f"{head}[tariff]\n{tariff}\n{rest}")
    times = [time_text(START + hour * HOUR) for hour in range(hours)]
    rows = [f"{time},{member},100,0" for time in times for member in ("zoe", "adam")]
    (folder / "readings.csv").write_text("\n".join(["slot_start,member,consumption_wh,generation_wh", *rows]))
    lines = [",".join(["slot_start", "grid_carbon_g_per_kwh", *(columns or {})])]
    lines += [
        ",".join([time, "300", *(str(values[row % len(values)]) for values in (columns or {}).values())])
        for row, time in enumerate(times)
    ]
    (folder / "environment.csv").write_text("\n".join(lines))
    return load_setting(folder / "street.toml")


def prices(setting: Setting, key: str, hours: range) -> list[int]:
    return [getattr(setting.tariff(START + hour * HOUR), key) for hour in hours]


NUMBERS = 'supply = "28 ct/kWh"\nfeed_in = "8 ct/kWh"\n'


def test_a_fee_by_the_hour_follows_the_local_clock(tmp_path):
    fee = 'network_fee = [[6, "4 ct/kWh"], [22, "2 ct/kWh"]]\ntime_zone = "Europe/Vienna"'
    setting = community(tmp_path, NUMBERS + fee)
    # 00:00Z is 02:00 in Vienna in summer: the price from 22:00 of the day before goes on until 06:00
    assert prices(setting, "fee", range(24)) == [20_000] * 4 + [40_000] * 16 + [20_000] * 4


def test_seasons_days_and_holidays_take_the_place_of_the_price(tmp_path):
    supply = """
feed_in = "8 ct/kWh"
network_fee = "3 ct/kWh"
holidays = ["2024-06-10"]
[tariff.supply]
price = "30 ct/kWh"
times = [
    { price = "10 ct/kWh", days = ["holiday"] },
    { price = "20 ct/kWh", from = "22:00", to = "06:00", days = ["weekend"], months = [6, 7] },
    { price = "90 ct/kWh", months = [1] },
]
"""
    setting = community(tmp_path, supply)
    saturday, sunday, holiday = (prices(setting, "supply", range(day * 24, day * 24 + 24)) for day in range(3))
    assert saturday == [300_000] * 22 + [200_000] * 2  # its early hours belong to Friday
    assert sunday == [200_000] * 6 + [300_000] * 16 + [200_000] * 2
    assert holiday == [100_000] * 24


def test_a_series_may_have_a_factor_and_a_surcharge(tmp_path):
    tariff = 'feed_in = "8 ct/kWh"\nnetwork_fee = "3 ct/kWh"\n'
    tariff += '[tariff.supply]\ncolumn = "spot"\nfactor = "110 %"\nplus = "15 ct/kWh"'
    setting = community(tmp_path, tariff, {"spot": [39_175, -12_005]})
    assert prices(setting, "supply", range(2)) == [39_175 * 110 // 100 + 1 + 150_000, -13_206 + 150_000]


def test_a_price_that_is_left_out_is_a_column(tmp_path):
    columns = {"import_price_micro_per_kwh": [250_000], "feed_in_micro_per_kwh": [60_000, 50_000]}
    setting = community(tmp_path, 'network_fee = "3 ct/kWh"', columns)
    assert prices(setting, "feed_in", range(3)) == [60_000, 50_000, 60_000]


def test_nothing_is_paid_for_surplus_at_negative_prices(tmp_path):
    tariff = 'feed_in = "8 ct/kWh"\nnetwork_fee = "3 ct/kWh"\nfeed_in_at_negative_prices = "nothing"\n'
    columns = {"import_price_micro_per_kwh": [250_000], "spot_price_micro_per_kwh": [0, -1, 50_000]}
    assert prices(community(tmp_path, tariff, columns), "feed_in", range(3)) == [80_000, 0, 80_000]
    columns = {"import_price_micro_per_kwh": [250_000, -12_000]}
    assert prices(community(tmp_path, tariff, columns), "feed_in", range(2)) == [80_000, 0]


ALL = NUMBERS + 'network_fee = "3 ct/kWh"\n'


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("import_price_micro_per_kwh", "not used, as tariff.supply_micro_per_kwh says the price itself; take one"),
        ("feed_in_micro_per_kwh", "not used, as tariff.feed_in_micro_per_kwh says the price itself"),
        ("spot_price_micro_per_kwh", "not used, as no price names it"),
        ("carbon_price_micro_per_t", "not used, as carbon.levy.mode does not follow it"),
        ("temperatur_c", "not used; did you mean temperature_c"),
        ("price_eur_mwh", "not used; name it in a price of .tariff., or take it out"),
    ],
)
def test_a_column_that_nothing_uses_is_named(tmp_path, column, said):
    with pytest.raises(DataError, match=f"environment.csv: column {column} is {said}"):
        community(tmp_path, ALL, {column: [1]})


def by_time(period: str) -> str:
    """A tariff whose network fee has a time of its own."""
    return f'{NUMBERS}network_fee = {{ price = "1 ct/kWh", times = [{{ {period} }}] }}'


FEES = NUMBERS + "network_fee_micro_per_kwh = "


@pytest.mark.parametrize(
    ("tariff", "said"),
    [
        ('feed_in = "8 ct/kWh"\nnetwork_fee = "3 ct/kWh"', "tariff.supply_micro_per_kwh is missing; give it, or a"),
        (NUMBERS + "network_fee = -1", "network_fee is -1, without a unit"),
        (NUMBERS + 'network_fee = "-1 ct/kWh"', "network_fee_micro_per_kwh is below 0"),
        (FEES + "[[24, 1]]", r"network_fee_micro_per_kwh\[0\]\[0\] must be a whole number"),
        (FEES + "[[2, 1], [2, 3]]", "name an hour twice"),
        (FEES + '{ column = "x" }', "needs data.environment"),
        (FEES + "{ }", "either a price or a column"),
        (FEES + '{ file = "x.csv" }', "column is missing"),
        (FEES + '{ price = "1 ct/kWh", unit = "EUR/MWh" }', "are about a file"),
        (FEES + '{ price = "1 ct/kWh", plus = "1 ct/kWh" }', "is added to a column"),
        (by_time('price = "2 ct", from = "7:00"'), r"times\[0\].price is '2 ct'"),
        (by_time('price = "2 ct/kWh", from = "7:00"'), r"times\[0\].from must be a time of day"),
        (by_time('price = "2 ct/kWh", from = "24:00"'), "is no time"),
        (ALL + 'time_zone = "Vienna"', "time_zone = 'Vienna' is no time zone"),
        (ALL + 'holidays = ["2024-02-30"]', "2024-02-30 is no date"),
    ],
)
def test_a_price_that_says_nothing_or_two_things_is_refused(tmp_path, tariff, said):
    with pytest.raises(ConfigError, match=said):
        community(tmp_path, tariff)


MOMENTS = st.lists(st.integers(0, 2**31), min_size=1, max_size=8)


@given(MOMENTS, st.sampled_from(["UTC", "Europe/Vienna", "Australia/Lord_Howe", "America/New_York"]), st.data())
def test_every_local_hour_has_the_price_that_was_given_for_it(starts, zone, data):
    """Whatever the zone does with its clock: the hour on the wall decides."""
    hours = sorted(data.draw(st.sets(st.integers(0, 23), min_size=1, max_size=5)))
    table = tuple((hour, 1000 + hour) for hour in hours)
    rules = TariffRules(time_zone=zone)
    local = LocalTimes.of(np.array(starts, np.int64), rules)
    found = prices_of(table, np.array(starts, np.int64), local, {})
    for start, price in zip(starts, found.tolist(), strict=True):
        wall = datetime.fromtimestamp(start, UTC).astimezone(ZoneInfo(zone)).hour
        assert price == 1000 + max((hour for hour in hours if hour <= wall), default=hours[-1])


@given(st.integers(0, 1439), st.integers(0, 1439), MOMENTS)
def test_a_period_and_the_rest_of_the_day_share_all_slots(first, end, starts):
    """What is not in a period is in the one that begins where it ends and ends where it begins."""
    texts = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in (first, end)]
    there, back = (PricePeriod(price_micro_per_kwh=1, start=a, end=b) for a, b in (texts, texts[::-1]))
    local = LocalTimes.of(np.array(starts, np.int64), TariffRules())
    if first != end:
        assert (local.within(there) ^ local.within(back)).all()


@given(st.lists(st.integers(-(10**7), 10**7), max_size=5), st.integers(1, 10**8))
def test_a_factor_rounds_half_away_from_zero(values, factor):
    found = scaled(np.array(values, np.int64), factor).tolist()
    for value, product in zip(values, found, strict=True):
        assert abs(2 * 10**6 * product - 2 * value * factor) <= 10**6
        assert scaled(np.array([-value], np.int64), factor).tolist() == [-product]


EXCHANGE = """"MTU (CET/CEST)";"Day-ahead Price [EUR/MWh]";"Currency"
"26.10.2025 01:00 - 26.10.2025 02:00";"10,25";"EUR"
"26.10.2025 02:00 - 26.10.2025 02:00";"-20.5";"EUR"
"26.10.2025 02:00 - 26.10.2025 03:00";"30";"EUR"
"26.10.2025 03:00 - 26.10.2025 04:00";"40.0005";"EUR"
"""


def exchange(folder: Path, text: str, first: str, slots: int, length: int = HOUR, **said: Any) -> list[int]:
    """Prices of some slots from a file of an exchange."""
    path = folder / "exchange.csv"
    path.write_text(text)
    of = PriceFile(path, "Day-ahead Price [EUR/MWh]", Fraction(1000), **({"zone": "Europe/Vienna"} | said))
    starts = parse_time(first) + length * np.arange(slots, dtype=np.int64)
    return [int(price) for price in read_price_file(of, starts, length)]


def test_a_file_of_an_exchange_is_read_with_its_double_hour(tmp_path):
    assert exchange(tmp_path, EXCHANGE, "2025-10-25T23:00Z", 4) == [10_250, -20_500, 30_000, 40_001]


def test_a_price_of_an_hour_holds_for_its_quarters(tmp_path):
    found = exchange(tmp_path, EXCHANGE, "2025-10-25T23:30Z", 4, length=900)
    assert found == [10_250, 10_250, -20_500, -20_500]


def test_equal_prices_that_are_left_out_are_filled_in_where_the_file_says_so(tmp_path):
    text = EXCHANGE + '"26.10.2025 07:00 - 26.10.2025 08:00";"50";"EUR"\n'
    with pytest.raises(DataError, match=r'no price at 2025-10-26T03:00Z .*gaps = "repeat"'):
        exchange(tmp_path, text, "2025-10-26T02:00Z", 5)
    assert exchange(tmp_path, text, "2025-10-26T02:00Z", 5, repeats=True) == [40_001] * 4 + [50_000]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Day-ahead Price [EUR/MWh]", "Price", "column 'Day-ahead Price .EUR/MWh.' is missing; there are"),
        ('"10,25"', '"n/e"', "row 2: Day-ahead Price .EUR/MWh. = 'n/e' is no number"),
        ("26.10.2025 01:00 -", "26.13.2025 01:00 -", "row 2: .* is no time"),
        ("26.10.2025 03:00 -", "26.10.2025 01:00 -", "2025-10-25T23:00Z stands there twice and differs"),
        ("26.10.2025 01:00 -", "30.03.2025 02:30 -", "row 2: 2025-03-30T02:30 never was in Europe/Brussels"),
    ],
)
def test_a_fault_of_a_price_file_is_named(tmp_path, old, new, said):
    with pytest.raises(DataError, match=said):
        exchange(tmp_path, EXCHANGE.replace(old, new, 1), "2025-10-25T23:00Z", 4)


def test_a_community_names_column_unit_zone_and_surcharge(tmp_path):
    (tmp_path / "prices.csv").write_text("time;price\n" + "".join(f"2024-06-08 {h:02d}:00;{h}\n" for h in range(24)))
    tariff = (
        'feed_in = "8 ct/kWh"\nnetwork_fee = "3 ct/kWh"\n[tariff.supply]\nfile = "prices.csv"\ncolumn = "price"\n'
        'zone = "UTC"\nunit = "EUR/MWh"\nplus = "15 ct/kWh"'
    )
    setting = community(tmp_path, tariff, hours=24)
    assert prices(setting, "supply", range(24)) == [150_000 + 1000 * hour for hour in range(24)]
    with pytest.raises(ConfigError, match=r"tariff\.supply_micro_per_kwh\.unit is 'USD/MWh', in USD; the currency"):
        community(tmp_path, tariff.replace("EUR/MWh", "USD/MWh"), hours=24)
    with pytest.raises(DataError, match=r"prices.csv: time names no zone; say which clock its times follow"):
        community(tmp_path, tariff.replace('zone = "UTC"', ""), hours=24)


def test_the_first_time_that_fits_counts():
    rule = PriceRule(
        price_micro_per_kwh=3,
        times=(PricePeriod(price_micro_per_kwh=1, end="12:00"), PricePeriod(price_micro_per_kwh=2)),
    )
    starts = np.array([START, START + 12 * HOUR], np.int64)
    assert prices_of(rule, starts, LocalTimes.of(starts, TariffRules()), {}).tolist() == [1, 2]
