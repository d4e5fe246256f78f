"""One reader for every command: any export becomes rows of a member, a slot and whole Wh.

What the file tells is used, what somebody says beside it goes first, and what neither tells is refused with what to
say. Nothing that could make money wrong is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import DataError, Unsaid
from transactive.core.slots import time_text
from transactive.metering.exports.energy import has_fractions, meter_codes, to_wh
from transactive.metering.exports.guessing.table import guessed, known_profile, with_told
from transactive.metering.exports.layout import METER, QUALITY, lay_out
from transactive.metering.exports.messages import edifact, green_button, nem12, sdat
from transactive.metering.exports.messages.collected import added_up
from transactive.metering.exports.profile import Profile, Told, load_profile, shipped_profiles
from transactive.metering.exports.times import START
from transactive.tabular.sheets import Sheet, file_start, read_sheet
from transactive.tabular.source import ROW, Source

if TYPE_CHECKING:
    import polars as pl

MOST_METERS = 2**32
"""Meters of a file, so that a meter and its slot fit in one number."""
FEW = 50
"""Of so many readings one may be below zero and be a fault code; with more of them the register has a sign."""
FORMATS = {"green_button": green_button, "mscons": edifact, "nem12": nem12, "sdat": sdat}


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """What was read. frame: row, meter, start [Unix s], whole Wh of each register, and quality.

    length: of a slot [s]. profile: how it was read, and its name if it ships. doubles: equal rows that were left out.
    fractions: whether a distributor's allocation has parts of a Wh, so that each register was rounded by itself.
    """

    frame: pl.DataFrame
    length: int
    profile: Profile
    profile_name: str
    doubles: int
    name: str
    fractions: bool = False

    @property
    def registers(self) -> list[str]:
        """Registers that the file has."""
        return [name for name in self.frame.columns if name not in (ROW, METER, START, QUALITY)]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read: a profile by name or path, relative to `folder`, and what is said beside it.

    length: of the slots that are expected [s], for files with too few times to tell.
    """

    profile: str | None = None
    told: Told = field(default_factory=Told)
    folder: Path = Path()
    length: int | None = None


def read_export(source: Source, options: ReadOptions = ReadOptions()) -> Export:
    """Read a file, or all the files of a folder. Raises DataError naming file, row and column of the first fault."""
    if isinstance(source, Path) and source.is_dir():
        return _folder(source, options)
    profile_name, profile, frame, length, fractions = _parsed(source, options)
    frame, doubles = _once(frame, source.name)
    if profile.meters:
        import polars as pl

        frame = frame.with_columns(pl.col(METER).replace(profile.meters))
    return Export(frame, length, profile, profile_name, doubles, source.name, fractions)


def _parsed(source: Source, options: ReadOptions) -> tuple[str, Profile, pl.DataFrame, int, bool]:
    """Profile, rows and length of a slot of one file, and whether it may have parts of a Wh."""
    told, chosen = options.told, options.profile
    profile = load_profile(chosen, options.folder) if chosen else None
    if isinstance(source, Path):
        start = file_start(source)
        form = (
            profile.format
            if profile and profile.format != "table"
            else next((k for k, m in FORMATS.items() if m.is_one(start)), None)
        )
        if form:
            name, known = next((name, one) for name, one in shipped_profiles().items() if one.format == form)
            frame, length = FORMATS[form].read(source)
            return chosen or name, with_told(profile or known, told), frame, length, True
    sheet = read_sheet(source, profile.sheet if profile else None)
    if sheet.frame.is_empty():
        raise DataError(f"{sheet.name}: has no rows; give at least one day of history and the slots to run")
    name = chosen or ""
    if profile is None:
        name, profile = known_profile(sheet) or ("", guessed(sheet, told))
    profile = with_told(profile, told)
    rows, length, profile = lay_out(sheet, profile, options.length)
    sure = bool(chosen or name or told.unit or told.reading)
    rows = _named_above(rows, sheet, profile)
    whole = to_wh(rows, length, profile, sheet.name, sure=sure)
    _refuse_signed(whole, profile, told, sheet.name)
    allotted = any(rule.register == "shared_used" for rule in profile.registers)
    return name, profile, whole, length, allotted and has_fractions(rows, length)


def _refuse_signed(whole: pl.DataFrame, profile: Profile, told: Told, name: str) -> None:
    """Ask what a column of import counts that goes below zero time and again, where nothing counts the export."""
    if [rule.register for rule in profile.registers] != ["import"] or told.register:
        return
    below = int((whole["import"] < 0).sum())
    if below * FEW > len(whole):
        column = profile.registers[0].column
        raise Unsaid(
            f"{name}: column {column} is below zero in {below:,} of {len(whole):,} slots: is it import less export? say"
            " --register net, or import if it is not",
            "register",
            ("net", "import"),
        )


def _named_above(rows: pl.DataFrame, sheet: Sheet, profile: Profile) -> pl.DataFrame:
    """Rows with the meter that stands above the head of the table."""
    import polars as pl

    if not profile.meter_above:
        return rows
    for cells in sheet.above:
        for label, value in pairwise(cells):
            if label.strip().rstrip(":") == profile.meter_above and value.strip():
                return rows.with_columns(pl.lit(value.strip()).alias(METER))
    return rows


def _once(frame: pl.DataFrame, name: str) -> tuple[pl.DataFrame, int]:
    """Rows of a meter and slot once, if they say the same; otherwise they are refused."""
    import polars as pl

    if (frame[START] * MOST_METERS + pl.Series(meter_codes(frame))).n_unique() == len(frame):
        return frame, 0
    values = [column for column in frame.columns if column != ROW]
    single = frame.unique(values, keep="first", maintain_order=True)
    double = single.filter(pl.struct(METER, START).is_duplicated()).sort(METER, START, ROW)
    if len(double):
        rows = [f"row {row}" for row in double[ROW].head(2)]
        of = f" of {double[METER][0]}" if double[METER][0] else ", and no column member says whose it is,"
        raise DataError(
            f"{name}: {rows[-1]}: {time_text(double[START][0])}{of} stands there twice and differs from {rows[0]};"
            " keep one"
            " row, or name the column that tells them apart in a profile"
        )
    return single, len(frame) - len(single)


def read_exports(files: Sequence[Path], options: ReadOptions) -> Export:
    """Several files as one; a file that names no meter is the meter of its own name, if there are others."""
    import polars as pl

    exports = [read_export(path, options) for path in files]
    one = exports[0]
    if len(exports) == 1:
        return one
    longest = max(exports, key=lambda export: export.length)
    exports = [_in_slots_of(longest, export) for export in exports]
    frames = [
        export.frame.with_columns(pl.col(METER).fill_null(path.stem))
        for export, path in zip(exports, files, strict=True)
    ]
    name = f"{one.name} and {len(files) - 1} more"
    apart = len({tuple(export.registers) for export in exports}) > 1
    frame, doubles = (_side_by_side if apart else _once)(pl.concat(frames, how="diagonal"), name)
    doubles += sum(export.doubles for export in exports)
    return Export(
        frame, longest.length, one.profile, one.profile_name, doubles, name, any(e.fractions for e in exports)
    )


def _in_slots_of(other: Export, export: Export) -> Export:
    """A file in the longer slots of another. Raises DataError where they do not fit, or a sign would be netted."""
    signed = any((export.frame[name] < 0).any() for name in export.registers)
    if export.length != other.length and (other.length % export.length or signed):
        raise DataError(
            f"{export.name}: has slots of {export.length // 60} minutes, {other.name} of {other.length // 60}; give"
            " both alike"
        )
    return replace(export, frame=added_up(export.frame, export.length, other.length), length=other.length)


def _side_by_side(frame: pl.DataFrame, name: str) -> tuple[pl.DataFrame, int]:
    """Rows of meters whose registers have files of their own, beside each other: what one file has, the others lack."""
    import polars as pl

    registers = [column for column in frame.columns if column not in (ROW, METER, START, QUALITY)]
    parts = [
        _once(frame.filter(pl.col(one).is_not_null()).select(ROW, METER, START, one, QUALITY), name)
        for one in registers
    ]
    rows = pl.concat([part for part, _ in parts], how="diagonal")
    whole = rows.group_by([METER, START], maintain_order=True).agg(
        pl.col(ROW).min(), *(pl.col(one).drop_nulls().first() for one in registers), pl.col(QUALITY).max()
    )
    return whole.select(ROW, METER, START, *registers, QUALITY), sum(doubles for _, doubles in parts)


def _folder(folder: Path, options: ReadOptions) -> Export:
    """All the files of a folder as one."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not files:
        raise DataError(f"{folder}: has no files; put an export of each meter there")
    return read_exports(files, options)
