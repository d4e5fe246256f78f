"""Money and units as people write them: exact whole numbers, or a refusal that names the key and what would do."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_config_files import community_file
from transactive.cli.community.actions import schema
from transactive.config.community_file import load
from transactive.config.storage import with_storage
from transactive.core.community.community import Community
from transactive.core.errors import ConfigError, InputError
from transactive.core.spelling.quantities import KINDS, whole
from transactive.core.spelling.schema import with_spellings


@pytest.mark.parametrize(
    ("text", "key", "units"),
    [
        ("28 ct/kWh", "supply_micro_per_kwh", 280_000),
        ("28 ¢/kWh", "supply_micro_per_kwh", 280_000),
        ("0.28 EUR/kWh", "supply_micro_per_kwh", 280_000),
        ("39.17 EUR/MWh", "supply_micro_per_kwh", 39_170),
        ("-1.2 ct/kWh", "supply_micro_per_kwh", -12_000),
        ("−1.2ct/kWh", "supply_micro_per_kwh", -12_000),
        ("0.28 €/kWh", "supply_micro_per_kwh", 280_000),
        ("4 kW", "pv_w", 4_000),
        ("9.9 kWp", "pv_w", 9_900),
        ("13.5 kWh", "battery_wh", 13_500),
        ("90 %", "battery_efficiency_ppm", 900_000),
        ("100 EUR", "opening_n", 10**11),
        ("75.36 EUR/t", "price_micro_per_t", 75_360_000),
        ("0.35 kg/kWh", "grid_g_per_kwh", 350),
        ("1.5 h", "gate_closure_minutes", 90),
        ("1_000 Wh", "battery_wh", 1_000),
    ],
)
def test_quantities_are_exact_whole_numbers(text, key, units):
    assert whole(text, key, "EUR") == units


def test_what_is_not_whole_names_the_nearest_two():
    with pytest.raises(InputError, match=r"28 ct/kWh \(280000 µ¤/kWh\) and 28.0001 ct/kWh \(280001 µ¤/kWh\)"):
        whole("28.00005 ct/kWh", "tariff.supply_micro_per_kwh", "EUR")
    with pytest.raises(InputError, match=r"-1.001 kWh \(-1001 Wh\) and -1 kWh \(-1000 Wh\)"):
        whole("-1.0005 kWh", "battery_wh")


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("13,5 kWh", "battery_wh", "with a point for decimals"),
        ("13.5", "battery_wh", "without a unit"),
        ("5 kWh", "pv_w", "'kWh' is no unit of it; it takes W, kW"),
        ("28 ct/kW", "supply_micro_per_kwh", "'ct/kW' is no unit"),
        ("0.28 USD/kWh", "supply_micro_per_kwh", "the currency of the community is EUR"),
        ("5 p/kWh", "supply_micro_per_kwh", "in GBP"),
        ("90 øre/kWh", "supply_micro_per_kwh", "in DKK or NOK"),
        ("90 öre/kWh", "supply_micro_per_kwh", "in SEK"),
        ("1e3 kWh", "battery_wh", "is no unit"),
        ("much", "battery_wh", "write a number and its unit"),
        ("3 kWh", "seed", "a number without a unit"),
    ],
)
def test_a_refusal_names_the_key_and_what_it_takes(text, key, said):
    with pytest.raises(InputError, match=said) as caught:
        whole(text, key, "EUR")
    assert key in str(caught.value)


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(KINDS)), st.data())
def test_every_whole_number_can_be_written_in_every_unit_that_divides_it(units, end, data):
    kind = KINDS[end]
    unit = data.draw(st.sampled_from(sorted(kind.units)))
    factor = int(kind.units[unit])
    digits = len(str(factor)) - 1
    if factor != 10**digits:  # minutes in an hour end no decimal
        units, digits = units * factor, 0
        text = str(units // factor)
    else:
        sign, size = "-" if units < 0 else "", abs(units)
        text = f"{sign}{size // factor}.{size % factor:0{digits}d}" if digits else str(units)
    assert whole(f"{text} {unit}", f"some{end}", "EUR") == units


SPELLED = (
    ("feed_in_micro_per_kwh = 80_000", 'feed_in = "8 ct/kWh"'),
    ("network_fee_micro_per_kwh = 30_000", 'network_fee_micro_per_kwh = "0.03 EUR/kWh"'),
    ("opening_n = 10\n", 'opening = "10 n¤"\n'),
    ("pv_g_per_kwh = 45", 'pv = "45 g/kWh"'),
    ("pv_w = 4_000", 'pv = "4 kW"'),
    ("battery_wh = 6_400", 'battery_wh = "6.4 kWh"'),
    ("slot_minutes = 60", 'slot = "1 h"'),
)


def test_equal_communities_in_either_spelling_are_equal(tmp_path):
    plain = load(community_file(tmp_path)).to_json()
    assert load(community_file(tmp_path, *SPELLED)).to_json() == plain


def test_a_member_has_a_name_of_free_text_beside_its_id(tmp_path):
    named = load(
        community_file(
            tmp_path, ('id = "zoe"', 'id = "AT0010000000000000001000004567890"\nname = "Familie Müller, top 4/2"')
        )
    )
    assert [member.label for member in named.members] == ["Familie Müller, top 4/2", "adam"]
    with pytest.raises(ConfigError, match="name takes free text"):
        load(community_file(tmp_path, ('id = "zoe"', 'id = "top 4/2"')))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("pv_w = 4_000", 'pv_w = "4 kWh"'), r"members\[0\].pv_w is '4 kWh'"),
        (("pv_w = 4_000", "pv = 4"), r"members\[0\].pv is 4, without a unit; write it like \"4 kW\", or pv_w"),
        (("pv_w = 4_000", 'pv_w = 4_000\npv = "4 kW"'), r"members\[0\].pv and pv_w say the same"),
        (("feed_in_micro_per_kwh = 80_000", "feed_in_micro_per_kwh = 0.08"), 'is 0.08; give a whole number of µ¤/kWh'),
        (("opening_n = 10\n", 'opening = "10 CHF"\n'), "accounts.opening is '10 CHF', in CHF; the currency"),
    ],
)  # fmt: skip
def test_an_error_names_the_key_as_it_was_written(tmp_path, change, said):
    with pytest.raises(ConfigError, match=said):
        load(community_file(tmp_path, change))


def test_the_printed_schema_takes_both_spellings():
    jsonschema = pytest.importorskip("jsonschema")
    told = with_spellings(schema())
    tariff = {**told, "$ref": "#/$defs/TariffRules"}
    for given_ in ({"feed_in": "8 ct/kWh"}, {"feed_in_micro_per_kwh": 80_000}):
        jsonschema.validate({**given_, "network_fee_micro_per_kwh": "3 ct/kWh"}, tariff)
    jsonschema.validate({"feed_in": [[0, "2 ct/kWh"], [7, 30_000]], "network_fee": {"price": "3 ct/kWh"}}, tariff)
    plant = {**told, "$ref": "#/$defs/Member"}
    jsonschema.validate({"id": "roof", "owners": {"anna": "60 %", "bert": 400_000}, "pv": "4 kW"}, plant)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"feed_in": 80_000, "network_fee": "3 ct/kWh"}, tariff)
    assert told["$defs"].keys() == with_storage(msgspec.json.schema(Community))["$defs"].keys()


@pytest.mark.parametrize("text", ["a = " + "9" * 5_000, "a = " + "[" * 5_000, "a = {" * 5_000])
def test_a_file_without_end_is_told_in_words(tmp_path, text):
    (tmp_path / "community.toml").write_text(text)
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "community.toml")


@pytest.mark.parametrize("text", ["9" * 5_000 + " ct/kWh", "1." + "9" * 5_000 + " ct/kWh", "-" + "9" * 31 + " ct/kWh"])
def test_a_number_without_end_is_told_in_words(text):
    with pytest.raises(InputError, match=r"has \d+ digits"):
        whole(text, "supply_micro_per_kwh", "EUR")
