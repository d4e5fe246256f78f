"""The reader of exports: each dress of the same readings is read the same, and what a file does not tell is refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from transactive.bench.readings.workbook import write_workbook
from transactive.core.errors import DataError, Unsaid
from transactive.core.slots import HOUR, parse_time
from transactive.metering.exports.belief import believed
from transactive.metering.exports.kept import kept_readings
from transactive.metering.exports.profile import Told, load_profile, profile_text
from transactive.metering.exports.reader import ReadOptions, read_export
from transactive.metering.exports.registers import community_rows

DAY = [250 + 40 * (hour % 7) + 13 * (hour % 5) for hour in range(24)]
START = datetime(2024, 9, 1, tzinfo=UTC)
HEAD = "slot_start,member,consumption_wh,generation_wh"
VIENNA = ZoneInfo("Europe/Vienna")


def hours(days=2, start=START):
    return [(start + timedelta(hours=k), DAY[k % 24]) for k in range(24 * days)]


def lines(form="{t:%Y-%m-%dT%H:%M:%SZ},a,{wh},0", days=2):
    return [form.format(t=moment, wh=wh, kwh=wh / 1000) for moment, wh in hours(days)]


def written(folder, text, name="readings.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(path, profile=None, **said):
    return read_export(path, ReadOptions(profile, Told(**said), path.parent))


def consumption(path, **said):
    frame = community_rows(read(path, **said)).sort("slot_start")
    return frame["slot_start"].to_list(), frame["consumption_wh"].to_list()


@pytest.fixture(scope="module")
def truth():
    return [int(moment.timestamp()) for moment, _ in hours()], [wh for _, wh in hours()]


DRESSES = {
    "plain": ("\n".join([HEAD, *lines()]), "utf-8"),
    "with a mark": ("\ufeff" + "\n".join([HEAD, *lines()]), "utf-8"),
    "carriage returns": ("\r\n".join([HEAD, *lines(), ""]), "utf-8"),
    "UTF-16": ("\n".join([HEAD, *lines()]), "utf-16"),
    "Western code page": ("\n".join([f"{HEAD},straße", *(f"{line},Höhe" for line in lines())]), "cp1252"),
    "semicolons": ("\n".join([HEAD, *lines()]).replace(",", ";"), "utf-8"),
    "tabs": ("\n".join([HEAD, *lines()]).replace(",", "\t"), "utf-8"),
    "blanks after commas": ("\n".join([HEAD, *lines()]).replace(",", ", "), "utf-8"),
    "quotes": ("\n".join(f'"{line}"'.replace(",", '","') for line in [HEAD, *lines()]), "utf-8"),
    "blank lines": ("\n".join([HEAD, *lines(), "", "", ""]), "utf-8"),
    "a total": ("\n".join([HEAD, *lines(), "Total,,123456,0"]), "utf-8"),
    "a title above": ("\n".join(["Energy report", "Customer;4711", "", HEAD, *lines()]), "utf-8"),
    "an empty last column": ("\n".join([f"{HEAD},", *(f"{line}," for line in lines())]), "utf-8"),
    "250.0": ("\n".join([HEAD, *lines("{t:%Y-%m-%dT%H:%M:%SZ},a,{wh}.0,0.0")]), "utf-8"),
    "+0000": ("\n".join([HEAD, *lines("{t:%Y-%m-%dT%H:%M:%S}+0000,a,{wh},0")]), "utf-8"),
    "a blank in the time": ("\n".join([HEAD, *lines("{t:%Y-%m-%d %H:%M:%S}Z,a,{wh},0")]), "utf-8"),
    "Unix seconds": ("\n".join([HEAD, *[f"{int(t.timestamp())},a,{wh},0" for t, wh in hours()]]), "utf-8"),
    "newest first": ("\n".join([HEAD, *reversed(lines())]), "utf-8"),
    "twice": ("\n".join([HEAD, *lines(), lines()[3], lines()[7]]), "utf-8"),
    "kWh": ("\n".join(["start;bezug (kWh)", *lines("{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f}")]).replace(".", ","), "utf-8"),
    "kW": ("\n".join(["start;import kW", *lines("{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f}")]), "utf-8"),
    "W": ("\n".join(["start;import [W]", *lines("{t:%Y-%m-%dT%H:%M:%SZ};{wh}")]), "utf-8"),
    "MWh": (
        "\n".join(["start;import MWh", *[f"{t:%Y-%m-%dT%H:%M:%SZ};{wh / 10**6:.6f}" for t, wh in hours()]]),
        "utf-8",
    ),
}


@pytest.mark.parametrize("name", DRESSES)
def test_every_dress_of_a_file_is_read_the_same(tmp_path, truth, name):
    text, encoding = DRESSES[name]
    assert consumption(written(tmp_path, text, encoding=encoding)) == truth


@pytest.mark.parametrize("name", ["readings.CSV", "readings.txt", "readings.data"])
def test_the_name_of_a_file_decides_nothing(tmp_path, truth, name):
    assert consumption(written(tmp_path, DRESSES["plain"][0], name)) == truth


def test_local_times_need_one_zone_and_pass_both_clock_changes(tmp_path):
    for first, slots in (
        (datetime(2024, 10, 26, tzinfo=VIENNA), 24 + 25 + 24),
        (datetime(2024, 3, 30, tzinfo=VIENNA), 71),
    ):
        moments = [first.astimezone(UTC) + timedelta(hours=k) for k in range(slots)]
        rows = [f"{moment.astimezone(VIENNA):%d.%m.%Y %H:%M};0,{k * 37 % 101:03d}" for k, moment in enumerate(moments)]
        path = written(tmp_path, "\n".join(["Beginn;Bezug (kWh)", *rows]))
        with pytest.raises(Unsaid, match=r"has no zone; say zone") as caught:
            read(path)
        assert caught.value.option == "zone"
        expected = [int(moment.timestamp()) for moment in moments]
        assert consumption(path, zone="Europe/Vienna") == (expected, [k * 37 % 101 for k in range(slots)])
        backwards = written(tmp_path, "\n".join(["Beginn;Bezug (kWh)", *reversed(rows)]))
        assert consumption(backwards, zone="Europe/Vienna") == (expected, [k * 37 % 101 for k in range(slots)])
        change = believed(read(path, zone="Europe/Vienna")).clock_changes[0]
        assert change.slots == change.found == slots - 48


@pytest.mark.parametrize("label", ["of the moment", "added to the start"])
def test_ends_of_slots_are_moved_back_also_through_the_hour_that_comes_twice(tmp_path, label):
    first, quarter = datetime(2024, 10, 27, tzinfo=VIENNA).astimezone(UTC), timedelta(minutes=15)
    starts = [first + k * quarter for k in range(100)]
    ends = [(s + quarter).astimezone(VIENNA) if label == "of the moment" else s.astimezone(VIENNA) for s in starts]
    if label != "of the moment":
        ends = [end.replace(tzinfo=None) + quarter for end in ends]
    rows = [f"{end:%d.%m.%Y %H:%M};0,{k * 37 % 101:03d}" for k, end in enumerate(ends)]
    path = written(tmp_path, "\n".join(["Zeit bis;Bezug (kWh)", *rows]))
    expected = [int(start.timestamp()) for start in starts]
    assert consumption(path, zone="Europe/Vienna", stamp="end") == (expected, [k * 37 % 101 for k in range(100)])


def test_a_time_that_came_twice_and_stands_there_once_is_refused(tmp_path):
    rows = [f"27.10.2024 {hour:02d}:00;0,1" for hour in range(24)]
    path = written(tmp_path, "\n".join(["Beginn;Bezug (kWh)", *rows]))
    with pytest.raises(DataError, match=r"row 4: 2024-10-27T02:00 came twice in Europe/Vienna and stands there once"):
        read(path, zone="Europe/Vienna")
    assert len(read(path, zone="+01:00").frame) == 24


def test_a_time_that_never_was_is_refused_with_winter_time_as_a_way_out(tmp_path):
    rows = [f"31.03.2024 {hour:02d}:00;0,1" for hour in range(24)]
    path = written(tmp_path, "\n".join(["Beginn;Bezug (kWh)", *rows]))
    with pytest.raises(DataError, match=r"row 4: 2024-03-31T02:00 never was in Europe/Vienna.*\+01:00"):
        read(path, zone="Europe/Vienna")


def test_days_and_months_are_told_by_the_whole_column_or_asked_for(tmp_path):
    def dates(form, days):
        moments = [datetime(2024, 9, 1, tzinfo=UTC) + timedelta(hours=k) for k in range(24 * days)]
        return written(tmp_path, "\n".join(["start,import Wh", *(f"{m:{form}} {m:%H:%M},100" for m in moments)]))

    for form, days in (("%d/%m/%Y", 20), ("%m/%d/%Y", 20), ("%d/%m/%Y", 10), ("%m/%d/%Y", 10)):
        assert consumption(dates(form, days), zone="UTC")[0][-1] == int(START.timestamp()) + (24 * days - 1) * HOUR
    with pytest.raises(Unsaid, match="day or month first"):
        read(dates("%d/%m/%Y", 1), zone="UTC")
    assert consumption(dates("%d/%m/%Y", 1), zone="UTC", order="dmy")[0][0] == int(START.timestamp())


@pytest.mark.parametrize(
    ("head", "row", "option"),
    [
        ("start;Wert", "{t:%Y-%m-%dT%H:%M:%SZ};{wh}", "register"),
        ("start;Bezug", "{t:%Y-%m-%dT%H:%M:%SZ};{wh}", "unit"),
        ("start;Wert (kWh)", "{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f}", "register"),
        ("timestamp;Bezug (kWh)", "{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f}", "stamp"),
        ("slot_start;consumption_wh", "{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f}", "unit"),
    ],
)
def test_what_a_file_does_not_tell_is_refused_with_what_to_say(tmp_path, head, row, option):
    text = lines(row)
    path = written(tmp_path, "\n".join([head, *(text[1:] if option == "stamp" else text)]))
    with pytest.raises(DataError) as caught:
        read(path)
    assert getattr(caught.value, "option", None) == option
    if option:
        assert f"--{option}" in str(caught.value) or f"{option} under [data]" in str(caught.value)


def test_two_columns_of_one_register_add_up_only_if_they_are_its_parts(tmp_path):
    tariffs = "\n".join(["start;Import T1 (kWh);Import T2 (kWh)", *lines("{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f};0.5")])
    assert consumption(written(tmp_path, tariffs))[1] == [wh + 500 for _, wh in hours()]
    both = "\n".join(["start;Bezug (kWh);Netzbezug (kWh)", *lines("{t:%Y-%m-%dT%H:%M:%SZ};{kwh:.3f};0.5")])
    with pytest.raises(DataError, match=r"Bezug \(kWh\) and Netzbezug \(kWh\) both count import"):
        read(written(tmp_path, both))


def test_a_register_that_counts_on_is_recognised_and_its_exchange_becomes_a_gap(tmp_path):
    state, rows = 12_345_678, []
    for k, (moment, wh) in enumerate(hours(4)):
        rows.append(f"{moment:%Y-%m-%dT%H:%M:%SZ},a,{state},0")
        state = 132 if k == 50 else state + wh
    path = written(tmp_path, "\n".join([HEAD, *rows]))
    with pytest.raises(
        Unsaid, match=r"rises all the time, from 12,345,678 in row 2 .* a register that counts on"
    ) as caught:
        read(path)
    assert caught.value.option == "reading"
    with pytest.raises(
        Unsaid, match=r"row 52: consumption_wh: the register of a falls .* to 132: was the meter exchanged"
    ):
        read(path, reading="total")
    starts, wh = consumption(path, reading="total", exchanged=True)
    assert starts == [int(moment.timestamp()) for moment, _ in hours(4)][:-1]
    assert wh == [None if k == 50 else energy for k, (_, energy) in enumerate(hours(4))][:-1]


def test_a_register_that_rolls_over_counts_on(tmp_path):
    rows = [f"{moment:%Y-%m-%dT%H:%M:%SZ};{(99_990 + k) % 100_000}" for k, (moment, _) in enumerate(hours(1))]
    path = written(tmp_path, "\n".join(["start;Zählerstand Bezug (kWh)", *rows]))
    profile = profile_text(read(path, exchanged=True).profile)
    (tmp_path / "five.toml").write_text(profile.replace("exchanged = true", "digits = 5"))
    assert read(path, "five.toml").frame["import"].to_list() == [1_000] * 23


def test_a_signed_column_is_parted_and_standby_is_consumption(tmp_path):
    net = [f"{moment:%Y-%m-%dT%H:%M:%SZ},a,{wh - 500},0" for moment, wh in hours()]
    frame = community_rows(read(written(tmp_path, "\n".join([HEAD, *net]))))
    assert (frame["consumption_wh"] - frame["generation_wh"]).to_list() == [wh - 500 for _, wh in hours()]
    assert frame["both_ways_wh"].sum() == 0
    night = [
        f"{moment:%Y-%m-%dT%H:%M:%SZ},a,{wh},{-3 if k % 24 < 6 else 900}" for k, (moment, wh) in enumerate(hours())
    ]
    frame = community_rows(read(written(tmp_path, "\n".join([HEAD, *night]))))
    assert frame["consumption_wh"].to_list() == [wh + 3 * (k % 24 < 6) for k, (_, wh) in enumerate(hours())]
    assert frame["generation_wh"].min() == 0


def test_import_and_export_are_two_registers(tmp_path):
    rows = [f"{moment:%Y-%m-%dT%H:%M:%SZ},a,500,500" for moment, _ in hours()]
    frame = community_rows(read(written(tmp_path, "\n".join(["slot_start,member,import_wh,export_wh", *rows]))))
    assert frame.select("consumption_wh", "generation_wh", "both_ways_wh").unique().rows() == [(500, 500, 500)]
    gross = [f"{line},800" for line in rows]
    path = written(tmp_path, "\n".join(["slot_start,member,import_wh,export_wh,generation_wh", *gross]))
    frame = community_rows(read(path))
    assert frame.select("consumption_wh", "generation_wh", "both_ways_wh").unique().rows() == [(800, 800, 500)]


def test_a_column_a_meter_a_row_a_day_and_a_file_a_meter(tmp_path, truth):
    wide = [f"{moment:%Y-%m-%dT%H:%M:%SZ},{wh},0,{2 * wh},7" for moment, wh in hours()]
    head = "slot_start,anna_consumption,anna_generation,bert_consumption,bert_generation"
    frame = community_rows(read(written(tmp_path, "\n".join([head, *wide])), unit="Wh")).sort("member", "slot_start")
    assert frame.filter(member="anna")["consumption_wh"].to_list() == truth[1]
    assert frame.filter(member="bert").select("consumption_wh", "generation_wh").row(0) == (2 * truth[1][0], 7)
    day = ";".join(["Giorno", *(f"{h:02d}:00-{h + 1:02d}:00" for h in range(24))])
    days = [
        ";".join([f'"0{k + 1}/09/2024"', *(f'"{wh / 1000:.3f}"'.replace(".", ",") for wh in DAY)]) + ";"
        for k in range(2)
    ]
    path = written(tmp_path, "\n".join([day, *days]))
    assert consumption(path, unit="kWh", zone="UTC", register="import") == truth
    folder = tmp_path / "meters"
    folder.mkdir()
    for name in ("anna", "bert"):
        written(folder, "\n".join(["start;import [W]", *lines("{t:%Y-%m-%dT%H:%M:%SZ};{wh}")]), f"{name}.csv")
    assert sorted(read(folder).frame["meter"].unique()) == ["anna", "bert"]


def test_fractions_of_a_watt_hour_are_carried_within_a_day(tmp_path):
    quarters = [START + timedelta(minutes=15 * k) for k in range(192)]
    rows = [f"{moment:%Y-%m-%dT%H:%M:%SZ};0.373" for moment in quarters]  # 93.25 Wh each
    found = consumption(written(tmp_path, "\n".join(["start;import kW", *rows])))[1]
    assert set(found) == {93, 94}
    assert sum(found[:96]) == sum(found[96:]) == 8_952
    assert found[:96] == found[96:]


def test_a_decimal_comma_between_commas_is_refused(tmp_path):
    path = written(tmp_path, "\n".join(["start,import kWh", *lines("{t:%Y-%m-%dT%H:%M:%SZ},0,{wh}")]))
    with pytest.raises(DataError, match="row 2: has more values than the head names columns"):
        read(path)


def test_kept_readings_and_the_kept_profile_read_the_same_again(tmp_path, truth):
    path = written(tmp_path, DRESSES["kWh"][0])
    export = read(path)
    kept_readings(export).write_parquet(tmp_path / "kept.parquet")
    again = read(tmp_path / "kept.parquet")
    assert again.frame.select("start", "import", "quality").equals(export.frame.select("start", "import", "quality"))
    (tmp_path / "own.toml").write_text(profile_text(export.profile))
    assert load_profile("own.toml", tmp_path) == export.profile
    assert read(path, "own.toml").frame.equals(export.frame)


def test_quality_flags_are_kept(tmp_path):
    rows = [f"{line},{'L3' if k == 5 else 'L1'}" for k, line in enumerate(lines())]
    export = read(written(tmp_path, "\n".join([f"{HEAD},quality", *rows])))
    assert [k for k, quality in enumerate(export.frame["quality"]) if quality] == [5]
    assert believed(export).estimated == 1
    assert kept_readings(export)["quality"].to_list().count("estimated") == 1


def test_a_spreadsheet_is_read_whatever_it_is_called(tmp_path, truth):
    fastexcel = pytest.importorskip("fastexcel")
    assert fastexcel
    book = tmp_path / "book.csv"
    write_workbook(book, [HEAD.split(","), *[line.split(",") for line in lines()]])
    assert consumption(book) == truth


def test_parquet_keeps_its_types(tmp_path, truth):
    table = pl.DataFrame(
        {
            "slot_start": [t for t, _ in hours()],
            "member": "a",
            "consumption_wh": [float(wh) for _, wh in hours()],
            "generation_wh": 0,
        }
    )
    table.write_parquet(tmp_path / "a.parquet")
    assert consumption(tmp_path / "a.parquet") == truth


AUTUMN, SPRING = parse_time("2025-10-24T22:00Z"), parse_time("2025-03-28T23:00Z")
"""Midnight in Berlin before the day before the clock is changed; two days from there have 49 and 47 hours."""


@pytest.mark.parametrize(
    ("first", "count", "by_the_clock", "wide"),
    [
        (AUTUMN, 49, False, False), (AUTUMN, 49, False, True), (AUTUMN, 49, True, False),  # no column stands twice
        (SPRING, 47, False, False), (SPRING, 47, False, True), (SPRING, 47, True, False), (SPRING, 47, True, True),
    ],
)  # fmt: skip
def test_numbered_hours_are_the_parts_of_a_day_that_has_23_or_25(tmp_path, first, count, by_the_clock, wide):
    truth = {first + k * HOUR: 100 + k * 37 % 61 for k in range(count)}
    days: dict[str, list[tuple[int, int]]] = {}
    for time, wh in truth.items():
        wall = datetime.fromtimestamp(time, ZoneInfo("Europe/Berlin"))
        parts = days.setdefault(f"{wall:%d.%m.%Y}", [])
        parts.append((wall.hour + 1 if by_the_clock else len(parts) + 1, wh))
    head, said = "Datum;Stunde;Bezug (Wh)", {"stamp": "end"}
    rows = [f"{day};{n};{wh}" for day, parts in days.items() for n, wh in parts]
    if wide:
        head, said = "Datum;" + ";".join(f"H{k}" for k in range(1, 26)), {"unit": "Wh", "register": "import"}
        named = {day: dict(parts) for day, parts in days.items()}
        rows = [f"{day};" + ";".join(str(parts.get(k, "")) for k in range(1, 26)) for day, parts in named.items()]
    found = read(written(tmp_path, "\n".join([head, *rows])), zone="Europe/Berlin", **said).frame.sort("start")
    assert dict(zip(found["start"].to_list(), found["import"].to_list(), strict=True)) == truth


def test_a_hundred_quarters_are_a_day_too(tmp_path):
    head = ";".join(f"Q{k}" for k in range(1, 101))
    rows = [";".join(map(str, range(1, 97))) + ";;;;", ";".join(map(str, range(1, 101)))]
    path = written(tmp_path, f"Datum;{head}\n25.10.2025;{rows[0]}\n26.10.2025;{rows[1]}\n")
    found = read(path, zone="Europe/Berlin", unit="Wh", register="import").frame.sort("start")
    assert found["start"].to_list() == list(range(AUTUMN, AUTUMN + 49 * HOUR, HOUR // 4))
    assert found["import"].to_list() == [*range(1, 97), *range(1, 101)]


def test_a_day_of_the_clock_change_with_the_hours_of_another_is_refused(tmp_path):
    rows = [f"{day}.10.2025;{n};{100 + n * n % 7}" for day in (25, 26) for n in range(1, 25)]
    path = written(tmp_path, "\n".join(["Datum;Stunde;Bezug (Wh)", *rows]))
    with pytest.raises(DataError, match="the clock is changed on this day, which has 25 parts and 24 numbers here"):
        read(path, zone="Europe/Berlin")


def test_three_phases_are_one_meter_and_energy_given_may_be_written_below_zero(tmp_path):
    rows = [f"2026-05-0{1 + k // 24}T{k % 24:02d}:00Z,{k % 7},{k % 5},{k % 3},{-(k % 4)}" for k in range(48)]
    path = written(tmp_path, "\n".join(["time,Import L1 Wh,Import L2 Wh,Import L3 Wh,Export Wh", *rows]))
    found = read(path).frame
    assert found["import"].to_list() == [k % 7 + k % 5 + k % 3 for k in range(48)]
    assert found["export"].to_list() == [k % 4 for k in range(48)]
    assert found["meter"].null_count() == 48


def test_a_date_with_points_is_no_time_of_day(tmp_path):
    rows = [f"{1 + k // 24:02d}.05.2026 {k % 24:02d}:00;{k % 7}" for k in range(48)]
    path = written(tmp_path, "\n".join(["Zeit;Bezug (Wh)", *rows]))
    assert read(path, zone="Europe/Berlin").frame["start"][0] == parse_time("2026-04-30T22:00Z")
