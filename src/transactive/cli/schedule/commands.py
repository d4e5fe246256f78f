"""`transactive schedule …`: what planning a battery saves. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

schedule = App(name="schedule", help="What planning a battery saves.")


@schedule.command
def backtest(
    file: Path,
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
    prices: Path | None = None,
    time: str | None = None,
    group: str | None = None,
    test_days: int | None = None,
    model: str = "day-so-far",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Run a battery on anyone's recorded days, planned anew in each slot, beside the simple rule and perfect foresight.

    Parameters
    ----------
    file
        CSV or Parquet with slots of 5, 15, 30 or 60 minutes; a missing row or an empty value is a gap.
    battery_wh
        Charged Wh that fit.
    power_w
        Most that the battery draws or gives at the meter.
    efficiency
        Wh given for a Wh charged, like 0.9.
    export_price
        What an exported Wh brings [µ¤/kWh]; where the price is lower, it brings the price.
    max_import_w
        Most that the connection lets in; without it there is no limit.
    initial_wh
        Charge to begin with.
    load
        Column of what the home used in the slot, Wh.
    pv
        Column of what its PV generated in the slot, Wh.
    price
        Column of what an imported Wh costs, µ¤/kWh, known a day ahead.
    prices
        File of the price column, if it stands in another one.
    time
        Column of the slot's start; times without a zone are UTC. Without it the usual names are tried.
    group
        Column that tells whose row it is: each member has a battery of its own.
    test_days
        Days at the end that are run; without it all that have fifteen days before them.
    model
        Forecaster to plan by: the last days moved by the day so far, or one that `forecast backtest` knows.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.schedule.backtest import run_backtest
    from transactive.studies.recordings.days import ScheduleColumns
    from transactive.studies.scores.schedule import Battery

    battery = Battery(battery_wh, power_w, efficiency, max_import_w, initial_wh, export_price)
    run_backtest(file, ScheduleColumns(load, pv, price, time, group, prices), battery, test_days, model, json=json)
