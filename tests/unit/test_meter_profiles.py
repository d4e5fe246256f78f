"""Profiles: each is held against a message of its kind, and no text becomes a number that does not stand in it."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import ConfigError, DataError, RuleBroken
from transactive.links.sources.address import MeterAddress, open_meter
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.conformance import check_meter_source
from transactive.metering.meters.json_values import decode_texts, pack_texts
from transactive.metering.meters.modbus_values import decode_words
from transactive.metering.meters.profile import (
    HttpProfile,
    JsonRegister,
    ModbusProfile,
    ModbusRegister,
    MqttProfile,
    load_meter_profile,
    shipped_meters,
)

FOLDER = Path(__file__).parent / "meters"
TEXTS = sorted(path.stem for path in FOLDER.glob("*.json"))
ADDRESS = {HttpProfile: "http://192.168.1.20", MqttProfile: "mqtt://192.168.1.10/name"}
ONE = HttpProfile(
    title="t",
    vendor="v",
    source="s",
    grade="specification",
    registers=(JsonRegister(register="import", at="/", path="e"),),
)


def sample(name: str) -> tuple[bytes, MeterState]:
    said = json.loads((FOLDER / f"{name}.json").read_text())
    state = {"at": None, "import_wh": 0, "export_wh": 0} | said["state"]
    return pack_texts(said["texts"]), MeterState(**state)


@pytest.mark.parametrize("name", TEXTS)
def test_a_profile_reads_what_its_device_says_and_nothing_else(name):
    raw, state = sample(name)
    profile = load_meter_profile(name)
    source = open_meter(MeterAddress(ADDRESS[type(profile)], profile, secret="token"))
    check_meter_source(source, {raw: state})
    assert source.traits.title == profile.title


def test_each_profile_of_text_has_a_message_and_each_says_where_it_comes_from():
    profiles = {name: load_meter_profile(name) for name in shipped_meters()}
    assert [name for name, one in profiles.items() if isinstance(one, HttpProfile | MqttProfile)] == TEXTS
    assert all(len(one.source) > 10 and one.vendor for one in profiles.values())


WRONG = {
    "there is no 'e'": "{}",
    "is nothing, which is no number": '{"e": null}',
    "is 'unavailable', which is no number": '{"e": "unavailable"}',
    "is True, which is no number": '{"e": true}',
    "below zero": '{"e": -0.5}',
    "NaN is no number": '{"e": NaN}',
    "twice in one object": '{"e": 1, "e": 2}',
    "is '1e400', which is no number": '{"e": 1e400}',
    "which unit does it have": '{"e": 123456789012345}',
    "is no JSON": "<html>",
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_text_without_a_register_has_its_reason(reason):
    with pytest.raises(DataError, match=reason):
        decode_texts(ONE, pack_texts({"/": WRONG[reason]}))


@given(st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=6))
def test_a_register_is_exact_and_rounded_down(number):
    text = json.dumps({"e": "@"}).replace('"@"', f"{number:f}")
    assert decode_texts(ONE, pack_texts({"/": text})).import_wh == int(number * 1000)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    glow = load_meter_profile("glow")
    assert isinstance(glow, MqttProfile)
    for profile in (ONE, glow):
        with pytest.raises(DataError):
            decode_texts(profile, raw)


@given(
    st.sampled_from(["uint16", "int16", "uint32", "int32", "uint64", "int64"]),
    st.sampled_from(["big", "little"]),
    st.integers(0, 3),
    st.data(),
)
def test_words_are_numbers_in_both_orders(kind, words, digits, data):
    size = int(kind.removeprefix("u").removeprefix("int")) // 8
    number = data.draw(st.integers(0, min(10**12, (1 << (8 * size - (kind[0] != "u"))) - 1)))
    register = ModbusRegister(register="export", address=7, kind=kind, words=words, digits=digits)
    profile = ModbusProfile(title="t", vendor="v", source="s", grade="specification", registers=(register,))
    said = number.to_bytes(size, "big")
    if words == "little":
        said = b"".join(said[place : place + 2] for place in range(size - 2, -1, -2))
    raw = json.dumps({f"holding:7:{size // 2}": said.hex()}).encode()
    assert decode_words(profile, raw).export_wh == number // 10**digits
    with pytest.raises(DataError, match="words instead of"):
        decode_words(profile, raw.replace(said.hex().encode(), b"00"))


def test_a_float_of_a_device_is_the_number_that_it_stands_for():
    register = ModbusRegister(register="import", address=0, kind="float32", unit="kWh")
    profile = ModbusProfile(title="t", vendor="v", source="s", grade="specification", registers=(register,))
    said = {"1234.5": b"\x44\x9a\x50\x00", "0.1": b"\x3d\xcc\xcc\xcd"}
    for text, words in said.items():
        raw = json.dumps({"holding:0:2": words.hex()}).encode()
        assert decode_words(profile, raw).import_wh == int(Decimal(text) * 1000)
    with pytest.raises(DataError, match="is 'nan', which is no number"):
        decode_words(profile, json.dumps({"holding:0:2": "7fc00000"}).encode())


def test_a_profile_that_is_none_names_its_key(tmp_path):
    text = (Path(load_meter_profile.__code__.co_filename).parents[2] / "data" / "meters" / "glow.toml").read_text()
    for wrong, reason in (
        (text.replace("[time]", "[tme]"), "tme"),
        (text.replace('via = "mqtt"', 'via = "zigbee"'), "zigbee"),
        (text.replace("register =", 'unit = "kW"\nregister ='), "'kW' of a register is none of"),
        ("silence = 0\n" + text, r"`int` >= 1 - at `\$.silence`"),
        ("least_age = 100000\n" + text, r"`int` <= 86400 - at `\$.least_age`"),
        ("turns_over_wh = 0\n" + text, r"`\$.turns_over_wh`"),
        ("registers = []\n" + text[: text.index("[[registers]]")], "names no register"),
    ):
        (tmp_path / "own.toml").write_text(wrong)
        with pytest.raises(ConfigError, match=reason):
            load_meter_profile("own.toml", tmp_path)
    (tmp_path / "own.toml").write_text(text)
    assert load_meter_profile("own.toml", tmp_path) == load_meter_profile("glow")
    with pytest.raises(ConfigError, match="ours are dlms-encrypted, dlms-han, dsmr-p1"):
        load_meter_profile("gloww")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("address = 70000", "address"),
        ("address = -1", "address"),
        ("address = 1\ndigits = -1", "digits"),
        ("address = 1\ndigits = 1000000000", "digits"),
    ],
)
def test_a_register_stands_where_a_device_can_have_one(line, reason, tmp_path):
    head = 'via = "modbus"\ntitle = "t"\nvendor = "v"\nsource = "s"\ngrade = "specification"\n[[registers]]\n'
    (tmp_path / "own.toml").write_text(f'{head}register = "import"\nkind = "uint32"\n{line}\n')
    with pytest.raises(ConfigError, match=reason):
        load_meter_profile("own.toml", tmp_path)


def test_a_path_that_could_become_another_host_is_refused(tmp_path):
    head = 'via = "http"\ntitle = "t"\nvendor = "v"\nsource = "s"\ngrade = "specification"\n[[registers]]\n'
    (tmp_path / "own.toml").write_text(f'{head}register = "import"\nat = "@elsewhere/"\n')
    with pytest.raises(ConfigError, match="begins with /"):
        load_meter_profile("own.toml", tmp_path)


def test_an_address_that_does_not_fit_its_profile_is_refused():
    with pytest.raises(ConfigError, match="is read via http, and not via mqtt"):
        open_meter(MeterAddress("mqtt://broker/name", load_meter_profile("shelly-gen1")))
    with pytest.raises(ConfigError, match="scheme of a meter's address 'ftp' is not installed; known: file, http"):
        open_meter(MeterAddress("ftp://host", load_meter_profile("shelly-gen1")))
    with pytest.raises(ConfigError, match="wants a token"):
        open_meter(MeterAddress("http://host", load_meter_profile("enphase-envoy")))


def test_the_kit_finds_a_source_that_makes_numbers_up():
    raw, state = sample("glow")
    source = open_meter(MeterAddress("mqtt://broker/name", load_meter_profile("glow")))

    class Sloppy:
        traits = source.traits

        def __init__(self, otherwise):
            self._otherwise = otherwise

        def messages(self):
            yield raw

        def decode(self, said):
            return state if said == raw else MeterState(None, self._otherwise(said), 0)

    for otherwise, reason in ((int, "instead of DataError"), (lambda said: -len(said), "broken bytes became")):
        with pytest.raises(RuleBroken, match=reason):
            check_meter_source(Sloppy(otherwise), {raw: state})
    with pytest.raises(RuleBroken, match="and should say"):
        check_meter_source(source, {raw: MeterState(None, 1, 0)})
