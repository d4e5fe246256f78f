"""Prices as exchanges and suppliers publish them: every dress of one series says the same, over both clock changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from transactive.core.errors import DataError
from transactive.core.slots import parse_time
from transactive.environment.files import read_environment
from transactive.environment.price_files import read_price_file
from transactive.environment.price_rows import PriceFile

HOUR = 3600
AUTUMN, SPRING = parse_time("2025-10-24T22:00Z"), parse_time("2025-03-28T23:00Z")
"""A local midnight in Berlin a day before each change of the clock; three days from there have 73 and 71 hours."""
HOURS = {AUTUMN: 73, SPRING: 71}


def price(time: int) -> float:
    """A price of its own for each quarter [EUR/MWh], below zero too."""
    return (time // 900 % 997 - 100) / 4


def wall(time: int, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromtimestamp(time, UTC).astimezone(ZoneInfo(zone))


def spans(times: list[int], form: str, clock: str = "") -> list[str]:
    return [f"{wall(t):{form}}{clock} - {wall(t + HOUR):{form}}{clock}" for t in times]


def transparency(times: list[int]) -> str:
    rows = [f'"{span}","{price(t)}","EUR"' for span, t in zip(spans(times, "%d.%m.%Y %H:%M"), times, strict=True)]
    return "\n".join(['"MTU (CET/CEST)","price","Currency"', *rows])


def transparency_of_clocks(times: list[int]) -> str:
    """The doubled hour alone names its clock, and the newest row stands first."""
    rows = []
    for t in times:
        double = wall(t).hour == 2 and wall(t).month == 10 and wall(t).day == 26
        begin = f"{wall(t):%d/%m/%Y %H:%M:%S}" + (f" ({wall(t).tzname()})" if double else "")
        rows.append(f'"{begin} - {wall(t + HOUR):%d/%m/%Y %H:%M:%S}","BZN|DE-LU","{price(t)}"')
    return "\n".join(['"MTU (CET/CEST)","Area","price"', *rows[::-1]])


def in_utc(times: list[int]) -> str:
    rows = [f"{datetime.fromtimestamp(t, UTC):%d/%m/%Y %H:%M};{price(t)}" for t in times]
    return "\n".join(["MTU (UTC);price", *rows])


def with_offset(times: list[int]) -> str:
    """A second row of the head holds the units."""
    rows = [f"{wall(t).isoformat(timespec='minutes')},{price(t)}" for t in times]
    return "\n".join(["Date (GMT+1),price", '"","EUR/MWh"', *rows])


def german(times: list[int]) -> str:
    """A title, decimal commas, begin and end apart, and no price yet in the row to come."""
    ahead = times[-1] + HOUR
    text = [
        f"{wall(t):%d.%m.%Y %H:%M};{wall(t + HOUR):%d.%m.%Y %H:%M};" + f"{price(t):.2f}".replace(".", ",")
        for t in times
    ]
    return "\n".join(["Marktdaten;;", "", "Datum von;Datum bis;price", *text, f"{wall(ahead):%d.%m.%Y %H:%M};;-"])


def numbered(times: list[int]) -> str:
    """Hours are counted 1 to 25 or 23 on the days of a change."""
    rows, before, n = [], None, 0
    for t in times:
        n = n + 1 if wall(t).date() == before else 1
        before = wall(t).date()
        rows.append(f"{before:%Y-%m-%d}\t{n}\t{price(t)}")
    return "\n".join(["Date\tHour\tprice", *rows])


def of_the_north(times: list[int]) -> str:
    """Hours are named by the clock, and one name comes twice or never."""
    rows = [f"{wall(t):%d-%m-%Y};{wall(t).hour:02d} - {(wall(t).hour + 1) % 24:02d};{price(t)}" for t in times]
    return "\n".join(["Date;Hours;price", *rows])


def newest_first(times: list[int]) -> str:
    begin, end = ([datetime.fromtimestamp(t + late, UTC).isoformat() for t in times] for late in (0, HOUR))
    rows = [f"{a},{b},{price(t)}" for a, b, t in zip(begin, end, times, strict=True)]
    return "\n".join(["valid_from,valid_to,price", *rows[::-1]])


def unix(times: list[int]) -> str:
    return "\n".join(["start,price", *(f"{t * 1000},{price(t)}" for t in times)])


def clocks_apart(times: list[int]) -> str:
    """A day, and beside it when the price begins and ends."""
    rows = [f"{wall(t):%d.%m.%Y;%H:%M};{wall(t + HOUR):%H:%M};" + f"{price(t):.2f}".replace(".", ",") for t in times]
    return "\n".join(["Datum;Von;Bis;price", *rows])


def of_twelve_hours(times: list[int]) -> str:
    """Begin and end of twelve hours each behind the price, the end first."""
    rows = [f"{wall(t):%Y-%m-%d};{price(t):.2f};{wall(t + HOUR):%I:%M %p};{wall(t):%I:%M %p}" for t in times]
    return "\n".join(["Date;price;To;Time", *rows])


DRESSES = [
    clocks_apart,
    of_twelve_hours,
    transparency,
    transparency_of_clocks,
    in_utc,
    with_offset,
    german,
    numbered,
    of_the_north,
    newest_first,
    unix,
]


def read(path: Path, starts: list[int], length: int = HOUR, **said: str | None) -> list[int]:
    of = PriceFile(path, "price", Fraction(1000), said.get("zone"))
    return [int(value) for value in read_price_file(of, np.array(starts, np.int64), length)]


@pytest.mark.parametrize("first", [AUTUMN, SPRING], ids=["autumn", "spring"])
@pytest.mark.parametrize("dress", DRESSES, ids=lambda dress: dress.__name__)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_every_dress_of_one_series_says_the_same(
    tmp_path: Path, dress: Callable[[list[int]], str], first: int, encoding: str
) -> None:
    times = [first + HOUR * k for k in range(HOURS[first])]
    path = tmp_path / "prices.csv"
    path.write_bytes(dress(times).encode(encoding))
    assert read(path, times, zone="Europe/Berlin") == [round(price(t) * 1000) for t in times]
    quarters = [first + 900 * k for k in range(4 * HOURS[first])]
    assert read(path, quarters, 900, zone="Europe/Berlin") == [round(price(t // HOUR * HOUR) * 1000) for t in quarters]


def test_the_unit_that_a_column_says_is_the_one_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    for head, factor in (("price [ct/kWh]", 10_000), ("price EUR/MWh", 1_000), ("price (€/kWh)", 1_000_000)):
        path.write_text(f"time (UTC),{head}\n2025-10-24 22:00,5\n")
        found = read_price_file(PriceFile(path, head, Fraction(factor), None), np.array([AUTUMN]), HOUR)
        assert found.tolist() == [5 * factor]
        with pytest.raises(DataError, match="and the tariff another unit"):
            read_price_file(PriceFile(path, head, Fraction(7), None), np.array([AUTUMN]), HOUR)


@pytest.mark.parametrize("head", ["Time UTC", "time_utc", "Time UTC+2", "Time (GMT+02:00)", "CET/CEST begin"])
def test_the_clock_that_a_head_names_goes_before_the_zone_that_is_given(tmp_path: Path, head: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(f"{head},price\n" + f"2025-10-{'24 22' if head[-3:].lower() == 'utc' else '25 00'}:00,5\n")
    assert read(path, [AUTUMN], zone="America/New_York") == [5_000]


def test_hours_and_the_quarters_that_followed_them_are_one_series(tmp_path: Path) -> None:
    times = [*range(AUTUMN, AUTUMN + 24 * HOUR, HOUR), *range(AUTUMN + 24 * HOUR, AUTUMN + 48 * HOUR, 900)]
    path = tmp_path / "prices.csv"
    path.write_text(in_utc(times))
    slots = list(range(AUTUMN, AUTUMN + 48 * HOUR, 900))
    found = read(path, slots, 900)
    assert found[:5] == [round(price(AUTUMN) * 1000)] * 4 + [round(price(AUTUMN + HOUR) * 1000)]
    assert found[-2:] == [round(price(t) * 1000) for t in times[-2:]]
    path.write_text(in_utc([t for t in times if t != AUTUMN + 30 * HOUR + 900]))
    with pytest.raises(DataError, match="no price at 2025-10-26T04:15Z"):
        read(path, slots, 900)
    with pytest.raises(DataError, match="prices change every 15 minutes and a slot takes 60"):
        read(path, slots[::4], HOUR)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MTU,price\n2025-10-25 00:00,1", "MTU names no zone; say which clock its times follow"),
        ("MTU (CET/CEST),price\n2025-10-26 02:00,1\n2025-10-26 03:00,1", "row 2: 2025-10-26T02:00 came twice in"),
        ("MTU (UTC),price\n05/06/2025 00:00,1", "day or month first"),
        ("MTU (UTC),price\n2025-10-26 02:00,1,234.5", "row 2: has more values than the head names"),
        ("Date (UTC),Hour,price\n2025-10-26,1,1\n2025-10-26,x,1", "row 3: Hour = 'x' names no hour"),
        ("Date (UTC),Hour,price\n2025-10-26,1,1\n2025-10-26,2,1\n2025-10-27,1,1\n2025-10-28,1,1\n2025-10-28,2,1",
         "row 4: its day has 1 rows and takes 2"),
        ("Date (UTC),Von,price\n2025-10-26,01:00,1\n2025-10-26,26:00,1", "row 3: Von = '26:00' is no time of the day"),
        ("Date (UTC),Bis,price\n2025-10-26,01:00,1\n2025-10-26,02:00,1", "Bis names when an hour ends"),
        ("Date (UTC),price\n2025-10-26,8.30\n2025-10-26,9.15", "2025-10-26T00:00Z stands there twice and differs"),
        ("Date," + ",".join(["price", *(f"H{k}" for k in range(1, 25))]) + "\n2025-10-26" + ",1" * 25,
         "a row a day and a column an hour"),
    ],
)  # fmt: skip
def test_what_nobody_can_know_of_a_price_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read(path, [AUTUMN])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MTU (CET/CEST);Day-ahead Price [EUR/MWh]\n25.10.2025 00:00;1",
         r'supply = \{ file = "prices.csv", column = "Day-ahead Price \[EUR/MWh\]", unit = "EUR/MWh" \}'),
        ("time,price\n2025-10-25 00:00,1", r'column = "price", unit = "EUR/MWh" \}'),
        ("time,load\n2025-10-25 00:00,1", "column slot_start is missing"),
        ("slot_start,import_price_micro_per_kwh,grid_carbon_g_per_kwh\n2025-10-25T00:00Z,1,1\n2025-10-25T02:00Z,1,1",
         'equal prices were left out, name the file in the price itself, with gaps = "repeat"'),
    ],
)  # fmt: skip
def test_an_environment_that_is_a_file_of_prices_is_told_where_it_belongs(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_environment(path, HOUR)


def test_a_price_that_is_empty_is_none_that_was_left_out(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("start,price\n2025-10-25T00:00Z,1\n2025-10-25T01:00Z,-\n2025-10-25T02:00Z,2")
    of = PriceFile(path, "price", Fraction(1000), None, repeats=True)
    with pytest.raises(DataError, match="row 3: price is empty"):
        read_price_file(of, np.array([AUTUMN + 2 * HOUR]), HOUR)
