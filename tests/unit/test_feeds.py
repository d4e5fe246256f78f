"""Feeds as their publishers tell them: whole values of the right times, or a refusal that says why."""

import time

import pytest

from transactive.core.errors import ConfigError, DataError
from transactive.core.slots import parse_time
from transactive.environment.feeds.decode import FeedSeries, decode_feed
from transactive.environment.feeds.profile import FOLDER, load_feed_profile, shipped_feeds

AWATTAR = b"""{"object": "list", "data": [
 {"start_timestamp": 1428591600000, "end_timestamp": 1428595200000, "marketprice": 42.09, "unit": "Eur/MWh"},
 {"start_timestamp": 1428595200000, "end_timestamp": 1428598800000, "marketprice": -0.0005, "unit": "Eur/MWh"}],
 "url": "/at/v1/marketdata"}"""
PRICES = b"""{"license_info": "CC BY 4.0", "unix_seconds": [1777593600, 1777594500, 1777595400],
 "price": [101.27, 98.5, null], "unit": "EUR / MWh", "deprecated": false}"""
CO2EQ = b"""{"unix_seconds": [1777593600, 1777594500], "co2eq": [312.4, null], "co2eq_forecast": [310.5, 309.49],
 "substitute": false, "deprecated": false}"""
BRITAIN = b"""{"data": [
 {"from": "2018-01-20T12:00Z", "to": "2018-01-20T12:30Z",
  "intensity": {"forecast": 266, "actual": 263, "index": "moderate"}},
 {"from": "2018-01-20T12:30Z", "to": "2018-01-20T13:00Z",
  "intensity": {"forecast": 271, "actual": null, "index": "high"}}]}"""
METEO = b"""{"latitude": 48.2, "longitude": 16.36, "utc_offset_seconds": 0, "timezone": "GMT",
 "hourly_units": {"time": "iso8601", "temperature_2m": "\xc2\xb0C"},
 "hourly": {"time": ["2026-05-01T00:00", "2026-05-01T01:00"], "temperature_2m": [9.4, -0.15]}}"""
TIBBER = b"""{"data": {"viewer": {"homes": [{"currentSubscription": {"priceInfo": {"tomorrow": [
 {"total": 0.2731, "startsAt": "2026-05-02T00:00:00.000+02:00", "currency": "EUR"},
 {"total": 0.2698, "startsAt": "2026-05-02T01:00:00.000+02:00", "currency": "EUR"}]}}}]}}}"""
OCTOPUS = b"""{"count": 2, "next": null, "previous": null, "results": [
 {"value_exc_vat": -1.2, "value_inc_vat": -1.26, "valid_from": "2026-05-01T23:30:00Z",
  "valid_to": "2026-05-02T00:00:00Z", "payment_method": null},
 {"value_exc_vat": 18.04, "value_inc_vat": 18.942, "valid_from": "2026-05-01T23:00:00Z",
  "valid_to": "2026-05-01T23:30:00Z", "payment_method": null}]}"""
ELECTRICITY_MAPS = b"""{"zone": "AT", "forecast": [
 {"carbonIntensity": 126, "datetime": "2026-05-01T17:00:00.000Z"},
 {"carbonIntensity": 120.5, "datetime": "2026-05-01T18:00:00.000Z"}], "updatedAt": "2026-05-01T16:43:25.461Z"}"""
ENTSOE = b"""<?xml version="1.0" encoding="utf-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <mRID>1</mRID><type>A44</type>
  <TimeSeries><mRID>1</mRID><currency_Unit.name>EUR</currency_Unit.name>
    <price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType>
    <Period><timeInterval><start>2026-04-30T22:00Z</start><end>2026-05-01T02:00Z</end></timeInterval>
      <resolution>PT60M</resolution>
      <Point><position>1</position><price.amount>92.15</price.amount></Point>
      <Point><position>3</position><price.amount>-3.01</price.amount></Point>
    </Period></TimeSeries></Publication_MarketDocument>"""
NONE = b"""<?xml version="1.0"?>
<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">
 <Reason><code>999</code><text>No matching data found for Data item Day-ahead Prices</text></Reason>
</Acknowledgement_MarketDocument>"""
SAMPLES = {
    "awattar-at": (AWATTAR, "2015-04-09T15:00Z", 3_600, (42_090, -1)),
    "awattar-de": (AWATTAR, "2015-04-09T15:00Z", 3_600, (42_090, -1)),
    "energy-charts-price": (PRICES, "2026-05-01T00:00Z", 900, (101_270, 98_500)),
    "energy-charts-carbon": (CO2EQ, "2026-05-01T00:00Z", 900, (311, 309)),
    "uk-carbon-intensity": (BRITAIN, "2018-01-20T12:00Z", 1_800, (266, 271)),
    "open-meteo": (METEO, "2026-05-01T00:00Z", 3_600, (94, -2)),
    "octopus-agile": (OCTOPUS, "2026-05-01T23:00Z", 1_800, (189_420, -12_600)),
    "electricity-maps": (ELECTRICITY_MAPS, "2026-05-01T17:00Z", 3_600, (126, 121)),
    "tibber": (TIBBER, "2026-05-01T22:00Z", 3_600, (273_100, 269_800)),
    "entsoe": (ENTSOE, "2026-04-30T22:00Z", 3_600, (92_150, 92_150, -3_010, -3_010)),
}


@pytest.mark.parametrize("name", shipped_feeds())
def test_a_sample_of_each_feed_is_read_to_whole_units(name):
    raw, first, step, values = SAMPLES[name]
    told = decode_feed(load_feed_profile(name), raw)
    assert (told.starts[0], told.step, told.values) == (parse_time(first), step, values)
    assert told.starts == tuple(told.starts[0] + step * k for k in range(len(values)))


def changed(raw, old, new):
    assert old in raw
    return raw.replace(old, new)


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("entsoe", NONE, "No matching data found"),
        ("entsoe", b"<!DOCTYPE x []><x/>", "declares entities"),
        ("entsoe", "<!DOCTYPE x []><x/>".encode("utf-16"), "declares entities"),
        ("entsoe", changed(ENTSOE, b"PT60M", b"P1D"), "resolution P1D"),
        ("entsoe", changed(ENTSOE, b"92.15", b"n/a"), "wrong time or number"),
        ("entsoe", changed(ENTSOE, b"<position>3<", b"<position>30<"), "do not fit"),
        ("entsoe", changed(ENTSOE, b">EUR<", b">PLN<"), "prices in PLN/MWH, and the profile says EUR/MWh"),
        ("entsoe", changed(ENTSOE, b">MWH<", b">KWH<"), "prices in EUR/KWH"),
        ("entsoe", changed(ENTSOE, b"<position>3<", b"<position>1<"), "a position twice"),
        ("entsoe", changed(ENTSOE, b"<position>3<", b"<position>0<"), "do not fit"),
        ("entsoe", changed(ENTSOE, b"A03", b"A01"), "4 steps and 2 prices"),
        ("entsoe", b"Unauthorized", "no XML"),
        (
            "awattar-at",
            changed(AWATTAR, b'-0.0005, "unit": "Eur/MWh"', b'-0.0005, "unit": "Eur/kWh"'),
            "'Eur/kWh', and Eur/MWh",
        ),
        ("awattar-at", changed(AWATTAR, b'-0.0005, "unit": "Eur/MWh"', b"-0.0005"), "no 'unit'"),
        ("energy-charts-price", changed(PRICES, b"EUR / MWh", b"PLN / MWh"), "'PLN / MWh', and EUR / MWh"),
        ("open-meteo", changed(METEO, b'"utc_offset_seconds": 0', b'"utc_offset_seconds": 7200'), "'7200', and 0"),
        ("open-meteo", changed(METEO, b"\xc2\xb0C", b"\xc2\xb0F"), "'°F', and °C"),
        ("awattar-at", b"<html>Too Many Requests</html>", "no JSON"),
        ("awattar-at", b'{"data": []}', "tells no value"),
        ("awattar-at", changed(AWATTAR, b"1428595200000,", b"1428591600000,"), "2015-04-09T15:00Z twice"),
        ("awattar-at", changed(AWATTAR, b"1428595200000,", b"1428595260000,"), "no step of 60 minutes"),
        ("awattar-at", changed(AWATTAR, b"42.09", b'"cheap"'), "'cheap' for 2015-04-09T15:00Z, which is no number"),
        ("awattar-at", changed(AWATTAR, b"42.09", b"NaN"), "no number"),
        ("awattar-at", changed(AWATTAR, b"42.09", b"1e300000000"), "no number"),
        ("energy-charts-price", changed(PRICES, b"1777595400]", b"]"), "no"),
        ("energy-charts-price", changed(PRICES, b"1777594500, 1777595400", b"1777600800, 1777608000"), "every 120 min"),
        (
            "energy-charts-price",
            changed(PRICES, b"1777593600, 1777594500", b"1777593600000, 1777594500000"),
            "our time",
        ),
        ("energy-charts-carbon", changed(CO2EQ, b"309.49", b"-1"), "-1 g/kWh for 2026-05-01T00:15Z"),
        ("energy-charts-price", changed(PRICES, b"98.5", b"1e9"), r"1e\+09 EUR/MWh"),
        ("open-meteo", changed(METEO, b"-0.15", b"-999"), "-999 °C for 2026-05-01T01:00Z; nothing is like that"),
        ("open-meteo", b'{"error": true, "reason": "x"}', "no 'hourly_units'"),
        ("open-meteo", changed(METEO, b'"2026-05-01T01:00"', b'"tomorrow"'), "'tomorrow', which is no time"),
    ],
)
def test_what_a_feed_cannot_mean_is_refused_with_the_reason(name, raw, reason):
    with pytest.raises(DataError, match=reason):
        decode_feed(load_feed_profile(name), raw)


def test_prices_of_another_zone_than_was_asked_for_are_refused():
    profile = load_feed_profile("entsoe")
    own, other = ({"zone": f"10Y{land}-APG------L"} for land in ("AT", "CH"))
    named = changed(ENTSOE, b"<currency_Unit", b"<in_Domain.mRID>10YAT-APG------L</in_Domain.mRID><currency_Unit")
    assert decode_feed(profile, named, own).values == decode_feed(profile, ENTSOE, other).values
    with pytest.raises(DataError, match="prices of 10YAT-APG------L, and 10YCH-APG------L was asked for"):
        decode_feed(profile, named, other)


def test_a_profile_may_say_that_a_feed_tells_the_word_of_its_address_again(tmp_path):
    text = (FOLDER / "energy-charts-price.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("says = { unit", 'says = { bzn = "{zone}", unit'))
    profile, told = load_feed_profile(str(tmp_path / "mine.toml")), changed(PRICES, b'"unit"', b'"bzn": "at", "unit"')
    assert decode_feed(profile, told, {"zone": "AT"}).values == decode_feed(profile, told).values
    with pytest.raises(DataError, match="bzn: the feed tells 'at', and FR was expected"):
        decode_feed(profile, told, {"zone": "FR"})


def test_a_value_that_is_not_known_yet_does_not_make_the_one_before_it_longer():
    told = decode_feed(load_feed_profile("energy-charts-price"), changed(PRICES, b"98.5, null", b"null, 97"))
    assert (told.starts, told.step) == ((1_777_593_600, 1_777_595_400), 900)


def test_a_time_of_the_platform_without_a_zone_is_utc(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    try:
        told = decode_feed(load_feed_profile("entsoe"), ENTSOE.replace(b"0Z<", b"0<"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert told.starts[0] == parse_time("2026-04-30T22:00Z")


def test_a_value_holds_for_all_slots_of_its_step_and_none_is_made_within_a_slot():
    hour = FeedSeries("spot_price_micro_per_kwh", (7_200,), (5,), 3_600)
    assert hour.by_slot(1_800) == {7_200: 5, 9_000: 5}
    with pytest.raises(DataError, match=r"every 15 minutes .* choose market.slot_minutes = 15"):
        FeedSeries("spot_price_micro_per_kwh", (900,), (5,), 900).by_slot(3_600)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("EUR/MWh", "EUR", "unit = 'EUR'; of spot_price_micro_per_kwh it is EUR/MWh, ct/kWh"),
        ("spot_price_micro_per_kwh", "price", "column"),
        ('time = "start_timestamp"', 'times = "x"', "times"),
    ],
)
def test_a_profile_that_is_wrong_names_its_key(tmp_path, old, new, reason):
    text = (FOLDER / "awattar-at.toml").read_text()
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=reason):
        load_feed_profile(str(tmp_path / "mine.toml"))


def test_a_feed_that_nobody_knows_names_ours():
    with pytest.raises(ConfigError, match="awattar-at"):
        load_feed_profile("nordpool")
