"""Exports as spreadsheets and portals spoil them: read right, or asked about, never silently something else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from transactive.core.errors import Unsaid
from transactive.metering.exports.profile import Told, load_profile, profile_text
from transactive.metering.exports.reader import Export, ReadOptions, read_export

VIENNA = ZoneInfo("Europe/Vienna")
LOCAL = Told(zone="Europe/Vienna")


def local(day: str, days: int, minutes: int = 60) -> list[datetime]:
    """Starts of the slots of local days."""
    begin = datetime.fromisoformat(day).replace(tzinfo=VIENNA)
    end = (begin.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=VIENNA)
    first, last = (int(moment.timestamp()) for moment in (begin, end))
    return [datetime.fromtimestamp(at, UTC).astimezone(VIENNA) for at in range(first, last, minutes * 60)]


def used(slots: Sequence[datetime], times: int = 1) -> list[int]:
    return [(k * 37 % 211 + 20) * 4 * times for k in range(len(slots))]


def comma(value: float, decimals: int = 3) -> str:
    return f"{value:.{decimals}f}".replace(".", ",")


def export_of(tmp_path, lines: Sequence[str], told: Told = LOCAL, encoding: str = "utf-8") -> Export:
    path = tmp_path / "export.csv"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return read_export(path, ReadOptions(told=told))


def column(export: Export, register: str, meter: str | None = None) -> list[int | None]:
    frame = export.frame.sort("start")
    rows = frame.filter(frame[register].is_not_null()).iter_rows(named=True)
    return [row[register] for row in rows if meter is None or row["meter"] == meter]


def test_units_in_a_second_row_of_the_head_hours_to_24_and_a_row_of_sums(tmp_path):
    slots = local("2024-10-26", 3)
    wh = used(slots)
    rows = [f"{t:%d.%m.%Y};{t.hour + 1};{comma(x / 1000)}" for t, x in zip(slots, wh, strict=True)]
    head = ["\ufeffDatum;Stunde;Verbrauch", "TT.MM.JJJJ;h;kWh"]
    export = export_of(tmp_path, [*head, *rows, f"Summe;;{comma(sum(wh) / 1000)}"])
    assert column(export, "consumption") == wh
    assert export.frame["start"].min() == int(slots[0].timestamp())
    (tmp_path / "kept.toml").write_text(profile_text(export.profile))
    again = read_export(tmp_path / "export.csv", ReadOptions(str(tmp_path / "kept.toml")))
    assert column(again, "consumption") == wh
    assert load_profile("kept.toml", tmp_path).head == ("Datum", "TT.MM.JJJJ")


def test_power_at_the_ends_of_quarters_with_its_unit_below_an_empty_cell(tmp_path):
    slots = local("2024-03-30", 3, 15)
    wh = used(slots)
    ends = [(t.astimezone(UTC) + timedelta(minutes=15)).astimezone(VIENNA) for t in slots]
    rows = []
    for t, e, x in zip(slots, ends, wh, strict=True):
        said = f"{t:%d.%m.%Y};24:00" if e.hour == e.minute == 0 else f"{e:%d.%m.%Y;%H:%M}"
        rows.append(f"{said};{comma(x * 4 / 1000)}")
    export = export_of(tmp_path, ["Datum;Uhrzeit bis;Bezug", ";;kW", *rows], encoding="cp1252")
    assert column(export, "import") == wh


def test_a_column_a_meter_with_sums_of_each_day_and_a_meter_that_only_gives(tmp_path):
    slots = local("2024-05-01", 2, 15)
    taken, given = used(slots), [x // 4 for x in used(slots)]
    rows = []
    for k, (t, a, b) in enumerate(zip(slots, taken, given, strict=True), 1):
        rows.append(f"{t + timedelta(minutes=15):%d.%m.%Y %H:%M};{comma(a / 1000)};{comma(a / 500)};{comma(b / 1000)}")
        if k % 96 == 0:
            rows.append("Tagessumme;1,0;2,0;3,0")
    head = ["Zeit;Haus A;Haus B;PV Haus B", "[Ende];Bezug kWh;Bezug kWh;Einspeisung kWh"]
    export = export_of(tmp_path, [*head, *rows])
    assert column(export, "import", "Haus A") == taken
    assert column(export, "import", "Haus B") == [2 * x for x in taken]
    assert column(export, "export", "Haus B") == given
    assert not export.frame["meter"].null_count()


@pytest.mark.parametrize("sign", [",", "."])
def test_thousands_are_grouped_where_smaller_numbers_show_it(tmp_path, sign):
    slots = local("2024-05-01", 3)
    wh = used(slots, times=3)
    between = {",": ",", ".": ";"}[sign]
    rows = [f"{t:%d.%m.%Y %H:%M}{between}" + f'"{x:,}"'.replace(",", sign) for t, x in zip(slots, wh, strict=True)]
    assert max(wh) > 1000
    assert column(export_of(tmp_path, [f"Zeit{between}Import (Wh)", *rows]), "import") == wh


def test_decimals_are_no_thousands(tmp_path):
    slots = local("2024-05-01", 2)
    rows = [f"{t:%d.%m.%Y %H:%M};{x / 1000:.3f}" for t, x in zip(slots, used(slots, times=20), strict=True)]
    assert column(export_of(tmp_path, ["Zeit;Bezug (kWh)", *rows]), "import") == used(slots, times=20)


@pytest.mark.parametrize("footer", ["", "Anzahl Werte;48;;", "* E = estimated;;;"])
def test_remarks_below_the_table_are_no_readings_and_flags_are_kept(tmp_path, footer):
    slots = local("2024-05-01", 2)
    wh = used(slots)
    rows = [
        f"AT00;{t:%d.%m.%y %H:%M:%S};{x};{'E' if k == 40 else 'W'}"
        for k, (t, x) in enumerate(zip(slots, wh, strict=True))
    ]
    export = export_of(tmp_path, ["Messpunkt;Zeitpunkt;Bezug Wh;Flag", *rows, footer], encoding="utf-16")
    assert column(export, "import", "AT00") == wh
    assert int((export.frame["quality"] != export.frame["quality"].min()).sum()) == 1


def test_notes_beside_estimated_readings_are_flags(tmp_path):
    slots = local("2024-05-01", 2)
    rows = [
        f"{t:%m/%d/%Y},{t:%I:%M %p},{x / 1000},{'Estimated' if k > 44 else ''},$0.10"
        for k, (t, x) in enumerate(zip(slots, used(slots), strict=True))
    ]
    export = export_of(
        tmp_path,
        ["Account,1", "", "DATE,START TIME,USAGE (kWh),NOTES,COST", *rows],
        Told(zone="Europe/Vienna", order="mdy"),
    )
    assert column(export, "consumption") == used(slots)
    assert int((export.frame["quality"] != export.frame["quality"].min()).sum()) == 3


def test_a_row_a_day_named_in_the_title_and_by_hours_with_an_h(tmp_path):
    days, wh = ["01/05/2024", "02/05/2024", "30/05/2024"], used(local("2024-05-01", 1))
    rows = [f"{day};{';'.join(comma(x / 1000) for x in wh)};{comma(sum(wh) / 1000)}" for day in days]
    head = ["Relevé de consommation;;", "", f"Date;{';'.join(f'{h:02d}h' for h in range(24))};Total (kWh)"]
    export = export_of(tmp_path, [*head, *rows, f"Total;{';' * 24}9,9", "* E = estimé"], encoding="cp1252")
    assert column(export, "consumption") == wh * 3
    assert export.frame["start"].min() == int(datetime(2024, 5, 1, tzinfo=VIENNA).timestamp())


def test_states_of_a_register_are_read_at_their_time_wherever_the_file_begins(tmp_path):
    slots = local("2024-05-01", 3)
    wh = used(slots)
    for first in (0, 1):  # from 00:00 to 00:00, and from 01:00 on
        states = [45_678_123 + sum(wh[:k]) for k in range(first, len(slots) + 1)]
        moments = [*slots, slots[-1] + timedelta(hours=1)][first:]
        rows = [f"{t:%Y-%m-%dT%H:%M:%S%z};{x / 1000:.3f}" for t, x in zip(moments, states, strict=True)]
        export = export_of(tmp_path, ["timestamp;1.8.0 (kWh)", *rows], Told())
        assert column(export, "import") == wh[first:]
        assert export.frame["start"].min() == int(slots[first].timestamp())


def test_a_column_of_the_grid_with_a_sign_is_asked_about(tmp_path):
    slots = local("2024-05-01", 2)
    rows = [f"{int(t.timestamp() * 1000)},{x - 400}" for t, x in zip(slots, used(slots), strict=True)]
    with pytest.raises(Unsaid, match=r"is below zero in .* of 48 slots: is it import less export"):
        export_of(tmp_path, ["time_ms,grid_power_w", *rows], Told())
    export = export_of(tmp_path, ["time_ms,grid_power_w", *rows], Told(register="net"))
    assert column(export, "net") == [x - 400 for x in used(slots)]


def test_what_is_said_of_two_tariffs_is_the_answer_to_what_was_asked(tmp_path):
    slots = local("2024-05-01", 2)
    rows = [f"{t:%d.%m.%Y %H:%M};{comma(x / 1000)};0,000" for t, x in zip(slots, used(slots), strict=True)]
    lines = ["Zeit;HT kWh;NT kWh", *rows]
    with pytest.raises(Unsaid, match="is it import"):
        export_of(tmp_path, lines)
    assert column(export_of(tmp_path, lines, Told(zone="Europe/Vienna", register="export")), "export") == used(slots)


def test_of_two_clocks_the_one_with_whole_days_tells_which_end_a_time_names(tmp_path):
    for minutes in (0, 60):  # the beginnings of slots, or their ends
        slots = local("2024-10-26", 3)
        named = [slot.astimezone(UTC) + timedelta(minutes=minutes) for slot in slots]
        rows = [
            f"{t:%Y-%m-%dT%H:%MZ};{t.astimezone(VIENNA):%d.%m.%Y %H:%M};{x}"
            for t, x in zip(named, used(slots), strict=True)
        ]
        export = export_of(tmp_path, ["time_utc;time_local;import_wh", *rows], Told())
        assert column(export, "import") == used(slots)
        assert export.frame["start"].min() == int(slots[0].timestamp())


@pytest.mark.parametrize("clock", ["%z", "%Z"])
def test_a_column_says_by_which_clock_each_time_is(tmp_path, clock):
    slots = local("2024-10-26", 3)
    german = {"CEST": "MESZ", "CET": "MEZ"}
    rows = []
    for t, x in zip(slots, used(slots), strict=True):
        said = t.strftime(clock)
        rows.append(f"{t:%d.%m.%Y %H:%M};{german.get(said, said)};{comma(x / 1000)}")
    export = export_of(tmp_path, ["Zeit;Uhr;Bezug (kWh)", *rows], Told())
    assert column(export, "import") == used(slots)
    assert export.profile.time is not None
    assert export.profile.time.zone_column == "Uhr"


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y;%H:%M"])
@pytest.mark.parametrize("at_end", [False, True])
def test_a_file_with_the_newest_row_first_is_read_as_one_with_the_oldest_first(tmp_path, form, at_end):
    slots = local("2024-05-12", 2)
    wh = used(slots)
    times = [t + timedelta(hours=at_end) for t in slots]
    rows = [f"{t:{form}};{comma(x / 1000)}" for t, x in zip(times, wh, strict=True)]
    head = "Datum;Uhrzeit;Verbrauch kWh" if ";" in form else "Zeit;Verbrauch kWh"
    for lines in (rows, rows[::-1]):
        export = export_of(tmp_path, [head, *lines])
        assert column(export, "consumption") == wh
        assert export.frame["start"].min() == int(slots[0].timestamp())


def test_a_register_by_its_code_counts_on_in_a_file_with_the_newest_row_first(tmp_path):
    slots = local("2024-05-12", 2)
    wh = used(slots)
    states = [(t, 5_000_000 + sum(wh[:k])) for k, t in enumerate([*slots, *local("2024-05-14", 1)[:1]])]
    rows = [f"{t:%d.%m.%Y %H:%M};{comma(state / 1000)}" for t, state in states]
    assert column(export_of(tmp_path, ["Zeit;1.8.0 (kWh)", *rows[::-1]]), "import") == wh


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("Zeit;Bezug HT kWh;Bezug NT kWh;Bezug Gesamt kWh", LOCAL),
        ("Zeit;HT kWh;NT kWh;Gesamt kWh", Told(zone="Europe/Vienna", register="import")),
    ],
)
def test_tariffs_beside_their_sum_are_no_meters_and_count_once(tmp_path, head, told):
    slots = local("2024-05-12", 2)
    wh = used(slots)
    rows = [
        f"{t:%d.%m.%Y %H:%M};{comma(x * (t.hour > 5) / 1000)};{comma(x * (t.hour < 6) / 1000)};{comma(x / 1000)}"
        for t, x in zip(slots, wh, strict=True)
    ]
    assert column(export_of(tmp_path, [head, *rows], told), "import") == wh
    without = [f"{row.rpartition(';')[0]};" for row in rows]  # a sum that nobody filled in takes nothing away
    assert column(export_of(tmp_path, [head, *without], told), "import") == wh


def test_days_with_the_newest_first_keep_the_order_of_the_hour_that_comes_twice(tmp_path):
    slots = local("2024-10-26", 3)
    wh = used(slots)
    rows = [f"{t:%d.%m.%Y %H:%M};{comma(x / 1000)}" for t, x in zip(slots, wh, strict=True)]
    for lines in ([*rows[49:], *rows[24:49], *rows[:24]], rows[::-1]):
        assert column(export_of(tmp_path, ["Zeit;Verbrauch kWh", *lines]), "consumption") == wh
