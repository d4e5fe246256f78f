"""Everything that people get wrong: exit code 3, one line that says where and what to do, and nothing else happens."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.conftest import call
from tests.integration.samples import COMMUNITY, readings, write_community

Change = Callable[[Path], object]
FIRST = "2017-06-05T00:00:00Z,a,"


def toml(old: str, new: str) -> Change:
    """Replace text of the community file."""

    def change(folder: Path) -> None:
        text = (folder / "community.toml").read_text()
        assert old in text, old
        (folder / "community.toml").write_text(text.replace(old, new, 1))

    return change


def add(text: str) -> Change:
    """Put text before the members of the community file."""
    return toml("[[members]]", f"{text}\n\n[[members]]")


def rows(edit: Callable[[list[str]], list[str]]) -> Change:
    """Edit the lines of the readings."""

    def change(folder: Path) -> None:
        (folder / "readings.csv").write_text("\n".join(edit(readings())) + "\n")

    return change


def line(number: int, old: str, new: str) -> Change:
    """Replace text in one line of the readings, counted as an editor counts."""

    def edit(lines: list[str]) -> list[str]:
        assert old in lines[number - 1], lines[number - 1]
        return [*lines[: number - 1], lines[number - 1].replace(old, new, 1), *lines[number:]]

    return rows(edit)


def drop(*numbers: int) -> Change:
    """Leave out lines of the readings."""
    return rows(lambda lines: [text for i, text in enumerate(lines, start=1) if i not in numbers])


def column(position: int) -> Change:
    """Leave out a column of the readings."""
    return rows(lambda lines: [",".join(p for i, p in enumerate(text.split(",")) if i != position) for text in lines])


def raw(name: str, content: bytes) -> Change:
    """Replace a file by bytes."""
    return lambda folder: (folder / name).write_bytes(content)


def huge(folder: Path) -> None:
    """A sparse file of 10 GB."""
    with (folder / "readings.csv").open("r+b") as file:
        file.truncate(10 * 10**9)


def parquet(edit: Callable[[pl.DataFrame], pl.DataFrame]) -> Change:
    """Turn the readings into Parquet, edited."""

    def change(folder: Path) -> None:
        frame = pl.read_csv(folder / "readings.csv", try_parse_dates=True)
        edit(frame).write_parquet(folder / "readings.parquet")
        toml("readings.csv", "readings.parquet")(folder)

    return change


def environment(text: str) -> Change:
    """Name a series of prices instead of numbers, with this text."""

    def change(folder: Path) -> None:
        (folder / "prices.csv").write_text(text)
        toml("supply_micro_per_kwh = 280_000\n", "")(folder)
        toml("grid_g_per_kwh = 350\n", "")(folder)
        toml('readings = "readings.csv"', 'readings = "readings.csv"\nenvironment = "prices.csv"')(folder)

    return change


def prices(edit: Callable[[list[str]], list[str]]) -> Change:
    """A sound series of prices, edited."""
    lines = ["slot_start,import_price_micro_per_kwh,grid_carbon_g_per_kwh"]
    lines += [f"2017-06-{5 + hour // 24:02d}T{hour % 24:02d}:00Z,280000,350" for hour in range(24 * 3 + 1)]
    return environment("\n".join(edit(lines)) + "\n")


def both(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for each in changes:
            each(folder)

    return change


CASES: dict[str, tuple[Change, tuple[str, ...]]] = {
    # the community file
    "no such file": (lambda folder: (folder / "community.toml").unlink(), ("community.toml", "cannot be read")),
    "empty file": (raw("community.toml", b""), ("community.toml", "name")),
    "not TOML": (raw("community.toml", b"name = = 3"), ("community.toml", "not TOML")),
    "not UTF-8": (raw("community.toml", b"name = '\xff\xfe'"), ("community.toml",)),
    "key twice": (toml('currency = "EUR"', 'currency = "EUR"\ncurrency = "USD"'), ("community.toml", "not TOML")),
    "two currencies": (toml('"EUR"', '["EUR", "USD"]'), ("currency",)),
    "currency in small letters": (toml('"EUR"', '"eur"'), ("currency",)),
    "unknown key at the top": (toml("name =", "nmae ="), ("nmae", "did you mean name?")),
    "unknown key in a table": (toml("slot_minutes", "slot_minute"), ("market.slot_minute", "did you mean slot_minutes?")),
    "unknown key of a member": (toml("battery_w =", "battery_watt ="), ("members", "battery_watt", "did you mean battery_w")),
    "unknown key like no other": (toml("slot_minutes = 60", "slot_minutes = 60\nqqq = 1"), ("qqq", "known are")),
    "unknown table": (add("[taxes]\nrate = 3"), ("taxes", "known are")),
    "missing name": (toml('name = "Two days"\n', ""), ("name",)),
    "missing table": (toml("[carbon]\npv_g_per_kwh = 45\ngrid_g_per_kwh = 350\n", ""), ("carbon",)),
    "no members": (lambda folder: (folder / "community.toml").write_text(COMMUNITY.split("[[members]]")[0]), ("members",)),
    "empty members": (lambda folder: (folder / "community.toml").write_text("members = []\n" + COMMUNITY.split("[[members]]")[0]), ("members",)),
    "member twice": (toml('id = "b"', 'id = "a"'), ("'a'", "twice")),
    "member id with a comma": (toml('id = "b"', 'id = "b,c"'), ("members", "id")),
    "slot of 20 minutes": (toml("slot_minutes = 60", "slot_minutes = 20"), ("slot_minutes", "5, 15, 30, 60")),
    "slot in words": (toml("slot_minutes = 60", 'slot_minutes = "60"'), ("market.slot_minutes is '60', without a unit",)),
    "slot with a decimal": (toml("slot_minutes = 60", "slot_minutes = 60.5"), ("market.slot_minutes is 60.5; give a whole number of min",)),
    "period of five hours": (toml("slot_minutes = 60", "slot_minutes = 60\nslots_per_period = 5"), ("slots_per_period",)),
    "period of nothing": (toml("slot_minutes = 60", "slot_minutes = 60\nslots_per_period = 0"), ("slots_per_period",)),
    "negative gate": (toml("slot_minutes = 60", "slot_minutes = 60\ngate_closure_minutes = -5"), ("gate_closure_minutes",)),
    "tick of nothing": (toml("slot_minutes = 60", "slot_minutes = 60\ntick_micro_per_kwh = 0"), ("tick_micro_per_kwh",)),
    "unknown mechanism": (toml("slot_minutes = 60", 'slot_minutes = 60\nmechanism = "magic"'), ("magic", "uniform")),
    "mechanism without its network": (toml("slot_minutes = 60", 'slot_minutes = 60\nmechanism = "locational"'), ("locational", "needs a network")),
    "negative fee": (toml("network_fee_micro_per_kwh = 30_000", "network_fee_micro_per_kwh = -1"), ("network_fee_micro_per_kwh",)),
    "no supply price": (toml("supply_micro_per_kwh = 280_000\n", ""), ("tariff.supply_micro_per_kwh", "missing")),
    "no grid carbon": (toml("grid_g_per_kwh = 350\n", ""), ("carbon.grid_g_per_kwh", "missing")),
    "negative carbon": (toml("pv_g_per_kwh = 45", "pv_g_per_kwh = -45"), ("pv_g_per_kwh",)),
    "price twice": (both(prices(lambda lines: lines), toml("[tariff]", "[tariff]\nsupply_micro_per_kwh = 1")), ("import_price_micro_per_kwh is not used", "take one of the two out")),
    "battery without power": (toml("battery_w = 5_000\n", ""), ("a: battery_wh and battery_w go together",)),
    "power without battery": (toml("battery_wh = 6_400\n", ""), ("a: battery_wh and battery_w go together",)),
    "efficiency of nothing": (toml("battery_w = 5_000", "battery_w = 5_000\nbattery_efficiency_ppm = 0"), ("battery_efficiency_ppm",)),
    "efficiency above one": (toml("battery_w = 5_000", "battery_w = 5_000\nbattery_efficiency_ppm = 1_100_000"), ("battery_efficiency_ppm",)),
    "negative PV": (toml("pv_w = 4_000", "pv_w = -4_000"), ("pv_w",)),
    "PV of a country": (toml("pv_w = 4_000", "pv_w = 4_000_000_000_000"), ("a: pv_w", "beyond any home")),
    "more money than there is": (toml("opening_n = 12_000_000_000", "opening_n = 9_000_000_000_000_000_000"), ("opening_n",)),
    "battery of a power station": (toml("battery_wh = 6_400", "battery_wh = 10_000_001"), ("a: battery_wh", "beyond any home")),
    "top-up to less than below": (toml("top_up_to_n = 12_000_000_000", "top_up_to_n = 1"), ("top_up_to_n",)),
    "first slot without a zone": (add('[run]\nfirst_slot = "2017-06-06T00:00"'), ("run.first_slot", "no zone")),
    "first slot not a time": (add('[run]\nfirst_slot = "soon"'), ("run.first_slot", "RFC 3339")),
    "first slot off the grid": (add('[run]\nfirst_slot = "2017-06-07T00:30Z"'), ("run.first_slot", "does not begin")),
    "first slot without history": (add('[run]\nfirst_slot = "2017-06-05T03:00Z"'), ("run.first_slot", "a day of history")),
    "first slot after the end": (add('[run]\nfirst_slot = "2018-06-05T03:00Z"'), ("run.first_slot", "readings end")),
    "readings that are not there": (toml("readings.csv", "reading.csv"), ("reading.csv", "cannot be read")),
    "readings of another kind": (both(raw("readings.xlsx", b"PK"), toml("readings.csv", "readings.xlsx")), ("readings.xlsx", "not readable as a spreadsheet")),
    "member and ignored": (toml('readings = "readings.csv"', 'readings = "readings.csv"\nignore = ["a"]'), ("a is a member and in data.ignore",)),
    # readings
    "empty readings": (raw("readings.csv", b""), ("readings.csv", "empty")),
    "header alone": (rows(lambda lines: lines[:1]), ("readings.csv", "no rows")),
    "binary noise": (raw("readings.csv", bytes(range(256)) * 9), ("readings.csv",)),
    "10 GB": (huge, ("readings.csv", "GiB", "Parquet")),
    "no slot_start": (column(0), ("readings.csv", "no column holds times")),
    "no member": (column(1), ("no column member says whose it is",)),
    "no consumption": (column(2), ("no column says what members took",)),
    "no generation": (column(3), ("no column says what the PV of a gave",)),
    "one value too few": (line(7, ",", ""), ("readings.csv", "row 7")),
    "naive time": (line(5, "Z,", ","), ("row 5", "slot_start", "no zone")),
    "date alone": (line(5, "T01:00:00Z", ""), ("row 5", "slot_start")),
    "thirteenth month": (line(5, "2017-06", "2017-13"), ("row 5", "slot_start", "not a time")),
    "word for a time": (line(5, "2017-06-05T01:00:00Z", "noonZ"), ("row 5", "not a time")),
    "time off the grid": (line(5, "T01:00", "T01:07"), ("row 5", "does not start a slot of 60 minutes")),
    "negative consumption": (line(4, ",c,", ",c,-"), ("row 4", "consumption_wh", "register reset")),
    "register for a reading": (line(4, ",c,", ",c,99999999"), ("row 4", "consumption_wh", "register")),
    "decimal energy": (line(4, ",c,", ",c,0."), ("row 4", "consumption_wh", "not a whole number")),
    "energy in words": (line(4, ",c,", ",c,many"), ("row 4", "consumption_wh", "not a number")),
    "energy beyond 64 bits": (line(4, ",c,", ",c,99999999999999999999"), ("row 4", "consumption_wh")),
    "empty energy": (line(2, FIRST, "2017-06-05T00:00:00Z,a,,"), ("readings.csv",)),
    "member left empty": (line(2, ",a,", ",,"), ("row 2", "no meter stands there")),
    "unknown member": (line(2, ",a,", ",A,"), ("row 2", "'A'", "not in the community")),
    "member without readings": (rows(lambda lines: [text for text in lines if ",c," not in text]), ("no reading of member c",)),
    "slot twice": (rows(lambda lines: [*lines[:5], lines[4].rsplit(",", 1)[0] + ",9", *lines[5:]]), ("row 6", "twice", "differs from row 5")),
    "gap of one member": (drop(20), ("no reading of a at 2017-06-05T06:00Z", "fill the gap")),
    "gap of everybody": (drop(20, 21, 22), ("after slot 2017-06-05T05:00Z comes 2017-06-05T07:00Z",)),
    "sun at a home without PV": (rows(lambda lines: [t[: t.rindex(",")] + ",7" if i == 3 else t for i, t in enumerate(lines, 1)]), ("row 3", "generation_wh = 7", "PV of b")),
    "sun beyond the PV": (rows(lambda lines: [t[: t.rindex(",")] + ",6001" if i == 4 else t for i, t in enumerate(lines, 1)]), ("row 4", "generation_wh = 6001", "6000 Wh")),
    "one day only": (rows(lambda lines: lines[: 1 + 3 * 24]), ("a day",)),
    # Parquet
    "Parquet that is not": (both(raw("readings.parquet", b"PAR0"), toml("readings.csv", "readings.parquet")), ("readings.parquet", "not readable")),
    "Parquet with naive times": (parquet(lambda frame: frame.with_columns(pl.col("slot_start").dt.replace_time_zone(None))), ("readings.parquet", "no zone")),
    "Parquet with decimals": (parquet(lambda frame: frame.with_columns(pl.col("consumption_wh")/ 3)), ("consumption_wh", "whole number")),
    "Parquet with numbers for times": (parquet(lambda frame: frame.with_columns(pl.col("slot_start").dt.hour().cast(pl.Int64))), ("slot_start",)),
    "Parquet with an empty value": (parquet(lambda frame: frame.with_columns(pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise(pl.col("generation_wh")).alias("generation_wh"))), ("no reading of b at 2017-06-05T01:00Z",)),
    "Parquet without a column": (parquet(lambda frame: frame.drop("member")), ("no column member says whose it is",)),
    # prices
    "prices that are not there": (both(prices(lambda lines: lines), lambda folder: (folder / "prices.csv").unlink()), ("prices.csv", "cannot be read")),
    "prices without carbon": (prices(lambda lines: [text.rsplit(",", 1)[0] for text in lines]), ("prices.csv", "grid_carbon_g_per_kwh")),
    "price with a decimal": (prices(lambda lines: [text.replace("280000", "0.28") for text in lines]), ("prices.csv", "row 2", "whole number")),
    "prices end too early": (prices(lambda lines: lines[:-3]), ("data.environment ends at 2017-06-07T22:00Z",)),
    "prices begin too late": (prices(lambda lines: [lines[0], "2018-01-01T00:00Z,280000,350"]), ("begins after",)),
    "price twice in the file": (prices(lambda lines: [*lines, lines[5].replace("280000", "290000")]), ("prices.csv", "twice")),
    "gap in the prices": (prices(lambda lines: lines[:9] + lines[10:]), ("prices.csv", "fill the gap")),
    "negative grid carbon": (prices(lambda lines: [*lines[:9], lines[9].replace("350", "-350"), *lines[10:]]), ("row 10", "grid_carbon_g_per_kwh")),
}  # fmt: skip


def test_there_are_at_least_sixty_cases():
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_line_and_nothing_else(name, tmp_path):
    change, words = CASES[name]
    write_community(tmp_path)
    change(tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    called = call("run", tmp_path / "community.toml", "--no-page", "--json")
    assert called.code == 3, called.err
    assert called.out == ""
    assert called.err.count("\n") == 1
    assert called.err.startswith("transactive: ")
    for word in words:
        assert word in called.err, called.err
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
    checked = call("check", tmp_path / "community.toml")
    assert checked.out == "" or name.startswith(("first slot", "one day"))


def test_sound_files_are_sound(tmp_path):
    assert call("check", write_community(tmp_path)).code == 0
    prices(lambda lines: lines)(tmp_path)
    assert call("check", tmp_path / "community.toml").code == 0
    parquet(lambda frame: frame)(tmp_path)
    called = call("check", tmp_path / "community.toml")
    assert (called.code, "3 members, EUR, 73 slots of 60 minutes" in called.out) == (0, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["community.toml", "readings.csv"]))
def test_mutated_files_never_crash(tmp_path, data, name):
    """Cut, double, swap or overwrite bytes of a good file: it is sound or refused in one line, never a traceback."""
    path = write_community(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        kind = data.draw(st.sampled_from(["cut", "put", "double", "end"]))
        if kind == "cut":
            del content[at : at + data.draw(st.integers(1, 40))]
        elif kind == "put":
            content[at : at + 1] = data.draw(st.binary(min_size=1, max_size=4))
        elif kind == "double":
            content[at:at] = content[at : at + data.draw(st.integers(1, 80))]
        else:
            del content[at:]
    (tmp_path / name).write_bytes(content)
    called = call("check", path)
    assert called.code in (0, 3)
    assert (called.out == "") == (called.code == 3)
    assert called.err.count("\n") == (called.code == 3)
