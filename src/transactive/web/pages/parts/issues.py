"""What needs somebody's attention, found in the run's own figures: the finding, the evidence, where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactive.core.items import Item, ItemState
from transactive.core.units import PPM, kwh_text
from transactive.store.read.runs import Row, Run
from transactive.store.read.totals import MemberTotal, RunTotals
from transactive.texts.formatting import Words, counted

WORTH_TELLING_WH = 1_000
"""A member that sold less than this is not said to deliver too little."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding. level: bad, warn or info. slot: where to look, if it is one. member: whom it concerns, if one.

    item: what detection found, which the operator acknowledges and closes.
    """

    level: str
    title: str
    reason: str
    slot: int | None = None
    member: int | None = None
    item: Item | None = None


def issues(
    run: Run, totals: RunTotals, words: Words, lines: Sequence[Row] = (), items: Sequence[Item] = ()
) -> list[Notice]:
    """All findings, gravest first. lines: those that passed their limits, as `grid_queries.lines_over` tells them.

    items: what detection found; those that are closed are left out.
    """
    found = _books(totals, words) + _meters(totals) + [_line(row, run, words) for row in lines]
    found += [of_item(run, item, words) for item in items if item.state != ItemState.CLOSED]
    for index, member in enumerate(totals.members):
        found += _member(index, run.names[index], member, words)
    found += _untraded(run, totals, words)
    rank = {"bad": 0, "warn": 1, "info": 2}
    return sorted(found, key=lambda issue: rank[issue.level])


def of_item(run: Run, item: Item, words: Words) -> Notice:
    """An item of detection, with its evidence, span, energy at stake and confidence."""
    who = "The feeder" if item.member is None else run.names[item.member]
    reason = (
        f"{item.evidence}; {words.short_day(item.first)} to {words.short_day(max(item.end - 1, item.first))},"
        f" {kwh_text(item.energy_wh)} kWh at stake,"
        f" confidence {item.confidence_ppm / PPM:.0%}"
    )
    level = "info" if item.state == ItemState.ACKNOWLEDGED else "warn"
    return Notice(level, f"{who}: {item.kind}", reason, member=item.member, item=item)


def own_findings(run: Run, items: Sequence[Item], words: Words) -> list[tuple[int, str, str]]:
    """Findings that are not closed, as a member's page lists them: number, what was found, evidence."""
    return [
        (item.number, item.kind.capitalize(), of_item(run, item, words).reason)
        for item in items
        if item.state != ItemState.CLOSED
    ]


def _books(totals: RunTotals, words: Words) -> list[Notice]:
    found = []
    if totals.money_residual_n:
        found.append(
            Notice("bad", "Money does not balance", f"{words.exact(totals.money_residual_n)} left in escrow or pool")
        )
    if totals.energy_residual_wh:
        found.append(Notice("bad", "Energy does not balance", f"{totals.energy_residual_wh:,} Wh without a posting"))
    return found


def _meters(totals: RunTotals) -> list[Notice]:
    gaps = totals.slots - totals.complete_slots
    return [Notice("bad", "Readings are missing", f"{counted(gaps, 'slot')} without all meters")] if gaps else []


def _line(row: Row, run: Run, words: Words) -> Notice:
    """A line that passed its limit; there is none without a network."""
    left = "that no device could take or give" if run.community.grid.manage else "beyond it: its network only watches"
    when = f"{words.short_day(row['last'])}, {words.span(row['last'], run.clock.length)}"
    title = f"Line {run.network.label(row['line'])} passed its limit in {counted(row['slots'], 'slot')}"
    return Notice("warn", title, f"{kwh_text(row['energy_wh'])} kWh {left}; last {when}", slot=row["last"])


def _member(index: int, name: str, member: MemberTotal, words: Words) -> list[Notice]:
    found = []
    if member.refused:
        reason = f"free balance up to {words.money(member.refused_missing_n)} short of the lock; top up"
        found.append(Notice("warn", f"{name}: {counted(member.refused, 'order')} refused", reason, member=index))
    if member.saved_n < 0:
        reason = "against the supplier’s tariff, before battery credit"
        found.append(Notice("warn", f"{name} is {words.money(-member.saved_n)} worse off so far", reason, member=index))
    if member.advanced_n:
        title = f"{name}: the supplier advanced {words.money(member.advanced_n)}"
        found.append(Notice("warn", title, "its account could not pay its energy; still owed", member=index))
    if member.sold_wh >= WORTH_TELLING_WH and member.short_wh * 2 > member.sold_wh:
        reason = f"{kwh_text(member.short_wh)} of {kwh_text(member.sold_wh)} kWh sold ahead had to be replaced"
        found.append(Notice("info", f"{name} often delivers less than it sold", reason, member=index))
    return found


def _untraded(run: Run, totals: RunTotals, words: Words) -> list[Notice]:
    if not totals.untraded:
        return []
    last = totals.untraded[-1]
    when = f"{words.short_day(last)}, {words.span(last, run.clock.length)}"
    title = f"{counted(len(totals.untraded), 'slot')} without a trade, though both sides had orders"
    return [Notice("info", title, f"no price suited both; last {when}", slot=last)]
