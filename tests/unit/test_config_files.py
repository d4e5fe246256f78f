"""Community files: what is wrong is named by its key, with the next step."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from transactive.config.community_file import load
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import ConfigError, DataError

HOUR = 3600
START = datetime(2017, 6, 5, tzinfo=UTC)
TEXT = """
name = "Street"
currency = "EUR"

[market]
slot_minutes = 60
slots_per_period = 24
tick_micro_per_kwh = 100

[tariff]
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 10
top_up_below_n = 5
top_up_to_n = 10

[carbon]
pv_g_per_kwh = 45

[data]
readings = "readings.parquet"
environment = "environment.parquet"

[[members]]
id = "zoe"
pv_w = 4_000

[[members]]
id = "adam"
battery_wh = 6_400
battery_w = 5_000
"""


def community_file(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "street.toml"
    path.write_text(text)
    return path


def data(folder: Path, *, readings=(0, 4), environment=(0, 4), price=280_000) -> None:
    """Hourly files that cover hours first … end − 1 from the start."""
    hours = [(hour, member) for hour in range(*readings) for member in ("adam", "zoe")]
    pl.DataFrame(
        {
            "slot_start": [START + timedelta(hours=hour) for hour, _ in hours],
            "member": [member for _, member in hours],
            "consumption_wh": [100 * hour + (member == "zoe") for hour, member in hours],
            "generation_wh": [hour if member == "zoe" else 0 for hour, member in hours],
        }
    ).write_parquet(folder / "readings.parquet")
    times = [START + timedelta(hours=hour) for hour in range(*environment)]
    pl.DataFrame(
        {
            "slot_start": times,
            "import_price_micro_per_kwh": [price + hour for hour in range(*environment)],
            "grid_carbon_g_per_kwh": [300 + hour for hour in range(*environment)],
        }
    ).write_parquet(folder / "environment.parquet")


def refused(path: Path, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        load(path)
    assert str(caught.value).startswith("street.toml: ")
    assert "\n" not in str(caught.value)


def test_the_demo_community_loads_with_its_data():
    setting = load_setting(DEMO)
    assert len(setting.community.members) == 14
    assert setting.measured.consumption_wh.shape == (len(setting.environment.supply_price), 14)
    assert setting.end == setting.measured_end
    assert setting.community.clock.slots_per_period * setting.community.clock.length == 86_400


def test_a_small_community_has_the_defaults_and_its_devices_as_columns(tmp_path):
    community = load(community_file(tmp_path))
    assert community.ids == ["zoe", "adam"]
    assert (community.market.mechanism, community.clock.lead) == ("uniform", 1)
    assert community.devices.pv_wh.tolist() == [4_000, 0]
    assert community.devices.capacity_wh.tolist() == [0, 6_400]
    assert community.chart.on_chain == 7


def test_the_same_file_gives_the_same_canonical_text(tmp_path):
    one, two = (load(community_file(tmp_path)).to_json() for _ in range(2))
    other = load(community_file(tmp_path, ("Street", "Road"))).to_json()
    assert one == two != other


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("currency", "curency"), "unknown key curency; did you mean currency\\?"),
        (("slot_minutes", "slot_minute"), "unknown key market.slot_minute; did you mean slot_minutes\\?"),
        (("pv_w", "pvw"), "unknown key members\\[0\\].pvw; did you mean pv_w\\?"),
        (("battery_wh", "battery_kwh"), "unknown key members\\[1\\].battery_kwh; did you mean battery_wh\\?"),
        (("4_000", "9" * 30), "zoe: pv_w = 9{30} is beyond any home"),
        (("pv_g_per_kwh", "zzz"), "unknown key carbon.zzz; known are .*pv_g_per_kwh"),
        (("[accounts]", "[account]"), "unknown key account; did you mean accounts\\?"),
        (('"EUR"', '"euro"'), "currency"),
        (('"Street"', "5"), "name must be text, not a whole number"),
        (("4_000", '"much"'), "members\\[0\\].pv_w is 'much'; write a number and its unit, like 4 kW"),
        (("4_000", "4_000.5"), "members\\[0\\].pv_w is 4000.5; give a whole number of W, or text like"),
        (("4_000", "-1"), "members\\[0\\].pv_w must be a whole number, 0 or more"),
        (("tick_micro_per_kwh = 100", "tick_micro_per_kwh = 0"), "market.tick_micro_per_kwh must be a whole number, 1 or more"),
        (("opening_n = 10", ""), "accounts.opening_n is missing; add it"),
        (('id = "zoe"', ""), "members\\[0\\].id is missing; add it"),
        (('id = "zoe"', 'id = "zoë and co"'), "members\\[0\\].id must be letters, digits"),
        (("slot_minutes = 60", "slot_minutes = 20"), "market.slot_minutes = 20; choose one of"),
        (("slots_per_period = 24", "slots_per_period = 0"), "market.slots_per_period must be a whole number, 1 or more"),
        (("slots_per_period = 24", "slots_per_period = 5"), "market.slots_per_period = 5; periods must divide a day"),
        (("slots_per_period = 24", "slots_per_period = 48"), "market.slots_per_period = 48; periods must divide a day"),
        (('id = "adam"', 'id = "zoe"'), "members.id 'zoe' is there twice"),
        (("battery_w = 5_000", ""), "adam: battery_wh and battery_w go together"),
        (("battery_wh = 6_400", ""), "adam: battery_wh and battery_w go together"),
        (("top_up_to_n = 10", "top_up_to_n = 4"), "top_up_to_n is below"),
        (("[market]", "= ["), "is not TOML"),
        (('currency = "EUR"', 'currency = "EUR"\ncurrency = "EUR"'), "is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_named(tmp_path, change, complaint):
    refused(community_file(tmp_path, change), complaint)


@pytest.mark.parametrize("periods", [1, 2, 12, 24])
def test_periods_that_divide_a_day_are_allowed(tmp_path, periods):
    change = ("slots_per_period = 24", f"slots_per_period = {periods}")
    assert load(community_file(tmp_path, change)).clock.slots_per_period == periods


def test_text_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "street.toml"
    path.write_bytes(TEXT.replace("Street", "Straße").encode("latin-1"))
    refused(path, "is not TOML")


def test_a_community_without_members_is_refused(tmp_path):
    path = tmp_path / "street.toml"
    path.write_text(TEXT.partition("[[members]]")[0])
    refused(path, "members is missing; add it")


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ConfigError, match=r"cannot be read .*; give the path of a community file"):
            load(path)


# -- with the data ------------------------------------------------------------------------------


def test_prices_and_readings_of_a_slot_belong_together(tmp_path):
    data(tmp_path, readings=(2, 8), environment=(0, 10))
    setting = load_setting(community_file(tmp_path))
    first = int(START.timestamp()) + 2 * HOUR
    assert setting.measured.first_slot == setting.environment.first_slot == first
    assert setting.measured.consumption_wh[0].tolist() == [201, 200]
    assert setting.environment.grid_g_per_kwh[0] == 302
    assert setting.tariff(first + HOUR).supply == 280_003
    assert (setting.tariff(first).feed_in, setting.tariff(first).fee) == (80_000, 30_000)


def test_readings_before_the_first_price_are_left_out(tmp_path):
    data(tmp_path, readings=(0, 6), environment=(4, 6))
    setting = load_setting(community_file(tmp_path))
    assert setting.measured.consumption_wh.tolist() == [[401, 400], [501, 500]]
    assert setting.measured_end == setting.end == int(START.timestamp()) + 6 * HOUR


def test_prices_that_end_before_the_readings_are_refused(tmp_path):
    data(tmp_path, readings=(0, 6), environment=(0, 5))
    with pytest.raises(
        ConfigError, match=r"data\.environment ends at 2017-06-05T05:00Z, the readings at 2017-06-05T06:00Z"
    ):
        load_setting(community_file(tmp_path))


def test_a_tariff_without_room_for_a_market_is_taken_as_it_is(tmp_path):
    data(tmp_path, price=109_000)
    setting = load_setting(community_file(tmp_path))
    assert not setting.tariff(setting.first_slot).meets


def test_data_that_the_file_names_but_nobody_wrote_are_named(tmp_path):
    with pytest.raises(DataError, match=r"readings\.parquet"):
        load_setting(community_file(tmp_path))
