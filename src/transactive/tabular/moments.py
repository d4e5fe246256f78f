"""Times as files write them, in Unix seconds: any usual form, with a zone or in one that the reader names.

The order of day and month is read from the whole column: a number above 12 tells it, or else the days that follow each
other. What neither tells is refused and never guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from transactive.core.errors import InputError, Unsaid

if TYPE_CHECKING:
    import polars as pl

Order: TypeAlias = Literal["ymd", "dmy", "mdy"]
DATES = {
    "ymd": re.compile(r"^(?P<y>\d{4})(?P<s>[-/.]?)(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})"),
    "dmy": re.compile(r"^(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})"),
    "dbY": re.compile(r"^(?P<d>\d{1,2})(?P<s>[- ])(?P<m>[A-Za-z]{3})(?P=s)(?P<y>\d{4}|\d{2})"),
}
CLOCK = re.compile(
    r"^(?P<j>[T ,]*)(?P<h>\d{1,2})(?P<c>[:.h]?)(?P<m>\d{2})(?:(?P=c)(?P<sec>\d{2})(?P<f>[.,]\d+)?)?(?P<p> ?[AaPp][Mm])?"
)
NAMED = {
    "WET": "+00:00", "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "MEZ": "+01:00", "MESZ": "+02:00",
    "EET": "+02:00", "EEST": "+03:00", "AEST": "+10:00", "AEDT": "+11:00",
}  # fmt: skip
"""Names of zones that mean one offset wherever they are written; EST or CST do not."""
ZONE = re.compile(rf"^ ?(Z|UTC|GMT|[+-]\d{{2}}:?\d{{2}}|[+-]\d{{2}}|\(?({'|'.join(NAMED)})\)?)$")
UNIX = re.compile(r"^\d{9,13}$")
OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})$")
LAST_SECOND = 100_000_000_000
"""Unix times above this are milliseconds."""
HINT = "not a time; write it like 2017-06-05T00:00Z"


def complaint(text: object, order: Order) -> str:
    """What is wrong with a value that was not read as a time."""
    found = pattern_of(str(text or "").strip(), order)
    return "the time has no zone; write it like 2017-06-05T00:00Z" if found and not found[1] else HINT


def date_part(text: str) -> str:
    """The date at the beginning of a text, empty if there is none."""
    return next((found.group() for pattern in DATES.values() if (found := pattern.match(text))), "")


def pattern_of(text: str, order: Order) -> tuple[str, bool] | None:
    """The strptime form of a text and whether it has a zone; None if it is no time."""
    for kind, pattern in DATES.items():
        found = pattern.match(text)
        if not found:
            continue
        year = "%Y" if len(found["y"]) == 4 else "%y"
        month = "%b" if kind == "dbY" else "%m"
        parts = [year, month, "%d"] if kind == "ymd" else ["%m", "%d", year] if order == "mdy" else ["%d", month, year]
        form, rest = found["s"].join(parts), text[found.end() :]
        clock = CLOCK.match(rest)
        if clock:
            hour = "%I" if clock["p"] else "%H"
            form += clock["j"] + hour + clock["c"] + "%M"
            form += (clock["c"] + "%S" if clock["sec"] else "") + ("%.f" if clock["f"] else "")
            form += (" " if (clock["p"] or "").startswith(" ") else "") + ("%p" if clock["p"] else "")
            rest = rest[clock.end() :]
        return (form, bool(rest)) if not rest.strip() or ZONE.match(rest) else None
    return None


def looks_like_time(text: str) -> bool:
    """Whether a text is a date, a time with a date, or a number of Unix seconds."""
    return bool(UNIX.match(text) or pattern_of(text, "dmy"))


def day_month_order(dates: pl.Series, name: str, column: str) -> Order:
    """Whether days stand before months, from all the dates of a column (text)."""
    import polars as pl

    sample = str(dates.drop_nulls().head(1).item()).strip() if dates.drop_nulls().len() else ""
    found = DATES["dmy"].match(sample)
    if not found:
        return "ymd"
    if found["s"] == ".":
        return "dmy"
    days = dates.str.strip_chars().str.extract(r"^(\d{1,2}[-/]\d{1,2})").drop_nulls().unique(maintain_order=True)
    parts = pl.DataFrame({"day": days}).select(pl.col("day").str.split(found["s"]))
    first, second = (parts["day"].list.get(k).cast(pl.Int64) for k in (0, 1))
    if int(first.max() or 0) > 12:  # type: ignore[arg-type]
        return "dmy"
    if int(second.max() or 0) > 12:  # type: ignore[arg-type]
        return "mdy"
    for order, day in (("dmy", first), ("mdy", second)):
        if len(day) > 1 and (day.diff().drop_nulls().abs() == 1).all():
            return order  # type: ignore[return-value]
    raise Unsaid(
        f"{name}: {column} {days[0]}: day or month first? say --order dmy or mdy, or order under [data]",
        "order",
        ("dmy", "mdy"),
    )


def check_zone(zone: str, key: str) -> None:
    """Refuse what is no time zone."""
    if OFFSET.match(zone):
        return
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"{key} {zone}: is no time zone; write it like Europe/Vienna, or +01:00 all the year"
        ) from None


def parsed(text: pl.Expr, sample: list[str], order: Order) -> tuple[pl.Expr, bool]:
    """Text as naive local or zoned times in Unix seconds as if UTC, and whether they are zoned.

    sample: some of the values, not null, which show the forms to expect.
    """
    import polars as pl

    text = text.str.strip_chars()
    forms = list(dict.fromkeys(found for value in sample if (found := pattern_of(value.strip(), order))))
    zoned = any(has_zone for _, has_zone in forms)
    tries = [_unix(text)] if any(UNIX.match(value.strip()) for value in sample) else []
    for form, has_zone in forms:
        if zoned and not has_zone:
            continue  # beside times with a zone, one without is a fault
        if has_zone:
            whole = text
            named = any(re.search(r"ES?T\)?$|ME?S?Z\)?$|[AW]E[SD]T", value) for value in sample)
            for zone in NAMED if named else ():
                whole = whole.str.replace(rf" ?\(?{zone}\)?$", NAMED[zone])
            whole = whole.str.replace(r" ?(Z|UTC|GMT)$", "+00:00").str.replace(r"([+-]\d\d)$", "$1:00")
            tries.append(_whole_seconds(whole.str.to_datetime(form + "%#z", time_zone="UTC", strict=False), form))
        elif "%H" not in form and "%I" not in form:
            tries.append(text.str.to_date(form, strict=False).cast(pl.Datetime("us")).dt.epoch("s"))
        else:
            tries.append(_with_midnight(text, form))
    moment = pl.coalesce(tries) if tries else pl.lit(None, pl.Int64)
    return moment, zoned or (bool(tries) and not forms)


def read_at_once(values: pl.Series, sample: list[str], order: Order) -> pl.Series | None:
    """Unix seconds of times that are all of one form, UTC or without a zone; None for all others."""
    forms = {pattern_of(value, order) for value in sample}
    zulu = all(value.endswith("Z") for value in sample)
    found = forms.pop() if len(forms) == 1 else None
    if found is None or found[1] != zulu or "%.f" in found[0] or "%M" not in found[0]:
        return None
    import polars as pl

    text = pl.col(values.name)
    moment = text.str.to_datetime(found[0] + ("Z" if zulu else ""), strict=False, time_unit="us").dt.epoch("s")
    read = values.to_frame().select(moment).to_series()
    return None if read.null_count() else read


def _with_midnight(text: pl.Expr, form: str) -> pl.Expr:
    """Local times, 24:00 being the end of the day."""
    import polars as pl

    plain = _whole_seconds(text.str.to_datetime(form, strict=False), form)
    if "%H" not in form:
        return plain
    late = text.str.contains(r"[T ]24[:.h]?00")
    there = text.str.replace(r"([T ])24", "${1}00").str.to_datetime(form, strict=False).dt.epoch("s") + 86_400
    return pl.when(late).then(there).otherwise(plain)


def _whole_seconds(moment: pl.Expr, form: str) -> pl.Expr:
    """Unix seconds; null where a time has parts of one."""
    import polars as pl

    seconds = moment.dt.epoch("s")
    return pl.when(moment.dt.microsecond() == 0).then(seconds) if "%.f" in form else seconds


def _unix(text: pl.Expr) -> pl.Expr:
    import polars as pl

    return unix_seconds(text.str.extract(r"^(\d{9,13})$").cast(pl.Int64, strict=False))


def unix_seconds(number: pl.Expr) -> pl.Expr:
    """Whole numbers as Unix seconds; those beyond the year 5000 are milliseconds."""
    import polars as pl

    return pl.when(number > LAST_SECOND).then(number // 1000).otherwise(number)
