"""`transactive grid study`: three ways to run a network beside each other, and the scores of its forecasts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from transactive.cli.compare.mechanisms import progress
from transactive.config.setting import load_setting
from transactive.config.shipped import FEEDER
from transactive.core.units import kwh_text, money_text
from transactive.insight.studies.grid import ForecastScores, GridStudy, GridVariant
from transactive.studies.asked_slots import slots_asked
from transactive.studies.grid import WAYS, study

Figure = Callable[[GridVariant], str]


def run_study(community: str, *, days: int | None, start: str | None, json: bool) -> None:
    """Study and print."""
    setting = load_setting(FEEDER if community == "feeder" else Path(community))
    slots = slots_asked(setting, start, days)
    with progress(len(slots) * len(WAYS), setting.community.name) as done:
        found = study(setting, slots, done)
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        show_study(found)


def show_study(found: GridStudy) -> None:
    """Print what each way did, line by line, and how good the forecasts were."""
    console = Console(highlight=False)
    console.print(
        f"[bold]{found.community}[/]: {found.members} members, {found.slots} slots from {found.first_slot},"
        f" mechanism {found.mechanism}"
    )
    console.print(_ways(found))
    console.print(_lines(found))
    console.print(_forecasts(found.forecasts))
    console.print("  docs/concepts/grid.md says what each line means", soft_wrap=True)


def _ways(found: GridStudy) -> Table:
    """A figure a line, a way a column."""
    figures: tuple[tuple[str, Figure], ...] = (
        ("slots with a line over its limit", lambda v: f"{v.grid.slots_over:,}"),
        ("lines over, slot by slot", lambda v: f"{v.grid.lines_over:,}"),
        ("energy beyond limits, kWh", lambda v: kwh_text(v.missing_wh)),
        ("relieved by price, kWh", lambda v: kwh_text(v.grid.called_wh)),
        ("moved by limit, kWh", lambda v: kwh_text(v.grid.moved_wh)),
        ("PV held back, kWh", lambda v: kwh_text(v.grid.curtailed_wh)),
        ("… of what it could make", lambda v: _part(v.grid.curtailed_wh, v.generation_wh + v.grid.curtailed_wh)),
        (f"network pays for moves, {found.currency}", lambda v: money_text(int(v.grid.flexibility_n))),
        (f"network pays for PV, {found.currency}", lambda v: money_text(int(v.grid.curtailment_n))),
        (f"members pay in all, {found.currency}", lambda v: money_text(int(v.members_pay_n))),
        (f"network keeps, {found.currency}", lambda v: money_text(int(v.network_n))),
        (f"both together pay, {found.currency}", lambda v: money_text(int(v.members_pay_n) - int(v.network_n))),
        ("members worse off than with no market", lambda v: f"{v.members_worse_off}"),
        ("… than with lines only watched", lambda v: f"{v.members_below_watched}"),
    )
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("", overflow="fold")
    for variant in found.variants:
        table.add_column(variant.name, justify="right", no_wrap=True)
    for name, figure in figures:
        table.add_row(name, *(figure(variant) for variant in found.variants))
    return table


def _lines(found: GridStudy) -> Table:
    """Largest flow of each line each way under each way, beside its limits."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("most carried, kWh a slot", overflow="fold")
    table.add_column("limit", justify="right", no_wrap=True)
    for variant in found.variants:
        table.add_column(variant.name, justify="right", no_wrap=True)
    for number, line in enumerate(found.variants[0].lines):
        each = [variant.lines[number] for variant in found.variants]
        table.add_row(f"{line.name}, to", kwh_text(line.limit_wh), *(kwh_text(one.most_wh) for one in each))
        table.add_row(f"{line.name}, back", kwh_text(line.limit_back_wh), *(kwh_text(one.most_back_wh) for one in each))
    return table


def _forecasts(scores: tuple[ForecastScores, ...]) -> Table:
    """Scores of the probability that a limit is passed, and of the interval."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("forecast of lines", overflow="fold")
    for title in (
        "said\nover",
        "came\nover",
        "Brier\nscore",
        "clima-\ntology",
        "… by\nhour",
        "in 90 %\nmean",
        "\nleast",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for one in scores:
        brier = (f"{value:.4f}" for value in (one.brier, one.climatology, one.hourly_climatology))
        inside = (f"{100 * value:.1f} %" for value in (one.coverage, one.coverage_least))
        table.add_row(one.name, f"{one.said:.0f}", f"{one.passed:.0f}", *brier, *inside)
    return table


def _part(part_wh: int, whole_wh: int) -> str:
    return f"{100 * part_wh / whole_wh:.1f} %" if whole_wh else "–"
