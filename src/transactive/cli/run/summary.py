"""The summary of a run for people: tables on stdout, from the exact integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from transactive.core.community.community import Community
from transactive.core.slots import time_text
from transactive.core.units import PPM, kwh_text, money_text
from transactive.engine.replay import Outcome
from transactive.insight.summary import ForecastSummary, GridSummary, MemberBill, ScoreSummary, Summary

Figure = Callable[[MemberBill], int]


def show_summary(outcome: Outcome, community: Community, slots: range, folder: Path) -> None:
    """Print what the run did, what each member paid, and whether the books balance."""
    summary, bills = outcome.summary, outcome.bills
    console = Console(highlight=False)
    console.print(
        f"[bold]{community.name}[/]: {summary.members} members, {summary.slots} slots"
        f" from {time_text(slots[0])}, {summary.seconds:.1f} s"
    )
    console.print(_members(bills, community))
    console.print(_bills(bills, community.currency))
    console.print(_facts(summary, community.currency))
    for name, value in (("state hash", summary.state_hash), ("state folder", str(folder))):
        console.print(f"  {name:<14}{value}", soft_wrap=True)


def _members(bills: list[MemberBill], community: Community) -> Table:
    """One line a member, largest saving first, and the sum; bills after the battery credit."""
    currency = community.currency
    labels = {member.id: member.label for member in community.members}
    columns: tuple[tuple[str, Figure, Callable[[int], str]], ...] = (
        ("bought\nkWh", lambda b: b.bought_wh, kwh_text),
        ("sold\nkWh", lambda b: b.sold_wh, kwh_text),
        (f"without\nmarket\n{currency}", lambda b: b.without_market_n - b.without_market_credit_n, money_text),
        (f"with\nmarket\n{currency}", lambda b: b.with_market_n - b.with_market_credit_n, money_text),
        (f"saved\n{currency}", lambda b: b.saved_n, money_text),
        ("CO₂e kg\nlocation", lambda b: b.location_mg, _kg),
        ("CO₂e kg\nmarket", lambda b: b.market_mg, _kg),
    )
    table = Table(box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("member", "all", overflow="fold", min_width=8)
    for title, figure, text in columns:
        table.add_column(title, text(_total(bills, figure)), justify="right", no_wrap=True)
    for bill in sorted(bills, key=lambda b: -b.saved_n):
        table.add_row(escape(labels[bill.id]), *(text(figure(bill)) for _, figure, text in columns))
    return table


def _bills(bills: list[MemberBill], currency: str) -> Table:
    """Both bills of all members line by line."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(f"all members, {currency}")
    table.add_column("without market", justify="right")
    table.add_column("with market", justify="right")
    lines: tuple[tuple[str, Figure, Figure], ...] = (
        ("energy and fees", lambda b: b.without_market_n, lambda b: b.with_market_n + b.dividend_n),
        ("dividend of the community account", lambda _: 0, lambda b: -b.dividend_n),
        (
            "credit for energy left in batteries",
            lambda b: -b.without_market_credit_n,
            lambda b: -b.with_market_credit_n,
        ),
    )
    for name, without, with_market in lines:
        table.add_row(name, money_text(_total(bills, without)), money_text(_total(bills, with_market)))
    without_total = sum(_total(bills, without) for _, without, _ in lines)
    with_total = sum(_total(bills, with_market) for _, _, with_market in lines)
    table.add_row("bill", money_text(without_total), money_text(with_total), style="bold")
    return table


def _facts(summary: Summary, currency: str) -> Table:
    """What an operator looks at first."""
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column()
    chain = summary.chain
    rows = [
        ("mechanism", f"{summary.mechanism}: {summary.orders:,} orders, {kwh_text(summary.traded_wh)} kWh traded"),
        ("books", f"{summary.energy_residual_wh} Wh and {summary.money_residual_n} n¤ unaccounted for"),
        ("from neighbours", f"{summary.local_share:.1%} of what members took from the street"),
        ("self-sufficiency", f"{summary.self_sufficiency:.1%} of consumption"),
        ("carbon-free", _scores(summary.carbon.scores)),
        *_gain(summary),
        ("worse off", f"{summary.members_worse_off} of {summary.members} members"),
        ("ledger = chain", "yes" if summary.ledger_equals_chain else "no chain"),
    ]
    apart = summary.carbon.certificates
    if apart.traded_wh:
        rows.append(("certificates", f"{kwh_text(apart.traded_wh)} kWh sold apart from energy"))
    offsets = summary.carbon.offsets
    if offsets.members_kg or offsets.levy_kg or offsets.uncovered_mg:
        paid = money_text(int(offsets.members_paid_n) + int(offsets.levy_paid_n), currency)
        text = f"{offsets.members_kg + offsets.levy_kg:,} kg CO₂e retired for {paid}"
        rows.append(("offsets", f"{text}, {_kg(offsets.uncovered_mg)} kg wanted and not served"))
    if summary.forecasts and summary.forecasts.targets:
        rows.append(("forecasts", _forecasts(summary.forecasts)))
    if summary.grid:
        rows.append(("lines", _lines(summary.grid)))
    found = summary.detection
    if found.open or found.acknowledged or found.closed:
        held = f", {money_text(int(found.held_n), currency)} held back" if int(found.held_n) else ""
        text = f"{found.open} open, {found.acknowledged} acknowledged, {found.closed} closed{held}"
        rows.append(("detection", text))
    if offsets.avoided_kg:
        rows.append(("avoided", f"{offsets.avoided_kg:,} kg CO₂e issued as credits for members' PV"))
    if chain:
        rows.append(("chain", f"block {chain.height}: {chain.slot_commits} slot commits, {chain.nettings} nettings"))
        rows.append(
            (
                "gas",
                f"{chain.gas_per_slot_commit:,} a slot commit, {chain.gas_per_member_netting:,} a member and netting",
            )
        )
    for name, value in rows:
        table.add_row(name, value)
    return table


def _gain(summary: Summary) -> list[tuple[str, str]]:
    """What was reached of what neighbours could gain, where that is known."""
    if summary.gain_share is None:
        return []
    return [("possible gain", f"{summary.gain_share:.1%} saved of what one plan for all that knew everything would")]


def _forecasts(forecasts: ForecastSummary) -> str:
    """Who forecasts what, and how often the interval held, in one line."""
    held = [t.covered_ppm for t in forecasts.targets.values() if t.covered_ppm is not None]
    inside = f", {min(held) / PPM:.0%} to {max(held) / PPM:.0%} inside the 90 % interval" if held else ""
    trained = [f"{name} by {t.by}" for name, t in forecasts.targets.items() if t.by != "empirical"]
    return f"{', '.join(trained) or 'all by empirical quantiles'}{inside}; {forecasts.drifts} drifts"


def _scores(scores: ScoreSummary) -> str:
    """The 24/7 scores in one line."""
    text = f"{scores.hourly_ppm / PPM:.1%} in the same slot, {scores.annual_ppm / PPM:.1%} over the whole run"
    return text if scores.with_grid_ppm is None else f"{text}, {scores.with_grid_ppm / PPM:.1%} with the grid's part"


def _lines(grid: GridSummary) -> str:
    """The network's lines in one line."""
    over = f"{grid.slots_over} slots with one over its limit"
    if not grid.managed:
        return f"{over}, watched"
    held, moved = kwh_text(grid.curtailed_wh), kwh_text(grid.called_wh + grid.moved_wh)
    return f"{over}, {grid.would_be_over} but for limits; {held} kWh PV held back, {moved} kWh moved"


def _total(bills: list[MemberBill], figure: Figure) -> int:
    """Sum of a figure over all members."""
    return sum(figure(bill) for bill in bills)


def _kg(mg: int) -> str:
    """Carbon [mg] in kg, to ten grams."""
    tens = (abs(mg) + 5_000) // 10_000
    return f"{'−' if mg < 0 and tens else ''}{tens // 100:,}.{tens % 100:02d}"
