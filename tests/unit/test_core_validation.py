"""What is said of wrong input names the key, says what it takes, and shows nothing of how it is checked."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.cli import main
from transactive.config.shipped import EXAMPLE
from transactive.core.community.community import Community
from transactive.core.community.validation import explained

TEXT = EXAMPLE.read_text()
INNER = ("`", "regex", "^", "$", "int,", "`int", "str", "array", "enum", "Object", "NoneType", "Annotated")
ADA = 'id = "ada"'
CASES = {
    "a number in quotes": ("slot_minutes = 60", 'slot_minutes = "60"', "market.slot_minutes must be a whole number, not text"),
    "a decimal": ("slot_minutes = 60", "slot_minutes = 60.5", "market.slot_minutes must be a whole number, not one with"),
    "a date": ("slot_minutes = 60", "slot_minutes = 2017-01-01", "market.slot_minutes must be a whole number, not a date"),
    "yes or no": ("slot_minutes = 60", "slot_minutes = true", "market.slot_minutes must be a whole number"),
    "small letters": ('currency = "USD"', 'currency = "usd"', "currency must be three capital letters, such as EUR"),
    "a number for text": ('currency = "USD"', "currency = 3", "currency must be text, not a whole number"),
    "a word that is none of the choices": ('mode = "off"', 'mode = "of"', "carbon.levy.mode is 'of'; choose off, shadow"),
    "nothing": ('name = "Five homes"\n', "", "name is missing; add it"),
    "a misspelt table": ("[tariff]", "[tarif]", "unknown key tarif; did you mean tariff?"),
    "a number for a table": ("[market]", "market = 3\n[x]", "market must be a table, not a whole number"),
    "a name with a comma": (ADA, 'id = "a,b"', "members[0].id must be letters, digits"),
    "below zero": ("pv_w = 4_000", "pv_w = -4", "members[0].pv_w must be a whole number, 0 or more"),
    "above one": ("= 900_000", "= 2_000_000", "members[0].battery_efficiency_ppm must be a whole number, 1,000,000 or less"),
    "zero days": ("[run]", "[run]\ndays = 0", "run.days must be a whole number, 1 or more"),
    "days in words": ("[run]", '[run]\ndays = "x"', "run.days must be a whole number, not text"),
    "an unknown device": (ADA, f'{ADA}\ndevices = [{{ kind = "truck" }}]', "members[0].devices[0].kind is 'truck'; choose vehicle"),
    "a device of no kind": (ADA, f"{ADA}\ndevices = [{{}}]", "members[0].devices[0].kind is missing; add it"),
    "a number for a list": (ADA, f"{ADA}\ndevices = 3", "members[0].devices must be a list, not a whole number"),
    "a short time of day": (ADA, f'{ADA}\ndevices = [{{ kind = "vehicle", arrives = "6" }}]', "must be a time of day in quotes, such as"),
    "two of 24": (ADA, f'{ADA}\ndevices = [{{ kind = "heater", drain_wh = [1, 2] }}]', "drain_wh must be a list of at least 24 items"),
    "one of two": ("[carbon]", '[carbon]\ncertificates = { reach = [["a"]] }', "carbon.certificates.reach[0] must be a list of 2 items"),
    "no letter": ("[carbon]", '[carbon]\navoided = { auditor = "" }', "carbon.avoided.auditor must be text of at least 1 letters"),
    "too many letters": ("[carbon]", f'[carbon]\navoided = {{ auditor = "{"a" * 65}" }}', "must be text of at most 64 letters"),
    "an unknown colour": (ADA, f'{ADA}\nprefer = "red"', "members[0].prefer is 'red'; choose green, local, partner"),
    "an unknown session": ("slot_minutes = 60", 'slot_minutes = 60\nsessions = ["x"]', "market.sessions[0] is 'x'; choose day_ahead, intraday"),
    "a number in a list of text": ("[data]", "[data]\nignore = [3]", "data.ignore[0] must be text, not a whole number"),
    "a year for a date": (ADA, f'{ADA}\ngenerator = {{ commissioned = "2016" }}', "must be a date in quotes, such as '2016-05-01'"),
    "an unknown key of an optional table": (ADA, f"{ADA}\noffset = {{ highest = 3 }}", "unknown key members[0].offset.highest; known are"),
    "no member": (TEXT[TEXT.index("[[members]]") :], "", "members is missing; add it"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_message_names_the_key_and_what_it_takes(name):
    old, new, words = CASES[name]
    assert old in TEXT
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.toml.decode(TEXT.replace(old, new, 1), type=Community)
    said = explained(str(error.value), Community)
    assert words in said
    assert not [inner for inner in INNER if inner in said], said


VALUES = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text("ab ", max_size=4), st.just([]), st.just({})
)


@given(data=st.data())
def test_no_message_shows_how_it_is_checked(data):
    """Any value at any place of a sound community: it is taken, or refused in words."""
    community = msgspec.to_builtins(msgspec.toml.decode(TEXT, type=Community))
    place = community
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
        else:
            break
    place[key] = data.draw(VALUES)
    try:
        msgspec.convert(community, Community)
    except msgspec.ValidationError as error:
        said = explained(str(error), Community)
        assert not [inner for inner in INNER if inner in said], said
        assert "\n" not in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run x --port abc", "--port is 'abc'; give a whole number; see transactive run --help"),
        ("run", "COMMUNITY is missing; see transactive run --help"),
        ("run a b c", "nothing takes 'b c'"),
        ("clear x", "--output is missing"),
        ("rn x", 'Unknown command "rn". Did you mean "run"?; see transactive --help'),
        ("demo --dayz 3", "Unknown option: --dayz. Did you mean --days?"),
        ("demo --days", "--days needs a value"),
        ("demo --json=maybe", "--json is 'maybe'; give true or false"),
        ("detect f --unit MWh", "--unit is 'MWh'; choose Wh, kWh"),
        ("models promote x --models m", "NUMBER is 'x'; give a whole number"),
        ("schedule backtest f --load a --price b --battery-wh 1 --power-w 1 --efficiency big", "--efficiency is 'big'; write a number and its unit, like 90 %"),
        ("token create --state x --scope boss", "--scope is 'boss'; choose member, operator, grid, auditor"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_said_in_words(line, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(line.split())
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert " int" not in said
    assert "Available" not in said
