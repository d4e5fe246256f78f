"""Readings that come one by one out of a message: gathered in lists and laid out as a table at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.tables import ReadingQuality
from transactive.core.units import PPM
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.times import START
from transactive.tabular.decimals import millionths
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

Series = tuple[str, str]
"""A meter and its register."""


class Collected:
    """Readings of a file by meter and register; `begin` says whose follow."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._series: dict[Series, tuple[list[int], list[int], list[str | None], list[int], int]] = {}
        self._open: Series | None = None
        self._last = 0
        self.length, self.day = 0, 0

    def begin(self, meter: str, register: str | None, unit_wh: int, length: int) -> None:
        """Open a series; without a register what follows is passed over. unit_wh: of the values [Wh]."""
        if register and self.length and length != self.length:
            raise DataError(
                f"{self._name}: has slots of {self.length // 60} and of {length // 60} minutes; give one file each"
            )
        self.length = length
        self._open = (meter, register) if register else None
        if self._open:
            self._series.setdefault(self._open, ([], [], [], [], unit_wh))

    def add(
        self, row: int, start: int, values: Sequence[str | None], quality: ReadingQuality, *, missing: bool = False
    ) -> None:
        """Append values of consecutive slots from `start` [Unix s]."""
        if self._open is None:
            return
        rows, starts, texts, qualities, _ = self._series[self._open]
        self._last = len(values)
        rows.extend([row] * len(values))
        starts.extend(range(start, start + self.length * len(values), self.length))
        texts.extend([None] * len(values) if missing else values)
        qualities.extend([int(quality)] * len(values))

    def requalify(self, first: int, last: int, quality: ReadingQuality, *, missing: bool = False) -> None:
        """Change the quality of some of the values that were added last."""
        if self._open is None:
            return
        _, _, texts, qualities, _ = self._series[self._open]
        base = len(qualities) - self._last
        qualities[base + first : base + last] = [int(quality)] * (last - first)
        if missing:
            texts[base + first : base + last] = [None] * (last - first)

    def frame(self) -> tuple[pl.DataFrame, int]:
        """Rows of meter, start, Wh of each register and quality, and the length of a slot [s]."""
        import polars as pl

        if not self._series:
            raise DataError(f"{self._name}: has no energy of a meter in it")
        registers = sorted({register for _, register in self._series})
        tables = [self._table(series) for series in self._series]
        whole = pl.concat(tables, how="diagonal")
        wh = (pl.when(pl.col(r).count() > 0).then(pl.col(r).sum()).alias(r) for r in registers)
        if len(registers) > 1 or len(self._series) > len({meter for meter, _ in self._series}):
            whole = whole.group_by([METER, START], maintain_order=True).agg(
                pl.col(ROW).min(), *wh, pl.col(QUALITY).max()
            )
        return whole.select(ROW, METER, START, *registers, QUALITY), self.length

    def _table(self, series: Series) -> pl.DataFrame:
        import polars as pl

        rows, starts, texts, qualities, unit = self._series[series]
        meter, register = series
        table = pl.DataFrame({ROW: rows, START: starts, "text": pl.Series(texts, dtype=pl.String), QUALITY: qualities})
        exact = millionths(table["text"], comma_parts_columns=True)
        bad = table.filter(exact.is_null() & pl.col("text").is_not_null() & (pl.col("text") != ""))
        if len(bad):
            raise DataError(f"{self._name}: row {bad[ROW][0]}: {bad['text'][0]!r}: not a number")
        table = table.with_columns((exact * unit).alias("scaled"))
        scaled = pl.col("scaled")
        until = scaled.fill_null(0).cum_sum().over(pl.col(START) // DAY)
        carried = (until + PPM // 2) // PPM - (until - scaled.fill_null(0) + PPM // 2) // PPM
        energy = pl.when(scaled.is_not_null()).then(carried)
        return table.select(ROW, pl.lit(meter).alias(METER), START, energy.alias(register), QUALITY)
