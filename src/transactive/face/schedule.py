"""`transactive.schedule`: what planning a battery saves on anyone's days."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

from transactive.face.frames import Frame, Library, giving, table, taken
from transactive.face.spoken import spoken
from transactive.studies.recordings.days import ScheduleColumns
from transactive.studies.scores.schedule import DAY_SO_FAR, Battery, backtest
from transactive.studies.scores.schedule_report import ScheduleReport, in_words

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False, repr=False)
class ScheduledBatteries:
    """What each way to run the batteries cost; printed, it is the report of `transactive schedule backtest`.

    ways: a row for each way: cost_n [n¤], over_limit_wh [Wh above the connection's limit] and its part of the saving
    that perfect foresight makes, None where there is nothing to save. members: the costs of each member.
    """

    ways: Frame
    members: Frame
    _summary: str

    def __repr__(self) -> str:
        return self._summary


@spoken
def schedule(
    days: Frame | str | PathLike[str],
    *,
    battery_wh: int,
    power_w: int,
    efficiency: float,
    export_price: int,
    max_import_w: int | None = None,
    initial_wh: int = 0,
    load: str = "consumption_wh",
    pv: str = "generation_wh",
    price: str = "import_price_micro_per_kwh",
    prices: Frame | str | PathLike[str] | None = None,
    time: str | None = None,
    group: str | None = None,
    test_days: int | None = None,
    model: str = DAY_SO_FAR,
    frames: Library | None = None,
    floats: bool = False,
) -> ScheduledBatteries:
    """Run a battery on recorded days, planned anew in each slot, beside the simple rule and perfect foresight.

    Examples
    --------
    >>> import polars as pl
    >>> import transactive as ta
    >>> demo = ta.load("demo")
    >>> home = demo.readings.filter(pl.col("member") == "house-01").head(24 * 18)
    >>> found = ta.schedule(
    ...     home, battery_wh=10_000, power_w=5_000, efficiency=0.9, export_price=80_000, prices=demo.environment
    ... )
    >>> found.ways["way"].to_list()
    ['no_control', 'simple_rule', 'as_in_a_run', 'scheduled', 'perfect_foresight']

    Parameters
    ----------
    days
        Table of Polars or pandas, or a CSV or Parquet file, with slots of 5, 15, 30 or 60 minutes; a missing row or an
        empty value is a gap. Fifteen days are needed before the first that is run.
    battery_wh
        Charged Wh that fit.
    power_w
        Most that the battery draws or gives at the meter [W].
    efficiency
        Wh given for a Wh charged, like 0.9.
    export_price
        What an exported Wh brings [µ¤/kWh]; where the price is lower, it brings the price.
    max_import_w
        Most that the connection lets in [W]; without it there is no limit.
    initial_wh
        Charge to begin with [Wh].
    load
        Column of what the home used in the slot [Wh].
    pv
        Column of what its PV generated in the slot [Wh].
    price
        Column of what an imported Wh costs [µ¤/kWh], known a day ahead.
    prices
        Table or file of the price column, if it stands in another one.
    time
        Column of the slot's start; times without a zone are UTC. Without it the usual names are tried.
    group
        Column that tells whose row it is: each member has a battery of its own.
    test_days
        Days at the end that are run; without it all that have fifteen days before them.
    model
        Forecaster to plan by: day-so-far, the last days moved by the day so far, or one that `forecast` knows.
    frames
        Library of the results, polars or pandas; without it that of the days.
    floats
        Add columns in kWh and ¤ beside the whole numbers.

    Returns
    -------
    ScheduledBatteries
        Costs of each way and of each member as tables; the same call gives equal tables.

    Raises
    ------
    DataError
        Naming column and row (the first row of a table is 0) of the first fault.
    InputError
        For a battery or days that cannot be.
    """
    source, library = taken(days, "days")
    give = giving(frames or library, floats=floats)
    priced = None if prices is None else taken(prices, "prices")[0]
    battery = Battery(battery_wh, power_w, efficiency, max_import_w, initial_wh, export_price)
    report = backtest(source, ScheduleColumns(load, pv, price, time, group, priced), battery, test_days, model)
    return ScheduledBatteries(give(_ways(report)), give(_members(report)), in_words(report))


def _ways(report: ScheduleReport) -> pl.DataFrame:
    """A row for each way to run the batteries."""
    saves_any = report.share_of_possible_saving is not None
    parts = {
        "no_control": 0.0,
        "simple_rule": report.simple_rule_share,
        "as_in_a_run": report.share_as_in_a_run,
        "scheduled": report.share_of_possible_saving,
        "perfect_foresight": 1.0,
    }
    ways = [getattr(report, name) for name in parts]
    return table(
        {
            "way": list(parts),
            "cost_n": [int(way.cost_n) for way in ways],
            "over_limit_wh": [way.over_limit_wh for way in ways],
            "share_of_possible_saving": [part if saves_any else None for part in parts.values()],
        },
        parts=["share_of_possible_saving"],
    )


def _members(report: ScheduleReport) -> pl.DataFrame:
    """A row for each member."""
    costs = ("no_control_n", "simple_rule_n", "scheduled_n", "perfect_foresight_n")
    return table(
        {
            "member": [one.member for one in report.members],
            **{name: [int(getattr(one, name)) for one in report.members] for name in costs},
            "share_of_possible_saving": [one.share_of_possible_saving for one in report.members],
        },
        parts=["share_of_possible_saving"],
    )
