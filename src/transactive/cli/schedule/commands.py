"""`transactive schedule …`: what planning a battery saves, and why one did something.

Commands import what they need when they run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.quantities import Energy, Power, Price, Share

schedule = App(name="schedule", help="Measure what planning a battery saves, and tell why one did something.")


@schedule.command
def backtest(
    file: Path,
    *,
    battery_wh: Energy,
    power_w: Power,
    efficiency: Share,
    export_price: Price,
    max_import_w: Power | None = None,
    initial_wh: Energy | None = None,
    reserve_wh: Energy = 0,
    no_grid_charge: Annotated[bool, Parameter(negative="")] = False,
    no_battery_export: Annotated[bool, Parameter(negative="")] = False,
    load: str = "consumption_wh",
    pv: str = "generation_wh",
    price: str = "import_price_micro_per_kwh",
    prices: Path | None = None,
    time: str | None = None,
    group: str | None = None,
    test_days: int | None = None,
    model: str = "day-so-far",
    profile: str | None = None,
    zone: str = "UTC",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Backtest a battery that is planned anew in each slot, beside a simple rule and perfect foresight.

    Parameters
    ----------
    file
        Any export with slots of 5, 15, 30 or 60 minutes, or a community file; a missing row or empty value is a gap.
    battery_wh
        Usable capacity of the battery: Wh, or with a unit, such as "13.5 kWh".
    power_w
        Highest power of the battery at the meter, each way: W, or such as "5 kW".
    efficiency
        Round-trip efficiency, such as 0.9 or "90 %".
    export_price
        Price of exported energy: µ¤/kWh, or such as "8 ct/kWh"; where the import price is lower, that one.
    max_import_w
        Import limit of the connection; without it there is none.
    initial_wh
        Stored energy at the start; without it the reserve alone.
    reserve_wh
        Stored energy that stays for the home, as for a power cut.
    no_grid_charge
        Charge the battery from PV alone, never from the grid.
    no_battery_export
        Let the battery serve the home alone, never the grid.
    load
        Column of what the home used in the slot, Wh.
    pv
        Column of what its PV generated in the slot, Wh.
    price
        Column of what an imported Wh costs, µ¤/kWh or as its name says (price_eur_mwh), known a day ahead; or a price,
        such as "28 ct/kWh", or several by days and local hours, such as "workday 07:00-22:00 34 ct/kWh; 26 ct/kWh".
    prices
        File of the price column, if it stands in another one.
    time
        Column of the slot's start. Without it the usual names are tried.
    group
        Column with the member; each member has a battery of its own.
    test_days
        Days at the end that are run; without it all that have fifteen days before them.
    model
        Forecaster to plan by: the last days moved by the day so far, or one that `forecast backtest` knows.
    profile
        How to read the file: the name of a profile that ships, or a TOML file; without it it is found.
    zone
        Zone of times that name none, and of the hours of a price, such as Europe/Vienna.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.schedule.backtest import run_backtest
    from transactive.studies.recordings.days import ScheduleColumns
    from transactive.studies.scores.schedule import Battery

    battery = Battery(
        battery_wh,
        power_w,
        efficiency,
        max_import_w,
        reserve_wh if initial_wh is None else initial_wh,
        export_price,
        reserve_wh,
        from_grid=not no_grid_charge,
        to_grid=not no_battery_export,
    )
    columns = ScheduleColumns(load, pv, price, time, group, prices, profile, zone)
    run_backtest(file, columns, battery, test_days, model, json=json)


@schedule.command
def why(
    *, state: Path, member: str, day: str | None = None, json: Annotated[bool, Parameter(negative="")] = False
) -> None:
    """Tell why a member's battery did what it did on a day, and what it plans next.

    Parameters
    ----------
    state
        State folder of a run or a demo, also while it runs.
    member
        Whose battery.
    day
        Day in the community's zone, such as 2017-06-05; without it the newest.
    json
        Print one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.schedule.why import tell_why

    tell_why(state, member, day, json=json)
