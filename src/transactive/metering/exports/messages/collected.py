"""Readings that come one by one out of a message: gathered in lists and laid out as a table at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import DAY, HOUR, time_text
from transactive.core.tables import ReadingQuality
from transactive.core.units import PPM
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.times import START
from transactive.tabular.decimals import millionths
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

OF = "of"
LATEST = 2**33
"""No reading begins later [Unix s], nor before 1970."""
Series = tuple[str, str, str]
"""A meter, its register, and the stream of it: tariffs and channels of a register are streams that add up."""


@dataclass(slots=True)
class _Values:
    """Values of a series. unit_wh: what one of them is [Wh]. versions: of what was said twice the higher one counts."""

    unit_wh: int
    length: int
    rows: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)


class Collected:
    """Readings of a file by meter, register and stream; `begin` says whose follow."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._series: dict[Series, _Values] = {}
        self._open: _Values | None = None
        self._last = 0
        self.length, self.day = 0, 0

    def begin(self, meter: str, register: str | None, unit_wh: int, length: int, stream: str = "") -> None:
        """Open a series; without a register what follows is passed over. unit_wh: of the values [Wh].

        Raises DataError for a length that no slot has, and where the series had another one.
        """
        self.length, self._open = length, None
        if register:
            if length <= 0 or length % 60 or HOUR % length:
                apart = f"{length} seconds" if length % 60 else f"{length // 60} minutes"
                raise DataError(f"{self._name}: {meter} has values of {apart}; slots have minutes that make an hour")
            key = (meter, register, stream)
            self._open = self._series.get(key) or self._series.setdefault(key, _Values(unit_wh, length))
            if (self._open.unit_wh, self._open.length) != (unit_wh, length):
                raise DataError(f"{self._name}: {meter} changes its unit or its slots; give one file each")

    def add(
        self, row: int, start: int, values: Sequence[str | None], quality: ReadingQuality, *, version: int = 0
    ) -> None:
        """Append values of consecutive slots from `start` [Unix s]. version: later ones replace earlier ones.

        Raises DataError for a time that is none.
        """
        of = self._open
        if of is None:
            return
        if not 0 <= start < LATEST:
            raise DataError(f"{self._name}: row {row}: a reading begins {start} s after 1970; correct its time")
        self._last = len(values)
        of.rows.extend([row] * len(values))
        of.starts.extend(range(start, start + self.length * len(values), self.length))
        of.texts.extend(values)
        of.qualities.extend([int(quality)] * len(values))
        of.versions.extend([version] * len(values))

    def requalify(self, first: int, last: int, quality: ReadingQuality, *, missing: bool = False) -> None:
        """Change the quality of some of the values that were added last. Raises DataError if they were not."""
        of = self._open
        if of is None:
            return
        if not 0 <= first < last <= self._last:
            raise DataError(f"{self._name}: a quality is of values {first + 1} to {last}, and there are {self._last}")
        base = len(of.qualities) - self._last
        of.qualities[base + first : base + last] = [int(quality)] * (last - first)
        if missing:
            of.texts[base + first : base + last] = [None] * (last - first)

    def frame(self) -> tuple[pl.DataFrame, int]:
        """Rows of meter, start, Wh of each register and quality, and the length of a slot [s].

        Where series differ in their slots, the shorter are added up to the longest. A register of which a stream has no
        value has none: what the others counted is not all.
        """
        import polars as pl

        if not self._series:
            raise DataError(f"{self._name}: has no energy of a meter in it")
        registers = sorted({register for _, register, _ in self._series})
        length = max(values.length for values in self._series.values())
        tables = [
            added_up(self._table(series), self._series[series].length, length).with_columns(pl.lit(series[1]).alias(OF))
            for series in self._series
        ]
        whole = pl.concat(tables, how="diagonal")
        there = {r: (pl.col(r).count() > 0) & (pl.col(r).count() == (pl.col(OF) == r).sum()) for r in registers}
        wh = (pl.when(there[r]).then(pl.col(r).sum()).alias(r) for r in registers)
        if len(self._series) > len({meter for meter, _, _ in self._series}):
            whole = whole.group_by([METER, START], maintain_order=True).agg(
                pl.col(ROW).min(), *wh, pl.col(QUALITY).max()
            )
        return whole.select(ROW, METER, START, *registers, QUALITY), length

    def _table(self, series: Series) -> pl.DataFrame:
        """Whole Wh of a series, in the order of time; fractions are carried within a day of UTC."""
        import polars as pl

        meter, register, _ = series
        of = self._series[series]
        table = pl.DataFrame(
            {ROW: of.rows, START: of.starts, "text": pl.Series(of.texts, dtype=pl.String), QUALITY: of.qualities}
        )
        exact = millionths(table["text"], comma_parts_columns=True)
        bad = table.filter(exact.is_null() & pl.col("text").is_not_null() & (pl.col("text") != ""))
        if len(bad):
            raise DataError(f"{self._name}: row {bad[ROW][0]}: {bad['text'][0]!r}: not a number")
        table = self._last_said(table.with_columns((exact * of.unit_wh).alias("scaled")), of.versions, meter)
        scaled = pl.col("scaled")
        until = scaled.fill_null(0).cum_sum().over(pl.col(START) // DAY)
        carried = (until + PPM // 2) // PPM - (until - scaled.fill_null(0) + PPM // 2) // PPM
        energy = pl.when(scaled.is_not_null()).then(carried)
        return table.select(ROW, pl.lit(meter).alias(METER), START, energy.alias(register), QUALITY)

    def _last_said(self, table: pl.DataFrame, versions: list[int], meter: str) -> pl.DataFrame:
        """Each slot once: as its highest version says. Raises DataError where one version says two things."""
        import polars as pl

        if (table[START].diff().drop_nulls() > 0).all():
            return table
        table = table.with_columns(pl.Series("version", versions))
        highest = pl.col("version") == pl.col("version").max().over(START)
        said = table.filter(highest).unique([START, "scaled"], keep="first", maintain_order=True).sort(START)
        twice = said.filter(pl.col(START).is_duplicated())
        if len(twice):
            raise DataError(
                f"{self._name}: row {twice[ROW][1]}: {time_text(twice[START][1])} of {meter} stands there twice and"
                f" differs from row {twice[ROW][0]}; keep one"
            )
        return said


def added_up(frame: pl.DataFrame, length: int, wanted: int) -> pl.DataFrame:
    """Rows in slots of `wanted` [s], a multiple of their `length` [s]; one that lacks a part has no row.

    Registers that count one way each are added up; the worst quality of the parts is that of the slot.
    """
    import polars as pl

    if length == wanted:
        return frame
    registers = [name for name in frame.columns if name not in (ROW, METER, START, QUALITY)]
    sums = (pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in registers)
    slots = (
        frame.with_columns(pl.col(START) // wanted * wanted)
        .group_by([METER, START], maintain_order=True)
        .agg(pl.col(ROW).min(), *sums, pl.col(QUALITY).max(), pl.len().alias("parts"))
    )
    return slots.filter(pl.col("parts") == wanted // length).select(frame.columns)
