"""A year of a home's quarter hours in each kind of export, against the bare parser of the same file in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from zoneinfo import ZoneInfo

from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.readings.workbook import write_workbook
from transactive.bench.registry import bench
from transactive.bench.report import Row

DAYS, MEMBERS, REPEATS = 365, 10, 5
BEGIN = datetime(2023, 12, 31, 23, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")


@bench("import", summary="exports of meters read, against the bare parser of the same file")
def imports(_: BenchTimer) -> Iterator[Row]:
    """Measure text against Polars, Green Button and MSCONS against their bare parsers, in processor time."""
    from transactive.metering.exports.profile import Told
    from transactive.metering.exports.reader import ReadOptions, read_export

    meter = BenchTimer(process_time)
    with TemporaryDirectory() as folder:
        for name, write, said, parser in _kinds():
            path = Path(folder) / name.split(",")[0].replace(" ", "-")
            write(path)
            told = ReadOptions(told=Told(zone="Europe/Vienna") if "local" in name else Told())
            reference = Reference(said, partial(parser, path))
            yield meter.time(name, partial(read_export, path, told), reference, repeats=REPEATS)


def _kinds() -> Iterator[tuple[str, Callable[[Path], None], str, Callable[[Path], object]]]:
    """Each kind with who writes its file, the name of its reference, and who parses it barely."""
    same_file = "Polars reads the same file"
    yield "plain, ten homes", _plain, same_file, _polars
    yield "semicolons and local time, ten homes", _local, same_file, _polars
    yield "Netz NÖ, a profile that ships", _netz, same_file, _polars
    yield "e-distribuzione, a row a day", _row_a_day, same_file, _polars
    yield "NEM12", _nem12, "Polars reads the same lines", _ragged
    yield "Green Button", _green_button, "ElementTree alone, every element visited", _tree
    yield "MSCONS", _mscons, "segments parted into components", _segments
    yield "Excel", _excel, "fastexcel reads the same sheet", _cells


def _quarters() -> Iterator[tuple[datetime, int]]:
    for k in range(96 * DAYS):
        yield BEGIN + timedelta(minutes=15 * k), 20 + k * 37 % 401


def _polars(path: Path) -> object:
    """Read a table as it stands, without a look at times or units."""
    import polars as pl

    text = path.read_bytes()[:200]
    return pl.read_csv(path, separator=";" if b";" in text else ",", truncate_ragged_lines=True)


def _ragged(path: Path) -> object:
    """Read lines of many lengths as they stand."""
    import polars as pl

    names = [f"column {k}" for k in range(102)]
    return pl.read_csv(path, has_header=False, new_columns=names, skip_rows=2, truncate_ragged_lines=True)


def _tree(path: Path) -> object:
    """Parse a document and visit all of its elements."""
    import xml.etree.ElementTree as ET

    return [(one.tag, one.text) for one in ET.fromstring(path.read_bytes()).iter()]  # noqa: S314 - our own file


def _cells(path: Path) -> object:
    """Read the cells of a sheet as text."""
    import fastexcel

    book = fastexcel.read_excel(path.read_bytes())
    return book.load_sheet(0, header_row=None, dtypes="string").to_polars()


def _segments(path: Path) -> object:
    """Part an interchange into segments, elements and components."""
    parts = (segment.split("+") for segment in path.read_text().split("'"))
    return [[part.split(":") for part in segment] for segment in parts]


def _excel(path: Path) -> None:
    rows = ((f"{t:%Y-%m-%dT%H:%M:%SZ}", "home", str(wh), "0") for t, wh in _quarters())
    write_workbook(path, [("slot_start", "member", "consumption_wh", "generation_wh"), *rows])


def _plain(path: Path) -> None:
    rows = (f"{t:%Y-%m-%dT%H:%M:%SZ},home-{m},{wh + m},0" for t, wh in _quarters() for m in range(MEMBERS))
    path.write_text("\n".join(["slot_start,member,consumption_wh,generation_wh", *rows]))


def _local(path: Path) -> None:
    rows = (
        f"{t.astimezone(VIENNA):%d.%m.%Y %H:%M};home-{m};0,{wh + m:03d}"
        for t, wh in _quarters()
        for m in range(MEMBERS)
    )
    path.write_text("\n".join(["Beginn;member;Bezug (kWh)", *rows]))


def _netz(path: Path) -> None:
    ends = ((t + timedelta(minutes=15)).astimezone(VIENNA) for t, _ in _quarters())
    rows = (f"{end:%d.%m.%Y %H:%M};0,{wh:03d}000;L1;;;" for end, (_, wh) in zip(ends, _quarters(), strict=True))
    path.write_text("\n".join(["Messzeitpunkt;Verbrauch (kWh);Qualität;Restnetzbezug (kWh);Qualität EG;", *rows]))


def _row_a_day(path: Path) -> None:
    names = [f"{k // 4:02d}:{k % 4 * 15:02d}-{(k + 1) // 4 % 24:02d}:{(k + 1) % 4 * 15:02d}" for k in range(96)]
    begin = datetime(2023, 4, 1, tzinfo=UTC)
    rows = (
        ";".join(
            [f"{begin + timedelta(days=day):%d/%m/%Y}", *(f"0,{20 + (day + k) * 37 % 401:03d}" for k in range(96))]
        )
        for day in range(180)
    )
    path.write_text("\n".join([";".join(["Giorno", *names]), *rows]))


def _nem12(path: Path) -> None:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    days = (
        f"300,{begin + timedelta(days=day):%Y%m%d},"
        + ",".join(f"0.{20 + (day + k) * 37 % 401:03d}" for k in range(96))
        + ",A,,,"
        for day in range(DAYS)
    )
    path.write_text("\n".join(["100,NEM12,1,A,B", "200,NMI,E1,1,E1,N1,1,KWH,15,", *days, "900"]))


def _green_button(path: Path) -> None:
    rows = (
        f"<e:IntervalReading><e:timePeriod><e:duration>900</e:duration><e:start>{int(t.timestamp())}</e:start></e:timePeriod>"
        f"<e:value>{wh}</e:value></e:IntervalReading>"
        for t, wh in _quarters()
    )
    body = f"<e:IntervalBlock>{''.join(rows)}</e:IntervalBlock>"
    path.write_text(f'<feed xmlns:e="http://naesb.org/espi">{body}</feed>')


def _mscons(path: Path) -> None:
    step = timedelta(minutes=15)
    rows = (
        f"QTY+220:0.{wh:03d}'DTM+163:{t:%Y%m%d%H%M}?+00:303'DTM+164:{t + step:%Y%m%d%H%M}?+00:303'"
        for t, wh in _quarters()
    )
    path.write_text(f"UNB+UNOC:3'UNH+1+MSCONS:D'LOC+172+DE1'PIA+5+1-1?:1.29.0:SRW'{''.join(rows)}")
