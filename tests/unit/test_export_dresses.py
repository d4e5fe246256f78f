"""Exports of many countries and programs say the same: two meters' registers, through both changes of the clock."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from transactive.core.errors import DataError, Unsaid
from transactive.metering.exports.belief import believed
from transactive.metering.exports.profile import Told
from transactive.metering.exports.reader import ReadOptions, read_export
from transactive.metering.exports.registers import community_rows
from transactive.metering.files import MeterLimits, read_measured

VIENNA = ZoneInfo("Europe/Vienna")
CHANGES = [(2024, 3, 31), (2024, 10, 27)]
QUARTER = 15


def day_of(change: tuple[int, int, int], minutes: int = QUARTER, before: int = 1) -> list[datetime]:
    """Starts of the slots of a day on which the clock is changed and of days before it, in local time."""
    begin = datetime(*change, tzinfo=VIENNA) - timedelta(days=before)
    end = datetime(*change, tzinfo=VIENNA) + timedelta(days=1)
    first, last = (int(moment.timestamp()) for moment in (begin, end))
    return [datetime.fromtimestamp(at, UTC).astimezone(VIENNA) for at in range(first, last, minutes * 60)]


def wh(k: int) -> int:
    return k * 37 % 211 * 4


def kwh(k: int) -> str:
    return f"{wh(k) / 1000:.3f}".replace(".", ",")


def at(moment: datetime, form: str = "%d.%m.%Y %H:%M") -> str:
    return moment.strftime(form)


def after(moment: datetime) -> datetime:
    """End of a quarter that begins at a local time."""
    return (moment.astimezone(UTC) + timedelta(minutes=QUARTER)).astimezone(VIENNA)


def lettered(moment: datetime) -> str:
    """The hour that comes twice, as 2A and 2B."""
    twice = moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset() and moment.hour == 2
    return at(moment, f"%d.%m.%Y {'2B' if moment.fold else '2A'}:%M" if twice else "%d.%m.%Y %H:%M")


Dress = tuple[str, Callable[[int, datetime], str], dict[str, str]]
LOCAL = {"zone": "Europe/Vienna"}
BOTH: dict[str, Dress] = {
    "Poland": ("Data;Energia pobrana [kWh];Energia oddana [kWh]", lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)}", LOCAL),
    "Slovenia": ("Datum;Prejeta (kWh);Oddana (kWh)", lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)}", LOCAL),
    "Hungary": ("Idő;Vételezés (kWh);Betáplálás (kWh)", lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)}", LOCAL),
    "Spain": ("Fecha;Consumo (kWh);Vertido (kWh)", lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)}", LOCAL),
    "letters": ("Zeit;A+ (kWh);A- (kWh)", lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)}", LOCAL),
    "named zones": ("Zeit;Bezug (kWh);Einspeisung (kWh)", lambda k, t: f"{at(t)} {t:%Z};{kwh(k)};{kwh(k + 7)}", {}),
    "own use beside": (
        "Zeit;Netzbezug (kWh);Einspeisung (kWh);Eigenverbrauch (kWh);Batterie Ladung (kWh)",
        lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)};0,5;0,1",
        LOCAL,
    ),
    "OBIS by rows": (
        "Zählpunkt;OBIS;Zeit;Wert;Einheit",
        lambda k, t: "\n".join(
            f"M;1-1:{code}.9.0;{at(t)};{value};{unit}"
            for code, value, unit in ((1, kwh(k), "kWh"), (2, kwh(k + 7), "kWh"), (5, "0,1", "kvarh"))
        ),
        LOCAL,
    ),
    "Netherlands": ("Van;Levering (kWh);Teruglevering (kWh)", lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)}", LOCAL),
    "a meter on the rail": (
        "Time;Active energy kWh (A);Returned energy kWh (A);L1 max W",
        lambda k, t: f"{at(t)};{kwh(k)};{kwh(k + 7)};9",
        LOCAL,
    ),
    "flows by their ends": (
        "Time;Grid to home (kWh/15 min);PV to home (kWh);PV to grid (kWh)",
        lambda k, t: f"{at(t)};{kwh(k)};0,5;{kwh(k + 7)}",
        LOCAL,
    ),
    "words by rows": (
        "Start;Direction;Value (kWh)",
        lambda k, t: f"{at(t)};import;{kwh(k)}\n{at(t)};export;{kwh(k + 7)}",
        LOCAL,
    ),
}
ONE: dict[str, Dress] = {
    "interval with the date once": (
        "Zeitraum;Verbrauch (kWh)",
        lambda k, t: f"{at(t)} - {at(after(t), '%H:%M')};{kwh(k)}",
        LOCAL,
    ),
    "interval in words": (
        "Energy consumption time period;Usage(Real energy in kilowatt-hours)",
        lambda k, t: f"{at(t)} to {at(after(t))};{kwh(k)}",
        LOCAL,
    ),
    "interval beside the date": (
        "Datum;Zeit;Verbrauch (kWh)",
        lambda k, t: f"{at(t, '%d.%m.%Y')};{at(t, '%H:%M')} - {at(after(t), '%H:%M')};{kwh(k)}",
        LOCAL,
    ),
    "twelve hours": ("Date;Time;Usage (kWh)", lambda k, t: f"{at(t, '%Y-%m-%d;%I:%M %p')};{kwh(k)}", LOCAL),
    "last minute included": (
        "TYPE;DATE;START TIME;END TIME;USAGE;UNITS;COST",
        lambda k, t: (
            f"Electric;{at(t, '%Y-%m-%d;%H:%M')};{at(after(t) - timedelta(minutes=1), '%H:%M')};{kwh(k)};kWh;$1"
        ),
        LOCAL,
    ),
    "unit beside": (
        "Zeit;Bezug;Einheit",
        lambda k, t: f"{at(t)};{f'{wh(k) / 1e6:.6f}'.replace('.', ',')};MWh",
        LOCAL,
    ),
    "2A and 2B": ("Zeit;Bezug (kWh)", lambda k, t: f"{lettered(t)};{kwh(k)}", LOCAL),
}


def read(tmp_path, text: str, told: dict[str, str]) -> list[tuple[object, ...]]:
    path = tmp_path / "export.csv"
    path.write_text(text)
    rows = community_rows(read_export(path, ReadOptions(told=Told(**told)))).sort("slot_start")  # type: ignore[arg-type]
    return rows.select("slot_start", "consumption_wh", "generation_wh", "both_ways_wh").rows()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", BOTH)
def test_both_registers_are_read_and_never_netted(tmp_path, name, change):
    head, row, told = BOTH[name]
    slots = day_of(change)
    text = head + "\n" + "\n".join(row(k, t) for k, t in enumerate(slots)) + "\n"
    expected = [(int(t.timestamp()), wh(k), wh(k + 7), min(wh(k), wh(k + 7))) for k, t in enumerate(slots)]
    assert read(tmp_path, text, told) == expected


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ONE)
def test_times_of_any_dress_pass_both_changes_of_the_clock(tmp_path, name, change):
    head, row, told = ONE[name]
    slots = day_of(change)
    text = head + "\n" + "\n".join(row(k, t) for k, t in enumerate(slots)) + "\n"
    assert read(tmp_path, text, told) == [(int(t.timestamp()), wh(k), 0, 0) for k, t in enumerate(slots)]


def test_a_row_a_day_has_the_hour_left_out_empty_or_zero_and_the_one_that_comes_twice_in_two_columns(tmp_path):
    for change, nothing in ((CHANGES[0], ""), (CHANGES[0], "0,000"), (CHANGES[1], "")):
        slots = day_of(change, 60)
        names = [(hour, 0) for hour in range(3)] + [(2, 1)] + [(hour, 0) for hour in range(3, 24)]
        value = {(t.date(), t.hour, t.fold): kwh(k) for k, t in enumerate(slots)}
        rows = [
            f"{day:%d.%m.%Y};" + ";".join(value.get((day, *name), "" if name[1] else nothing) for name in names)
            for day in dict.fromkeys(t.date() for t in slots)
        ]
        text = "Tag;" + ";".join(f"{hour:02d}:00" for hour, _ in names) + "\n" + "\n".join(rows) + "\n"
        told = {**LOCAL, "unit": "kWh", "register": "import"}
        assert read(tmp_path, text, told) == [(int(t.timestamp()), wh(k), 0, 0) for k, t in enumerate(slots)]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("last", ["24:00", "00:00"])
def test_a_row_a_day_may_name_the_ends_of_its_quarters(tmp_path, change, last):
    slots = day_of(change, before=3)
    ends = [f"{k // 4:02d}:{k % 4 * 15:02d}" for k in range(1, 96)] + [last]
    again = ends[8:12] if change == CHANGES[1] else []
    twice = [*ends[:12], *again, *ends[12:]]
    kwh_of = {(t.date(), t.hour * 4 + t.minute // 15, t.fold): kwh(k) for k, t in enumerate(slots)}
    places = [(k, 0) for k in range(12)] + ([(k, 1) for k in range(8, 12)] if len(twice) > 96 else [])
    places += [(k, 0) for k in range(12, 96)]
    rows = [
        f"{day:%d.%m.%Y};" + ";".join(kwh_of.get((day, *place), "") for place in places)
        for day in dict.fromkeys(t.date() for t in slots)
    ]
    text = "Tag;" + ";".join(twice) + "\n" + "\n".join(rows) + "\n"
    told = {**LOCAL, "unit": "kWh", "register": "import"}
    assert read(tmp_path, text, told) == [(int(t.timestamp()), wh(k), 0, 0) for k, t in enumerate(slots)]


def test_a_row_a_day_whose_columns_tell_no_end_of_a_slot_is_asked(tmp_path):
    text = "Tag;" + ";".join(f"{h:02d}:30" for h in range(24)) + "\n01.09.2024" + ";1" * 24 + "\n"
    with pytest.raises(Unsaid, match="columns run from 00:30 to 23:30: does one name the start or the end"):
        read(tmp_path, text, {**LOCAL, "unit": "kWh", "register": "import"})


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("by_columns", [True, False])
def test_hours_are_numbered_from_one_or_from_zero(tmp_path, first, by_columns):
    days, hours = [f"0{day}.09.2024" for day in (1, 2, 3)], range(first, first + 24)
    if by_columns:
        text = "Tag;" + ";".join(map(str, hours)) + "\n" + "".join(f"{day}{';0,5' * 24}\n" for day in days)
    else:
        text = "Tag;Stunde;kWh\n" + "".join(f"{day};{hour};0,5\n" for day in days for hour in hours)
    rows = read(tmp_path, text, {**LOCAL, "unit": "kWh", "register": "import"})
    begin = int(datetime(2024, 9, 1, tzinfo=VIENNA).timestamp())
    assert [row[0] for row in rows] == list(range(begin, begin + 72 * 3_600, 3_600))


@pytest.mark.parametrize(
    ("head", "first", "told"),
    [
        ("Zeit (UTC+2)", 22, {}),
        ("Time (GMT-5)", 5, {}),
        ("Time [UTC−05:30]", 5, {}),
        ("Time (UTC)", 0, {}),
        ("Local time;UTC time", 3, {"stamp": "start"}),
        ("Local time;UTC time", 22, {"zone": "Europe/Vienna"}),
    ],
)
def test_a_head_names_the_clock_of_its_own_column(tmp_path, head, first, told):
    more = lambda hour: f";2024-09-{(hour + 27) // 24:02d} {(hour + 3) % 24:02d}:00" if ";" in head else ""  # noqa: E731
    rows = "".join(f"2024-09-01 {hour:02d}:00{more(hour)};{hour % 5}\n" for hour in range(24))
    found = read(tmp_path, f"{head};Bezug (kWh)\n{rows}", told)[0][0]
    assert datetime.fromtimestamp(int(str(found)), UTC).hour == first


def test_two_states_of_a_register_at_one_time_are_refused_and_equal_ones_count_once(tmp_path):
    row = "2024-09-01T{:02d}:00Z;{}\n".format
    rows = [row(hour, 100 + hour * 3) for hour in range(12)]
    head = "Zeit;Zählerstand Bezug (kWh)\n"
    assert len(read(tmp_path, head + "".join(rows[:6] + rows[5:]), {})) == 11
    with pytest.raises(DataError, match=r"row 8: .* stands there twice at 2024-09-01T05:00Z and differs"):
        read(tmp_path, head + "".join([*rows[:6], row(5, 116), *rows[6:]]), {})


def test_energy_at_an_hour_that_never_was_is_refused(tmp_path):
    text = "Zeit;Bezug (kWh)\n" + "".join(f"31.03.2024 {hour:02d}:00;1,000\n" for hour in range(24))
    with pytest.raises(DataError, match="2024-03-31T02:00 never was"):
        read(tmp_path, text, LOCAL)


def test_a_signed_column_is_net_by_word_or_by_its_numbers_and_is_told_so(tmp_path):
    rows = "".join(f"2024-09-01T{hour:02d}:00Z,{(hour - 12) * 100}\n" for hour in range(24))
    path = tmp_path / "signed.csv"
    for head, told in (("Grid power (W)", Told(register="net")), ("consumption_wh", Told())):
        path.write_text(f"time,{head}\n{rows}")
        export = read_export(path, ReadOptions(told=Told(register=told.register, stamp="start")))
        made = community_rows(export)
        assert (made["consumption_wh"].sum(), made["generation_wh"].sum()) == (6_600, 7_800)
        assert [(one.register, one.doubtful) for one in believed(export).registers] == [("net", False)]


def test_a_column_that_a_shipped_profile_does_not_know_is_read_if_it_says_what_it_is(tmp_path):
    head = "CUPS;Fecha;Hora;Consumo_kWh;Metodo_obtencion"
    rows = "".join(f"M;01/09/2024;{hour};1,000;R{{}}\n" for hour in range(1, 25))
    for more, beside, given in (("", "", 0), (";Excedente_kWh", ";0,500", 12_000), (";Autoconsumo_kWh", ";0,500", 0)):
        path = tmp_path / "spain.csv"
        path.write_text(f"{head}{more}\n{rows.format(*[beside] * 24)}")
        export = read_export(path)
        assert export.profile_name == "es-cnmc"
        assert community_rows(export)["generation_wh"].sum() == given


def test_the_register_of_a_file_with_one_can_be_told(tmp_path):
    path = tmp_path / "given.csv"
    path.write_text(
        "CUPS;Fecha;Hora;Consumo_kWh;Metodo_obtencion\n" + "".join(f"M;01/09/2024;{h};1;R\n" for h in range(1, 25))
    )
    rows = community_rows(read_export(path, ReadOptions(told=Told(register="export"))))
    assert (rows["consumption_wh"].sum(), rows["generation_wh"].sum()) == (0, 24_000)


def test_rows_of_a_kind_that_nobody_knows_are_refused(tmp_path):
    with pytest.raises(DataError, match="Direction = sideways: what do such rows count"):
        read(tmp_path, "Start,Direction,Value (kWh)\n2024-09-01T00:00Z,import,1\n2024-09-01T01:00Z,sideways,1\n", {})
    with pytest.raises(Unsaid, match="no unit stands there"):
        read(tmp_path, "Start,Direction,Value\n2024-09-01T00:00Z,import,1\n2024-09-01T01:00Z,export,1\n", {})


LIMITS = MeterLimits(["a"], [5_000], [None])


def measured(tmp_path, rows: Sequence[str], length: int):
    path = tmp_path / "parts.csv"
    path.write_text("slot_start,member,import_wh,export_wh\n" + "".join(f"{row}\n" for row in rows))
    return read_measured(path, LIMITS, length)[0]


def test_shorter_slots_are_added_up_and_what_flowed_both_ways_is_not_netted(tmp_path):
    rows = [
        f"2024-09-01T{minute // 60:02d}:{minute % 60:02d}Z,a,{minute % 60},{60 - minute % 60}"
        for minute in range(0, 180, 10)
    ]
    for length, took, gave in ((3600, 150, 210), (1800, 30, 150)):
        read_rows = measured(tmp_path, rows, length)
        assert (int(read_rows.consumption_wh[0, 0]), int(read_rows.generation_wh[0, 0])) == (took, gave)
        assert int(read_rows.both_ways_wh[0, 0]) == min(took, gave)


def test_a_folder_has_meters_of_different_steps(tmp_path):
    folder = tmp_path / "meters"
    folder.mkdir()
    for name, minutes, wh_each in (("a", 15, 10), ("b", 60, 70)):
        moments = range(0, 24 * 60, minutes)
        rows = (f"2024-09-01T{m // 60:02d}:{m % 60:02d}Z,{wh_each},{wh_each // 10}\n" for m in moments)
        (folder / f"{name}.csv").write_text("start,import_wh,export_wh\n" + "".join(rows))
    export = read_export(folder)
    assert export.length == 3600
    for name, each in (("a", (40, 4)), ("b", (70, 7))):
        assert set(export.frame.filter(meter=name).select("import", "export").rows()) == {each}


def test_a_longer_slot_that_lacks_a_part_is_a_gap(tmp_path):
    rows = [f"2024-09-01T{minute // 60:02d}:{minute % 60:02d}Z,a,10,0" for minute in range(0, 180, 15) if minute != 75]
    with pytest.raises(DataError, match="2024-09-01T01:00Z"):
        measured(tmp_path, rows, 3600)
